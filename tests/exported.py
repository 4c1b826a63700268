"""What the tests of exported networks share: networks with every kind of layer, trained a little
by the trainer so that no weight and no statistic is what it was at first, and their logits."""
import gzip
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import tempfile

import numpy

from patience import patient

TRAINER = os.path.abspath(os.environ.get("TRAINER", "build/test/trainer"))
LOGITS_DRIVER = os.path.join(os.path.dirname(TRAINER), "tests", "logits_driver")
SCRATCH = tempfile.mkdtemp(dir=os.environ.get("TEST_TMP"), prefix="exported-")
ENVIRONMENT = {**os.environ, "OPENBLAS_NUM_THREADS": "1"}
TOLERANCE = 1e-4  # of the largest logit, or of 1 where that is less
failures = 0


def check(what, good, detail=""):
    global failures
    failures += not good
    print(f"ok - {what}" if good else f"not ok - {what}\n    {str(detail)[-1500:]}", flush=True)
    return good


def finish():
    shutil.rmtree(SCRATCH, ignore_errors=True)
    sys.exit(1 if failures else 0)


def path(name):
    return os.path.join(SCRATCH, name)


def run(*arguments):
    return subprocess.run([TRAINER, *arguments], capture_output=True, text=True, timeout=patient(300),
                          env=ENVIRONMENT)


# ---- networks ----

