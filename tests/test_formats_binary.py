"""EMNIST's and CIFAR-10's files, from outside (formats.py)."""
import json
import os
import shutil
import struct

from formats import *


def transposed(pixels):
    return bytes(pixels[x * 28 + y] for y in range(28) for x in range(28))


def emnist(name, training, test, split, offset, prefix="emnist-{}-", tests="test"):
    shutil.rmtree(path(name), ignore_errors=True)
    for part, images in (("train", training), (tests, test)):
        head = f"{name}/{prefix.format(split)}{part}"
        write(f"{head}-images-idx3-ubyte", struct.pack(">4I", 0x803, len(images), 28, 28)
              + b"".join(transposed(pixels) for pixels, _ in images))
        write(f"{head}-labels-idx1-ubyte", struct.pack(">2I", 0x801, len(images))
              + bytes(label + offset for _, label in images))
    return path(name)


def test_emnist(training, test):
    train(path("digits"), epochs=2)
    expected = evaluate(path("digits"))
    for split, offset in (("letters", 1), ("digits", 0)):
        folder = emnist("emnist", training, test, split, offset)
        check(f"EMNIST's {split} are turned upright and counted from 0",
              evaluate(folder) == expected, evaluate(folder))
    done = check_study("data: {dataset: emnist, validation: 50}")
    check("a study names a folder of EMNIST", done.returncode == 0, done)
    letters = [(pixels, i % 12) for i, (pixels, _) in enumerate(training)]
    done = train(emnist("letters", letters, letters[:20], "letters", 1), 12)
    table = run("predict", path("model.ckpt"), "--data", path("letters"), "--index", "3").stdout
    check("of more than ten classes, too, each column stands under its name", done.returncode == 0
          and "p(9)   p(10)   p(11)\n" in table and len(set(map(len, table.splitlines()))) == 1,
          (done, table))
    plain = emnist("turned", training, test, "", 1, "", "t10k")
    done = train(plain, epochs=2, transpose=True, first_label=1)
    turned = run("predict", path("model.ckpt"), "--data", path("digits"), "--index", "5", "--json")
    train(path("digits"), epochs=2)
    upright = run("predict", path("model.ckpt"), "--data", path("digits"), "--index", "5",
                  "--json")
    check("transpose and first_label say the same of other names", done.returncode == 0
          and turned.stdout == upright.stdout, (done, turned))
    form = ("--data", plain, "--transpose", "--first-label", "1", "--json")
    done = run("evaluate", path("model.ckpt"), *form)
    check("evaluate is told of them by options", done.returncode == 0
          and json.loads(done.stdout) == expected, (done, expected))
    told = run("predict", path("model.ckpt"), "--index", "5", *form)
    check("and so is predict", json.loads(told.stdout)["probabilities"]
          == json.loads(upright.stdout)["probabilities"], (told, upright))
    done = check_study("data: {dataset: turned, transpose: true, first_label: 1, validation: 50}")
    check("a study says transpose and first_label", done.returncode == 0, done)
    for what, data, part in (("a transposition of MNIST", "{dataset: mnist, transpose: true}",
                              "belong to a folder"),
                             ("a first label of 256", "{dataset: turned, first_label: 256}",
                              "255")):
        done = check_study(f"data: {data}")
        check(f"a study is refused with {what}", done.returncode == 65 and part in done.stderr,
              done)
    refused("a first label above the lowest", "the first label is 2", plain, first_label=2)
    refused("a transpose that is no truth", "true or false", plain, transpose=3)
    write("emnist/emnist-letters-train-images-idx3-ubyte", b"")
    refused("two sets of EMNIST in one folder", "`digits` and `letters`", path("emnist"))
    os.unlink(path("emnist/emnist-letters-train-images-idx3-ubyte"))
    os.unlink(path("emnist/emnist-digits-test-labels-idx1-ubyte"))
    refused("a file of EMNIST that is missing", "emnist-digits-test-labels", path("emnist"))


def test_cifar():
    planes = bytes([10] * 1024 + [20] * 1024 + [30] * 1024)
    def record(label):
        return bytes([label]) + planes
    for name in [f"data_batch_{i}" for i in range(1, 6)] + ["test_batch"]:
        write(f"cifar/{name}.bin", b"".join(record(label) for label in range(10)) * 2)
    done = train(path("cifar"), validation=10)
    summary = json.loads(run("summary", path("model.ckpt"), "--json").stdout)
    answer = evaluate(path("cifar"))
    check("CIFAR-10's files are read", done.returncode == 0 and answer["images"] == 20
          and summary["input"] == [32, 32, 3], done)
    one = png(bytes([10, 20, 30]) * 1024, 32, 32, 3)
    row = json.loads(run("predict", path("model.ckpt"), write("one.png", one), "--json").stdout)
    check("its planes become pixels of red, green and blue",
          row["probabilities"] == row_of(3, path("cifar"))[1], row)
    write("cifar/data_batch_3.bin", record(10))
    refused("a label of CIFAR-10 beyond 9", "data_batch_3.bin: label 10", path("cifar"))
    write("cifar/data_batch_3.bin", record(1)[:-1])
    refused("a truncated file of CIFAR-10", "data_batch_3.bin: 3072 bytes", path("cifar"))
    write("cifar/data_batch_3.bin", b"")
    refused("an empty file of CIFAR-10", "data_batch_3.bin: 0 bytes", path("cifar"))
    os.unlink(path("cifar/data_batch_3.bin"))
    refused("a file of CIFAR-10 that is missing", "data_batch_3.bin", path("cifar"))


TRAINING_IMAGES, TEST_IMAGES = draw()
test_emnist(TRAINING_IMAGES, TEST_IMAGES)
test_cifar()
finish()
