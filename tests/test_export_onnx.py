"""Networks exported to ONNX: what onnx's own checker says of the files, and what another runtime
(OpenCV's) makes of them."""
import re

import cv2
import onnx
import onnx.checker

from exported import *


def export(model, *more):
    target = model.replace(".ckpt", ".onnx")
    done = run("export", model, "--onnx", target, *more)
    if done.returncode != 0 or target not in done.stdout:
        raise SystemExit(f"{model} is not exported: {done}")
    return target


def elsewhere(file, pixels, output="logits"):
    """What OpenCV makes of pixels [count, height, width, channels]; NaN where it cannot."""
    try:
        network = cv2.dnn.readNetFromONNX(file)
        network.setInput(numpy.ascontiguousarray(pixels.transpose(0, 3, 1, 2), numpy.float32),
                         "images")
        return network.forward(output)
    except cv2.error as error:
        print(error)
        return numpy.nan


def complaint(file):
    """What the checker has to say against it.  Given a path it would write to the file."""
    try:
        onnx.checker.check_model(onnx.load(file), full_check=True)
        return ""
    except Exception as error:
        return str(error)


def test_cover():
    source = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))),
                          "common/schema.c")
    table = re.search(r"struct section layers\[\] = {(.*?)};", open(source).read(), re.S).group(1)
    layers = re.findall(r'{"(\w+)", ', table)
    text = json.dumps(NETWORKS)
    missing = [name for name in layers if f'"type": "{name}"' not in text]
    check("every layer that there is is in a network that is exported",
          len(layers) > 10 and not missing, (layers, missing))


def test_networks():
    for name, (shape, _) in NETWORKS.items():
        model = trained(name)
        file = export(model)
        pixels, _ = images(shape, 20, 3)
        found, said = distance(elsewhere(file, pixels), logits(model, pixels)), complaint(file)
        check(f"valid, and the same logits elsewhere: {name}", not said and found <= TOLERANCE,
              (found, said))


def test_whole():
    model, pixels = whole()
    expected = logits(model, pixels)
    file = export(model)
    found = elsewhere(file, pixels)
    check("1,000 test images have the same logits elsewhere",
          distance(found, expected) <= TOLERANCE and not complaint(file),
          (distance(found, expected), complaint(file)))
    check("and the same classes", (found.argmax(1) == expected.argmax(1)).all())
    share = numpy.exp(expected - expected.max(1, keepdims=True))
    share /= share.sum(1, keepdims=True)
    check("the probabilities are the logits' softmax",
          numpy.abs(elsewhere(file, pixels[:50], "probabilities") - share[:50]).max() < 1e-5)
    alone = numpy.concatenate([elsewhere(file, pixels[i:i + 1]) for i in range(3)])
    check("an image alone has the logits that it has among others",
          distance(alone, expected[:3]) <= TOLERANCE)
    again = open(file, "rb").read()
    check("the same network gives the same bytes", again == open(export(model), "rb").read())
    file = export(model, "--pixels", "unit")
    check("with --pixels unit it takes pixels from 0 to 1",
          distance(elsewhere(file, pixels / 255), expected) <= TOLERANCE and not complaint(file))


def test_form():
    """What a reader of the file is told."""
    model = trained("residuals within residuals")
    content = onnx.load(export(model))
    check("operator set 13, and an IR version that goes with it",
          [entry.version for entry in content.opset_import] == [13] and content.ir_version == 7)
    sizes = {value.name: [dim.dim_param or dim.dim_value
                          for dim in value.type.tensor_type.shape.dim]
             for value in [*content.graph.input, *content.graph.output]}
    check("images of a batch of any size go in, logits and probabilities come out",
          sizes == {"images": ["batch", 1, 8, 8], "logits": ["batch", 4],
                    "probabilities": ["batch", 4]}, sizes)
    names = [entry["name"] for entry in
             json.loads(run("summary", model, "--json").stdout)["layers"]]
    made = {name for node in content.graph.node for name in node.output}
    check("values are named as the summary names the layers", set(names[:-1]) <= made,
          set(names) - made)
    check("nothing is left over", all(
        constant.name in {name for node in content.graph.node for name in node.input}
        for constant in content.graph.initializer))


def refused(what, code, part, *arguments):
    done = run("export", *arguments)
    check(f"refused: {what}", done.returncode == code and part in done.stderr and not done.stdout,
          done)


def test_refusals():
    model = trained("flatten twice")
    help = run("export", "--help")
    check("--help begins with examples", help.stdout.startswith("Examples:"), help)
    refused("no format", 64, "--onnx", model)
    refused("an option that is unknown", 64, "did you mean '--onnx'", model, "--onxn", "x")
    refused("pixels of another kind", 64, "'float'", model, "--onnx", "x", "--pixels", "float")
    refused("no such model", 65, "nothing.ckpt", path("nothing.ckpt"), "--onnx", path("x.onnx"))
    with open(path("broken.ckpt"), "wb") as file:
        file.write(open(model, "rb").read()[:-1])
    refused("a damaged model", 65, "damaged", path("broken.ckpt"), "--onnx", path("x.onnx"))
    refused("a folder that is not there", 1, "nowhere", model, "--onnx", path("nowhere/x.onnx"))
    check("and nothing is written", not os.path.exists(path("x.onnx")))


test_cover()
test_networks()
test_whole()
test_form()
test_refusals()
finish()
