"""What the tests of data sets in the formats of others share: each is derived from synthetic
digits, loaded by the trainer from outside, and damaged in every way that a file can be."""
import gzip
import json
import os
import shutil
import struct
import subprocess
import sys
import tempfile
import zlib

from patience import patient

TRAINER = os.environ.get("TRAINER", "build/test/trainer")
TUNER = os.environ.get("TUNER", "build/test/tuner")
SCRATCH = tempfile.mkdtemp(dir=os.environ.get("TEST_TMP"), prefix="formats-")
ENVIRONMENT = {**os.environ, "OPENBLAS_NUM_THREADS": "1", "MNIST_DIR": "/nowhere",
               "TUNER_HOME": os.path.join(SCRATCH, "home")}
TRAINING = {"optimizer": {"type": "adam", "learning_rate": 0.003}, "batch_size": 50}
failures = 0


def check(what, good, detail=""):
    global failures
    failures += not good
    print(f"ok - {what}" if good else f"not ok - {what}\n    {str(detail)[-1500:]}", flush=True)


def path(*names):
    return os.path.join(SCRATCH, *names)


def run(*arguments):
    return subprocess.run([TRAINER, *arguments], capture_output=True, text=True, timeout=patient(120),
                          env=ENVIRONMENT)


def write(name, content):
    os.makedirs(os.path.dirname(path(name)), exist_ok=True)
    with open(path(name), "wb" if isinstance(content, bytes) else "w") as file:
        file.write(content)
    return path(name)


def train(dataset, units=10, epochs=1, **data):
    config = {"model": [{"type": "flatten"}, {"type": "dense", "units": units}],
              "training": TRAINING, "seed": "7", "epochs": epochs,
              "data": {"dataset": dataset, **data}}
    write("config.json", json.dumps(config))
    if os.path.exists(path("model.ckpt")):
        os.unlink(path("model.ckpt"))
    return run("train", path("config.json"), "--output", path("model.ckpt"))


def evaluate(dataset):
    done = run("evaluate", path("model.ckpt"), "--data", dataset, "--json")
    return json.loads(done.stdout) if done.returncode == 0 else done


def row_of(index, dataset):
    """What the network says of a test image: a fingerprint of its pixels."""
    done = run("predict", path("model.ckpt"), "--data", dataset, "--index", str(index), "--json")
    answer = json.loads(done.stdout)
    return answer["label"], answer["probabilities"]


def refused(what, part, dataset, units=10, **data):
    done = train(dataset, units, **data)
    check(f"refused with a reason: {what}",
          done.returncode == 65 and part in done.stderr, (done.returncode, done.stderr))


def digits():
    """The synthetic digits as (pixels, label) lists: training, test."""
    sets = []
    for part in ("train", "t10k"):
        with gzip.open(path("digits", f"{part}-images-idx3-ubyte.gz")) as file:
            pixels = file.read()[16:]
        with gzip.open(path("digits", f"{part}-labels-idx1-ubyte.gz")) as file:
            labels = file.read()[8:]
        sets.append([(pixels[i * 784:i * 784 + 784], label) for i, label in enumerate(labels)])
    return sets


def check_study(text):
    study = write("study.yaml", "study: s\nseed: 1\nparameters: {u: {type: int, low: 4, high: 8}}\n"
                  "model: [flatten, dense: $u, dense: classes]\n"
                  "training: {optimizer: {type: sgd, learning_rate: 0.1}, batch_size: 10}\n"
                  f"search: {{trials: 2, max_epochs: 1}}\n{text}\n")
    return subprocess.run([TUNER, "check", study, "--trainer", os.path.abspath(TRAINER)],
                          capture_output=True, text=True, timeout=patient(60), env=ENVIRONMENT,
                          cwd=SCRATCH)


def png(pixels, width=28, height=28, channels=1, depth=8):
    """Of bytes; with a depth of 16 each is written twice, which is the same shade."""
    def chunk(kind, content):
        return (struct.pack(">I", len(content)) + kind + content
                + struct.pack(">I", zlib.crc32(kind + content)))
    pixels = b"".join(bytes([value, value]) for value in pixels) if depth == 16 else pixels
    stride = width * channels * depth // 8
    lines = b"".join(b"\0" + pixels[y * stride:(y + 1) * stride] for y in range(height))
    kind = {1: 0, 2: 4, 3: 2, 4: 6}[channels]  # 2 and 4: with transparency
    header = struct.pack(">IIBBBBB", width, height, depth, kind, 0, 0, 0)
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header)
            + chunk(b"IDAT", zlib.compress(lines)) + chunk(b"IEND", b""))


def draw():
    """Draws synthetic digits into the folder `digits`: training, test."""
    done = run("synth", path("digits"), "--train", "1000", "--test", "200", "--seed", "3")
    check("synthetic digits are drawn", done.returncode == 0, done)
    return digits()


def finish():
    shutil.rmtree(SCRATCH, ignore_errors=True)
    sys.exit(1 if failures else 0)
