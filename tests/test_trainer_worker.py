"""The trainer's worker from outside: the protocol, spoken by hand, and what its processor gives."""
import base64
import gzip
import json
import math
import os
import signal
import struct
import subprocess
import time
import zlib

from trainer_harness import *


class Worker:
    def __init__(self, environment=None):
        self.process = subprocess.Popen([TRAINER, "worker"], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                        env=environment or ENVIRONMENT)
        self.ready = self.hear()

    def say(self, **message):
        self.process.stdin.write(json.dumps(message).encode() + b"\n")
        self.process.stdin.flush()

    def hear(self):
        line = self.process.stdout.readline()
        return json.loads(line) if line else None

    def hear_until(self, *types):
        heard = []
        while not heard or heard[-1]["type"] not in types:
            heard.append(self.hear())
            if heard[-1] is None:
                break
        return heard

    def ask(self, **message):
        self.say(**message)
        return self.hear()

    def end(self):
        """Its exit code, and what it said last."""
        rest, said = self.process.communicate(timeout=patient(60))
        return self.process.returncode, (rest or b"").decode(), said.decode()


DATA = {"dataset": "idx", "folder": path("digits"), "train": 400, "validation": 100, "seed": "42"}


def segment(first, last, **changes):
    return {"type": "run", "trial": 3, "attempt": 1, "seed": "42", "parameters": {},
            "model": MODEL, "training": TRAINING, "data": DATA, "threads": 1,
            "schedule_epochs": 9, "from_epoch": first, "to_epoch": last,
            "read_checkpoint": None, "write_checkpoint": path("segment"), **changes}


def test_describe(worker):
    check("a worker says that it is ready", worker.ready["type"] == "ready"
          and worker.ready["version"] == 1 and worker.ready["program"].startswith("trainer ")
          and "fp32" in worker.ready["arithmetic"], worker.ready)
    answer = worker.ask(type="describe", id=1, data=DATA)
    checksum = answer["data"].pop("checksum")
    check("it describes data", answer == {"type": "described", "id": 1, "data": {
        "height": 28, "width": 28, "channels": 1, "classes": 10, "images": 1200,
        "train": 400, "validation": 100, "test": 300}} and checksum > 0, answer)
    answer = worker.ask(type="describe", id=2, data=DATA, model=MODEL, training=TRAINING)
    check("it describes a network", answer["id"] == 2 and answer["parameters"] == 13610
          and [layer["name"] for layer in answer["layers"]][0] == "conv2d_1"
          and "images_per_s" not in answer, answer)
    answer = worker.ask(type="describe", id=3, data=DATA, model=MODEL, training=TRAINING,
                        measure=True)
    check("it measures how fast it trains", answer["images_per_s"] > 1, answer)

    answer = worker.ask(type="describe", id=4, data=DATA, training=TRAINING,
                        model=[{"type": "conv", "filters": 1, "kernel": 29}, *MODEL[2:]])
    check("it says which value does not fit", answer["type"] == "error" and answer["id"] == 4
          and answer["where"].startswith("model[0]") and answer["retry"] is False, answer)
    answer = worker.ask(type="describe", id=5, data=DATA, model=MODEL,
                        training={**TRAINING, "batch_size": 0})
    check("it says which setting is wrong", answer["where"] == "training.batch_size", answer)
    answer = worker.ask(type="describe", id=8, data=DATA, training={**TRAINING, "batch_size": 400},
                        model=[{"type": "conv", "filters": 4096, "kernel": 1},
                               {"type": "relu"}, {"type": "relu"}, {"type": "avg_pool", "size": 28},
                               {"type": "flatten"}, {"type": "dense", "units": 10}])
    check("it says when a batch is too large", answer["type"] == "error"
          and answer["where"] == "training.batch_size", answer)
    answer = worker.ask(type="describe", id=6, data={"dataset": "idx", "folder": "/nowhere"})
    check("it says which file is missing", answer["type"] == "error" and answer["where"] is None
          and "/nowhere/train-images" in answer["text"], answer)
    answer = worker.ask(type="describe", id=7, data={**DATA, "train": 9999})
    check("it says when there are too few images", answer["where"] == "data.train", answer)


