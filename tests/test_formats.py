"""Data sets in the formats of others, from outside: each is derived here from synthetic
digits, loaded by the trainer, and damaged in every way that a file can be."""
import gzip
import json
import os
import shutil
import struct
import subprocess
import sys
import tempfile
import zipfile
import zlib

TRAINER = os.environ.get("TRAINER", "build/test/trainer")
TUNER = os.environ.get("TUNER", "build/test/tuner")
SCRATCH = tempfile.mkdtemp(dir=os.environ.get("TEST_TMP"), prefix="formats-")
ENVIRONMENT = {**os.environ, "OPENBLAS_NUM_THREADS": "1", "MNIST_DIR": "/nowhere",
               "TUNER_HOME": os.path.join(SCRATCH, "home")}
TRAINING = {"optimizer": {"type": "adam", "learning_rate": 0.003}, "batch_size": 50}
failures = 0


def check(what, good, detail=""):
    global failures
    failures += not good
    print(f"ok - {what}" if good else f"not ok - {what}\n    {str(detail)[-1500:]}", flush=True)


def path(*names):
    return os.path.join(SCRATCH, *names)


def run(*arguments):
    return subprocess.run([TRAINER, *arguments], capture_output=True, text=True, timeout=120,
                          env=ENVIRONMENT)


def write(name, content):
    os.makedirs(os.path.dirname(path(name)), exist_ok=True)
    with open(path(name), "wb" if isinstance(content, bytes) else "w") as file:
        file.write(content)
    return path(name)


def train(dataset, units=10, epochs=1, **data):
    config = {"model": [{"type": "flatten"}, {"type": "dense", "units": units}],
              "training": TRAINING, "seed": "7", "epochs": epochs,
              "data": {"dataset": dataset, **data}}
    write("config.json", json.dumps(config))
    if os.path.exists(path("model.ckpt")):
        os.unlink(path("model.ckpt"))
    return run("train", path("config.json"), "--output", path("model.ckpt"))


def evaluate(dataset):
    done = run("evaluate", path("model.ckpt"), "--data", dataset, "--json")
    return json.loads(done.stdout) if done.returncode == 0 else done


def row_of(index, dataset):
    """What the network says of a test image: a fingerprint of its pixels."""
    done = run("predict", path("model.ckpt"), "--data", dataset, "--index", str(index), "--json")
    answer = json.loads(done.stdout)
    return answer["label"], answer["probabilities"]


def refused(what, part, dataset, units=10, **data):
    done = train(dataset, units, **data)
    check(f"refused with a reason: {what}",
          done.returncode == 65 and part in done.stderr, (done.returncode, done.stderr))


def digits():
    """The synthetic digits as (pixels, label) lists: training, test."""
    sets = []
    for part in ("train", "t10k"):
        with gzip.open(path("digits", f"{part}-images-idx3-ubyte.gz")) as file:
            pixels = file.read()[16:]
        with gzip.open(path("digits", f"{part}-labels-idx1-ubyte.gz")) as file:
            labels = file.read()[8:]
        sets.append([(pixels[i * 784:i * 784 + 784], label) for i, label in enumerate(labels)])
    return sets


def csv_text(images, labelled=True, pixels=784, end="\n"):
    names = (["label"] if labelled else []) + [f"pixel{i}" for i in range(pixels)]
    lines = [",".join(names)]
    for values, label in images:
        lines.append(",".join(map(str, ([label] if labelled else []) + list(values))))
    return end.join(lines) + end


# ---- Kaggle's CSV ----

