#!/usr/bin/python3
"""The networks of the studies in search_spaces/, each at the middle of its ranges, as JSON.

    make && bench/shipped.py > trainer/bench_networks.json

`trainer bench` has that file within it; tests/test_bench.py says when it is no longer what the
studies say."""
import glob
import json
import os
import subprocess
import sys

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def middle(tuner, path):
    """The row of one study file."""
    command = [tuner, "check", path, "--middle"]
    whole = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE,
                                       stderr=subprocess.DEVNULL).stdout)
    study = os.path.splitext(os.path.basename(path))[0]
    return {"study": study, "model": whole["model"], "training": whole["training"]}


def shipped(tuner):
    return [middle(tuner, path) for path in sorted(glob.glob(f"{TOP}/search_spaces/*.yaml"))]


def text(rows):
    """One layer or setting a line."""
    def lines(row):
        model = ",\n    ".join(json.dumps(layer) for layer in row["model"])
        return (f'  {{"study": {json.dumps(row["study"])},\n   "model": [\n    {model}],\n'
                f'   "training": {json.dumps(row["training"])}}}')
    return "[\n" + ",\n".join(lines(row) for row in rows) + "\n]\n"


if __name__ == "__main__":
    sys.stdout.write(text(shipped(os.path.join(TOP, "build", "tuner"))))