def load_module(folder, name):
    """The program of that name in the folder, as a module."""
    spec = importlib.util.spec_from_file_location(name, os.path.join(folder, name + ".py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def export_beside(model, name, kind):
    """Exports into a folder of its own: what happened, and the folder."""
    folder = path(name)
    os.makedirs(folder, exist_ok=True)
    return run("export", model, "--" + kind, os.path.join(folder, "model." + kind)), folder


def conv(filters, kernel, **more):
    return {"type": "conv", "filters": filters, "kernel": kernel, **more}


def layer(name, **more):
    return {"type": name, **more}


def residual(*layers):
    return {"type": "residual", "layers": list(layers)}


FLATTEN = layer("flatten")
ACTIVATIONS = ("relu", "leaky_relu", "elu", "tanh", "sigmoid", "gelu")


def dense(units, **more):
    return layer("dense", units=units, **more)


def ending_in(activation):
    """Conv and dense with this activation, and the layer that is nothing else."""
    alone = layer(activation, slope=0.2) if activation == "leaky_relu" else layer(activation)
    return [conv(5, 3, activation=activation), alone, FLATTEN, dense(9, activation=activation),
            layer(activation), dense(4)]


# name: (images' height, width and channels, layers); four classes each
NETWORKS = {
    **{f"every {name}": ((7, 6, 1), ending_in(name)) for name in ACTIVATIONS},
    **{f"conv of {kernel}, stride {stride}, {padding}, {channels} channels":
       ((9, 7, channels), [conv(5, kernel, stride=stride, padding=padding), FLATTEN, dense(4)])
       for kernel, stride in ((1, 1), (1, 2), (2, 1), (3, 1), (3, 2), (4, 3), (5, 2))
       for padding in ("valid", "same") for channels in (1, 3)},
    **{f"{pool} of {size}, stride {stride}, {padding}":
       ((9, 8, 3), [conv(3, 1), layer(pool, size=size, stride=stride, padding=padding), FLATTEN,
                    dense(4)])
       for pool in ("max_pool", "avg_pool") for size, stride in ((2, 0), (2, 1), (3, 2), (4, 3))
       for padding in ("valid", "same")},
    "global average": ((8, 9, 3), [conv(6, 3), layer("global_avg_pool"), layer("dropout", rate=0.3),
                                   dense(4)]),
    "batch norm of images and vectors":
        ((8, 8, 3), [conv(6, 3), layer("batch_norm"), layer("relu"), FLATTEN, dense(7),
                     layer("batch_norm", epsilon=0.01), layer("tanh"), dense(4)]),
    "residual without a shortcut":
        ((8, 8, 1), [conv(4, 3), residual(conv(4, 3, padding="same", activation="relu"),
                                          layer("batch_norm")), layer("relu"), FLATTEN, dense(4)]),
    "residual with a shortcut of stride 2":
        ((9, 8, 3), [residual(conv(6, 3, stride=2, padding="same"), layer("batch_norm"),
                              layer("dropout", rate=0.2)), FLATTEN, dense(4)]),
    "residual of vectors, with and without a shortcut":
        ((6, 6, 3), [FLATTEN, residual(dense(8, activation="elu"), dense(8)),
                     residual(dense(8, activation="gelu")), dense(4)]),
    "residuals within residuals":
        ((8, 8, 1), [conv(4, 3), residual(
            residual(conv(4, 3, padding="same"), layer("relu")),
            residual(conv(5, 3, padding="same", stride=2), residual(layer("gelu"))),
            layer("batch_norm")), layer("avg_pool", size=2), FLATTEN, dense(4)]),
    "residual of the images themselves":
        ((5, 5, 2), [residual(conv(2, 3, padding="same", activation="tanh")), FLATTEN, dense(4)]),
    "residual that ends the network":
        ((5, 5, 1), [FLATTEN, dense(4), residual(dense(4, activation="tanh"))]),
    "logits that are an image":
        ((6, 6, 3), [conv(8, 3, activation="relu"), conv(4, 4)]),
    "nothing but dropout at the end":
        ((6, 6, 3), [FLATTEN, dense(4), layer("dropout", rate=0.5), layer("dropout", rate=0.1)]),
    "batch norm and dropout right behind flatten":
        ((6, 5, 3), [conv(4, 2), FLATTEN, layer("batch_norm"), layer("dropout", rate=0.2),
                     layer("tanh"), dense(4)]),
    "residual right behind flatten":
        ((3, 2, 2), [FLATTEN, residual(dense(12, activation="relu")), dense(4)]),
    "logits that were an image of several pixels":
        ((2, 1, 2), [FLATTEN]),
    "flatten twice":
        ((4, 4, 3), [FLATTEN, FLATTEN, dense(4)]),
    "batch norm of the images, dropout first":
        ((6, 5, 3), [layer("dropout", rate=0.1), layer("batch_norm"), FLATTEN, dense(4)]),
}


# A network of the size that people use, and with all that such networks have.
WHOLE = [conv(16, 3, padding="same"), layer("batch_norm"), layer("relu"),
         residual(conv(16, 3, padding="same", activation="gelu"),
                  conv(24, 3, padding="same", stride=2), layer("batch_norm")),
         layer("elu"), layer("max_pool", size=2), conv(24, 3, activation="leaky_relu"), FLATTEN,
         dense(64, activation="relu"), layer("dropout", rate=0.3), dense(10)]


def images(shape, count, seed):
    """Bytes, [count, height, width, channels]: noise around one of four shades."""
    random = numpy.random.default_rng(seed)
    labels = numpy.arange(count) % 4
    shades = labels.reshape(-1, 1, 1, 1) * 40
    return (random.integers(0, 120, (count, *shape)) + shades).astype(numpy.uint8), labels


def dataset(shape):
    """An npz file with images of this shape; made once."""
    name = path("images-{}-{}-{}.npz".format(*shape))
    if not os.path.exists(name):
        train, train_labels = images(shape, 64, 1)
        test, test_labels = images(shape, 16, 2)
        numpy.savez(name, x_train=train, y_train=train_labels.astype(numpy.uint8), x_test=test,
                    y_test=test_labels.astype(numpy.uint8))
    return name


def train(name, layers, data, **training):
    """Trains for two epochs of four steps; the checkpoint's path."""
    model = path(name.replace(" ", "_").replace(",", "") + ".ckpt")
    config = {"model": layers, "seed": "5", "epochs": 2, "data": data, "training": {
        "optimizer": {"type": "adam", "learning_rate": 0.01}, "batch_size": 16, **training}}
    with open(path("config.json"), "w") as file:
        json.dump(config, file)
    done = run("train", path("config.json"), "--output", model)
    if done.returncode != 0:
        raise SystemExit(f"{name}: {done.stderr}")
    return model


def trained(name):
    """One of NETWORKS, trained: its checkpoint's path."""
    shape, layers = NETWORKS[name]
    return train(name, layers, {"dataset": dataset(shape)})


def whole():
    """WHOLE, trained on drawn digits: its checkpoint's path, and 1,000 test images."""
    run("synth", path("digits"), "--train", "2000", "--test", "1000")
    with gzip.open(path("digits/t10k-images-idx3-ubyte.gz")) as file:
        pixels = numpy.frombuffer(file.read()[16:], numpy.uint8).reshape(1000, 28, 28, 1)
    return train("whole", WHOLE, {"dataset": path("digits"), "validation": 200}, batch_size=50,
                 ema_decay=0.9), pixels


def logits(model, pixels):
    """What the trainer's network says of bytes [count, height, width, channels]."""
    unit = pixels.astype(numpy.float32) / numpy.float32(255)
    done = subprocess.run([LOGITS_DRIVER, model], input=unit.tobytes(), capture_output=True,
                          timeout=patient(300), check=True, env=ENVIRONMENT)
    return numpy.frombuffer(done.stdout, numpy.float32).reshape(len(pixels), -1)


def distance(found, expected):
    """The largest difference, as a share of the largest logit where that is above 1."""
    if numpy.shape(found) != expected.shape:
        return numpy.inf
    return numpy.abs(found - expected).max() / max(1.0, numpy.abs(expected).max())
