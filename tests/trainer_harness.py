"""What the tests of the trainer program share: running it in a folder of its own, on digits that it
has drawn itself, with configurations that each show something."""
import json
import os
import shutil
import struct
import subprocess
import sys
import tempfile

from patience import patient

TRAINER = os.environ.get("TRAINER", "build/test/trainer")
SCRATCH = tempfile.mkdtemp(dir=os.environ.get("TEST_TMP"), prefix="trainer-")
ENVIRONMENT = {**os.environ, "OPENBLAS_NUM_THREADS": "1", "MNIST_DIR": "/nowhere",
               "TUNER_HOME": os.path.join(SCRATCH, "home")}
PORTABLE = {**ENVIRONMENT, "TRAINER_ISA": "portable"}  # no kernels but BLAS's, none for bf16
failures = 0

MODEL = [{"type": "conv", "filters": 8, "kernel": 3, "activation": "relu"},
         {"type": "max_pool", "size": 2}, {"type": "flatten"}, {"type": "dropout", "rate": 0.2},
         {"type": "dense", "units": 10}]
TRAINING = {"optimizer": {"type": "adam", "learning_rate": 0.003}, "batch_size": 50}
# No accuracy rises by 0.99 twice, so that this is over after three epochs, whatever they bring,
# and the third has half the learning rate.
WATCHED = {**TRAINING,
           "learning_rate_schedule": {"type": "reduce_on_plateau", "monitor": "val_accuracy",
                                      "factor": 0.5, "patience": 1, "min_change": 0.99},
           "early_stopping": {"monitor": "val_accuracy", "patience": 2, "min_change": 0.99},
           "restore_best": "val_accuracy", "ema_decay": 0.5}
# Without an activation that can die, too large a step grows until it overflows.
WILD = {"model": [{"type": "flatten"}, {"type": "dense", "units": 16},
                  {"type": "dense", "units": 10}],
        "training": {"optimizer": {"type": "sgd", "learning_rate": 1e6}, "batch_size": 50}}
# In training a batch of one image is its own mean; what is predicted by the running values, whose
# variance is 0, is not finite.
HOLLOW = {"model": [{"type": "flatten"},
                    {"type": "batch_norm", "momentum": 0.0, "epsilon": 1e-70},
                    {"type": "batch_norm", "momentum": 0.0, "epsilon": 1e-70},
                    {"type": "dense", "units": 10}],
          "training": {**TRAINING, "batch_size": 1}}


def check(what, good, detail=""):
    global failures
    failures += not good
    print(f"ok - {what}" if good else f"not ok - {what}\n    {str(detail)[-1500:]}", flush=True)
    return good


def path(name):
    return os.path.join(SCRATCH, name)


def run(*arguments, text=None, environment=None):
    return subprocess.run([TRAINER, *arguments], input=text, capture_output=True, text=True,
                          timeout=patient(300), env=environment or ENVIRONMENT)


def refused(what, code, part, *arguments, text=None):
    done = run(*arguments, text=text)
    check(what, done.returncode == code and part in done.stderr and not done.stdout,
          (done.returncode, done.stdout, done.stderr))


def write_config(name, **changes):
    config = {"model": MODEL, "training": TRAINING, "seed": "42", "trial": 3, "epochs": 2,
              "data": {"dataset": path("digits"), "validation": 200}, **changes}
    with open(path(name), "w") as file:
        json.dump({key: value for key, value in config.items() if value is not None}, file)
    return path(name)


def write_idx(name, sizes, values):
    with open(path(name), "wb") as file:
        file.write(bytes([0, 0, 8, len(sizes)]) + struct.pack(f">{len(sizes)}I", *sizes) + values)
    return path(name)


def draw_digits():
    """The data set that most configurations are of."""
    return run("synth", path("digits"), "--train", "1200", "--test", "300", "--seed", "5")


def write_small():
    """A data set of images that no network here takes."""
    os.mkdir(path("small"))
    for part, count in (("train", 4), ("t10k", 2)):
        write_idx(f"small/{part}-images-idx3-ubyte", (count, 5, 4), bytes(count * 20))
        write_idx(f"small/{part}-labels-idx1-ubyte", (count,), bytes([0, 1] * (count // 2)))


def finish():
    shutil.rmtree(SCRATCH, ignore_errors=True)
    sys.exit(1 if failures else 0)
