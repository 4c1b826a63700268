"""Images a second of PyTorch on this machine, as one line of JSON.

    build/peers/venv/bin/python bench/peer_torch.py --network vgg --precision bf16 --threads 0

Whole training steps (forward, loss, backward, Adam) at batches of 64, and evaluation (forward
and loss) at batches of 256, channels last.  bf16 is autocast's.  --compiled is torch.compile,
which needs a C++ compiler and Python's headers."""
import peer

options = peer.parse_throughput(__doc__)

import torch  # noqa: E402
from torch import nn  # noqa: E402


def small():
    return nn.Sequential(
        nn.Conv2d(1, 32, 3), nn.ReLU(inplace=True), nn.MaxPool2d(2),
        nn.Conv2d(32, 64, 3), nn.ReLU(inplace=True), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(5 * 5 * 64, 128), nn.ReLU(inplace=True),
        nn.Linear(128, peer.CLASSES))


def vgg():
    return nn.Sequential(
        nn.Conv2d(1, 32, 5, padding="same"), nn.ReLU(inplace=True),
        nn.Conv2d(32, 32, 5, padding="same"), nn.ReLU(inplace=True), nn.MaxPool2d(2),
        nn.Conv2d(32, 64, 3, padding="same"), nn.ReLU(inplace=True),
        nn.Conv2d(64, 64, 3, padding="same"), nn.ReLU(inplace=True), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(7 * 7 * 64, 256), nn.ReLU(inplace=True),
        nn.Linear(256, peer.CLASSES))


def batches(images, labels, size):
    """Of images that are [images][1][28][28], each batch channels last and in one piece."""
    return [(image.contiguous(memory_format=torch.channels_last), label)
            for image, label in zip(images.split(size), labels.split(size))]


def rounds(network, optimizer):
    """A round of training and one of evaluation, as functions without arguments."""
    images, labels = (torch.from_numpy(array) for array in peer.load_images(options.images))
    images = images.permute(0, 3, 1, 2)
    training = batches(images, labels, peer.TRAIN_BATCH)
    testing = batches(images, labels, peer.EVAL_BATCH)
    bf16 = torch.autocast("cpu", dtype=torch.bfloat16, enabled=options.precision == "bf16")

    def loss_of(image, label):
        with bf16:
            return nn.functional.cross_entropy(network(image), label)

    def train():
        network.train()
        for batch in training:
            optimizer.zero_grad(set_to_none=True)
            loss_of(*batch).backward()
            optimizer.step()

    def evaluate():
        network.eval()
        with torch.inference_mode():
            return sum(float(loss_of(*batch)) for batch in testing * peer.EVAL_TURNS)

    return train, evaluate


def main():
    torch.set_num_threads(options.threads)
    torch.manual_seed(1)
    network = {"small": small, "vgg": vgg}[options.network]()
    network = network.to(memory_format=torch.channels_last)
    optimizer = torch.optim.Adam(network.parameters(), lr=peer.LEARNING_RATE, fused=True)
    if options.compiled:
        network = torch.compile(network)
    peer.print_throughput("PyTorch", torch.__version__, options, *rounds(network, optimizer))


main()
