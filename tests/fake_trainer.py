#!/usr/bin/python3
"""A trainer that learns nothing, quickly: it speaks the protocol, and its metrics are
arithmetic on the trial's number and parameters.  $FAKE makes it misbehave, as words
separated by commas, each NAME or NAME=TRIAL or NAME=TRIAL:EPOCH.  A word with a "!"
at its end misbehaves at every attempt, the others at the first one only.

  crash, crash_at_end (after its last epoch, before `done`), segv, hang, flood, garbage,
  half_line, early_done, out_of_order, wrong_trial, elsewhere (a checkpoint in $FAKE_STATE),
  old_attempt, old_flood (messages of an earlier attempt without end), no_metric, not_a_number
  (a metric that is no JSON), diverge, refuse, ask_again, no_checkpoint, silent_start,
  bad_version, exit_at_start, slow (200 ms an epoch, until there is a file $FAKE_STATE/hurry),
  sparse (a checkpoint only after every second epoch), hold_pipe (dies, but a process that it started holds its output),
  strays (each worker starts one process in its group and one that leaves it; their ids go to
  $FAKE_STATE/strays), big=TRIAL (takes memory until it is refused), log_flood (writes
  to stderr without end),
  stop_at_once=TRIAL:EPOCH (says that it stopped early when it is to go on from there),
  eager (says that it stopped early also where the segment ends anyhow),
  bf16 (is a machine that trains in bf16), unsaid (does not say so beforehand),
  lacks=TRIAL (cannot train that one in the precision that it needs),
  and in the final: final_error, final_diverge, final_crash, few_predictions, refuse_file,
  slow_evaluation (7 s)

With `early_stopping` or `restore_best` among its settings a trial's best epoch is number
1 + trial % 4, after which it gets worse; early stopping ends it `patience` epochs later.

What it trains it also lists in $FAKE_STATE/trained, a line for each epoch, and the jobs
that it is given, and the questions for which it would have to train a little, in
$FAKE_STATE/jobs.  In the evaluation every fiftieth image is a mistake, whose pixels (all of
them 0) it sends along.
"""
import base64
import json
import math
import os
import signal
import subprocess
import sys
import time

WORDS = {}
for word in filter(None, os.environ.get("FAKE", "").split(",")):
    always = word.endswith("!")
    name, _, where = word.rstrip("!").partition("=")
    trial, _, epoch = where.partition(":")
    WORDS[name] = (int(trial) if trial else None, int(epoch) if epoch else None, always)

FIRST_ATTEMPTS = os.environ.get("FAKE_STATE", "")


def misbehaves(name, trial=None, epoch=None):
    """Whether to do `name` now; once per name and trial unless it is for always."""
    if name not in WORDS:
        return False
    at_trial, at_epoch, always = WORDS[name]
    if at_trial is not None and at_trial != trial or at_epoch is not None and at_epoch != epoch:
        return False
    if not always and FIRST_ATTEMPTS:
        mark = f"{FIRST_ATTEMPTS}/{name}.{trial}"
        if os.path.exists(mark):
            return False
        open(mark, "w").close()
    return True


def precision():
    return "bf16" if "bf16" in WORDS else "fp32"


def say(message):
    sys.stdout.write(json.dumps(message) + "\n")
    sys.stdout.flush()


def best_epoch(run):
    training = run["training"]
    peaks = "early_stopping" in training or "restore_best" in training
    return 1 + run["trial"] % 4 if peaks else math.inf


def last_epoch(run):
    """After which there is nothing more to learn."""
    return best_epoch(run) + run["training"].get("early_stopping", {}).get("patience", math.inf)


def metric(run, epoch):
    """Deterministic in the trial's parameters and the epoch; rises up to the best epoch."""
    best = best_epoch(run)
    learned = min(1, epoch / best) if best < math.inf else 1 - 0.7 ** epoch
    lost = 0.01 * max(0, epoch - best)
    mixed = 0.0
    for i, value in enumerate(run["parameters"].values()):
        number = value if isinstance(value, (int, float)) else len(str(value))
        mixed += math.sin(float(number) * (i + 1) * 12.9898) * 0.5 + 0.5
    mixed = mixed / max(1, len(run["parameters"]))
    schedule = run["training"].get("learning_rate_schedule", {})
    late = 0.0001 * run["schedule_epochs"] if schedule.get("over") == "milestone" else 0
    return round(0.5 + 0.4 * mixed * learned + 0.001 * epoch + late - lost, 6)