def test_run(worker):
    worker.say(**segment(0, 2))
    heard = worker.hear_until("done", "error")
    first, second, done = heard if len(heard) == 3 else (heard + [{}] * 3)[:3]
    check("a segment is an epoch after another and then done",
          [message.get("type") for message in heard] == ["epoch", "epoch", "done"]
          and (first["epoch"], second["epoch"]) == (1, 2)
          and done == {"type": "done", "trial": 3, "attempt": 1,
                       "arithmetic": worker.ready["arithmetic"]}, heard)
    check("an epoch has its metrics and its checkpoint", set(first["metrics"]) == {
        "train_loss", "train_accuracy", "val_loss", "val_accuracy"} and first["seconds"] >= 0
          and first["checkpoint"] == path("segment.1.1") and os.path.exists(first["checkpoint"]),
          first)

    worker.say(**segment(2, 3, read_checkpoint=second["checkpoint"], attempt=2))
    third = worker.hear_until("done", "error")[0]
    worker.say(**segment(0, 3, write_checkpoint=path("whole"), threads=2))
    whole = worker.hear_until("done", "error")[2]
    check("going on from a checkpoint is the same as never having stopped",
          third["type"] == "epoch" and third["metrics"] == whole["metrics"]
          and third["checkpoint"] == path("segment.3.2")
          and open(path("segment.3.2"), "rb").read() == open(path("whole.3.1"), "rb").read(),
          (third, whole))

    worker.say(**segment(0, 1, data={**DATA, "join_validation": True},
                         write_checkpoint=path("joined")))
    metrics = worker.hear_until("done", "error")[0]["metrics"]
    check("without validation images there are no validation metrics",
          set(metrics) == {"train_loss", "train_accuracy"}, metrics)

    worker.say(**segment(0, 50, write_checkpoint=path("wild"), **WILD))
    heard = worker.hear_until("done", "error")
    check("a configuration that diverges says null once and is done",
          heard[-1]["type"] == "done" and len(heard) <= 4
          and heard[-2]["metrics"]["train_loss"] is None, heard)


def test_stopped_early(worker):
    over = {"type": "done", "trial": 3, "attempt": 1, "stopped_early": True,
            "arithmetic": worker.ready["arithmetic"]}
    worker.say(**segment(0, 9, training=WATCHED, write_checkpoint=path("over")))
    heard = worker.hear_until("done", "error")
    check("early stopping ends a segment", [message.get("epoch") for message in heard]
          == [1, 2, 3, None] and heard[-1] == over, heard)
    worker.say(**segment(3, 9, training=WATCHED, read_checkpoint=path("over.3.1")))
    check("a training that is over says so at once", worker.hear() == over)
    worker.say(**segment(0, 2, training=WATCHED, write_checkpoint=path("before")))
    heard = worker.hear_until("done", "error")
    check("one that is not over says nothing of it", "stopped_early" not in heard[-1]
          and len(heard) == 3, heard)
    worker.say(**segment(2, 3, training=WATCHED, read_checkpoint=path("before.2.1"),
                         write_checkpoint=path("before"), threads=2))
    heard = worker.hear_until("done", "error")
    check("going on from it is the same as never having stopped",
          len(heard) == 2 and "stopped_early" not in heard[-1]
          and open(path("before.3.1"), "rb").read() == open(path("over.3.1"), "rb").read(), heard)


def test_bad_runs(worker):
    cases = [
        ("a checkpoint that is missing", {"read_checkpoint": path("none")}, "none", False),
        ("a checkpoint of another epoch", {"read_checkpoint": path("segment.1.1")},
         "go on from epoch 2", False),
        ("a checkpoint of another trial", {"read_checkpoint": path("segment.2.1"), "trial": 4},
         "trial", False),
        ("a checkpoint of another seed", {"read_checkpoint": path("segment.2.1"), "seed": "1"},
         "seed", False),
        ("no checkpoint to go on from", {}, "go on from epoch 2", False),
        ("a seed that is a number", {"seed": 42}, "seed", False),
        ("no place for checkpoints", {"write_checkpoint": None}, "write_checkpoint", False),
        ("threads without end", {"threads": 10 ** 9}, "threads", False),
        ("a folder that is missing", {"write_checkpoint": path("no/such/folder/x"),
                                      "from_epoch": 0}, "no/such/folder", True),
    ]
    for what, changes, part, retry in cases:
        worker.say(**{**segment(2, 3), **changes})
        answer = worker.hear_until("done", "error")[-1]
        good = (answer["type"] == "error" and answer["attempt"] == 1 and part in answer["text"]
                and answer["trial"] == changes.get("trial", 3))
        if what != "a folder that is missing":
            good = good and answer["retry"] is retry
        check(f"a worker answers {what} and lives on", good, answer)


