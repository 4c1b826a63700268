"""What the end-to-end tests share: running the tuner in a home of its own, asking its
database, and saying "ok - ..." or "not ok - ..." for each check."""
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time

from patience import patient

TUNER = os.path.abspath(os.environ.get("TUNER", "build/test/tuner"))
TRAINER = os.path.abspath(os.environ.get("TRAINER", "build/test/trainer"))
TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
FAKE = os.path.join(TOP, "tests", "fake_trainer.py")
SCRATCH = tempfile.mkdtemp(dir=os.environ.get("TEST_TMP"), prefix="e2e-")

failures = 0


def check(what, good, detail=""):
    global failures
    if good:
        print(f"ok - {what}", flush=True)
    else:
        failures += 1
        print(f"not ok - {what}\n    {str(detail)[-1500:]}", flush=True)
    return good


def finish():
    shutil.rmtree(SCRATCH, ignore_errors=True)
    sys.exit(1 if failures else 0)


def folder(name):
    path = os.path.join(SCRATCH, name)
    os.makedirs(path, exist_ok=True)
    return path


STUDY = """study: {name}
seed: {seed}
data: {{dataset: synthetic, train: 1000, validation: 100}}
parameters:
  filters:       {{type: int, low: 8, high: 64, step: 8}}
  dropout:       {{type: float, low: 0.0, high: 0.5}}
  learning_rate: {{type: float, low: 1e-4, high: 1e-2, log: true}}
  batch_size:    {{type: categorical, choices: [32, 64, 128, 256]}}
model:
  - conv: {{filters: $filters, kernel: 3, activation: relu}}
  - max_pool: 2
  - flatten
  - dropout: $dropout
  - dense: {{units: classes}}
training:
  optimizer: {{type: adam, learning_rate: $learning_rate}}
  batch_size: $batch_size
search: {search}
"""
HYPERBAND = "{scheduler: hyperband, max_epochs: 9, eta: 3, limits: {epoch_seconds: 60}}"


def write_study(home, name="s", seed=1, search=HYPERBAND, more=""):
    path = os.path.join(home, name + ".yaml")
    with open(path, "w") as file:
        file.write(STUDY.format(name=name, seed=seed, search=search) + more)
    return path


def environment(home, fake="", failpoint=None):
    env = dict(os.environ, TUNER_HOME=home, FAKE=fake, FAKE_STATE=folder(home + "/fake-state"))
    env.pop("TUNER_FAILPOINT", None)
    env["TUNER_RETRY_MS"] = "10"  # pauses before retries
    if failpoint:
        env["TUNER_FAILPOINT"] = failpoint
    return env


def run(home, *arguments, fake="", failpoint=None, trainer=FAKE, timeout=120):
    """Runs the tuner to its end: (exit code, stdout, stderr)."""
    command = [TUNER, *arguments]
    if trainer and arguments[0] in ("run", "check"):
        command += ["--trainer", trainer]
    done = subprocess.run(command, env=environment(home, fake, failpoint), capture_output=True,
                          text=True, timeout=patient(timeout), stdin=subprocess.DEVNULL)
    return done.returncode, done.stdout, done.stderr


def start(home, *arguments, fake="", trainer=FAKE):
    command = [TUNER, *arguments] + (["--trainer", trainer] if trainer else [])
    return subprocess.Popen(command, env=environment(home, fake), stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, text=True, stdin=subprocess.DEVNULL)


def hurry(home):
    """Has trainers that are `slow` be so no longer."""
    open(home + "/fake-state/hurry", "w").close()


def rows(home, sql, *arguments):
    """Rows of the home's database, read as any user would."""
    database = sqlite3.connect(f"file:{home}/trials.db?mode=ro", uri=True, timeout=patient(20))
    try:
        return database.execute(sql, arguments).fetchall()
    finally:
        database.close()


def results(home, study="s"):
    return rows(home, "SELECT * FROM results WHERE study = ?", study)


def integrity(home):
    return rows(home, "PRAGMA integrity_check")


def soon(home, sql):
    """Waits for a first row that says something, in a database that may not be there yet."""
    def there():
        try:
            return any(any(row) for row in rows(home, sql))
        except sqlite3.Error:
            return False
    return wait_until(there)


def wait_until(condition, seconds=60):
    deadline = time.monotonic() + patient(seconds)
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.01)
    return False
