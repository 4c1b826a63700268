"""The study of bench/peer_study.yaml in Keras Tuner, as one line of JSON.

    MNIST_DIR=... build/peers/venv/bin/python bench/keras_tuner_study.py --threads 0

The same search space, network, schedule and images; Hyperband as Keras Tuner has it.  Then the
best configuration is trained anew for its own number of epochs on training and validation
images together and meets the test images once.  `seconds` is all of it but the imports."""
import contextlib
import json
import os
import sys
import tempfile
import time

import numpy

import peer

parser = peer.parser_of(__doc__)
parser.add_argument("--max-epochs", type=int, default=9, metavar="R")
parser.add_argument("--train", type=int, default=10000, metavar="N", help="training images")
parser.add_argument("--validation", type=int, default=5000, metavar="N")
parser.add_argument("--seed", type=int, default=1)
options = peer.parse(parser)
os.environ["KERAS_BACKEND"] = "tensorflow"

import keras  # noqa: E402
import keras_tuner  # noqa: E402
import tensorflow  # noqa: E402
from keras import layers, ops  # noqa: E402

TEST_BATCH = 256
WARMUP = 0.1  # the part of all steps in which the rate rises


class Linear(keras.optimizers.schedules.LearningRateSchedule):
    """The rate rises to its peak, then falls to 0 at the last of `steps`."""

    def __init__(self, peak, steps):
        self.peak, self.steps = peak, steps

    def __call__(self, step):
        step = ops.cast(step, "float32")
        rise = WARMUP * self.steps
        rising = (step + 1) / (rise + 1)
        falling = (self.steps - step) / (self.steps - rise)
        return self.peak * ops.maximum(ops.minimum(rising, falling), 0.0)

    def get_config(self):
        return {"peak": self.peak, "steps": self.steps}


class Study(keras_tuner.HyperModel):
    """`images` is the number that an epoch goes over."""

    def __init__(self, images):
        super().__init__()
        self.images = images

    def epoch_steps(self, hp):
        return -(-self.images // hp.get("batch_size"))

    def build(self, hp):
        filters = hp.Int("filters", 16, 32, step=8)
        dropout = hp.Float("dropout", 0.0, 0.5)
        peak = hp.Float("learning_rate", 5e-4, 5e-3, sampling="log")
        hp.Choice("batch_size", [32, 64, 128])
        network = keras.Sequential([
            keras.Input((28, 28, 1)),
            layers.Conv2D(filters, 5, activation="relu"), layers.MaxPooling2D(2),
            layers.Dropout(dropout / 2),
            layers.Conv2D(filters * 2, 3, activation="relu"), layers.MaxPooling2D(2),
            layers.Dropout(dropout / 2), layers.Flatten(),
            layers.Dense(128, activation="relu"), layers.Dropout(dropout),
            layers.Dense(peer.CLASSES, dtype="float32")])
        schedule = Linear(peak, self.epoch_steps(hp) * options.max_epochs)
        network.compile(optimizer=keras.optimizers.Adam(schedule), metrics=["accuracy"],
                        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True))
        # A promoted trial's checkpoint has the optimizer's state only for one that is built.
        network.optimizer.build(network.trainable_variables)
        return network

    def fit(self, hp, model, *arguments, initial_epoch=0, **keywords):
        # A checkpoint is that of a trial's best epoch, which need not be its last.
        model.optimizer.iterations.assign(initial_epoch * self.epoch_steps(hp))
        return model.fit(*arguments, batch_size=hp.get("batch_size"), initial_epoch=initial_epoch,
                         **keywords)


def stratified_order(labels, random):
    """Indices in an order of which any beginning has each class in proportion."""
    order = random.permutation(len(labels))
    place = numpy.empty(len(labels))
    for label in range(peer.CLASSES):
        mine = labels[order] == label
        place[mine] = (numpy.arange(mine.sum()) + random.random()) / mine.sum()
    return order[numpy.argsort(place, kind="stable")]


def split():
    """Training and validation images with their labels, chosen by the seed."""
    images, labels = peer.load_mnist("train")
    order = stratified_order(labels, numpy.random.default_rng(options.seed))
    validation = order[:options.validation]
    train = order[options.validation:options.validation + options.train]
    return (images[train], labels[train]), (images[validation], labels[validation])


def search(train, validation, folder):
    tuner = keras_tuner.Hyperband(
        Study(len(train[0])), objective="val_accuracy", max_epochs=options.max_epochs, factor=3,
        seed=options.seed, directory=folder, project_name="study")
    tuner.search(*train, validation_data=validation, validation_batch_size=TEST_BATCH, verbose=0)
    return tuner


def final_training(hp, train, validation):
    """The test accuracy of a configuration that is trained anew on all images."""
    images, labels = (numpy.concatenate(pair) for pair in zip(train, validation))
    study = Study(len(images))
    network = study.build(hp)
    study.fit(hp, network, images, labels, epochs=hp.get("tuner/epochs"), verbose=0)
    return network.evaluate(*peer.load_mnist("t10k"), batch_size=TEST_BATCH, verbose=0)[1]


def run():
    train, validation = split()
    with tempfile.TemporaryDirectory() as folder:
        tuner = search(train, validation, folder)
        best = tuner.oracle.get_best_trials(1)[0]
        test_accuracy = final_training(best.hyperparameters, train, validation)
        spaces = [trial.hyperparameters for trial in tuner.oracle.trials.values()]
    return {
        "val_accuracy": round(best.score, 4), "test_accuracy": round(test_accuracy, 4),
        "trials": sum(hp.get("tuner/initial_epoch") == 0 for hp in spaces),
        "epochs": sum(hp.get("tuner/epochs") - hp.get("tuner/initial_epoch") for hp in spaces),
        "parameters": {name: value for name, value in best.hyperparameters.values.items()
                       if not name.startswith("tuner/")},
    }


def main():
    if not os.environ.get("MNIST_DIR"):
        parser.error("set $MNIST_DIR to the folder with MNIST's four IDX files")
    tensorflow.config.threading.set_intra_op_parallelism_threads(options.threads)
    tensorflow.config.threading.set_inter_op_parallelism_threads(options.threads)
    keras.utils.set_random_seed(options.seed)
    if options.precision == "bf16":
        keras.mixed_precision.set_global_policy("mixed_bfloat16")
    begun = time.perf_counter()
    with contextlib.redirect_stdout(sys.stderr):
        result = run()
    seconds = round(time.perf_counter() - begun, 1)
    print(json.dumps({"program": "Keras Tuner", "version": keras_tuner.__version__,
                      "precision": options.precision, "threads": options.threads,
                      "seconds": seconds, **result}))


main()
