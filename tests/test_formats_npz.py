"""NumPy's archives as Keras has them, from outside (formats.py)."""
import os
import struct
import zipfile

from formats import *


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


TRAINING_IMAGES, TEST_IMAGES = draw()
test_npz(TRAINING_IMAGES, TEST_IMAGES)
test_npz_damage(TRAINING_IMAGES, TEST_IMAGES)
finish()
