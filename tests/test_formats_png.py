"""Folders of PNG files, and pictures of one digit, from outside (formats.py)."""
import json
import os
import shutil

from formats import *


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
    name = os.listdir(path("pngs/test/0"))[0]
    os.rename(path("pngs/test/0", name), path("pngs/test/0", name.upper()))
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
    deep = run("predict", path("model.ckpt"), write("one.png", png(test[3][0], depth=16)), "--json")
    check("so is one of sixteen bits", json.loads(deep.stdout)["probabilities"] == rows[3], deep)
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
    shades = picture(clean[3][0], 3, 60, 7, 160, False)
    for ink in (0, 255):
        drawn = b"".join(bytes([ink, shade]) for shade in shades)
        check(f"strokes of {ink} on nothing are seen", class_of(png(drawn, 160, 160, 2))
              == light[3], light[3])
    for what, content, part in (("an empty picture", png(bytes(900), 30, 30), "no digit"),
                                ("half a PNG", png(bytes(900), 30, 30)[:45], "one.png")):
        done = run("predict", path("model.ckpt"), write("one.png", content))
        check(f"{what} is refused", done.returncode == 65 and part in done.stderr, done)


TRAINING_IMAGES, TEST_IMAGES = draw()
test_png(TRAINING_IMAGES, TEST_IMAGES)
test_png_damage()
test_picture(TRAINING_IMAGES, TEST_IMAGES)
finish()
