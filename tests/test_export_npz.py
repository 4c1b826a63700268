"""Networks exported as npz: the arrays that Keras expects, and load_keras.py, which rebuilds the
network.  Debian has no Keras; keras_twin.py stands in for it."""
import zipfile

import keras_twin

from exported import *

sys.modules["keras"] = keras_twin
IMAGES = 100


def load(folder):
    return load_module(folder, "load_keras")


def export(model, name="network"):
    return export_beside(model, name, "npz")


def test_model(name, model, pixels):
    done, folder = export(model)
    if not check(f"exports: {name}", done.returncode == 0, done):
        return
    found = load(folder).load()(pixels.astype(numpy.float32) / numpy.float32(255))
    far = distance(found, logits(model, pixels))
    check(f"the rebuilt network has the same logits: {name}", far <= TOLERANCE, far)


def test_every_network():
    for name, (shape, _) in NETWORKS.items():
        test_model(name, trained(name), images(shape, IMAGES, 3)[0])


def test_whole():
    model, pixels = whole()
    test_model("a whole network on drawn digits", model, pixels[:IMAGES])


def test_arrays():
    _, folder = export(trained("batch norm of images and vectors"))
    with numpy.load(os.path.join(folder, "model.npz")) as archive:
        arrays = {name: archive[name] for name in archive}
    shapes = {name: array.shape for name, array in arrays.items()}
    norms = {f"batch_norm_{i}/{part}": (size,) for i, size in ((1, 6), (2, 7))
             for part in ("gamma", "beta", "moving_mean", "moving_variance")}
    check("names and shapes are those of Keras's weights", shapes == {
        "conv2d_1/kernel": (3, 3, 3, 6), "conv2d_1/bias": (6,), "dense_1/kernel": (216, 7),
        "dense_1/bias": (7,), "dense_2/kernel": (7, 4), "dense_2/bias": (4,), **norms}, shapes)
    check("they are float32", {array.dtype for array in arrays.values()} == {numpy.dtype("<f4")})
    with zipfile.ZipFile(os.path.join(folder, "model.npz")) as archive:
        check("the archive's sums are right", archive.testzip() is None
              and len(archive.namelist()) == len(arrays))
    content = open(os.path.join(folder, "model.npz"), "rb").read()
    _, folder = export(trained("batch norm of images and vectors"), "again")
    check("the same network gives the same bytes",
          content == open(os.path.join(folder, "model.npz"), "rb").read())


def test_second_file():
    model = trained("global average")
    folder = path("others")
    os.makedirs(folder)
    with open(os.path.join(folder, "load_keras.py"), "w") as file:
        file.write("mine\n")
    done = run("export", model, "--npz", os.path.join(folder, "model.npz"))
    check("a load_keras.py of the user's own stays, and nothing is written",
          done.returncode == 65 and "load_keras.py is there already" in done.stderr
          and os.listdir(folder) == ["load_keras.py"], done)
    other, folder = export(trained("flatten twice"), "network")
    again = load(folder).load()
    check("another export replaces what trainer export wrote", other.returncode == 0
          and [layer.name for layer in again.layers] == ["flatten_1", "flatten_2", "dense_1"],
          again.layers)


test_every_network()
test_whole()
test_arrays()
test_second_file()
finish()
