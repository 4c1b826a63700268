"""The trainer program from outside: its commands, and the protocol of its worker."""
import base64
import gzip
import json
import math
import os
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import time
import zlib

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


# ---- commands ----

def test_help():
    done = run("--help")
    check("--help begins with examples and succeeds",
          done.returncode == 0 and done.stdout.startswith("Examples:"), done)
    for command in ("train", "evaluate", "predict", "summary", "synth", "worker", "bench"):
        done = run(command, "--help")
        check(f"{command} --help begins with examples and succeeds",
              done.returncode == 0 and done.stdout.startswith("Example"), done)
    check("--version names the program", run("--version").stdout.startswith("trainer "))
    refused("no command is wrong usage", 64, "Examples:")
    refused("the nearest command is named", 64, "did you mean 'train'", "trian", "x.json")
    refused("the nearest option is named", 64, "did you mean '--epochs'", "train", "x",
            "--epoch", "3")
    refused("a missing argument is named", 64, "MODEL is needed", "evaluate", "--data", "mnist")
    refused("evaluate needs --data", 64, "--data", "evaluate", "x")
    refused("predict needs something to classify", 64, "--index", "predict", "x")
    refused("a number out of range is wrong usage", 64, "from 1 to", "synth", "x", "--train", "0")


def test_synth():
    done = run("synth", path("digits"), "--train", "1200", "--test", "300", "--seed", "5")
    check("synth writes a data set", done.returncode == 0 and "1200" in done.stdout, done)
    run("synth", path("again"), "--train", "1300", "--test", "300", "--seed", "5")
    first, more = (gzip.open(path(f"{name}/train-images-idx3-ubyte.gz")).read()
                   for name in ("digits", "again"))
    check("the same seed draws the same images",
          first[16:] == more[16:len(first)] and len(first) == 16 + 1200 * 784)
    refused("synth never writes over a data set", 65, "there already", "synth", path("digits"))


def test_train():
    config = write_config("config.json")
    done = run("train", config, "--output", path("model.ckpt"))
    lines = done.stdout.splitlines()
    check("train prints a line for each epoch and saves",
          done.returncode == 0 and len(lines) == 3 and lines[1].startswith("epoch 2/2  loss ")
          and "val_accuracy" in lines[1] and os.path.getsize(path("model.ckpt")) > 1000, done)
    again = run("train", "-", "--output", path("again.ckpt"), text=open(config).read())
    same = open(path("model.ckpt"), "rb").read() == open(path("again.ckpt"), "rb").read()
    check("the same configuration, read from stdin, gives the same bytes", same, again)
    run("train", config, "--threads", "2", "--output", path("two.ckpt"))
    check("two threads give the same bytes",
          open(path("model.ckpt"), "rb").read() == open(path("two.ckpt"), "rb").read())
    run("train", config, "--seed", "43", "--output", path("other.ckpt"))
    check("another seed gives others",
          open(path("model.ckpt"), "rb").read() != open(path("other.ckpt"), "rb").read())
    done = run("train", config, "--epochs", "1", "--data", path("again"), "--output",
               path("one.ckpt"))
    check("--epochs and --data go before the file", "epoch 1/1" in done.stdout, done)
    done = run("train", write_config("wild.json", **WILD), "--output", path("wild.ckpt"))
    check("a training that diverges fails and says so",
          done.returncode == 1 and "diverged" in done.stderr, done)
    done = run("train", write_config("hollow.json", **HOLLOW), "--output", path("hollow.ckpt"))
    check("so does one that diverges on the validation images alone",
          done.returncode == 1 and "diverged" in done.stderr
          and not os.path.exists(path("hollow.ckpt"))
          and math.isfinite(float(done.stdout.split()[3])), done)


def test_train_watched():
    config = write_config("watched.json", training=WATCHED, epochs=9)
    done = run("train", config, "--output", path("watched.ckpt"))
    lines = done.stdout.splitlines()
    check("early stopping ends a training and says so", done.returncode == 0 and len(lines) == 5
          and lines[2].startswith("epoch 3/9 ")
          and lines[3] == "stopped early after epoch 3 of 9", done)
    check("an epoch shows the learning rate that has changed",
          "learning_rate" not in lines[0] + lines[1] and "  learning_rate 0.0015  " in lines[2],
          lines)
    values = [float(line.split("val_accuracy ")[1].split()[0]) for line in lines[:3]]
    best = values.index(max(values)) + 1
    check("the end names the epoch whose weights count",
          (f"; the weights of epoch {best}, the best" in lines[4]) == (best < 3), lines)
    answer = json.loads(run("evaluate", path("watched.ckpt"), "--data", path("digits"),
                            "--json").stdout)
    run("train", config, "--epochs", str(best), "--output", path("best.ckpt"))
    check("and these are evaluated", answer == json.loads(
        run("evaluate", path("best.ckpt"), "--data", path("digits"), "--json").stdout), answer)


