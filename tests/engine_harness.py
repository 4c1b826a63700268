"""What the tests of the engine share: the results of a study that nothing happens to, and ways of
interrupting one."""
import os
import signal

from harness import *

EXPECTED = {}


def undisturbed():
    home = folder("undisturbed")
    study = write_study(home)
    code, out, err = run(home, "run", study, "--workers", "1")
    check("a study with the fake trainer runs to its end", code == 0, err)
    check("its result names the best trial and the report", "trial" in out and "report" in out, out)
    EXPECTED["s"] = results(home)
    check("the view results has rows", len(EXPECTED["s"]) > 17, EXPECTED["s"])
    check("exactly 17 trials", rows(home, "SELECT count(*) FROM trials") == [(17,)])
    held = rows(home, "SELECT bracket, rung, count(*), max(epochs) FROM rungs "
                      "GROUP BY bracket, rung ORDER BY bracket DESC, rung")
    check("rungs as in the plan: 9/1 3/3 1/9, 5/3 1/9, 3/9",
          [(b, r, n) for b, r, n, _ in held] ==
          [(2, 0, 9), (2, 1, 3), (2, 2, 1), (1, 0, 5), (1, 1, 1), (0, 0, 3)], held)
    code, out, err = run(home, "run", study)
    check("a finished study is not run again", code == 0 and results(home) == EXPECTED["s"], err)


def kill_in_epoch(home, study, trial, epoch, fake=""):
    """Runs a study until nothing but that epoch is left to wait for, which never ends, or
    less; then kills the tuner.  Whether it came to that."""
    process = start(home, "run", study, "--workers", "2",
                    fake=",".join(filter(None, (fake, f"hang={trial}:{epoch}!"))))
    came = soon(home, "SELECT count(*) FROM epochs JOIN segments USING (study, trial) WHERE "
                      f"trial = {trial} AND epoch = {epoch} - 1 AND segments.state = 'running'")
    process.kill()
    process.communicate()
    return came


def interrupt(home, study, epochs):
    """Runs a study until it has recorded so many epochs, then says Ctrl-C."""
    process = start(home, "run", study, "--workers", "2", fake="slow")
    soon(home, f"SELECT count(*) > {epochs} FROM curves")
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=patient(30))
    return process, err


BOUNDARIES = ("before-commit", "after-commit", "before-act", "after-act")


def run_and_die(home, study, point):
    """Runs that die at their n-th boundary, for n = 1, 2, ..., until one lives."""
    deaths, step = 0, 1
    while deaths < 300:
        code, _, err = run(home, "run", study, "--workers", "3", failpoint=f"{point}:{step}")
        if code != -signal.SIGKILL:
            break
        deaths += 1
        step = step % 7 + 1
    return code, deaths, err


def epochs_trained(home):
    """What the fake trainer did in this home: (whose, epoch) for each epoch."""
    with open(home + "/fake-state/trained") as file:
        return [tuple(line.split()) for line in file]


MILESTONES = "learning_rate_schedule: {type: linear, over: milestone}"
EARLY = "early_stopping: {monitor: val_accuracy, patience: 1}"


def write_trained(home, *settings, **study):
    """A study with more settings under `training`."""
    path = write_study(home, **study)
    lines = "".join(f"  {line}\n" for line in settings)
    text = open(path).read().replace("training:\n", "training:\n" + lines)
    open(path, "w").write(text)
    return path


def lose_checkpoints(home):
    for path, _, names in os.walk(home + "/checkpoints"):
        for name in names:
            os.unlink(os.path.join(path, name))


def run_and_lose(home, study):
    """Runs a study that dies twice, and each time loses all of its checkpoints."""
    for epoch in (3, 5):
        check("the study was killed on its way", kill_in_epoch(home, study, 15, epoch))
        lose_checkpoints(home)
    return run(home, "run", study)