def test_csv(training, test):
    kaggle = write("kaggle/train.csv", csv_text(training))
    done = train(kaggle, epochs=3, validation=100)
    check("a CSV file is trained on", done.returncode == 0 and "epoch 3/3" in done.stdout, done)
    answer = evaluate(kaggle)
    check("a tenth of it, stratified, is the test set", answer["images"] == 100
          and [row["images"] for row in answer["classes"]] == [10] * 10, answer)
    held = [row_of(i, kaggle) for i in range(100)]
    check("the images held out are in the order of the file and of its labels",
          held[0][1] != held[1][1] and len({str(row) for row in held}) == 100, held[:2])
    check("the same seed holds out the same", evaluate(kaggle) == answer)
    windows = write("kaggle/windows.csv", csv_text(training, end="\r\n") + "\r\n")
    check("line ends of Windows mean the same", evaluate(windows) == answer)
    unended = write("kaggle/unended.csv", csv_text(training)[:-1])
    check("the last line needs no end", evaluate(unended) == answer)

    unlabelled = write("kaggle/test.csv", csv_text(test, labelled=False))
    done = run("predict", path("model.ckpt"), "--data", unlabelled, "--submission",
               path("out.csv"))
    lines = open(path("out.csv")).read().split("\n") if done.returncode == 0 else []
    images = run("predict", path("model.ckpt"), path("digits", "t10k-images-idx3-ubyte.gz"),
                 "--json").stdout.splitlines()
    expected = [f"{i + 1},{json.loads(line)['class']}" for i, line in enumerate(images)]
    check("predict --submission answers the file without labels",
          lines == ["ImageId,Label", *expected, ""], (done.stderr, lines[:3]))
    done = run("predict", path("model.ckpt"), "--data", kaggle, "--submission", path("no.csv"))
    check("a file with labels is no question", done.returncode == 65
          and "has labels" in done.stderr and not os.path.exists(path("no.csv")), done)
    done = run("predict", path("model.ckpt"), "--submission", path("no.csv"))
    check("--submission says that it needs --data", done.returncode == 64
          and "--data" in done.stderr, done)
    small = write("kaggle/small.csv", csv_text([(bytes(4), 0)], False, 4))
    done = run("predict", path("model.ckpt"), "--data", small, "--submission", path("no.csv"))
    check("images of another size are no question", done.returncode == 65
          and "28x28" in done.stderr, done)


def test_csv_sizes():
    images = [(bytes([i % 7 * 30] * 6), i % 3) for i in range(60)]
    wide = write("kaggle/wide.csv", csv_text(images, pixels=6))
    done = train(wide, 3, height=2, width=3)
    summary = json.loads(run("summary", path("model.ckpt"), "--json").stdout)
    check("images that are not square have height and width said", done.returncode == 0
          and summary["input"] == [2, 3, 1], done)
    refused("a number of pixels that is no square", "data.height", wide, 3)
    refused("a size that is another", "2x2", wide, 3, height=2, width=2)
    refused("a height without a width", "go together", wide, 3, height=2)
    refused("a height that is none", "from 1 to 4096", wide, 3, height=0, width=3)
    many = write("kaggle/many.csv", csv_text([(bytes([i % 250] * 4), i % 1000)
                                              for i in range(2000)], pixels=4))
    done = train(many, 1000)
    check("a thousand classes are told apart", done.returncode == 0
          and len(evaluate(many)["classes"]) == 1000, done)
    more = write("kaggle/more.csv", csv_text([(bytes(4), i) for i in range(1001)], pixels=4))
    refused("a class more", ":1002: column 1 holds '1000'", more, 1000)


def test_csv_damage():
    good = "label,pixel0,pixel1,pixel2,pixel3\n" + "1,2,3,4,5\n0,2,3,4,5\n" * 10
    cases = [
        ("an empty file", "", "empty"),
        ("names alone", "label,pixel0\n", "no images"),
        ("names without an end", "label,pixel0", "no images"),
        ("empty lines alone", "label,pixel0\n\n\r\n", "no images"),
        ("no line of names", good.split("\n", 1)[1], ":1: the first line must name"),
        ("no labels", good.replace("label,", "pixel9,"), "no column `label`"),
        ("a value too many", good.replace("1,2,3,4,5", "1,2,3,4,5,6", 1), ":2: more than the 5"),
        ("a value too few", good.replace("0,2,3,4,5", "0,2,3,4", 1), ":3: fewer than the 5"),
        ("a pixel that is too bright", good.replace("4,5", "4,256", 1), "column 5 holds '256'"),
        ("a pixel below zero", good.replace("2,3", "-2,3", 1), "column 2 holds '-2'"),
        ("a pixel with a fraction", good.replace("2,3", "2.5,3", 1), "column 2 holds '2.5'"),
        ("a pixel that is missing", good.replace("2,3", ",3", 1), "column 2 holds ''"),
        ("a pixel with too many digits", good.replace("2,3", "99999999999999999999,3", 1),
         "column 2 holds"),
        ("a zero byte", good.replace("2,3", "2\0,3", 1), ":2: column 2"),
        ("an empty line in the middle", good.replace("\n0", "\n\n0", 1), ":3: column 1"),
        ("a label without a class below it", good.replace("0,2,3", "7,2,3", 1), "label 7"),
        ("too few images", "\n".join(good.split("\n")[:6]), "at least 10"),
        ("a file that is cut off", good[:-3], "fewer than the 5"),
    ]
    for what, text, part in cases:
        refused(f"a CSV file with {what}", part, write("kaggle/bad.csv", text), 2)
    refused("a CSV file that is not there", "no data set", path("kaggle/nowhere.csv"), 2)


