#!/usr/bin/python3
"""The network in the page (reports/web/network.js, layers.js, digit.js): for each kind of layer
its logits are the trainer's, and a drawing becomes the image that the trainer makes of it."""
import base64
import json
import math
import os
import re
import struct
import subprocess
import zlib

import browser
from harness import TOP, TRAINER, check, finish, folder
from patience import patient

TRAINING = {"optimizer": {"type": "adam", "learning_rate": 0.003}, "batch_size": 16}
IMAGES = 8

NETWORKS = {
    "dense, relu, tanh, sigmoid": [
        {"type": "flatten"}, {"type": "dense", "units": 21, "activation": "relu"},
        {"type": "relu"}, {"type": "dense", "units": 18}, {"type": "tanh"},
        {"type": "dense", "units": 17}, {"type": "sigmoid"}, {"type": "dropout", "rate": 0.5},
        {"type": "dense", "units": 10}],
    "conv without and with padding and strides, max_pool": [
        {"type": "conv", "filters": 6, "kernel": 3},
        {"type": "conv", "filters": 7, "kernel": 4, "padding": "same", "stride": 2,
         "activation": "tanh"},
        {"type": "max_pool", "size": 2}, {"type": "max_pool", "size": 3, "stride": 2,
                                          "padding": "same"},
        {"type": "flatten"}, {"type": "dense", "units": 10}],
    "avg_pool with and without padding, global_avg_pool, elu, leaky_relu": [
        {"type": "conv", "filters": 6, "kernel": 5, "padding": "same", "activation": "elu"},
        {"type": "avg_pool", "size": 2}, {"type": "leaky_relu", "slope": 0.3},
        {"type": "avg_pool", "size": 3, "stride": 2, "padding": "same"}, {"type": "elu"},
        {"type": "conv", "filters": 12, "kernel": 1, "activation": "leaky_relu"},
        {"type": "global_avg_pool"}, {"type": "dense", "units": 10}],
    "gelu and batch_norm, on images and on vectors": [
        {"type": "conv", "filters": 5, "kernel": 3, "stride": 2, "activation": "gelu"},
        {"type": "batch_norm"}, {"type": "gelu"}, {"type": "flatten"},
        {"type": "dense", "units": 12, "activation": "sigmoid"},
        {"type": "batch_norm", "epsilon": 0.01}, {"type": "dense", "units": 10}],
    "residuals, nested, with and without shortcuts, around images and vectors": [
        {"type": "conv", "filters": 4, "kernel": 3, "padding": "same"},
        {"type": "residual", "layers": [
            {"type": "conv", "filters": 4, "kernel": 3, "padding": "same"},
            {"type": "batch_norm"}, {"type": "relu"},
            {"type": "residual", "layers": [
                {"type": "conv", "filters": 8, "kernel": 3, "padding": "same", "stride": 3},
                {"type": "batch_norm"}]}]},
        {"type": "flatten"}, {"type": "dense", "units": 14},
        {"type": "residual", "layers": [{"type": "dense", "units": 14, "activation": "tanh"}]},
        {"type": "residual", "layers": [{"type": "dense", "units": 9, "activation": "elu"}]},
        {"type": "dense", "units": 10}],
}


def words_in(layers):
    """The layers and activations of a list, also within residuals."""
    words = set()
    for layer in layers:
        words |= {layer["type"], layer.get("activation", "none")}
        words |= words_in(layer.get("layers", []))
    return words


def check_complete():
    """Every layer and activation that a study may have is in one of the networks here."""
    with open(os.path.join(TOP, "common", "schema.c")) as file:
        schema = file.read()
    table = re.search(r"section layers\[\] = \{(.*?)\n\};", schema, re.S).group(1)
    words = re.search(r"activation_words\[\] = \{(.*?)NULL", schema, re.S).group(1)
    known = set(re.findall(r'\{"(\w+)"', table)) | set(re.findall(r'"(\w+)"', words))
    missing = known - set().union(*(words_in(model) for model in NETWORKS.values()))
    check("every layer and activation of a study is tried in the page",
          len(known) > 10 and not missing, missing)


