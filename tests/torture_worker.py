"""Workers that die, stop, or say what they should not."""
import random

from torture_ledger import *

# A fake trainer misbehaves as these words say (tests/fake_trainer.py), at one trial and epoch.
MISDEEDS = {
    "a worker that exits": "crash", "a worker that dies of SIGSEGV": "segv",
    "a worker that says nothing any more": "hang", "a worker that floods its stdout": "flood",
    "a worker that floods its log": "log_flood", "a worker that speaks garbage": "garbage",
    "a worker that speaks half a line and ends": "half_line",
    "a number that is no JSON (NaN)": "not_a_number",
    "an epoch out of order": "out_of_order", "an epoch of a trial that it does not have":
    "wrong_trial", "an epoch without its metric": "no_metric",
    "messages of an earlier attempt": "old_attempt",
    "messages of an earlier attempt without end": "old_flood",
    "an end before the last epoch": "early_done", "an epoch without a checkpoint": "no_checkpoint",
    "a worker whose child keeps its output open": "hold_pipe",
}


def misdeed(fault, times):
    word, wanted = MISDEEDS[fault], undisturbed(trainer=FAKE)
    draw, harms, done = random.Random(word), [], 0
    for i in in_time(range(times if word != "hang" else (times + 3) // 4)):
        home = Home(f"{word}{i}", WHOLE.replace("epoch_seconds: 2", "epoch_seconds: 1, "
                                                "log_megabytes: 1"), FAKE)
        code, err = home.run(workers=2, fake=f"{word}={draw.randrange(9)}:1")
        done += any(name.startswith(word) for name in os.listdir(home.path + "/fake-state"))
        harm = home.harm(set())
        if code != 0 or home.results() != wanted:
            harm = harm or f"exit code {code}: {err[-500:]}"
        harms += [harm] if harm else []
        discard(home)
    count(fault, done, len(harms), harms)


def children(pid):
    try:
        with open(f"/proc/{pid}/task/{pid}/children") as file:
            return [int(word) for word in file.read().split()]
    except OSError:
        return []


def keepers_of(tuner):
    """Its keepers alone: a sanitizer has a process beside it at its end, which nobody may kill."""
    def name(pid):
        try:
            with open(f"/proc/{pid}/comm") as file:
                return file.read().strip()
        except OSError:
            return ""
    return [pid for pid in children(tuner) if name(pid) == "keeper"]


def hit_one(tuner, number, draw):
    """Sends a signal to one of the tuner's workers; False when there is none now."""
    workers = [worker for keeper in keepers_of(tuner) for worker in children(keeper)]
    if not workers:
        return False
    try:
        os.kill(draw.choice(workers), number)
    except ProcessLookupError:
        return False
    return True


def hit_until_the_end(home, number, draw, most):
    """Runs the study, hitting its workers all the while: how often, exit code, stderr."""
    process = home.start()
    hits = 0
    while process.poll() is None and hits < most:
        time.sleep(draw.uniform(0.01, 0.1))
        hits += hit_one(process.pid, number, draw)
    err = process.communicate(timeout=patient(120))[1]
    return hits, process.returncode, err


def signals(times):
    """A worker that dies before it is ready counts as one that cannot start; after three in a
    row the study ends with a message, and goes on when it is run again."""
    for number, most in ((signal.SIGKILL, 20), (signal.SIGSEGV, 20), (signal.SIGSTOP, 3)):
        draw, harms, hits = random.Random(int(number)), [], 0
        wanted = times if number != signal.SIGSTOP else (times + 9) // 10
        for homes in in_time(range(20 * wanted)):  # some end before they are hit
            if hits >= wanted:
                break
            home = Home(f"hit{int(number)}-{homes}")
            struck, code, err = hit_until_the_end(home, number, draw, most)
            hits += struck
            harm = f"crashed: {err[-500:]}" if crashed(code) else go_on(home)
            harms += [harm] if harm else []
            discard(home)
        count(f"{number.name} of a worker at a random moment", hits, len(harms), harms)


def keepers(times):
    draw, harms, hits = random.Random(3), [], 0
    for homes in in_time(range(20 * times)):
        if hits >= times:
            break
        home = Home(f"keeper{homes}")
        process = home.start()
        while process.poll() is None:
            time.sleep(draw.uniform(0.02, 0.1))
            for keeper in keepers_of(process.pid)[:1]:
                os.kill(keeper, signal.SIGKILL)
                hits += 1
        process.communicate()
        harm = "crashed" if crashed(process.returncode) else go_on(home)
        harms += [harm] if harm else []
        discard(home)
    count("SIGKILL of the process that keeps a worker", hits, len(harms), harms)


def spoil(path):
    """Changes one byte in the middle of a file."""
    with open(path, "r+b") as file:
        middle = os.path.getsize(path) // 2
        file.seek(middle)
        byte = file.read(1)[0]
        file.seek(middle)
        file.write(bytes([byte ^ 0x10]))


def kill_with_checkpoints(home, count):
    """Runs the study until so many checkpoints are recorded, however long workers take, and kills
    the tuner."""
    process = home.start()
    soon(home.path, f"SELECT count(checkpoint) >= {count} FROM recorded_epochs")
    process.kill()
    process.communicate()


def checkpoints(times):
    """The real trainer's checkpoints, one byte of each changed while the tuner is dead."""
    search = "{trials: 3, max_epochs: 4, " + LIMITS.replace("2}", f"{patient(60)}}}") + "}"
    undisturbed(search, TRAINER)
    harms, spoilt = [], 0
    for i in in_time(range(times)):
        home = Home(f"spoilt{i}", search, TRAINER)
        kill_with_checkpoints(home, 1 + i)
        for path, _, names in os.walk(home.path + "/checkpoints"):
            for name in names:
                spoil(os.path.join(path, name))
                spoilt += 1
        harm = go_on(home, search)
        harms += [harm] if harm else []
        discard(home)
    count("a checkpoint with a changed byte", spoilt, len(harms), harms)


def torture(long, **_):
    share_time(*(lambda fault=fault: misdeed(fault, 40 if long else 1) for fault in MISDEEDS),
               lambda: signals(300 if long else 4), lambda: keepers(100 if long else 2),
               lambda: checkpoints(6 if long else 1))
