#!/usr/bin/python3
"""Runs the studies of the five networks and measures each winner over three seeds.

    make && bench/networks.py [STUDY...]         all five, or those named

For each study of search_spaces/: the search with its final training and report, in the home
folder build/networks; then the winner's configuration, trained anew with three other seeds
on all training images that are not held out, and measured on the validation and the test
images after its last epoch.  Prints a line for each training and, at the end, the rows of
the table in docs/networks.md.  A study that is done is not run again."""
import concurrent.futures
import json
import os
import statistics
import subprocess
import sys
import time

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
HOME = os.path.join(TOP, "build", "networks")
SEEDS = (101, 102, 103)
# A study, and how many images its winner is trained on: Kaggle's file has fewer than MNIST.
STUDIES = {"deep_cnn": "all", "kaggle_cnn": 37800, "tuned_cnn": "all", "three_conv_cnn": "all",
           "two_conv_cnn": "all"}


def program(name, *arguments, **options):
    command = [os.path.join(TOP, "build", name), *arguments]
    return subprocess.run(command, check=True, text=True, stdout=subprocess.PIPE, **options).stdout


def query(sql):
    return subprocess.run(["sqlite3", "-json", os.path.join(HOME, "trials.db"), sql], check=True,
                          text=True, stdout=subprocess.PIPE).stdout


def search(study):
    """Runs the study; gives the winner's configuration and the seconds that it took."""
    begun = time.monotonic()
    path = os.path.join(TOP, "search_spaces", study + ".yaml")
    program("tuner", "run", path, "--home", HOME)
    took = time.monotonic() - begun
    winner = json.loads(program("tuner", "best", study, "--json", "--home", HOME))["trial"]
    return json.loads(program("tuner", "check", path, "--trial", str(winner), "--home", HOME)), took


def train(study, configuration, seed):
    """One training of the winner: its last epoch's validation accuracy, its test accuracy."""
    model = os.path.join(HOME, f"{study}.{seed}.model")
    output = program("trainer", "train", "-", "--seed", str(seed), "--output", model,
                     input=json.dumps(configuration))
    last = [line for line in output.splitlines() if line.startswith("epoch")][-1].split()
    validation = float(last[last.index("val_accuracy") + 1])
    tested = json.loads(program("trainer", "evaluate", model, "--data", "mnist", "--json"))
    return validation, tested["accuracy"]


def percent(value):
    return f"{100 * value:.2f} %"


def measure(study):
    configuration, searched = search(study)
    trials = json.loads(query(f"SELECT count(*) AS n FROM trials WHERE study = '{study}'"))
    print(f"{study}: {trials[0]['n']} trials, {searched:.0f} s; winner "
          f"{configuration['parameters']}", flush=True)
    configuration["data"]["train"] = STUDIES[study]
    begun = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(len(SEEDS)) as pool:
        figures = list(pool.map(lambda seed: train(study, configuration, seed), SEEDS))
    trained = time.monotonic() - begun
    for seed, figure in zip(SEEDS, figures):
        print(f"  seed {seed}: validation {percent(figure[0])}, test {percent(figure[1])}",
              flush=True)
    validation, test = (statistics.mean(column) for column in zip(*figures))
    return (f"| `{study}` | {trials[0]['n']} | {searched:.0f} s | {percent(validation)} | "
            f"{percent(test)} | {trained:.0f} s |")


def main():
    os.makedirs(HOME, exist_ok=True)
    rows = [measure(study) for study in sys.argv[1:] or STUDIES]
    print("\n| study | trials | search and final training | validation, mean of 3 seeds | "
          "test, mean of 3 seeds | the 3 trainings |\n| --- | --- | --- | --- | --- | --- |")
    print("\n".join(rows))


if __name__ == "__main__":
    main()
