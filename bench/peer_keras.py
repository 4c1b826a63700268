"""Images a second of Keras on TensorFlow on this machine, as one line of JSON.

    build/peers/venv/bin/python bench/peer_keras.py --network vgg --precision bf16 --threads 0

Whole training steps (forward, loss, backward, Adam) at batches of 64, and evaluation (forward
and loss) at batches of 256, by `fit` and `evaluate` over batches that lie in memory.  bf16 is
the policy mixed_bfloat16.  --compiled is jit_compile (XLA), which Keras leaves off on a machine
without an accelerator."""
import os

import peer

options = peer.parse_throughput(__doc__)
os.environ["KERAS_BACKEND"] = "tensorflow"

import keras  # noqa: E402
import tensorflow  # noqa: E402
from keras import layers  # noqa: E402


def small():
    return [
        layers.Conv2D(32, 3, activation="relu"), layers.MaxPooling2D(2),
        layers.Conv2D(64, 3, activation="relu"), layers.MaxPooling2D(2),
        layers.Flatten(), layers.Dense(128, activation="relu")]


def vgg():
    return [
        layers.Conv2D(32, 5, padding="same", activation="relu"),
        layers.Conv2D(32, 5, padding="same", activation="relu"), layers.MaxPooling2D(2),
        layers.Conv2D(64, 3, padding="same", activation="relu"),
        layers.Conv2D(64, 3, padding="same", activation="relu"), layers.MaxPooling2D(2),
        layers.Flatten(), layers.Dense(256, activation="relu")]


def build(body):
    """The network with its last layer, whose values stay fp32 as Keras advises."""
    network = keras.Sequential([keras.Input((28, 28, 1)), *body,
                                layers.Dense(peer.CLASSES, dtype="float32")])
    network.compile(optimizer=keras.optimizers.Adam(peer.LEARNING_RATE),
                    loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
                    jit_compile=True if options.compiled else "auto")
    return network


def batches(images, labels, size):
    """Made once, by the first round, and kept."""
    whole = tensorflow.data.Dataset.from_tensor_slices((images, labels))
    return whole.batch(size).cache().prefetch(2)


def main():
    tensorflow.config.threading.set_intra_op_parallelism_threads(options.threads)
    tensorflow.config.threading.set_inter_op_parallelism_threads(options.threads)
    keras.utils.set_random_seed(1)
    if options.precision == "bf16":
        keras.mixed_precision.set_global_policy("mixed_bfloat16")
    network = build({"small": small, "vgg": vgg}[options.network]())
    images, labels = peer.load_images(options.images)
    training = batches(images, labels, peer.TRAIN_BATCH)
    testing = batches(images, labels, peer.EVAL_BATCH).repeat(peer.EVAL_TURNS)
    peer.print_throughput("Keras", f"{keras.__version__}, TensorFlow {tensorflow.__version__}",
                          options, lambda: network.fit(training, shuffle=False, verbose=0),
                          lambda: network.evaluate(testing, verbose=0))


main()