def train(place, number, model, digits):
    configuration = os.path.join(place, f"{number}.json")
    with open(configuration, "w") as file:
        json.dump({"model": model, "training": TRAINING, "seed": "5",
                   "data": {"dataset": digits, "validation": 40}}, file)
    checkpoint = os.path.join(place, f"{number}.ckpt")
    subprocess.run([TRAINER, "train", configuration, "--epochs", "2", "--output", checkpoint],
                   check=True, capture_output=True, timeout=patient(120))
    return checkpoint


def network_of(checkpoint):
    """What a report has of it, read as trainer/checkpoint.h says."""
    with open(checkpoint, "rb") as file:
        content = file.read()
    length = struct.unpack("<I", content[12:16])[0]
    header = json.loads(content[16:16 + length])
    vectors, at = {}, 16 + length
    for vector in header["vectors"]:
        vectors[vector["name"]] = content[at:at + 4 * vector["length"]]
        at += 4 * vector["length"]
    height, width, channels = header["input"]
    return {"input": {"height": height, "width": width, "channels": channels},
            "classes": header["classes"], "layers": header["model"],
            "weights": base64.b64encode(vectors["parameters"]).decode(),
            "statistics": base64.b64encode(vectors.get("statistics", b"")).decode()}


def predict(checkpoint, path):
    done = subprocess.run([TRAINER, "predict", checkpoint, path, "--json"], check=True,
                          capture_output=True, text=True, timeout=patient(60))
    return [json.loads(line)["probabilities"] for line in done.stdout.splitlines()]


def first_images(digits):
    """A few test images: the bytes, and an IDX file of them for the trainer."""
    with open(os.path.join(digits, "t10k-images-idx3-ubyte.gz"), "rb") as file:
        content = zlib.decompress(file.read(), 31)
    pixels = content[16:16 + IMAGES * 784]
    path = os.path.join(os.path.dirname(digits), "few-idx3-ubyte")
    with open(path, "wb") as file:
        file.write(struct.pack(">IIII", 0x803, IMAGES, 28, 28) + pixels)
    return [list(pixels[i * 784:(i + 1) * 784]) for i in range(IMAGES)], path


LOGITS = """
const [description, images, done] = arguments;
import("/network.js").then(({loadNetwork, networkLogits}) => {
    const network = loadNetwork(description);
    done(images.map(image => Array.from(networkLogits(network,
                                                      Float32Array.from(image, p => p / 255)))));
}).catch(error => done(String(error)));
"""


def centred(values):
    mean = sum(values) / len(values)
    return [value - mean for value in values]


def furthest(logits, probabilities):
    """How far the logits are from those that give the probabilities, their common constant
    apart, which no probability shows."""
    return max(abs(a - b)
               for mine, theirs in zip(logits, probabilities)
               for a, b in zip(centred(mine), centred([math.log(p) for p in theirs])))


def check_networks(page, place, digits):
    images, path = first_images(digits)
    for number, (what, model) in enumerate(NETWORKS.items()):
        checkpoint = train(place, number, model, digits)
        logits = page.execute_async_script(LOGITS, network_of(checkpoint), images)
        if not check(f"{what}: runs in the page", isinstance(logits, list), logits):
            continue
        distance = furthest(logits, predict(checkpoint, path))
        check(f"{what}: logits are the trainer's within 1e-3", distance < 1e-3, distance)


def check_broken(page, place, digits):
    """A network that is not what its weights are says so rather than answer nonsense."""
    network = network_of(os.path.join(place, "0.ckpt"))
    floats = base64.b64decode(network["weights"])
    for what, weights in (("fewer", floats[:-4]), ("more", floats + floats[:4])):
        broken = dict(network, weights=base64.b64encode(weights).decode())
        said = page.execute_async_script(LOGITS, broken, [[0] * 784])
        check(f"{what} weights than the network has are refused", f"there are {what}" in said,
              said)
    broken = dict(network, layers=[{"type": "toString"}])
    said = page.execute_async_script(LOGITS, broken, [[0] * 784])
    check("an unknown layer is refused by its name", 'no layer "toString"' in said, said)


# ---- drawings ----

def write_png(path, pixels, side):
    def chunk(kind, content):
        return (struct.pack(">I", len(content)) + kind + content
                + struct.pack(">I", zlib.crc32(kind + content)))
    rows = b"".join(b"\0" + bytes(pixels[y * side:(y + 1) * side]) for y in range(side))
    with open(path, "wb") as file:
        file.write(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 0,
                                                                     0, 0, 0))
                   + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))