def misbehave(run, epoch):
    trial = run["trial"]
    if misbehaves("crash", trial, epoch):
        sys.exit(3)
    if misbehaves("hold_pipe", trial, epoch):
        subprocess.Popen(["sleep", "20"], start_new_session=True)
        sys.exit(3)
    if misbehaves("segv", trial, epoch):
        os.kill(os.getpid(), signal.SIGSEGV)
    if misbehaves("hang", trial, epoch):
        time.sleep(600)
    if misbehaves("garbage", trial, epoch):
        print("this is <not> JSON", flush=True)
        time.sleep(600)
    if misbehaves("half_line", trial, epoch):
        sys.stdout.write('{"type":"epoch","trial":')
        sys.stdout.flush()
        sys.exit(0)
    if misbehaves("flood", trial, epoch):
        try:
            for _ in range(64):
                sys.stdout.write("x" * 65536)
            sys.stdout.flush()
        except BrokenPipeError:
            pass
        time.sleep(600)
    if misbehaves("log_flood", trial, epoch):
        while True:
            os.write(2, b"x" * 65536)
    if misbehaves("big", trial):
        try:
            hoard = [bytearray(1 << 24) for _ in range(1 << 10)]
        except MemoryError:
            os._exit(71)
        time.sleep(len(hoard))