def test_bad_configurations():
    dense = {"type": "dense", "units": 10}
    cases = [
        ("no such file", None, "cannot be opened"),
        ("not JSON", "{", ":1:"),
        ("a key twice", '{"model": [], "model": []}', "duplicate"),
        ("no object", "[]", "an object"),
        ("no model", '{"training": {}}', '"model"'),
        ("a key that is unknown", {"modle": []}, 'did you mean "model"'),
        ("a layer that is unknown", {"model": [{"type": "cnov", "filters": 1}]}, "conv"),
        ("a setting that is out of range", {"model": [{"type": "conv", "filters": 0,
                                                       "kernel": 3}]}, "filters"),
        ("a kernel that does not fit", {"model": [{"type": "conv", "filters": 1, "kernel": 29},
                                                  {"type": "flatten"}, dense]}, "kernel"),
        ("too few classes", {"model": [{"type": "flatten"}, {**dense, "units": 9}]}, "10"),
        ("an optimizer that is unknown", {"training": {"optimizer": {
            "type": "adma", "learning_rate": 1}, "batch_size": 1}}, "adam"),
        ("a seed that is none", {"seed": "x"}, "seed"),
        ("no epochs at all", {"epochs": 0}, "epochs"),
        ("a key of data that is unknown", {"data": {"dataset": "synthetic", "validaton": 5}},
         'did you mean "validation"'),
        ("data of the wrong type", {"data": "mnist"}, "data"),
        ("a data set that is nowhere", {"data": {"dataset": "mnits"}}, "mnits"),
        ("an MNIST that is not where it should be", {"data": {"dataset": "mnist"}}, "/nowhere"),
        ("more validation than images", {"data": {"dataset": path("digits"),
                                                  "validation": 1200}}, "1200"),
    ]
    for what, content, part in cases:
        name = path("bad.json")
        if content is None:
            name = path("nothing.json")
        elif isinstance(content, str):
            with open(name, "w") as file:
                file.write(content)
        else:
            write_config("bad.json", **content)
        refused(f"train refuses {what}", 65, part, "train", name, "--output", path("bad.ckpt"))
    good = write_config("bad.json")
    refused("train refuses to save in a folder that is missing", 65, "there is no folder",
            "train", good, "--output", path("no/such.ckpt"))
    refused("train refuses to save over a folder", 65, "is a folder", "train", good, "--output",
            path("digits"))
    refused("train asks for a data set that nobody names", 64, "--data", "train",
            write_config("bad.json", data=None))
    refused("train asks for epochs that nobody says", 64, "--epochs", "train",
            write_config("bad.json", epochs=None))
    check("nothing was written for any of them", not os.path.exists(path("bad.ckpt")))