def check_study(text):
    study = write("study.yaml", "study: s\nseed: 1\nparameters: {u: {type: int, low: 4, high: 8}}\n"
                  "model: [flatten, dense: $u, dense: classes]\n"
                  "training: {optimizer: {type: sgd, learning_rate: 0.1}, batch_size: 10}\n"
                  f"search: {{trials: 2, max_epochs: 1}}\n{text}\n")
    return subprocess.run([TUNER, "check", study, "--trainer", os.path.abspath(TRAINER)],
                          capture_output=True, text=True, timeout=60, env=ENVIRONMENT,
                          cwd=SCRATCH)


def test_studies():
    done = check_study("data: {dataset: kaggle/wide.csv, height: 2, width: 3, validation: 9}")
    check("a study names a CSV file", done.returncode == 0 and "csv" in done.stdout, done)
    for what, data, part in (
            ("a height alone", "{dataset: kaggle/wide.csv, height: 2}", "go together"),
            ("a height of no CSV file", "{dataset: mnist, height: 2, width: 2}", "go together"),
            ("a CSV file that is not there", "{dataset: nowhere.csv}", "nowhere.csv")):
        done = check_study(f"data: {data}")
        check(f"a study is refused with {what}", done.returncode == 65 and part in done.stderr,
              done)


# ---- NumPy's archives ----

def npy(values, shape, kind="|u1", version=1, order="False", header=None):
    text = header or f"{{'descr': '{kind}', 'fortran_order': {order}, 'shape': {shape}, }}"
    text = text.encode().ljust(117) + b"\n"
    length = struct.pack("<H" if version == 1 else "<I", len(text))
    return b"\x93NUMPY" + bytes([version, 0]) + length + text + values


def arrays(training, test, **changes):
    made = {}
    for name, images in (("train", training), ("test", test)):
        made["x_" + name] = npy(b"".join(pixels for pixels, _ in images),
                                (len(images), 28, 28))
        made["y_" + name] = npy(bytes(label for _, label in images), f"({len(images)},)")
    return {**made, **changes}


def npz(name, content, method=zipfile.ZIP_STORED):
    os.makedirs(path("keras"), exist_ok=True)
    with zipfile.ZipFile(path("keras", name), "w", method) as archive:
        for entry, value in content.items():
            if value is not None:
                archive.writestr(entry + ".npy", value)
    return path("keras", name)


def test_npz(training, test):
    train(path("digits"), epochs=2)
    expected = evaluate(path("digits"))
    content = arrays(training, test)
    labels = [label for _, label in training]
    wide = struct.pack(f">{len(labels)}q", *labels)
    kinds = {
        "stored": npz("stored.npz", content),
        "deflated": npz("deflated.npz", content, zipfile.ZIP_DEFLATED),
        "labels of 8 bytes": npz("wide.npz", {**content, "y_train":
                                              npy(wide, (len(labels), 1), ">i8")}),
        "the format's version 3": npz("three.npz", {**content, "x_train": npy(
            b"".join(pixels for pixels, _ in training), (len(training), 28, 28, 1),
            version=3)}),
    }
    with zipfile.ZipFile(path("keras", "numpy.npz"), "w") as archive:
        for entry, value in content.items():
            with archive.open(entry + ".npy", "w", force_zip64=True) as file:
                file.write(value)
    kinds["written as numpy.savez does"] = path("keras", "numpy.npz")
    for what, name in kinds.items():
        check(f"an .npz archive, {what}, holds the same images", evaluate(name) == expected,
              evaluate(name))
    done = train(kinds["deflated"], epochs=1, validation=100)
    check("an .npz archive is trained on", done.returncode == 0, done)


