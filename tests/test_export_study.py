"""tuner export: models out of a study, by the trainer."""
import os
import subprocess

from harness import *
from patience import patient

STUDY = """study: small
seed: 3
keep: 1
data: {dataset: synthetic, train: 300, validation: 100}
parameters:
  filters: {type: int, low: 4, high: 8, step: 2}
model:
  - conv: {filters: $filters, kernel: 3, activation: relu}
  - max_pool: 2
  - flatten
  - dense: {units: classes}
training:
  optimizer: {type: adam, learning_rate: 0.01}
  batch_size: 32
search: {sampler: random, scheduler: full, trials: 3, max_epochs: 1}
"""


def content(path):
    with open(path, "rb") as file:
        return file.read()


def by_trainer(model, target):
    subprocess.run([TRAINER, "export", model, "--onnx", target], check=True, timeout=patient(60),
                   stdout=subprocess.DEVNULL)
    return content(target)


def refused(what, code, part, home, *arguments):
    done = run(home, "export", *arguments)
    check(f"refused: {what}", done[0] == code and part in done[2] and not done[1], done)


def test_models(home):
    target, model = home + "/out.onnx", home + "/final.model"
    code, out, err = run(home, "export", "small", "--onnx", target)
    check("the final model is exported", code == 0 and out.startswith(target + ": ") and not err,
          (code, out, err))
    _, out, err = run(home, "best", "small", "--model", model)
    check("best --model says that it wrote the model", out.endswith(f"\n{model}: written\n")
          and not err, (out, err))
    os.unlink(model)
    code, out, err = run(home, "best", "small", "--config", "--model", model)
    check("writes it beside --config, and then says nothing else", code == 0 and not err
          and json.loads(out)["model"] and os.path.exists(model), (out, err))
    check("as the trainer exports it", content(target) == by_trainer(model, home + "/own.onnx"))

    moved = folder("moved") + "/home"
    os.rename(home, moved)
    target = moved + "/trial.onnx"
    winner, name = rows(moved, "SELECT trial, checkpoint FROM epochs WHERE study = 'small' "
                               "AND checkpoint IS NOT NULL")[0]
    checkpoint = os.path.join(moved, "checkpoints/small", os.path.basename(name))
    code, out, err = run(moved, "export", "SMALL", "--trial", str(winner), "--onnx", target)
    check("so is a trial's, out of a home that was moved", code == 0 and
          content(target) == by_trainer(checkpoint, moved + "/own.onnx"), (code, out, err))
    unit = run(moved, "export", "small", "--onnx", target, "--pixels", "unit")
    check("--pixels is passed on", unit[0] == 0 and b"pixels from 0 to 1" in content(target), unit)
    os.rename(moved, home)
    return winner


def test_refusals(home, winner):
    target = home + "/refused.onnx"
    other = str((winner + 1) % 3)
    refused("nothing to write", 64, "--onnx", home, "small")
    refused("a study that is not there", 65, "tuner list", home, "large", "--onnx", target)
    refused("a trial that is not there", 65, "no trial 3", home, "small", "--trial", "3", "--onnx",
            target)
    refused("a trial whose checkpoint is deleted", 65, "`keep`", home, "small", "--trial", other,
            "--onnx", target)
    refused("pixels of no kind that there is", 64, "--pixels needs one of bytes|unit", home, "small",
            "--onnx", target, "--pixels", "some")
    refused("a file that cannot be written", 1, "cannot be written", home, "small", "--onnx",
            home + "/nowhere/x.onnx")
    refused("a trainer that cannot be run", 1, "/bin/nothing", home, "small", "--onnx", target,
            "--trainer", "/bin/nothing")
    check("and nothing is written", not os.path.exists(target))


home = folder("home")
with open(home + "/small.yaml", "w") as file:
    file.write(STUDY)
done = run(home, "run", home + "/small.yaml", trainer=None)
check("a study is run", done[0] == 0, done)
test_refusals(home, test_models(home))
finish()