def start_strays():
    for apart in (False, True):
        stray = subprocess.Popen(["sleep", "600"], start_new_session=apart, stdin=subprocess.DEVNULL,
                                 stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        with open(f"{FIRST_ATTEMPTS}/strays", "a") as file:
            file.write(f"{stray.pid}\n")


def epoch_message(run, epoch, path):
    accuracy = metric(run, epoch)
    return {"type": "epoch", "trial": run["trial"], "attempt": run["attempt"], "epoch": epoch,
            "metrics": {"train_loss": 1 - accuracy, "train_accuracy": accuracy,
                        "val_loss": 1 - accuracy, "val_accuracy": accuracy},
            "checkpoint": path, "seconds": 0.001, "arithmetic": "python " + precision()}


def run_epoch(run, epoch):
    """Says one epoch; False when there is nothing more to say."""
    trial = run["trial"]
    final = run["write_checkpoint"].endswith("/final")
    misbehave(run, epoch)
    if final and misbehaves("final_crash", trial, epoch):
        sys.exit(3)
    if "slow" in WORDS and not os.path.exists(f"{FIRST_ATTEMPTS}/hurry"):
        time.sleep(0.2)
    path = f"{run['write_checkpoint']}.{epoch}.{run['attempt']}"
    if misbehaves("elsewhere", trial, epoch):
        path = FIRST_ATTEMPTS + "/mine"
    with open(path, "w") as file:
        json.dump({"trial": trial, "epoch": epoch, "precision": precision()}, file)
    message = epoch_message(run, epoch, path)
    with open(f"{FIRST_ATTEMPTS}/trained", "a") as file:
        file.write(f"{os.path.basename(run['write_checkpoint'])} {epoch}\n")
    if "sparse" in WORDS and epoch % 2 and not (final and epoch == run["to_epoch"]):
        os.unlink(path)
        message["checkpoint"] = None
    if misbehaves("no_checkpoint", trial, epoch):
        os.unlink(path)
        message["checkpoint"] = None
    if misbehaves("out_of_order", trial, epoch):
        message["epoch"] += 1
    if misbehaves("wrong_trial", trial, epoch):
        message["trial"] += 1000
    if misbehaves("not_a_number", trial, epoch):
        message["metrics"]["val_accuracy"] = math.nan
    if misbehaves("no_metric", trial, epoch):
        del message["metrics"]["val_accuracy"]
    if misbehaves("old_attempt", trial, epoch):
        say(dict(message, attempt=0, metrics={"val_accuracy": 99}))
    if misbehaves("old_flood", trial, epoch):
        while True:
            say(dict(message, attempt=0))
    if misbehaves("diverge", trial, epoch) or final and misbehaves("final_diverge", trial, epoch):
        message["metrics"]["train_loss"] = None
        say(message)
        return False
    say(message)
    return True


def run_epochs(run, start):
    """The epochs that the segment needs, then `done`."""
    epoch, stopped = start, misbehaves("stop_at_once", run["trial"], start)
    while epoch < min(run["to_epoch"], last_epoch(run)) and not stopped:
        if misbehaves("early_done", run["trial"], epoch + 1) or not run_epoch(run, epoch + 1):
            break
        epoch += 1
        if stop_waits():
            sys.exit(0)
    if misbehaves("crash_at_end", run["trial"], epoch):
        sys.exit(3)
    done = {"type": "done", "trial": run["trial"], "attempt": run["attempt"],
            "arithmetic": "python " + precision()}
    if stopped or epoch == last_epoch(run) and (epoch < run["to_epoch"] or "eager" in WORDS):
        done["stopped_early"] = True
    say(done)


def run_segment(run):
    if run["write_checkpoint"].endswith("/final") and misbehaves("final_error", run["trial"]):
        return say({"type": "error", "trial": run["trial"], "attempt": run["attempt"],
                    "text": "there is no room for it", "where": None, "retry": False})
    if misbehaves("refuse", run["trial"]):
        return say({"type": "error", "trial": run["trial"], "attempt": run["attempt"],
                    "text": "this configuration needs more memory than there is",
                    "where": "model[0].filters", "retry": False})
    if misbehaves("ask_again", run["trial"]):
        return say({"type": "error", "trial": run["trial"], "attempt": run["attempt"],
                    "text": "the disk was full for a moment", "where": None, "retry": True})
    if misbehaves("lacks", run["trial"]):
        return say({"type": "error", "trial": run["trial"], "attempt": run["attempt"],
                    "text": "there is no bf16 here", "where": "training.precision",
                    "retry": False})
    start = run["from_epoch"]
    if run["read_checkpoint"]:
        try:
            with open(run["read_checkpoint"]) as file:
                found = json.load(file)
        except (OSError, ValueError):
            return say({"type": "error", "trial": run["trial"], "attempt": run["attempt"],
                        "text": "damaged " + run["read_checkpoint"], "where": "read_checkpoint",
                        "retry": False})
        assert found["epoch"] == start, (found, start)
        if found["precision"] != precision() and not run.get("any_precision"):
            return say({"type": "error", "trial": run["trial"], "attempt": run["attempt"],
                        "text": f"trained in {found['precision']}, here in {precision()}; go "
                                "elsewhere, or allow it",
                        "where": "any_precision", "retry": False})
    run_epochs(run, start)


def evaluate(message):
    images = 1000
    with open(message["checkpoint"]) as file:
        measured = json.load(file)
    if misbehaves("refuse_file", message["trial"]):
        return say({"type": "error", "trial": message["trial"], "attempt": message["attempt"],
                    "text": "damaged " + message["checkpoint"], "where": None, "retry": False})
    if misbehaves("slow_evaluation", message["trial"]):
        time.sleep(7)
    if misbehaves("few_predictions", message["trial"]):
        images = 500
    for first in range(0, images, 500):
        labels = [i % 10 for i in range(first, first + 500)]
        predicted = [label if i % 50 else (label + 1) % 10 for i, label in enumerate(labels)]
        say({"type": "predictions", "trial": message["trial"], "attempt": message["attempt"],
             "first": first, "labels": labels, "predicted": predicted,
             "probabilities": [[0.91 if k == p else 0.01 for k in range(10)] for p in predicted],
             "images": [{"image": i, "pixels": base64.b64encode(bytes(28 * 28)).decode()}
                        for i in range(first, first + 500, 50)]})
    say({"type": "done", "trial": message["trial"], "attempt": message["attempt"],
         "images": images, "loss": 0.05, "layers": [measured]})


def note_job(message):
    with open(f"{FIRST_ATTEMPTS}/jobs", "a") as file:
        file.write(json.dumps(message) + "\n")


def describe(message):
    answer = {"type": "described", "id": message["id"],
              "data": {"height": 28, "width": 28, "channels": 1, "classes": 10, "train": 1000,
                       "validation": 100, "test": 1000, "checksum": 1}}
    if "model" in message:
        answer.update(layers=[], parameters=10, flops=100)
        if message.get("measure"):
            note_job(message)
            answer.update(images_per_s=1000)
        if "unsaid" not in WORDS:
            answer.update(precision=precision(), arithmetic="python " + precision())
    say(answer)


PENDING = b""


def stop_waits():
    """Whether the tuner has said anything while a segment runs: only `stop` may come."""
    global PENDING
    import select
    if select.select([0], [], [], 0)[0]:
        data = os.read(0, 65536)
        PENDING += data
        return True
    return False


def lines():
    global PENDING
    while True:
        while b"\n" not in PENDING:
            data = os.read(0, 65536)
            if not data:
                return
            PENDING += data
        line, PENDING = PENDING.split(b"\n", 1)
        yield line


def main():
    if misbehaves("exit_at_start"):
        sys.exit(7)
    if misbehaves("silent_start"):
        time.sleep(600)
    if "strays" in WORDS:
        start_strays()
    say({"type": "ready", "version": 99 if misbehaves("bad_version") else 1,
         "program": "fake 1", "arithmetic": "python"})
    for line in lines():
        message = json.loads(line)
        if message["type"] == "stop":
            return
        if message["type"] != "describe":
            note_job(message)
        {"describe": describe, "run": run_segment, "evaluate": evaluate}[message["type"]](message)


main()