def test_npz_damage(training, test):
    few, fewer = training[:20], test[:10]
    good = arrays(few, fewer)
    pixels = b"".join(values for values, _ in few)
    cases = [
        ("no labels", {"y_train": None}, "no 'y_train.npy'"),
        ("floats", {"x_train": npy(bytes(80), (20, 1, 1), "<f4")}, "whole numbers"),
        ("wide pixels", {"x_train": npy(bytes(40), (20, 1, 1), "<u2")}, "unsigned bytes"),
        ("Fortran's order", {"x_train": npy(pixels, (20, 28, 28), order="True")}, "Fortran"),
        ("flat images", {"x_train": npy(pixels, (20, 784))}, "(n, height, width)"),
        ("five dimensions", {"x_train": npy(pixels, (20, 7, 4, 7, 4))}, "1 to 4 dimensions"),
        ("a shape of nothing", {"x_train": npy(b"", (0, 28, 28))}, "none of them 0"),
        ("a shape that overflows", {"x_train": npy(b"", (4294967295,) * 4)}, "shape"),
        ("a shape that promises more", {"x_train": npy(pixels[1:], (20, 28, 28))}, "promises"),
        ("a shape that promises less", {"x_train": npy(pixels + b"x", (20, 28, 28))}, "promises"),
        ("a header without a shape", {"x_train": npy(pixels, 0, header="{'descr': '|u1', "
                                                     "'fortran_order': False}")}, "shape"),
        ("a header that is too long", {"x_train": good["x_train"][:8] + b"\xff\xff"
                                       + good["x_train"][10:]}, "header promises 65535"),
        ("an array of version 9", {"x_train": good["x_train"][:6] + b"\x09"
                                   + good["x_train"][7:]}, "version 9"),
        ("no array", {"x_train": b"hello"}, "no .npy array"),
        ("a label below zero", {"y_train": npy(b"\xff" * 20, "(20,)", "|i1")}, "out of range"),
        ("a label of 1000", {"y_train": npy(struct.pack("<20h", *[1000] * 20), "(20,)", "<i2")},
         "out of range"),
        ("labels of another shape", {"y_train": npy(bytes(40), (20, 2))}, "(n,)"),
        ("too few labels", {"y_train": npy(bytes(19), "(19,)")}, "19 labels"),
        ("a test label of no class", {"y_test": npy(b"\x63" * 10, "(10,)")}, "label 99"),
        ("test images of another size", {"x_test": npy(bytes(90), (10, 3, 3))}, "3x3x1"),
    ]
    for what, changes, part in cases:
        refused(f"an .npz archive with {what}", part, npz("bad.npz", {**good, **changes}))
    refused("an .npz archive compressed in a strange way", "method 12",
            npz("bad.npz", good, zipfile.ZIP_BZIP2))
    whole = open(npz("bad.npz", good), "rb").read()
    end = whole.rfind(b"PK\5\6")
    first = whole.find(b"PK\1\2")

    def changed(at, value, base=whole):
        return base[:at] + value + base[at + len(value):]
    damages = [
        ("no zip archive", b"hello" * 100, "no zip archive"),
        ("an empty archive", b"", "no zip archive"),
        ("a truncated archive", whole[:-30], "no zip archive"),
        ("a directory of zip64", changed(end + 16, b"\xff" * 4), "zip64"),
        ("a directory outside the file", changed(end + 16, b"\xff\xff\xff\x7f"), "outside"),
        ("a directory that is cut short", changed(end + 12, b"\x10\0\0\0"), "entry 0"),
        ("a damaged directory", changed(first, b"XX"), "entry 0"),
        ("an entry of zip64", changed(first + 20, b"\xff" * 4), "zip64"),
        ("an encrypted entry", changed(first + 8, b"\1"), "encrypted"),
        ("an entry outside the file", changed(first + 42, b"\xff\xff\xff\x7f"), "outside"),
        ("an entry that is longer than the file", changed(
            first + 20, b"\xff\xff\xff\x7f"), "outside"),
        ("a size that no stream unpacks to", changed(first + 24, b"\xff\xff\xff\x7f"),
         "truncated"),
        ("a changed pixel", changed(2000, bytes([whole[2000] ^ 1])), "checksum"),
    ]
    for what, content, part in damages:
        refused(what, part, write("keras/bad.npz", content))
    deflated = open(npz("bad.npz", good, zipfile.ZIP_DEFLATED), "rb").read()
    for at in range(40, len(deflated), 97):
        done = train(write("keras/bad.npz", changed(at, bytes([deflated[at] ^ 0x55]), deflated)))
        if done.returncode not in (0, 65):
            check(f"a changed byte {at} is bad input", False, done)


