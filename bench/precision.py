#!/usr/bin/python3
"""Whether bf16 learns as well as fp32: the five networks, five seeds, both precisions.

    make && bench/precision.py [STUDY...]        all five, or those named

Each study's network at the middle of its ranges (`tuner check --middle`), trained for the
study's own number of epochs on 10,000 images of MNIST ($MNIST_DIR or the home), validated on
10,000 others after the last epoch.  The same seed is the same initial weights, images and
order in both.  Prints a row for each network: the means, and their difference in points with
its standard error over the pairs."""
import argparse
import concurrent.futures
import json
import math
import os
import statistics
import subprocess
import tempfile

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
STUDIES = ("deep_cnn", "kaggle_cnn", "tuned_cnn", "three_conv_cnn", "two_conv_cnn")
SEEDS = (201, 202, 203, 204, 205)
PRECISIONS = ("fp32", "bf16")
IMAGES = 10000


def program(name, *arguments, **options):
    command = [os.path.join(TOP, "build", name), *arguments]
    return subprocess.run(command, check=True, text=True, stdout=subprocess.PIPE, **options).stdout


def train(configuration, precision, seed, model):
    """The validation accuracy after the last epoch, in percent."""
    whole = {**configuration, "training": {**configuration["training"], "precision": precision}}
    output = program("trainer", "train", "-", "--seed", str(seed), "--output", model,
                     input=json.dumps(whole))
    last = [line for line in output.splitlines() if line.startswith("epoch")][-1].split()
    return 100 * float(last[last.index("val_accuracy") + 1])


def measure(study, folder):
    path = os.path.join(TOP, "search_spaces", study + ".yaml")
    configuration = json.loads(program("tuner", "check", path, "--middle"))
    configuration["data"].update(train=IMAGES, validation=IMAGES)
    jobs = [(precision, seed) for seed in SEEDS for precision in PRECISIONS]
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        reached = dict(zip(jobs, pool.map(
            lambda job: train(configuration, *job, os.path.join(folder, "-".join(map(str, job)))),
            jobs)))
    pairs = [reached["bf16", seed] - reached["fp32", seed] for seed in SEEDS]
    error = statistics.stdev(pairs) / math.sqrt(len(pairs))
    means = [statistics.mean(reached[precision, seed] for seed in SEEDS)
             for precision in PRECISIONS]
    return (f"| `{study}` | {configuration['epochs']} | {means[0]:.2f} % | {means[1]:.2f} % | "
            f"{statistics.mean(pairs):+.2f} ± {error:.2f} |")


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("studies", nargs="*", metavar="STUDY", help="one of " + ", ".join(STUDIES))
    studies = parser.parse_args().studies
    for study in set(studies) - set(STUDIES):
        parser.error(f"there is no {study}; take one of {', '.join(STUDIES)}")
    print("| study | epochs | fp32 | bf16 | difference in points |\n| --- | --- | --- | --- | --- |",
          flush=True)
    with tempfile.TemporaryDirectory() as folder:
        for study in studies or STUDIES:
            print(measure(study, folder), flush=True)


if __name__ == "__main__":
    main()
