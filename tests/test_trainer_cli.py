"""The trainer program's commands, from outside; its worker is in test_trainer_worker.py."""
import gzip
import json
import math
import os
import signal
import subprocess

from trainer_harness import *


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
    done = draw_digits()
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
    done = run("train", good, "--data", "nosuch")
    check("a data set that is not there is told by its option", done.returncode == 65 and
          done.stderr.startswith("trainer: --data: there is no data set or folder 'nosuch'") and
          "data.dataset" not in done.stderr, done)
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

    write_small()
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
    done = run("--version", environment={**ENVIRONMENT, "TRAINER_CONV": "fft"})
    check("and so is a way to convolve",
          done.returncode == 64 and "TRAINER_CONV is 'fft'" in done.stderr, done)


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
test_digits_are_hard_for_lines_and_easy_for_convolutions()
finish()
