#!/usr/bin/python3
"""What the tuner itself can do: 100,000 trials of a trainer that answers at once, by 16
workers, with durable commits; then queries on that database, and 1,000 studies in one home.

    bench/scale.py BUILD [TRIALS]

Where the machine does other work too, or the disk is slow, the processor's time counts, not
the wall's: both are printed.  $SCALE_TMP: where the home is made.  Beside it Optuna (python3-optuna) on the same space with its SQLite storage, where
it is installed."""
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time

BUILD = os.path.abspath(sys.argv[1])
TRIALS = int(sys.argv[2]) if len(sys.argv) > 2 else 100_000
WORKERS = 16
STUDIES = 1000
OPTUNA_SECONDS = 10

STUDY = """study: {name}
seed: 1
data: {{dataset: synthetic, train: 100, validation: 100}}
parameters:
  units:         {{type: int, low: 8, high: 512}}
  dropout:       {{type: float, low: 0.0, high: 0.5}}
  learning_rate: {{type: float, low: 1e-4, high: 1e-2, log: true}}
  batch_size:    {{type: categorical, choices: [32, 64, 128, 256]}}
model:
  - flatten
  - dense: {{units: $units, activation: relu}}
  - dropout: $dropout
  - dense: {{units: classes}}
training:
  optimizer: {{type: adam, learning_rate: $learning_rate}}
  batch_size: $batch_size
search: {{sampler: random, scheduler: full, trials: {trials}, max_epochs: 1,
         limits: {{retries: 0}}}}
"""


def write_study(home, name, trials):
    path = os.path.join(home, name + ".yaml")
    with open(path, "w") as file:
        file.write(STUDY.format(name=name, trials=trials))
    return path


def command(home, *arguments):
    return [f"{BUILD}/tuner", *arguments, "--home", home]


def seconds_of(action):
    begin = time.monotonic()
    action()
    return time.monotonic() - begin


def query(home, sql):
    database = sqlite3.connect(f"file:{home}/trials.db?mode=ro", uri=True)
    try:
        return database.execute(sql).fetchall()
    finally:
        database.close()


def fdatasync_rate(home):
    """How often a second the disk itself takes in a page of a file for good."""
    path = os.path.join(home, "page")
    file = os.open(path, os.O_WRONLY | os.O_CREAT)
    begin, count = time.monotonic(), 0
    while time.monotonic() - begin < 2:
        os.pwrite(file, bytes(4096), 4096 * (count % 256))
        os.fdatasync(file)
        count += 1
    os.close(file)
    os.remove(path)
    return count / (time.monotonic() - begin)


def used_by(pid):
    """Processor seconds and the most memory, in MB, of a process so far."""
    with open(f"/proc/{pid}/stat") as file:
        fields = file.read().rpartition(")")[2].split()
    with open(f"/proc/{pid}/status") as file:
        peak = next(line.split()[1] for line in file if line.startswith("VmHWM"))
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK"), int(peak) / 1024


def is_over(home):
    try:
        return query(home, "SELECT state FROM studies") == [("finished",)]
    except sqlite3.Error:  # it is not made yet
        return False


def search(home):
    """Runs the whole search and its final; the report that follows is measured by itself."""
    study = write_study(home, "scale", TRIALS)
    process = subprocess.Popen(
        command(home, "run", study, "--workers", str(WORKERS), "--quiet", "--trainer",
                f"{BUILD}/tests/fake_trainer"), stdout=subprocess.DEVNULL)
    used = cpu, peak = used_by(process.pid)
    while not is_over(home) and process.poll() is None:
        cpu, peak = used
        time.sleep(0.05)
        used = used_by(process.pid)
    process.wait()
    trials, begin, end = query(home, "SELECT count(*), min(started_ms), max(ended_ms) "
                                     "FROM recorded_trials WHERE state = 'completed'")[0]
    wall = (end - begin) / 1e3
    print(f"{trials} trials by {WORKERS} workers in {wall:.1f} s: {trials / wall:.0f} a second "
          f"(fdatasync of this disk: {fdatasync_rate(home):.0f} a second)")
    print(f"  the tuner's processor time: {cpu:.1f} s, {1e6 * cpu / trials:.0f} us a trial; "
          f"its memory at most: {peak:.0f} MB")
    tenth = TRIALS // 10
    for name, low in (("first", 0), ("last", TRIALS - tenth)):
        first, last = query(home, f"SELECT min(started_ms), max(ended_ms) FROM recorded_segments "
                                  f"WHERE trial >= {low} AND trial < {low + tenth}")[0]
        print(f"  {name} tenth: {tenth / max(1e-3, (last - first) / 1e3):.0f} trials a second")