def read_header(name):
    with open(path(name), "rb") as file:
        data = file.read()
    length = struct.unpack("<I", data[12:16])[0]
    return json.loads(data[16:16 + length]), data[16 + length:-4]


def forge(name, forged, **changes):
    """The checkpoint with other fields in its header."""
    header, vectors = read_header(name)
    text = json.dumps({**header, **changes}).encode()
    data = b"TUNERCKP" + struct.pack("<II", 2, len(text)) + text + vectors
    with open(path(forged), "wb") as file:
        file.write(data + struct.pack("<I", zlib.crc32(data)))
    return path(forged)


def in_precision(word):
    return {**TRAINING, "precision": word}


def test_precision():
    config = write_config("bf16.json", training=in_precision("bf16"))
    done = run("train", config, "--output", path("bad.ckpt"), environment=PORTABLE)
    check("train refuses a precision that is not to be had", done.returncode == 65
          and "`precision` is bf16" in done.stderr and "take fp32, or auto" in done.stderr, done)

    worker = Worker(PORTABLE)
    answer = worker.ask(type="describe", id=1, data=DATA, model=MODEL,
                        training=in_precision("bf16"))
    check("a worker refuses it at its place", answer["type"] == "error"
          and answer["where"] == "training.precision" and answer["retry"] is False, answer)
    answer = worker.ask(type="describe", id=2, data=DATA, model=MODEL,
                        training=in_precision("auto"))
    check("auto is fp32 there", answer.get("precision") == "fp32"
          and answer["arithmetic"] == worker.ready["arithmetic"], answer)

    worker.say(**segment(0, 2, training=in_precision("auto"), write_checkpoint=path("auto")))
    heard = worker.hear_until("done", "error")
    check("an epoch says what it was computed with", heard[0].get("arithmetic")
          == worker.ready["arithmetic"] and read_header("auto.2.1")[0]["precision"] == "fp32",
          heard)
    other = segment(2, 3, training=in_precision("auto"), write_checkpoint=path("other"),
                    read_checkpoint=forge("auto.2.1", "other.2.1", precision="bf16"))
    worker.say(**other)
    answer = worker.hear()
    check("a checkpoint of another precision is not gone on with", answer["type"] == "error"
          and answer["where"] == "any_precision" and answer["retry"] is False
          and "trained in bf16" in answer["text"], answer)
    worker.say(**other, any_precision=True)
    heard = worker.hear_until("done", "error")
    check("unless it is allowed", [message["type"] for message in heard] == ["epoch", "done"]
          and read_header("other.3.1")[0]["precision"] == "fp32", heard)
    worker.say(**{**other, "read_checkpoint": path("auto.2.1"), "write_checkpoint": path("same")})
    worker.hear_until("done", "error")
    check("which changes nothing where both are the same",
          open(path("same.3.1"), "rb").read() == open(path("other.3.1"), "rb").read())
    worker.say(type="stop")
    worker.end()


