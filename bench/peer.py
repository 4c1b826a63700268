"""What the measurements of the peers share: their options, the cores they may use, the images,
the taking of times and the line of JSON that each prints.

Imports no framework: the number of threads must be settled before one is loaded."""
import argparse
import gzip
import json
import math
import os
import time

import numpy

TRAIN_BATCH = 64
EVAL_BATCH = 256
EVAL_TURNS = 4  # a round of evaluation goes over its images so often, or it would be too short
CLASSES = 10
LEARNING_RATE = 1e-3
ROUNDS_LEAST = 3
ROUND_IMAGES = {"small": 5120, "vgg": 1280}  # a second or a few of each network


# ---- options ----

def parser_of(description):
    """The options that every script has, for a script to add its own; then parse()."""
    parser = argparse.ArgumentParser(description=description,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", type=int, default=1, metavar="N",
                        help="threads, each on a core of its own; 0: as many as cores (default 1)")
    parser.add_argument("--precision", choices=("fp32", "bf16"), default="fp32")
    return parser


def parse(parser):
    """The options, with the threads settled: the process is kept to as many cores, so that no
    helper thread of a framework gets a core that was not counted."""
    options = parser.parse_args()
    cores = sorted(os.sched_getaffinity(0))
    options.threads = min(options.threads or len(cores), len(cores))
    os.sched_setaffinity(0, cores[-options.threads:])
    os.environ["OMP_NUM_THREADS"] = str(options.threads)
    return options


def parse_throughput(description):
    """The options of a script that measures the named networks."""
    parser = parser_of(description)
    parser.add_argument("--network", choices=tuple(ROUND_IMAGES), default="small")
    parser.add_argument("--compiled", action="store_true",
                        help="let the framework's own compiler have the network first")
    parser.add_argument("--images", type=int, metavar="N",
                        help="images of a round, rounded up to whole batches (default: "
                             + ", ".join(f"{n} for {name}" for name, n in ROUND_IMAGES.items())
                             + ")")
    parser.add_argument("--seconds", type=float, default=10, metavar="S",
                        help="rounds of training are begun for so long, those of evaluation half "
                             f"as long, at least {ROUNDS_LEAST} of each (default 10)")
    options = parse(parser)
    images = options.images or ROUND_IMAGES[options.network]
    options.images = -(-images // EVAL_BATCH) * EVAL_BATCH
    return options


# ---- images ----

def read_idx(name):
    """An array from the IDX file of that name in $MNIST_DIR, plain or gzip."""
    path = os.path.join(os.environ["MNIST_DIR"], name)
    opener = open if os.path.exists(path) else gzip.open
    with opener(path if opener is open else path + ".gz", "rb") as file:
        data = file.read()
    sides = numpy.frombuffer(data, ">i4", count=data[3], offset=4)
    return numpy.frombuffer(data, numpy.uint8, offset=4 + 4 * len(sides)).reshape(sides)


def load_mnist(part):
    """All images of `train` or `t10k` as [images][28][28][1] from 0 to 1, and their labels."""
    images = read_idx(f"{part}-images-idx3-ubyte")[..., None].astype(numpy.float32) / 255
    return images, read_idx(f"{part}-labels-idx1-ubyte").astype(numpy.int64)


def load_images(count):
    """So many training images of MNIST; without $MNIST_DIR random ones, which take as long."""
    if os.environ.get("MNIST_DIR"):
        images, labels = load_mnist("train")
        return images[:count], labels[:count]
    random = numpy.random.default_rng(1)
    images = random.random((count, 28, 28, 1), dtype=numpy.float32)
    return images, random.integers(0, CLASSES, count)


# ---- measuring ----

def images_per_s(work, images, seconds):
    """Of the shortest round.  `work` is a round over so many images; the first warms up."""
    work()
    shortest, rounds, begun = math.inf, 0, time.perf_counter()
    while rounds < ROUNDS_LEAST or time.perf_counter() - begun < seconds:
        start = time.perf_counter()
        work()
        shortest = min(shortest, time.perf_counter() - start)
        rounds += 1
    return images / shortest


def print_throughput(program, version, options, train, evaluate):
    """Measures both and prints the line.  `train` is a round over options.images, `evaluate` one
    over EVAL_TURNS times as many."""
    tested = EVAL_TURNS * options.images
    print(json.dumps({
        "program": program, "version": version, "network": options.network,
        "precision": options.precision, "threads": options.threads, "compiled": options.compiled,
        "train_images_per_s": round(images_per_s(train, options.images, options.seconds), 1),
        "eval_images_per_s": round(images_per_s(evaluate, tested, options.seconds / 2), 1),
    }), flush=True)
