"""Kaggle's CSV, from outside (formats.py)."""
import json
import os

from formats import *


def csv_text(images, labelled=True, pixels=784, end="\n"):
    names = (["label"] if labelled else []) + [f"pixel{i}" for i in range(pixels)]
    lines = [",".join(names)]
    for values, label in images:
        lines.append(",".join(map(str, ([label] if labelled else []) + list(values))))
    return end.join(lines) + end


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
    marked = write("kaggle/marked.csv", "\ufeff" + csv_text(training))
    check("a mark of UTF-8 before the names means nothing", evaluate(marked) == answer)
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
    answer = evaluate(wide)
    check("and a network of that size is evaluated on such a file", isinstance(answer, dict)
          and answer["images"] == 6, answer)
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


TRAINING_IMAGES, TEST_IMAGES = draw()
test_csv(TRAINING_IMAGES, TEST_IMAGES)
test_csv_sizes()
test_csv_damage()
test_studies()
finish()