def test_evaluate():
    done = run("evaluate", path("model.ckpt"), "--data", path("digits"))
    check("evaluate prints accuracy, loss and a line for each class",
          done.returncode == 0 and "accuracy  0." in done.stdout and "loss      " in done.stdout
          and len(done.stdout.splitlines()) == 15, done)
    answer = json.loads(run("evaluate", path("model.ckpt"), "--data", path("digits"),
                            "--json").stdout)
    right = sum(row["correct"] for row in answer["classes"])
    check("the figures of the classes add up",
          answer["images"] == 300 and answer["accuracy"] == right / 300
          and all(row["images"] == 30 for row in answer["classes"]), answer)
    check("a little training has taught something", answer["accuracy"] > 0.5, answer)
    done = run("evaluate", path("model.ckpt"), "--data", path("digits"), "--threads", "2",
               "--json")
    check("two threads measure the same", json.loads(done.stdout) == answer, done)

    refused("a checkpoint that is missing", 65, "nothing.ckpt", "evaluate", path("nothing.ckpt"),
            "--data", path("digits"))
    whole = open(path("model.ckpt"), "rb").read()
    middle = len(whole) // 2
    for what, content in (("truncated", whole[:middle]), ("longer", whole + b"x"), ("empty", b""),
                          ("changed", whole[:middle] + bytes([whole[middle] ^ 1])
                           + whole[middle + 1:])):
        with open(path("bad.ckpt"), "wb") as file:
            file.write(content)
        refused(f"a checkpoint that is {what}", 65, "bad.ckpt", "evaluate", path("bad.ckpt"),
                "--data", path("digits"))
    os.unlink(path("bad.ckpt"))

    os.mkdir(path("small"))
    for part, count in (("train", 4), ("t10k", 2)):
        write_idx(f"small/{part}-images-idx3-ubyte", (count, 5, 4), bytes(count * 20))
        write_idx(f"small/{part}-labels-idx1-ubyte", (count,), bytes([0, 1] * (count // 2)))
    refused("images of a size that the network cannot take", 65, "28x28x1", "evaluate",
            path("model.ckpt"), "--data", path("small"))
    refused("an MNIST that is not there is not replaced by drawings", 65, "/nowhere", "evaluate",
            path("model.ckpt"), "--data", "mnist")


def test_predict():
    done = run("predict", path("model.ckpt"), "--data", path("digits"), "--index", "7", "--json")
    answer = json.loads(done.stdout)
    check("predict shows a test image's class, label and probabilities",
          answer["image"] == 7 and answer["label"] == 7 and len(answer["probabilities"]) == 10
          and abs(sum(answer["probabilities"]) - 1) < 1e-4 and
          answer["probabilities"][answer["class"]] == max(answer["probabilities"]), done)
    images = path("digits/t10k-images-idx3-ubyte.gz")
    done = run("predict", path("model.ckpt"), images, "--json")
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    check("predict classifies every image of a file",
          len(rows) == 300 and rows[7]["class"] == answer["class"]
          and rows[7]["probabilities"] == answer["probabilities"], done.stderr)
    done = run("predict", path("model.ckpt"), images, images)
    check("for people it prints a table for each file",
          len(done.stdout.splitlines()) == 602 and "p(9)" in done.stdout, done.stderr)
    refused("an image that is not there", 65, "the last one is 299", "predict",
            path("model.ckpt"), "--data", path("digits"), "--index", "300")
    refused("images of another size", 65, "28x28x1", "predict", path("model.ckpt"),
            path("small/t10k-images-idx3-ubyte"))
    labels = path("small/t10k-labels-idx1-ubyte")
    refused("labels instead of images", 65, "mixed up", "predict", path("model.ckpt"), labels)
    check("the file at fault is named once",
          run("predict", path("model.ckpt"), labels).stderr.count(labels) == 1)
    refused("--index without --data", 64, "go together", "predict", path("model.ckpt"),
            "--index", "3")


def test_summary():
    done = run("summary", path("model.ckpt"))
    check("summary shows layers, shapes and parameters",
          done.returncode == 0 and "26 x 26 x 8" in done.stdout and "13,530" in done.stdout
          and "Parameters: 13,610" in done.stdout, done)
    by_config = run("summary", path("config.json"))
    check("a configuration has the same summary as its network", by_config.stdout == done.stdout,
          by_config)
    answer = json.loads(run("summary", path("config.json"), "--json").stdout)
    check("as JSON too", answer["parameters"] == 13610 and answer["input"] == [28, 28, 1]
          and answer["layers"][0]["output"] == [26, 26, 8]
          and answer["layers"][-1]["output"] == [10]
          and answer["flops"] == sum(layer["flops"] for layer in answer["layers"]), answer)
    slow = f"{TRAINER} summary <(sleep 0.1; cat {path('config.json')})"
    piped = subprocess.run(["bash", "-c", slow],
                           capture_output=True, text=True, timeout=patient(60), env=ENVIRONMENT)
    check("a configuration may come through a pipe that is slow", piped.stdout == done.stdout,
          piped)
    unfit = [{"type": "flatten"}, {"type": "dense", "units": 3}]
    for command in ("summary", "train"):
        refused(f"{command}: a layer that does not fit, with its place", 65, "(at model[1])",
                command, write_config("unfit.json", model=unfit))
    refused("summary of a missing file", 65, "nothing.ckpt", "summary", path("nothing.ckpt"))


def test_bench():
    done = run("bench", "--json", "--seconds", "0")
    rows = json.loads(done.stdout or "[]")
    numbers = ("train_images_per_s", "eval_images_per_s", "sgemm_ratio", "eval_sgemm_ratio",
               "sgemm_gflops")
    networks = ["small", "vgg", "small+dropout", "small+augmentation", "small+batch_norm",
                "small+all"]
    networks += sorted(os.path.splitext(name)[0]
                       for name in os.listdir("search_spaces"))
    check("bench measures networks, plain, with what makes them slower, and the studies'", done.returncode == 0
          and [(row["network"], row["precision"]) for row in rows]
          == [(network, precision) for precision in ("fp32", "bf16") for network in networks
              ][:len(rows)] and len(rows) in (len(networks), 2 * len(networks))
          and all(set(row) == {"network", "precision", *numbers}
                  and all(math.isfinite(row[name]) and row[name] > 0 for name in numbers)
                  for row in rows), done)
    row = rows[0]
    model = [{"type": "conv", "filters": 32, "kernel": 3, "activation": "relu"},
             {"type": "max_pool", "size": 2},
             {"type": "conv", "filters": 64, "kernel": 3, "activation": "relu"},
             {"type": "max_pool", "size": 2}, {"type": "flatten"},
             {"type": "dense", "units": 128, "activation": "relu"}, {"type": "dense", "units": 10}]
    layers = json.loads(run("summary", write_config("bench.json", model=model, data=None),
                            "--json").stdout)["layers"]
    forward = sum(layer["flops"] for layer in layers)
    for ratio, speed, flops in (
            ("eval_sgemm_ratio", "eval_images_per_s", forward),
            ("sgemm_ratio", "train_images_per_s", 3 * forward - layers[0]["flops"])):
        check(f"bench's {ratio} follows from its speeds",
              math.isclose(row[ratio], row[speed] * flops / row["sgemm_gflops"] / 1e9,
                           rel_tol=1e-9), row)
    done = run("bench")
    check("bench prints a table for people", done.returncode == 0 and "GFLOP/s" in done.stdout
          and "train" in done.stdout and "evaluate" in done.stdout and not done.stderr, done)
    refused("bench takes no words", 64, "small", "bench", "small")
    done = run("--version", environment={**ENVIRONMENT, "TRAINER_ISA": "sse9"})
    check("an instruction set that nobody knows is refused",
          done.returncode == 64 and "TRAINER_ISA is 'sse9'" in done.stderr, done)


def test_interrupt():
    config = write_config("long.json", epochs=100000)
    process = subprocess.Popen([TRAINER, "train", config, "--output", path("long.ckpt")],
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                               env=ENVIRONMENT)
    process.stdout.readline()
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=patient(60))
    check("Ctrl-C ends a training with code 130 and says what is saved",
          process.returncode == 130 and "interrupted after epoch" in said
          and run("summary", path("long.ckpt")).returncode == 0, (process.returncode, said))


def test_full_disk():
    if not os.path.exists("/dev/full"):
        return
    with open("/dev/full", "w") as full:
        done = subprocess.run([TRAINER, "summary", path("model.ckpt")], stdout=full,
                              stderr=subprocess.PIPE, text=True, env=ENVIRONMENT)
    check("results that cannot be written are a failure",
          done.returncode == 1 and "could not be written" in done.stderr, done)


def accuracy_of(model, epochs):
    config = write_config("digits.json", model=model, epochs=epochs,
                          data={"dataset": path("many")})
    run("train", config, "--threads", "2", "--output", path("digits.ckpt"))
    done = run("evaluate", path("digits.ckpt"), "--data", path("many"), "--threads", "2",
               "--json")
    return json.loads(done.stdout)["accuracy"]


def test_digits_are_hard_for_lines_and_easy_for_convolutions():
    run("synth", path("many"), "--train", "12000", "--test", "2000")
    linear = accuracy_of([{"type": "flatten"}, {"type": "dense", "units": 10}], 8)
    check("a linear classifier of synthetic digits stays under 93 %", 0.5 < linear < 0.93, linear)
    small = accuracy_of([{"type": "conv", "filters": 12, "kernel": 3, "activation": "relu"},
                         {"type": "max_pool", "size": 2},
                         {"type": "conv", "filters": 24, "kernel": 3, "activation": "relu"},
                         {"type": "max_pool", "size": 2}, {"type": "flatten"},
                         {"type": "dense", "units": 48, "activation": "relu"},
                         {"type": "dense", "units": 10}], 4)
    check("a small convolutional network passes 98 %", small > 0.98, small)


# ---- the worker ----

class Worker:
    def __init__(self, environment=None):
        self.process = subprocess.Popen([TRAINER, "worker"], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                        env=environment or ENVIRONMENT)
        self.ready = self.hear()

    def say(self, **message):
        self.process.stdin.write(json.dumps(message).encode() + b"\n")
        self.process.stdin.flush()

    def hear(self):
        line = self.process.stdout.readline()
        return json.loads(line) if line else None

    def hear_until(self, *types):
        heard = []
        while not heard or heard[-1]["type"] not in types:
            heard.append(self.hear())
            if heard[-1] is None:
                break
        return heard

    def ask(self, **message):
        self.say(**message)
        return self.hear()

    def end(self):
        """Its exit code, and what it said last."""
        rest, said = self.process.communicate(timeout=patient(60))
        return self.process.returncode, (rest or b"").decode(), said.decode()


DATA = {"dataset": "idx", "folder": path("digits"), "train": 400, "validation": 100, "seed": "42"}


def segment(first, last, **changes):
    return {"type": "run", "trial": 3, "attempt": 1, "seed": "42", "parameters": {},
            "model": MODEL, "training": TRAINING, "data": DATA, "threads": 1,
            "schedule_epochs": 9, "from_epoch": first, "to_epoch": last,
            "read_checkpoint": None, "write_checkpoint": path("segment"), **changes}


def test_describe(worker):
    check("a worker says that it is ready", worker.ready["type"] == "ready"
          and worker.ready["version"] == 1 and worker.ready["program"].startswith("trainer ")
          and "fp32" in worker.ready["arithmetic"], worker.ready)
    answer = worker.ask(type="describe", id=1, data=DATA)
    checksum = answer["data"].pop("checksum")
    check("it describes data", answer == {"type": "described", "id": 1, "data": {
        "height": 28, "width": 28, "channels": 1, "classes": 10, "images": 1200,
        "train": 400, "validation": 100, "test": 300}} and checksum > 0, answer)
    answer = worker.ask(type="describe", id=2, data=DATA, model=MODEL, training=TRAINING)
    check("it describes a network", answer["id"] == 2 and answer["parameters"] == 13610
          and [layer["name"] for layer in answer["layers"]][0] == "conv2d_1"
          and "images_per_s" not in answer, answer)
    answer = worker.ask(type="describe", id=3, data=DATA, model=MODEL, training=TRAINING,
                        measure=True)
    check("it measures how fast it trains", answer["images_per_s"] > 1, answer)

    answer = worker.ask(type="describe", id=4, data=DATA, training=TRAINING,
                        model=[{"type": "conv", "filters": 1, "kernel": 29}, *MODEL[2:]])
    check("it says which value does not fit", answer["type"] == "error" and answer["id"] == 4
          and answer["where"].startswith("model[0]") and answer["retry"] is False, answer)
    answer = worker.ask(type="describe", id=5, data=DATA, model=MODEL,
                        training={**TRAINING, "batch_size": 0})
    check("it says which setting is wrong", answer["where"] == "training.batch_size", answer)
    answer = worker.ask(type="describe", id=8, data=DATA, training={**TRAINING, "batch_size": 400},
                        model=[{"type": "conv", "filters": 4096, "kernel": 1},
                               {"type": "relu"}, {"type": "relu"}, {"type": "avg_pool", "size": 28},
                               {"type": "flatten"}, {"type": "dense", "units": 10}])
    check("it says when a batch is too large", answer["type"] == "error"
          and answer["where"] == "training.batch_size", answer)
    answer = worker.ask(type="describe", id=6, data={"dataset": "idx", "folder": "/nowhere"})
    check("it says which file is missing", answer["type"] == "error" and answer["where"] is None
          and "/nowhere/train-images" in answer["text"], answer)
    answer = worker.ask(type="describe", id=7, data={**DATA, "train": 9999})
    check("it says when there are too few images", answer["where"] == "data.train", answer)


def test_run(worker):
    worker.say(**segment(0, 2))
    heard = worker.hear_until("done", "error")
    first, second, done = heard if len(heard) == 3 else (heard + [{}] * 3)[:3]
    check("a segment is an epoch after another and then done",
          [message.get("type") for message in heard] == ["epoch", "epoch", "done"]
          and (first["epoch"], second["epoch"]) == (1, 2)
          and done == {"type": "done", "trial": 3, "attempt": 1}, heard)
    check("an epoch has its metrics and its checkpoint", set(first["metrics"]) == {
        "train_loss", "train_accuracy", "val_loss", "val_accuracy"} and first["seconds"] >= 0
          and first["checkpoint"] == path("segment.1.1") and os.path.exists(first["checkpoint"]),
          first)

    worker.say(**segment(2, 3, read_checkpoint=second["checkpoint"], attempt=2))
    third = worker.hear_until("done", "error")[0]
    worker.say(**segment(0, 3, write_checkpoint=path("whole"), threads=2))
    whole = worker.hear_until("done", "error")[2]
    check("going on from a checkpoint is the same as never having stopped",
          third["type"] == "epoch" and third["metrics"] == whole["metrics"]
          and third["checkpoint"] == path("segment.3.2")
          and open(path("segment.3.2"), "rb").read() == open(path("whole.3.1"), "rb").read(),
          (third, whole))

    worker.say(**segment(0, 1, data={**DATA, "join_validation": True},
                         write_checkpoint=path("joined")))
    metrics = worker.hear_until("done", "error")[0]["metrics"]
    check("without validation images there are no validation metrics",
          set(metrics) == {"train_loss", "train_accuracy"}, metrics)

    worker.say(**segment(0, 50, write_checkpoint=path("wild"), **WILD))
    heard = worker.hear_until("done", "error")
    check("a configuration that diverges says null once and is done",
          heard[-1]["type"] == "done" and len(heard) <= 4
          and heard[-2]["metrics"]["train_loss"] is None, heard)


def test_stopped_early(worker):
    over = {"type": "done", "trial": 3, "attempt": 1, "stopped_early": True}
    worker.say(**segment(0, 9, training=WATCHED, write_checkpoint=path("over")))
    heard = worker.hear_until("done", "error")
    check("early stopping ends a segment", [message.get("epoch") for message in heard]
          == [1, 2, 3, None] and heard[-1] == over, heard)
    worker.say(**segment(3, 9, training=WATCHED, read_checkpoint=path("over.3.1")))
    check("a training that is over says so at once", worker.hear() == over)
    worker.say(**segment(0, 2, training=WATCHED, write_checkpoint=path("before")))
    heard = worker.hear_until("done", "error")
    check("one that is not over says nothing of it", "stopped_early" not in heard[-1]
          and len(heard) == 3, heard)
    worker.say(**segment(2, 3, training=WATCHED, read_checkpoint=path("before.2.1"),
                         write_checkpoint=path("before"), threads=2))
    heard = worker.hear_until("done", "error")
    check("going on from it is the same as never having stopped",
          len(heard) == 2 and "stopped_early" not in heard[-1]
          and open(path("before.3.1"), "rb").read() == open(path("over.3.1"), "rb").read(), heard)


def test_bad_runs(worker):
    cases = [
        ("a checkpoint that is missing", {"read_checkpoint": path("none")}, "none", False),
        ("a checkpoint of another epoch", {"read_checkpoint": path("segment.1.1")},
         "go on from epoch 2", False),
        ("a checkpoint of another trial", {"read_checkpoint": path("segment.2.1"), "trial": 4},
         "trial", False),
        ("a checkpoint of another seed", {"read_checkpoint": path("segment.2.1"), "seed": "1"},
         "seed", False),
        ("no checkpoint to go on from", {}, "go on from epoch 2", False),
        ("a seed that is a number", {"seed": 42}, "seed", False),
        ("no place for checkpoints", {"write_checkpoint": None}, "write_checkpoint", False),
        ("threads without end", {"threads": 10 ** 9}, "threads", False),
        ("a folder that is missing", {"write_checkpoint": path("no/such/folder/x"),
                                      "from_epoch": 0}, "no/such/folder", True),
    ]
    for what, changes, part, retry in cases:
        worker.say(**{**segment(2, 3), **changes})
        answer = worker.hear_until("done", "error")[-1]
        good = (answer["type"] == "error" and answer["attempt"] == 1 and part in answer["text"]
                and answer["trial"] == changes.get("trial", 3))
        if what != "a folder that is missing":
            good = good and answer["retry"] is retry
        check(f"a worker answers {what} and lives on", good, answer)


def read_header(name):
    with open(path(name), "rb") as file:
        data = file.read()
    length = struct.unpack("<I", data[12:16])[0]
    return json.loads(data[16:16 + length]), data[16 + length:-4]


def forge(name, forged, **changes):
    """The checkpoint with other fields in its header."""
    header, vectors = read_header(name)
    text = json.dumps({**header, **changes}).encode()
    data = b"TUNERCKP" + struct.pack("<II", 2, len(text)) + text + vectors
    with open(path(forged), "wb") as file:
        file.write(data + struct.pack("<I", zlib.crc32(data)))
    return path(forged)


def in_precision(word):
    return {**TRAINING, "precision": word}


def test_precision():
    config = write_config("bf16.json", training=in_precision("bf16"))
    done = run("train", config, "--output", path("bad.ckpt"), environment=PORTABLE)
    check("train refuses a precision that is not to be had", done.returncode == 65
          and "`precision` is bf16" in done.stderr and "take fp32, or auto" in done.stderr, done)

    worker = Worker(PORTABLE)
    answer = worker.ask(type="describe", id=1, data=DATA, model=MODEL,
                        training=in_precision("bf16"))
    check("a worker refuses it at its place", answer["type"] == "error"
          and answer["where"] == "training.precision" and answer["retry"] is False, answer)
    answer = worker.ask(type="describe", id=2, data=DATA, model=MODEL,
                        training=in_precision("auto"))
    check("auto is fp32 there", answer.get("precision") == "fp32"
          and answer["arithmetic"] == worker.ready["arithmetic"], answer)

    worker.say(**segment(0, 2, training=in_precision("auto"), write_checkpoint=path("auto")))
    heard = worker.hear_until("done", "error")
    check("an epoch says what it was computed with", heard[0].get("arithmetic")
          == worker.ready["arithmetic"] and read_header("auto.2.1")[0]["precision"] == "fp32",
          heard)
    other = segment(2, 3, training=in_precision("auto"), write_checkpoint=path("other"),
                    read_checkpoint=forge("auto.2.1", "other.2.1", precision="bf16"))
    worker.say(**other)
    answer = worker.hear()
    check("a checkpoint of another precision is not gone on with", answer["type"] == "error"
          and answer["where"] == "any_precision" and answer["retry"] is False
          and "trained in bf16" in answer["text"], answer)
    worker.say(**other, any_precision=True)
    heard = worker.hear_until("done", "error")
    check("unless it is allowed", [message["type"] for message in heard] == ["epoch", "done"]
          and read_header("other.3.1")[0]["precision"] == "fp32", heard)
    worker.say(**{**other, "read_checkpoint": path("auto.2.1"), "write_checkpoint": path("same")})
    worker.hear_until("done", "error")
    check("which changes nothing where both are the same",
          open(path("same.3.1"), "rb").read() == open(path("other.3.1"), "rb").read())
    worker.say(type="stop")
    worker.end()


def test_bf16(worker):
    """On a processor that has instructions for it; elsewhere there is nothing to train."""
    answer = worker.ask(type="describe", id=1, data=DATA, model=MODEL,
                        training=in_precision("bf16"))
    if answer["type"] == "error":
        check("without instructions for bf16 it is refused",
              answer["where"] == "training.precision", answer)
        return
    check("bf16 is described", answer["precision"] == "bf16" and " bf16 + " in
          answer["arithmetic"], answer)
    bf16 = segment(0, 2, training=in_precision("bf16"), write_checkpoint=path("bf16"))
    worker.say(**bf16)
    heard = worker.hear_until("done", "error")
    check("and trained in", heard[-1]["type"] == "done"
          and heard[0]["arithmetic"] == answer["arithmetic"]
          and read_header("bf16.2.1")[0]["precision"] == "bf16", heard)
    worker.say(**{**bf16, "from_epoch": 1, "read_checkpoint": path("bf16.1.1"), "threads": 2,
                  "write_checkpoint": path("bf16-on")})
    again = worker.hear_until("done", "error")
    check("and gone on with, to the same bits", again[0].get("metrics") == heard[1]["metrics"]
          and open(path("bf16-on.2.1"), "rb").read() == open(path("bf16.2.1"), "rb").read(), again)
    worker.say(**segment(2, 3, training=in_precision("fp32"), read_checkpoint=path("bf16.2.1")))
    answer = worker.hear()
    check("but not in fp32", answer["where"] == "any_precision"
          and "trained in bf16" in answer["text"], answer)
    measured = [run("evaluate", path("bf16.2.1"), "--data", path("digits"), "--json",
                    environment=environment) for environment in (ENVIRONMENT, PORTABLE)]
    check("its weights are evaluated anywhere", all(done.returncode == 0 for done in measured),
          measured)


def test_worker_evaluate(worker):
    message = {"type": "evaluate", "trial": 3, "attempt": 5, "model": MODEL,
               "training": TRAINING, "data": DATA, "checkpoint": path("whole.3.1"),
               "set": "test"}
    worker.say(**message)
    heard = worker.hear_until("done", "error")
    pieces, done = heard[:-1], heard[-1]
    labels = [label for piece in pieces for label in piece["labels"]]
    predicted = [label for piece in pieces for label in piece["predicted"]]
    rows = [row for piece in pieces for row in piece["probabilities"]]
    check("an evaluation has every test image",
          done["type"] == "done" and done["images"] == len(labels) == len(predicted)
          == len(rows) == 300 and pieces[0]["first"] == 0 and done["trial"] == 3
          and all(piece["attempt"] == 5 and len(piece["labels"]) <= 500 for piece in pieces),
          done)
    loss = -sum(math.log(max(row[label], 1e-30)) for row, label in zip(rows, labels)) / 300
    check("its loss is that of the probabilities, its classes the likeliest",
          abs(loss - done["loss"]) < 1e-4
          and all(row[label] == max(row) for row, label in zip(rows, predicted)),
          (loss, done["loss"]))
    sent = {one["image"]: base64.b64decode(one["pixels"])
            for piece in pieces for one in piece.get("images", [])}
    mistakes = {i for i in range(300) if labels[i] != predicted[i]}
    right = [i for i in sent if i not in mistakes]
    with gzip.open(path("digits/t10k-images-idx3-ubyte.gz")) as file:
        pixels = file.read()[16:]
    check("it has the pixels of its mistakes and of a few right answers of each class",
          mistakes <= set(sent) and 0 < len(right) <= 80 and
          all(sent[i] == pixels[784 * i:784 * (i + 1)] for i in sent), (mistakes, list(sent)))
    check("it describes the layers", done["layers"][0]["parameters"] == 80, done)
    answer = json.loads(run("evaluate", path("whole.3.1"), "--data", path("digits"),
                            "--json").stdout)
    check("the command measures the same", abs(answer["loss"] - done["loss"]) < 1e-9
          and answer["accuracy"] == sum(a == b for a, b in zip(labels, predicted)) / 300, answer)
    answer = worker.ask(**{**message, "data": {"dataset": "idx", "folder": path("small")}})
    check("images of another size are an error", answer["type"] == "error"
          and "28x28x1" in answer["text"] and answer["retry"] is False, answer)
    answer = worker.ask(**{**message, "set": "training"})
    check("another set than the test set is an error", answer["type"] == "error", answer)


def test_worker_ends(worker):
    worker.say(type="stop")
    check("stop ends a worker", worker.end()[0] == 0)

    worker = Worker()
    slow = {**TRAINING, "batch_size": 1}
    worker.say(**segment(0, 100000, training=slow, data={**DATA, "train": "all"}))
    first = worker.hear()
    time.sleep(0.2)  # into the second epoch
    worker.say(type="stop")
    code, rest, _ = worker.end()
    lines = [json.loads(line) for line in rest.splitlines()]
    check("stop lets the epoch in hand end, and no more", code == 0 and first["epoch"] == 1
          and len(lines) >= 1 and all(line["type"] == "epoch" for line in lines)
          and os.path.exists(lines[-1]["checkpoint"]), (code, lines[-2:]))

    worker = Worker()
    worker.say(**segment(0, 100000))
    worker.hear()
    worker.process.send_signal(signal.SIGINT)
    check("a worker does not mind Ctrl-C", worker.hear()["type"] == "epoch")
    worker.process.stdin.close()
    worker.process.stdin = None
    began = time.monotonic()
    check("the end of stdin ends a worker at work",
          worker.end()[0] == 0 and time.monotonic() - began < 20)

    worker = Worker()
    worker.process.terminate()
    check("SIGTERM ends a worker at once", worker.end()[0] == -signal.SIGTERM)

    worker = Worker()
    worker.say(**segment(0, 100000))
    worker.hear()
    worker.process.stdout.close()
    code = worker.process.wait(timeout=patient(60))
    check("a worker that nobody hears ends", code == 1, code)
    worker.process.stdout = None
    worker.end()

    for what, line in (("garbage", b"nonsense\n"), ("an unknown message", b'{"type":"sing"}\n'),
                       ("an endless line", b"x" * (1 << 20) + b"\n")):
        worker = Worker()
        worker.process.stdin.write(line)
        code, _, said = worker.end()
        check(f"{what} ends a worker with code 65", code == 65 and "docs/protocol.md" in said,
              (code, said))


def main():
    test_help()
    test_synth()
    test_train()
    test_train_watched()
    test_bad_configurations()
    test_evaluate()
    test_predict()
    test_summary()
    test_bench()
    test_interrupt()
    test_full_disk()
    worker = Worker()
    test_describe(worker)
    test_run(worker)
    test_stopped_early(worker)
    test_bad_runs(worker)
    test_precision()
    test_bf16(worker)
    test_worker_evaluate(worker)
    test_worker_ends(worker)
    test_digits_are_hard_for_lines_and_easy_for_convolutions()
    shutil.rmtree(SCRATCH, ignore_errors=True)
    return 1 if failures else 0


sys.exit(main())
