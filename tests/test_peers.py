"""bench/: the study for the peers is the quickstart's, and the tables say what was measured."""
import os
import sys

import harness
from harness import check, finish, folder

sys.path.insert(0, os.path.join(harness.TOP, "bench"))
import peers  # noqa: E402

os.environ["MNIST_DIR"] = ""


def section(path, key):
    """The lines of a key of a study file, without comments."""
    with open(os.path.join(harness.TOP, path)) as file:
        lines = [line.split("#")[0].rstrip() for line in file]
    begin = lines.index(f"{key}:")
    end = next((i for i in range(begin + 1, len(lines)) if lines[i][:1].isalpha()), len(lines))
    return [line for line in lines[begin:end] if line]


def test_study():
    for key, more in (("parameters", []), ("model", []), ("training", ["  precision: auto"])):
        ours, quickstart = (section(path, key) for path in (
            "bench/peer_study.yaml", "search_spaces/quickstart.yaml"))
        check(f"`{key}` of bench/peer_study.yaml is the quickstart's" + (
            ", in the precision that is fastest here" if more else ""),
              ours == quickstart + more, ours)
    home = folder("peers")
    done = harness.run(home, "check", peers.STUDY, trainer=harness.TRAINER)
    check("bench/peer_study.yaml plans 17 configurations and 69 epochs",
          "17 configurations, 69 epochs" in done[1], done)


def test_quick_study():
    with open(peers.STUDY) as file:
        text = file.read()
    check("what --quick replaces is in bench/peer_study.yaml",
          all(text.count(long) == 1 for long in peers.QUICK_STUDY), text)


def throughput(program, train, threads=1, compiled=False):
    return {"program": program, "network": "small", "precision": "fp32", "threads": threads,
            "compiled": compiled, "train_images_per_s": train, "eval_images_per_s": 10 * train}


def test_throughput_table():
    lines = peers.throughput_table([
        throughput("trainer", 7000), throughput("PyTorch", 2000), throughput("Keras", 3500),
        throughput("PyTorch", 2500, compiled=True), throughput("Keras", 14000, threads=2),
    ]).splitlines()
    check("the ratio is to the fastest peer with as many threads; what is missing is a dash",
          "| small | fp32 | train | 1 | 7,000 | 2,000 | 2,500 | 3,500 | - | 2.00 |" in lines, lines)
    check("more threads of a peer stand beside one core of ours",
          "| small | fp32 | train | 2 | 7,000 | - | - | 14,000 | - | 0.50 |" in lines, lines)
    check("evaluation has rows of its own",
          "| small | fp32 | evaluate | 1 | 70,000 | 20,000 | 25,000 | 35,000 | - | 2.00 |" in lines,
          lines)
    check("a network that nobody measured has no ratio",
          "| vgg | bf16 | train | 1 | - | - | - | - | - | - |" in lines, lines)


def test_study_table():
    figures = {"threads": 2, "trials": 17, "epochs": 69, "val_accuracy": 0.9871,
               "test_accuracy": 0.99}
    lines = peers.study_table([
        throughput("trainer", 7000),
        {"program": "tuner", "precision": "x", "seconds": 20, **figures},
        {"program": "Keras Tuner", "precision": "fp32", "seconds": 410, **figures},
    ]).splitlines()
    check("a study's time is divided by the tuner's",
          lines[2:] == ["| tuner | x | 2 | 20 s | 17 | 69 | 98.71 % | 99.00 % | 1.00 |",
                        "| Keras Tuner | fp32 | 2 | 410 s | 17 | 69 | 98.71 % | 99.00 % | 20.50 |"],
          lines)


test_study()
test_quick_study()
test_throughput_table()
test_study_table()
finish()