# ---- PNG files ----

def png(pixels, width=28, height=28, channels=1):
    def chunk(kind, content):
        return (struct.pack(">I", len(content)) + kind + content
                + struct.pack(">I", zlib.crc32(kind + content)))
    stride = width * channels
    lines = b"".join(b"\0" + pixels[y * stride:(y + 1) * stride] for y in range(height))
    header = struct.pack(">IIBBBBB", width, height, 8, 2 if channels == 3 else 0, 0, 0, 0)
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header)
            + chunk(b"IDAT", zlib.compress(lines)) + chunk(b"IEND", b""))


def png_folder(name, training, test, **form):
    shutil.rmtree(path(name), ignore_errors=True)
    for part, images in (("train", training), ("test", test)):
        for i, (pixels, label) in enumerate(images):
            write(f"{name}/{part}/{label}/{i:05}.png", png(pixels, **form))
    return path(name)


def test_png(training, test):
    train(path("digits"), epochs=2)
    expected = evaluate(path("digits"))
    folder = png_folder("pngs", training[:300], test)
    write("pngs/train/0/notes.txt", "no image")
    write("pngs/train/.hidden/x", "nothing")
    found = evaluate(folder)
    check("a folder of PNG files holds the same test images, in another order",
          found["classes"] == expected["classes"]
          and abs(found["loss"] - expected["loss"]) < 1e-6, (found, expected))
    done = train(folder, epochs=1, validation=50)
    check("a folder of PNG files is trained on", done.returncode == 0, done)
    done = check_study("data: {dataset: pngs, validation: 50}")
    check("a study names a folder of PNG files", done.returncode == 0 and "png" in done.stdout,
          done)
    names = [(bytes([i * 20] * 12), f"class{i % 3}") for i in range(12)]
    coloured = png_folder("coloured", names, names, width=2, height=2, channels=3)
    done = train(coloured, 3)
    summary = json.loads(run("summary", path("model.ckpt"), "--json").stdout)
    check("coloured images have three channels, classes any name", done.returncode == 0
          and summary["input"] == [2, 2, 3], done)


def test_png_damage():
    def folder():
        images = [(bytes([i] * 4), i % 2) for i in range(8)]
        return png_folder("badpng", images, images, width=2, height=2)
    good = png(bytes(4), 2, 2)
    for what, name, content, part in (
            ("another size", "train/1/z.png", png(bytes(9), 3, 3), "3x3"),
            ("a coloured image among grey ones", "test/1/z.png", png(bytes(12), 2, 2, 3),
             "coloured"),
            ("an empty file", "train/0/z.png", b"", "train/0/z.png"),
            ("no PNG", "train/0/z.png", b"hello", "no PNG"),
            ("half a PNG", "train/0/z.png", good[:50], "damaged"),
            ("a damaged PNG", "train/0/z.png", good[:45] + b"XXXX" + good[49:], "damaged"),
            ("a class that only the test has", "test/9/z.png", good, "no such class"),
            ("a class without images", "train/5/readme", b"x", "no image")):
        folder()
        write(f"badpng/{name}", content)
        refused(f"a folder of PNG files with {what}", part, path("badpng"), 2)
    shutil.rmtree(os.path.join(folder(), "test"))
    refused("a folder of PNG files without `test`", "test/CLASS", path("badpng"), 2)
    os.mkdir(path("badpng", "test"))
    refused("a folder of PNG files with an empty `test`", "no classes", path("badpng"), 2)
    for i in range(1001):
        os.makedirs(path("badpng", "train", f"c{i}"))
    refused("a folder of more than 1,000 classes", "1003 classes", path("badpng"), 2)


