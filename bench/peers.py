#!/usr/bin/python3
"""Measures the trainer and its peers, one after another, and prints docs/performance.md's tables.

    make bench-peers                       all of it, about 40 minutes on two cores
    make bench-peers PEERS=--short         one thread and nothing compiled: about ten minutes
    make bench-peers PEERS=--quick         a few seconds of each, to see that it works
    bench/peers.py --tables                the tables again, from what was measured last

What is measured is in bench/README.md.  Every line of JSON is kept in build/peers/results.jsonl.
A peer that fails costs its cells of the tables."""
import argparse
import contextlib
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import time

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
PEERS = os.path.join(TOP, "build", "peers")
RESULTS = os.path.join(PEERS, "results.jsonl")
PYTHON = os.path.join(PEERS, "venv", "bin", "python")
STUDY = os.path.join(TOP, "bench", "peer_study.yaml")
DEMO_MNIST = os.path.join(TOP, "build", "demo", "data", "mnist")
NETWORKS = ("small", "vgg")
PRECISIONS = ("fp32", "bf16")
OURS = "trainer"
STUDY_SQL = """
    SELECT t.arithmetic AS precision, t.value AS val_accuracy, s.test_accuracy, s.trials, s.epochs,
           t.parameters
    FROM studies AS s JOIN trials AS t ON t.study = s.study AND t.trial = s.winner"""
# A column of the table: its head, the program in the results, whether it was compiled.
COLUMNS = (("PyTorch", "PyTorch", False), ("PyTorch, compiled", "PyTorch", True),
           ("Keras", "Keras", False), ("Keras, compiled", "Keras", True))
QUICK = ("--images", "256", "--seconds", "0")
QUICK_STUDY = {"train: 10000, validation: 5000": "train: 1000, validation: 500",
               "max_epochs: 9": "max_epochs: 3"}
QUICK_KERAS_TUNER = ("--train", "1000", "--validation", "500", "--max-epochs", "3")


# ---- running ----

def run(command, **options):
    """What a program printed, or None with a word on stderr when it failed."""
    print("$ " + " ".join(os.path.relpath(word, TOP) if os.path.isabs(word) else word
                          for word in command), file=sys.stderr, flush=True)
    done = subprocess.run(command, cwd=TOP, text=True, stdout=subprocess.PIPE, **options)
    if done.returncode != 0:
        print(f"  failed with exit status {done.returncode}", file=sys.stderr, flush=True)
        return None
    return done.stdout


def keep_to_one_core():
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[-1:])


def program(name):
    return os.path.join(TOP, "build", name)


def measure_trainer():
    output = run([program("trainer"), "bench", "--json", "--seconds", "60"],
                 preexec_fn=keep_to_one_core)
    return [{"program": OURS, "threads": 1, "compiled": False, **row}
            for row in json.loads(output or "[]")]


def measure_peer(script, *arguments):
    """Its one line; what the frameworks tell about themselves goes to a file."""
    with open(os.path.join(PEERS, "log"), "a") as log:
        output = run([PYTHON, os.path.join(TOP, "bench", script), *arguments], stderr=log)
    return [json.loads(output)] if output else []


def measure_throughput(options):
    yield from measure_trainer()
    for network in NETWORKS:
        for precision in PRECISIONS:
            for threads in ("1",) if options.short else ("1", "0"):
                for script in ("peer_torch.py", "peer_keras.py"):
                    for compiled in ((),) if options.short else ((), ("--compiled",)):
                        yield from measure_peer(script, "--network", network, "--precision",
                                                precision, "--threads", threads, *compiled,
                                                *(QUICK if options.quick else ()))


def study_file(quick):
    """Our study, or a copy of it with less to do."""
    if not quick:
        return STUDY
    with open(STUDY) as file:
        text = file.read()
    for long, short in QUICK_STUDY.items():
        text = text.replace(long, short)
    path = os.path.join(PEERS, "quick_study.yaml")
    with open(path, "w") as file:
        file.write(text)
    return path


