"""Networks exported as C: what comes out compiles without a warning, needs no library, and has
the same logits."""
import subprocess

from exported import *
from patience import patient

IMAGES = 1000
FLAGS = ["-std=c99", "-Wall", "-Wextra", "-Werror", "-O2"]

# Logits, then probabilities, of each image on stdin.
DRIVER = """
#include "model.h"
#include <stdio.h>

int main(void)
{
    static float image[MODEL_PIXELS], logits[MODEL_CLASSES], probabilities[MODEL_CLASSES];
    while (fread(image, sizeof *image, MODEL_PIXELS, stdin) == MODEL_PIXELS) {
        model_predict(image, probabilities);
        model_logits(image, logits);
        fwrite(logits, sizeof *logits, MODEL_CLASSES, stdout);
        fwrite(probabilities, sizeof *probabilities, MODEL_CLASSES, stdout);
    }
    return 0;
}
"""


def export(model, name="model.c"):
    return run("export", model, "--c", path(name))


def compile_model():
    """Compiles model.c with DRIVER; without -lm, as it needs no library."""
    with open(path("driver.c"), "w") as file:
        file.write(DRIVER)
    return subprocess.run(["gcc", *FLAGS, "-o", path("driver"), path("driver.c"), path("model.c")],
                          capture_output=True, text=True, timeout=patient(120))


def answers(pixels):
    """(logits, probabilities) of bytes [count, height, width, channels]."""
    unit = pixels.astype(numpy.float32) / numpy.float32(255)
    done = subprocess.run([path("driver")], input=unit.tobytes(), capture_output=True, timeout=patient(120),
                          check=True)
    both = numpy.frombuffer(done.stdout, numpy.float32).reshape(len(pixels), 2, -1)
    return both[:, 0], both[:, 1]


def test_model(name, model, pixels):
    done = export(model)
    if done.returncode == 0:
        done = compile_model()
    if not check(f"exports, and compiles without a warning: {name}", done.returncode == 0, done):
        return
    expected = logits(model, pixels)
    found, probabilities = answers(pixels)
    share = numpy.exp(expected - expected.max(1, keepdims=True).astype(numpy.float64))
    share /= share.sum(1, keepdims=True)
    check(f"the same logits and probabilities: {name}", distance(found, expected) <= TOLERANCE
          and numpy.abs(probabilities - share).max() <= TOLERANCE,
          (distance(found, expected), probabilities[:2], share[:2]))


def test_every_network():
    for name, (shape, _) in NETWORKS.items():
        test_model(name, trained(name), images(shape, 100, 3)[0])


def test_whole():
    test_model("a whole network on drawn digits", *whole())


def test_far_values():
    """The functions that the C file has of its own, where their arguments are large and small:
    dense layers of one weight each hand the pixels on, blown up."""
    for activation in ("tanh", "sigmoid", "elu", "gelu"):
        model = train(f"far {activation}", [conv(4, 1), layer(activation), FLATTEN, dense(4)],
                      {"dataset": dataset((7, 6, 1))}, optimizer={
                          "type": "sgd", "learning_rate": 3.0, "clip_norm": 2.0})
        pixels = images((7, 6, 1), 20, 4)[0]
        pixels[:10] = 255
        test_model(f"{activation} far from 0", model, pixels)


def test_large():
    """Arrays of a hundred thousand numbers."""
    model = train("large", [FLATTEN, dense(1200), dense(4)], {"dataset": dataset((9, 9, 1))})
    test_model("a hundred thousand parameters", model, images((9, 9, 1), 10, 3)[0])


def refused(what, code, part, name):
    before = sorted(os.listdir(SCRATCH))
    done = export(trained("global average"), name)
    check(f"refused, and nothing is written: {what}", done.returncode == code
          and part in done.stderr and sorted(os.listdir(SCRATCH)) == before, done)


def test_names():
    trained("global average")
    refused("a name without .c", 64, "ends in .c", "model")
    refused("a name of which no #include can be made", 64, "#include", 'a"b.c')
    with open(path("mine.h"), "w") as file:
        file.write("/* mine */\n")
    refused("a header of the user's own in the way", 65, "mine.h is there already", "mine.c")
    done = export(trained("global average"), "again.c")
    more = export(trained("flatten twice"), "again.c")
    with open(path("again.h")) as file:
        header = file.read()
    check("another export replaces file and header", done.returncode == more.returncode == 0
          and "MODEL_PIXELS = 48," in header, header)
    check("the header is one of C++ too", subprocess.run(
        ["gcc", "-fsyntax-only", "-x", "c", path("again.h")], timeout=patient(60)).returncode == 0
        and 'extern "C"' in header)


test_every_network()
test_whole()
test_far_values()
test_large()
test_names()
finish()