def test_bf16(worker):
    """On a processor that has instructions for it; elsewhere there is nothing to train."""
    answer = worker.ask(type="describe", id=1, data=DATA, model=MODEL,
                        training=in_precision("bf16"))
    if answer["type"] == "error":
        check("without instructions for bf16 it is refused",
              answer["where"] == "training.precision", answer)
        return
    check("bf16 is described", answer["precision"] == "bf16" and " bf16 + " in
          answer["arithmetic"], answer)
    bf16 = segment(0, 2, training=in_precision("bf16"), write_checkpoint=path("bf16"))
    worker.say(**bf16)
    heard = worker.hear_until("done", "error")
    check("and trained in", heard[-1]["type"] == "done"
          and heard[0]["arithmetic"] == answer["arithmetic"]
          and read_header("bf16.2.1")[0]["precision"] == "bf16", heard)
    worker.say(**{**bf16, "from_epoch": 1, "read_checkpoint": path("bf16.1.1"), "threads": 2,
                  "write_checkpoint": path("bf16-on")})
    again = worker.hear_until("done", "error")
    check("and gone on with, to the same bits", again[0].get("metrics") == heard[1]["metrics"]
          and open(path("bf16-on.2.1"), "rb").read() == open(path("bf16.2.1"), "rb").read(), again)
    worker.say(**segment(2, 3, training=in_precision("fp32"), read_checkpoint=path("bf16.2.1")))
    answer = worker.hear()
    check("but not in fp32", answer["where"] == "any_precision"
          and "trained in bf16" in answer["text"], answer)
    measured = [run("evaluate", path("bf16.2.1"), "--data", path("digits"), "--json",
                    environment=environment) for environment in (ENVIRONMENT, PORTABLE)]
    check("its weights are evaluated anywhere", all(done.returncode == 0 for done in measured),
          measured)


def test_worker_evaluate(worker):
    message = {"type": "evaluate", "trial": 3, "attempt": 5, "model": MODEL,
               "training": TRAINING, "data": DATA, "checkpoint": path("whole.3.1"),
               "set": "test"}
    worker.say(**message)
    heard = worker.hear_until("done", "error")
    pieces, done = heard[:-1], heard[-1]
    labels = [label for piece in pieces for label in piece["labels"]]
    predicted = [label for piece in pieces for label in piece["predicted"]]
    rows = [row for piece in pieces for row in piece["probabilities"]]
    check("an evaluation has every test image",
          done["type"] == "done" and done["images"] == len(labels) == len(predicted)
          == len(rows) == 300 and pieces[0]["first"] == 0 and done["trial"] == 3
          and all(piece["attempt"] == 5 and len(piece["labels"]) <= 500 for piece in pieces),
          done)
    loss = -sum(math.log(max(row[label], 1e-30)) for row, label in zip(rows, labels)) / 300
    check("its loss is that of the probabilities, its classes the likeliest",
          abs(loss - done["loss"]) < 1e-4
          and all(row[label] == max(row) for row, label in zip(rows, predicted)),
          (loss, done["loss"]))
    sent = {one["image"]: base64.b64decode(one["pixels"])
            for piece in pieces for one in piece.get("images", [])}
    mistakes = {i for i in range(300) if labels[i] != predicted[i]}
    right = [i for i in sent if i not in mistakes]
    with gzip.open(path("digits/t10k-images-idx3-ubyte.gz")) as file:
        pixels = file.read()[16:]
    check("it has the pixels of its mistakes and of a few right answers of each class",
          mistakes <= set(sent) and 0 < len(right) <= 80 and
          all(sent[i] == pixels[784 * i:784 * (i + 1)] for i in sent), (mistakes, list(sent)))
    check("it describes the layers", done["layers"][0]["parameters"] == 80, done)
    answer = json.loads(run("evaluate", path("whole.3.1"), "--data", path("digits"),
                            "--json").stdout)
    check("the command measures the same", abs(answer["loss"] - done["loss"]) < 1e-9
          and answer["accuracy"] == sum(a == b for a, b in zip(labels, predicted)) / 300, answer)
    answer = worker.ask(**{**message, "data": {"dataset": "idx", "folder": path("small")}})
    check("images of another size are an error", answer["type"] == "error"
          and "28x28x1" in answer["text"] and answer["retry"] is False, answer)
    answer = worker.ask(**{**message, "set": "training"})
    check("another set than the test set is an error", answer["type"] == "error", answer)