def measure_our_study(quick):
    home = os.path.join(PEERS, "home")
    shutil.rmtree(home, ignore_errors=True)
    begun = time.monotonic()
    if run([program("tuner"), "run", study_file(quick), "--home", home]) is None:
        return []
    seconds = round(time.monotonic() - begun, 1)
    with contextlib.closing(sqlite3.connect(os.path.join(home, "trials.db"))) as database:
        database.row_factory = sqlite3.Row
        row = dict(database.execute(STUDY_SQL).fetchone())
    return [{"program": "tuner", "threads": os.cpu_count(), "seconds": seconds, **row}]


def measure_studies(options):
    yield from measure_our_study(options.quick)
    for precision in PRECISIONS[:1] if options.short else PRECISIONS:
        yield from measure_peer("keras_tuner_study.py", "--threads", "0", "--precision",
                                precision, *(QUICK_KERAS_TUNER if options.quick else ()))


def measure(options):
    """Everything, one after another; the results, kept as they come."""
    for name in (RESULTS, os.path.join(PEERS, "log")):
        open(name, "w").close()
    for measurements in (measure_throughput, measure_studies):
        for row in measurements(options):
            with open(RESULTS, "a") as file:
                file.write(json.dumps(row) + "\n")


# ---- the tables ----

def table(head, rows):
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def times_as_much(mine, other):
    return f"{mine / other:.2f}" if mine and other else "-"


def find(results, key, **wanted):
    """The figure of the first result that has all that is wanted, or None."""
    for row in results:
        if key in row and all(row.get(name) == value for name, value in wanted.items()):
            return row[key]
    return None


def throughput_row(results, network, precision, threads, key, work):
    settings = {"network": network, "precision": precision}
    mine = find(results, key, program=OURS, **settings)
    theirs = [find(results, key, program=name, compiled=compiled, threads=threads, **settings)
              for _, name, compiled in COLUMNS]
    fastest = max(filter(None, theirs), default=None)
    return [network, precision, work, str(threads),
            *(f"{figure:,.0f}" if figure else "-" for figure in [mine, *theirs]),
            times_as_much(mine, fastest)]


def throughput_table(results):
    threads = sorted({row["threads"] for row in results if "network" in row})
    return table(
        ["network", "precision", "work", "their threads", "trainer, one core",
         *(head for head, _, _ in COLUMNS), "trainer / fastest"],
        [throughput_row(results, network, precision, count, key, work)
         for network in NETWORKS for precision in PRECISIONS for count in threads
         for key, work in (("train_images_per_s", "train"), ("eval_images_per_s", "evaluate"))])


def study_table(results):
    studies = [row for row in results if "seconds" in row]
    mine = find(studies, "seconds", program="tuner")
    return table(
        ["study by", "arithmetic", "cores", "wall-clock time", "configurations", "epochs",
         "best validation", "test", "time / tuner's"],
        [[row["program"], row["precision"], str(row["threads"]),
          f"{row['seconds']:.0f} s", str(row["trials"]), str(row["epochs"]),
          f"{100 * row['val_accuracy']:.2f} %", f"{100 * row['test_accuracy']:.2f} %",
          times_as_much(row["seconds"], mine)] for row in studies])


def print_tables(results):
    versions = {row["program"]: row["version"] for row in results if "version" in row}
    print("\nImages a second:", "; ".join(f"{name} {text}" for name, text in versions.items()))
    print(f"\n{throughput_table(results)}\n\n{study_table(results)}")


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--short", action="store_true")
    parser.add_argument("--tables", action="store_true")
    options = parser.parse_args()
    if not options.tables:
        # Nothing is written outside of build/: no bytecode here, no compiled kernels in /tmp.
        os.environ["PYTHONDONTWRITEBYTECODE"] = "1"
        os.environ["TORCHINDUCTOR_CACHE_DIR"] = os.path.join(PEERS, "inductor")
        os.environ.setdefault("MNIST_DIR", DEMO_MNIST)
        if not os.path.isdir(os.environ["MNIST_DIR"]):
            parser.error("set $MNIST_DIR to the folder with MNIST's four IDX files; `make demo` "
                         "fetches them to build/demo/data/mnist")
        measure(options)
    with open(RESULTS) as file:
        print_tables([json.loads(line) for line in file])


if __name__ == "__main__":
    main()
