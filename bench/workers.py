#!/usr/bin/python3
"""What a second worker adds, and how much memory one takes.

    make && bench/workers.py

Trains the benchmark's network small on MNIST ($MNIST_DIR, else drawn digits) with batches of
128: once alone, then twice at the same time, in turns, and takes each time the fastest epoch
after the first.  Prints images a second of one and of two together, their ratio, and the most
memory that a worker had."""
import concurrent.futures
import json
import os
import subprocess
import sys
import tempfile
import time

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
TRAINER = os.path.join(TOP, "build", "trainer")
IMAGES, EPOCHS, TURNS = 30000, 4, 3
CONFIGURATION = {
    "data": {"dataset": "mnist" if os.environ.get("MNIST_DIR") else "synthetic",
             "train": IMAGES, "validation": 1000},
    "model": [{"type": "conv", "filters": 32, "kernel": 3, "activation": "relu"},
              {"type": "max_pool", "size": 2},
              {"type": "conv", "filters": 64, "kernel": 3, "activation": "relu"},
              {"type": "max_pool", "size": 2}, {"type": "flatten"},
              {"type": "dense", "units": 128, "activation": "relu"},
              {"type": "dense", "units": 10}],
    "training": {"optimizer": {"type": "adam", "learning_rate": 1e-3}, "batch_size": 128},
    "epochs": EPOCHS}


def train(folder, number):
    """One training: when its epochs ended, and the most memory it had, in bytes."""
    command = [TRAINER, "train", "-", "--output", os.path.join(folder, f"{number}.model")]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    process.stdin.write(json.dumps(CONFIGURATION))
    process.stdin.close()
    ends = [time.monotonic() for line in process.stdout if line.startswith("epoch")]
    _, status, usage = os.wait4(process.pid, 0)
    if status != 0 or len(ends) != EPOCHS:
        sys.exit(f"{' '.join(command)} failed")
    return ends, usage.ru_maxrss * 1024


def rate(workers, folder):
    """Images a second of so many at once, by each one's fastest epoch; the memory of one."""
    with concurrent.futures.ThreadPoolExecutor(workers) as pool:
        trained = list(pool.map(lambda number: train(folder, number), range(workers)))
    fastest = [min(b - a for a, b in zip(ends, ends[1:])) for ends, _ in trained]
    return sum(IMAGES / seconds for seconds in fastest), max(memory for _, memory in trained)


def main():
    best = {1: 0, 2: 0}
    memory = 0
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(TURNS):
            for workers in best:
                images, most = rate(workers, folder)
                best[workers] = max(best[workers], images)
                memory = max(memory, most)
    print(f"one worker {best[1]:.0f} images/s, two {best[2]:.0f}: {best[2] / best[1]:.2f} times; "
          f"{memory / 1e6:.0f} MB at most")


if __name__ == "__main__":
    main()
