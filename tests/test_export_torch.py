"""Networks exported as safetensors, in PyTorch: loaded by the program that is written beside
the file, and the same logits."""
import json
import struct
import subprocess

import torch

from exported import *
from patience import patient

IMAGES = 1000


def load(folder):
    return load_module(folder, "load_torch")


def export(model, name="network"):
    return export_beside(model, name, "safetensors")


def torch_logits(network, pixels):
    unit = torch.from_numpy(pixels.astype(numpy.float32) / numpy.float32(255))
    with torch.no_grad():
        return network(unit.permute(0, 3, 1, 2)).numpy()


def test_every_network():
    for name, (shape, _) in NETWORKS.items():
        model = trained(name)
        done, folder = export(model)
        pixels, _ = images(shape, IMAGES, 3)
        found = torch_logits(load(folder).load(), pixels) if done.returncode == 0 else None
        good = found is not None and distance(found, logits(model, pixels)) <= TOLERANCE
        check(f"PyTorch has the same logits: {name}", good,
              done if found is None else distance(found, logits(model, pixels)))


def test_file():
    """The form, read independently of the program that was written."""
    done, folder = export(trained("batch norm of images and vectors"))
    with open(os.path.join(folder, "model.safetensors"), "rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        header = json.loads(file.read(length))
        size = len(file.read())
    tensors = {name: about for name, about in header.items() if name != "__metadata__"}
    check("the header fills eight bytes", length % 8 == 0, length)
    check("the header says who reads it", header["__metadata__"] == {"format": "pt"})
    check("a convolution's weights are [outputs, inputs, rows, columns]",
          tensors["conv2d_1.weight"]["shape"] == [6, 3, 3, 3]
          and tensors["conv2d_1.bias"]["shape"] == [6], tensors)
    check("a dense layer's weights are [outputs, inputs]",
          tensors["dense_1.weight"]["shape"] == [7, 6 * 6 * 6], tensors)
    check("a batch norm has what PyTorch's has",
          {name for name in tensors if name.startswith("batch_norm_1.")}
          == {"batch_norm_1." + part for part in ("weight", "bias", "running_mean", "running_var",
                                                  "num_batches_tracked")}, tensors)
    places = sorted(about["data_offsets"] for about in tensors.values())
    ends = [0] + [end for _, end in places]
    check("the tensors lie one behind the other to the file's end",
          [begin for begin, _ in places] == ends[:-1] and ends[-1] == size, places)
    steps = torch_steps(folder)
    check("batches are counted", steps == 8, steps)


def torch_steps(folder):
    network = load(folder).load()
    return int(network.batch_norm_1.num_batches_tracked)


def test_training():
    """It is a module like others: it can be trained on."""
    _, folder = export(trained("batch norm of images and vectors"))
    network = load(folder).load().train()
    pixels, labels = images((8, 8, 3), 32, 5)
    unit = torch.from_numpy(pixels.astype(numpy.float32) / 255).permute(0, 3, 1, 2)
    optimizer = torch.optim.SGD(network.parameters(), lr=0.05)
    losses = []
    for _ in range(5):
        loss = torch.nn.functional.cross_entropy(network(unit), torch.from_numpy(labels))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    check("what was loaded is trained on", losses[-1] < losses[0], losses)


def test_program():
    model = trained("global average")
    _, folder = export(model)
    done = subprocess.run(["/usr/bin/python3", "load_torch.py"], cwd=folder, capture_output=True,
                          text=True, timeout=patient(120))
    check("the program alone prints the network and its size", done.returncode == 0
          and "Conv2d(3, 6" in done.stdout and "196 parameters" in done.stdout, done)
    strange = os.path.join(path('a "quoted\\ name'), 'größe "1".safetensors')
    os.makedirs(os.path.dirname(strange))
    done = run("export", model, "--safetensors", strange)
    check("any name of a file will do", done.returncode == 0
          and load(os.path.dirname(strange)).load(), done)


def test_second_file():
    model = trained("global average")
    folder = path("others")
    os.makedirs(folder)
    with open(os.path.join(folder, "load_torch.py"), "w") as file:
        file.write("mine\n")
    done = run("export", model, "--safetensors", os.path.join(folder, "model.safetensors"))
    check("a load_torch.py of the user's own stays, and nothing is written",
          done.returncode == 65 and "load_torch.py is there already" in done.stderr
          and os.listdir(folder) == ["load_torch.py"], done)


test_every_network()
test_file()
test_training()
test_program()
test_second_file()
finish()