def drawing(side, ink):
    """Light pixels where ink(x, y), with soft edges, for coordinates from 0 to 1."""
    return [round(255 * max(0.0, min(1.0, ink((x + 0.5) / side, (y + 0.5) / side))))
            for y in range(side) for x in range(side)]


def soft(distance):
    return 1.5 - distance * 40


DRAWINGS = {
    "a thin 1 at the edge": lambda x, y: soft(abs(x - 0.9)) if 0.1 < y < 0.8 else 0,
    "a large 0": lambda x, y: soft(abs(math.hypot(x - 0.5, (y - 0.5) * 0.7) - 0.3)),
    "a small 0 in a corner": lambda x, y: soft(2 * abs(math.hypot(x - 0.2, y - 0.8) - 0.08)),
    "a flat dash": lambda x, y: soft(abs(y - 0.3)) if 0.2 < x < 0.7 else 0,
}

CENTRED = """
const [pixels, side, description, done] = arguments;
Promise.all([import("/digit.js"), import("/network.js")]).then(([digit, network]) => {
    const image = digit.centreDigit(Uint8Array.from(pixels), side, side);
    const loaded = network.loadNetwork(description);
    done(image && Array.from(network.softmax(network.networkLogits(
        loaded, Float32Array.from(image, p => p / 255)))));
}).catch(error => done(String(error)));
"""


def check_drawings(page, place):
    """The trainer shows what it makes of a picture by what it answers, to six digits."""
    checkpoint = os.path.join(place, "1.ckpt")
    network, side = network_of(checkpoint), 96
    for what, ink in DRAWINGS.items():
        pixels = drawing(side, ink)
        path = os.path.join(place, "drawing.png")
        write_png(path, pixels, side)
        mine = page.execute_async_script(CENTRED, pixels, side, network)
        theirs = predict(checkpoint, path)[0]
        check(f"{what} is cut out, scaled and centred as the trainer does it",
              isinstance(mine, list) and max(abs(a - b) for a, b in zip(mine, theirs)) < 2e-5,
              (mine, theirs))
    nothing = page.execute_async_script(CENTRED, [0] * side * side, side, network)
    check("where nothing is drawn there is no digit", nothing is None, nothing)


# ---- the section around the canvas ----

SECTION = """
const [data, done] = arguments;
import("/draw.js").then(({connectDrawing}) => {
    const section = document.createElement("section");
    document.body.replaceChildren(section);
    connectDrawing(data, section);
    requestAnimationFrame(() => setTimeout(() => requestAnimationFrame(() =>
        done([section.textContent, section.querySelectorAll(".odds li").length]))));
}).catch(error => done([String(error), -1]));
"""


def check_section(page, place):
    note = "its weights are not in the database"
    said = page.execute_async_script(SECTION, {"network": None, "network_note": note})
    check("without a network the page says why", said == [note, 0], said)
    network = network_of(os.path.join(place, "0.ckpt"))
    colour = dict(network, input={"height": 28, "width": 28, "channels": 3})
    said = page.execute_async_script(SECTION, {"network": colour, "classes": list("0123456789")})
    check("a network of colour pictures says so", "colour" in said[0] and said[1] == 0, said)
    said = page.execute_async_script(SECTION, {"network": network, "classes": list("abcdefghij")})
    check("classes go by their names", said[1] == 10 and "j0.0 %" in said[0], said)


def main():
    check_complete()
    place = folder("network")
    digits = os.path.join(place, "digits")
    subprocess.run([TRAINER, "synth", digits, "--train", "240", "--test", "20"], check=True,
                   capture_output=True, timeout=patient(60))
    with open(os.path.join(place, "empty.html"), "w") as file:
        file.write("<!DOCTYPE html><title>test</title><link rel=icon href='data:,'>")
    server, address = browser.serve(place)
    page = browser.start()
    try:
        page.get(address + "/test/empty.html")
        check_networks(page, place, digits)
        check_broken(page, place, digits)
        check_drawings(page, place)
        check_section(page, place)
    finally:
        page.quit()
        server.shutdown()
    finish()


main()