def test_worker_ends(worker):
    worker.say(type="stop")
    check("stop ends a worker", worker.end()[0] == 0)

    worker = Worker()
    slow = {**TRAINING, "batch_size": 1}
    worker.say(**segment(0, 100000, training=slow, data={**DATA, "train": "all"}))
    first = worker.hear()
    time.sleep(0.2)  # into the second epoch, unless the machine is busy
    worker.say(type="stop")
    code, rest, _ = worker.end()
    lines = [first] + [json.loads(line) for line in rest.splitlines()]
    check("stop lets the epoch in hand end, and no more", code == 0 and first["epoch"] == 1
          and all(line["type"] == "epoch" for line in lines)
          and os.path.exists(lines[-1]["checkpoint"]), (code, lines[-2:]))

    worker = Worker()
    worker.say(**segment(0, 100000))
    worker.hear()
    worker.process.send_signal(signal.SIGINT)
    check("a worker does not mind Ctrl-C", worker.hear()["type"] == "epoch")
    worker.process.stdin.close()
    worker.process.stdin = None
    began = time.monotonic()
    check("the end of stdin ends a worker at work",
          worker.end()[0] == 0 and time.monotonic() - began < 20)

    worker = Worker()
    worker.process.terminate()
    check("SIGTERM ends a worker at once", worker.end()[0] == -signal.SIGTERM)

    worker = Worker()
    worker.say(**segment(0, 100000))
    worker.hear()
    worker.process.stdout.close()
    code = worker.process.wait(timeout=patient(60))
    check("a worker that nobody hears ends", code == 1, code)
    worker.process.stdout = None
    worker.end()

    for what, line in (("garbage", b"nonsense\n"), ("an unknown message", b'{"type":"sing"}\n'),
                       ("an endless line", b"x" * (1 << 20) + b"\n")):
        worker = Worker()
        worker.process.stdin.write(line)
        code, _, said = worker.end()
        check(f"{what} ends a worker with code 65", code == 65 and "docs/protocol.md" in said,
              (code, said))


# ---- the kernels of BLAS ----

def processor_has(*flags):
    with open("/proc/cpuinfo") as file:
        line = next((line for line in file if line.startswith("flags")), "")
    return set(flags) <= set(line.split())


def blas_kernels(variable, shim=""):
    """The name of those that a worker says it has, and what its environment says they should be."""
    options = os.environ.get("ASAN_OPTIONS", "") + ":verify_asan_link_order=0"
    environment = {**ENVIRONMENT, "LD_PRELOAD": shim, "ASAN_OPTIONS": options}
    environment.pop("OPENBLAS_CORETYPE", None)
    if variable is not None:
        environment["OPENBLAS_CORETYPE"] = variable
    worker = Worker(environment)
    with open(f"/proc/{worker.process.pid}/environ") as file:
        wanted = [value for name, _, value in (line.partition("=") for line in
                                               file.read().split("\0"))
                  if name == "OPENBLAS_CORETYPE"]
    with open(f"/proc/{worker.process.pid}/cmdline") as file:
        arguments = file.read().split("\0")[:-1]
    check("a worker has the arguments that it was given", arguments == [TRAINER, "worker"],
          arguments)
    worker.end()
    return worker.ready["arithmetic"].split("+")[-1].split()[0], wanted


def test_blas_kernels():
    """An OpenBLAS that does not know the processor takes its oldest kernels, but for the trainer."""
    if not processor_has("avx2", "fma"):
        return
    kernels, _ = blas_kernels(None)
    check("BLAS's kernels are not of a processor before this one",
          kernels not in ("Prescott", "Core2", "Penryn", "Nehalem", "Sandybridge", "Barcelona"),
          kernels)
    kernels, _ = blas_kernels("Nehalem")
    check("but where somebody says so", kernels == "Nehalem", kernels)
    best = "SkylakeX" if processor_has("avx512f", "avx512dq", "avx512bw", "avx512vl") else "Haswell"
    shim = os.path.join(os.path.dirname(TRAINER), "tests", "blas_shim.so")
    kernels, wanted = blas_kernels(None, shim)
    check("an OpenBLAS that took old kernels is told once which to take",
          (kernels, wanted) == ("Prescott", [best]), (kernels, wanted))
    kernels, wanted = blas_kernels("Haswell", shim)
    check("it is told nothing else than what somebody says", wanted == ["Haswell"], wanted)


draw_digits()
write_small()
worker = Worker()
test_describe(worker)
test_run(worker)
test_stopped_early(worker)
test_bad_runs(worker)
test_precision()
test_bf16(worker)
test_worker_evaluate(worker)
test_worker_ends(worker)
test_blas_kernels()
finish()