def report(home):
    begin = time.monotonic()
    process = subprocess.Popen(command(home, "report", "scale"), stdout=subprocess.DEVNULL)
    _, _, usage = os.wait4(process.pid, 0)
    print(f"  its report: {time.monotonic() - begin:.1f} s, {usage.ru_maxrss / 1024:.0f} MB")


def best_of(count, action):
    return 1e3 * min(seconds_of(action) for _ in range(count))


def questions(home):
    listing = command(home, "trials", "scale", "--sort", "value", "--limit", "20")
    quiet = {"stdout": subprocess.DEVNULL, "check": True}
    print(f"  tuner trials --sort value --limit 20: "
          f"{best_of(5, lambda: subprocess.run(listing, **quiet)):.0f} ms")
    for name, sql in (("the first 20 of the view leaderboard",
                       "SELECT * FROM leaderboard WHERE study = 'scale' LIMIT 20"),
                      ("all of it", "SELECT count(value) FROM (SELECT * FROM leaderboard)")):
        print(f"  {name}: {best_of(5, lambda: query(home, sql)):.0f} ms")


def many_studies(home):
    """Studies of one trial each, one after the other in one home."""
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    spent = []
    for i in range(STUDIES):
        study = write_study(home, f"study_{i}", 1)
        arguments = command(home, "run", study, "--workers", "1", "--quiet", "--trainer",
                            f"{BUILD}/tests/fake_trainer")
        spent.append(seconds_of(lambda: subprocess.run(arguments, **quiet)))
    print(f"{STUDIES} studies in one home: the first 10 took {1e3 * sum(spent[:10]) / 10:.0f} ms "
          f"each, the last 10 {1e3 * sum(spent[-10:]) / 10:.0f} ms")
    listing = command(home, "list")
    print(f"  tuner list: {best_of(3, lambda: subprocess.run(listing, **quiet)):.0f} ms")


def optuna_rate(folder):
    try:
        import optuna
    except ImportError:
        print("Optuna is not installed (python3-optuna)")
        return
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study = optuna.create_study(storage=f"sqlite:///{folder}/optuna.db",
                                sampler=optuna.samplers.RandomSampler(seed=1))

    def objective(trial):
        trial.suggest_int("units", 8, 512)
        trial.suggest_float("dropout", 0, 0.5)
        trial.suggest_categorical("batch_size", [32, 64, 128, 256])
        return trial.suggest_float("learning_rate", 1e-4, 1e-2, log=True)

    begin = time.monotonic(), time.process_time()
    study.optimize(objective, timeout=OPTUNA_SECONDS)
    wall, cpu = time.monotonic() - begin[0], time.process_time() - begin[1]
    count = len(study.trials)
    print(f"Optuna {optuna.__version__}: {count} trials in {wall:.1f} s: {count / wall:.0f} a "
          f"second, {1e6 * cpu / count:.0f} us of processor time a trial")


def main():
    folder = tempfile.mkdtemp(prefix="scale-", dir=os.environ.get("SCALE_TMP"))
    try:
        search(folder)
        questions(folder)
        report(folder)
        optuna_rate(folder)
        os.mkdir(folder + "/many")
        many_studies(folder + "/many")
    finally:
        shutil.rmtree(folder)


main()