def picture(pixels, factor, top, left, side, dark):
    """A digit enlarged and put somewhere on a larger square, light on dark or the reverse."""
    lines = [bytearray([0]) * side for _ in range(side)]
    for y in range(28 * factor):
        for x in range(28 * factor):
            lines[top + y][left + x] = pixels[y // factor * 28 + x // factor]
    joined = b"".join(lines)
    return bytes(255 - value for value in joined) if dark else joined


def class_of(content):
    done = run("predict", path("model.ckpt"), write("one.png", content), "--json")
    return json.loads(done.stdout)["class"] if done.returncode == 0 else done


def test_picture(training, test):
    train(path("digits"), epochs=12)
    clean = [(bytes(max(0, value - 60) for value in pixels), label) for pixels, label in test[:40]]
    rows = [row_of(i, path("digits"))[1] for i in range(5)]
    same = [json.loads(run("predict", path("model.ckpt"), write("one.png", png(test[i][0])),
                           "--json").stdout)["probabilities"] for i in range(5)]
    check("a PNG of the network's size is taken as it is", same == rows, (same, rows))
    light = [class_of(png(picture(pixels, 3, 60, 7, 160, False), 160, 160))
             for pixels, _ in clean]
    dark = [class_of(png(picture(pixels, 3, 7, 60, 160, True), 160, 160))
            for pixels, _ in clean]
    right = sum(found == label for found, (_, label) in zip(light, clean))
    check("a digit somewhere on a larger picture is recognized", right >= 24, (right, light))
    check("dark on light and elsewhere, it is the same digit", light == dark, (light, dark))
    colour = b"".join(bytes([value] * 3) for value in picture(clean[3][0], 3, 60, 7, 160, True))
    check("a coloured picture is taken as grey",
          class_of(png(colour, 160, 160, 3)) == light[3], light[3])
    for what, content, part in (("an empty picture", png(bytes(900), 30, 30), "no digit"),
                                ("half a PNG", png(bytes(900), 30, 30)[:45], "one.png")):
        done = run("predict", path("model.ckpt"), write("one.png", content))
        check(f"{what} is refused", done.returncode == 65 and part in done.stderr, done)


# ---- EMNIST and CIFAR-10 ----

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
    plain = emnist("turned", training, test, "", 1, "", "t10k")
    done = train(plain, epochs=2, transpose=True, first_label=1)
    turned = run("predict", path("model.ckpt"), "--data", path("digits"), "--index", "5", "--json")
    train(path("digits"), epochs=2)
    upright = run("predict", path("model.ckpt"), "--data", path("digits"), "--index", "5",
                  "--json")
    check("transpose and first_label say the same of other names", done.returncode == 0
          and turned.stdout == upright.stdout, (done, turned))
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


def main():
    done = run("synth", path("digits"), "--train", "1000", "--test", "200", "--seed", "3")
    check("synthetic digits are drawn", done.returncode == 0, done)
    training, test = digits()
    test_csv(training, test)
    test_csv_sizes()
    test_csv_damage()
    test_studies()
    test_npz(training, test)
    test_npz_damage(training, test)
    test_png(training, test)
    test_png_damage()
    test_picture(training, test)
    test_emnist(training, test)
    test_cifar()
    shutil.rmtree(SCRATCH, ignore_errors=True)
    sys.exit(1 if failures else 0)


main()
