"""A wall clock that jumps, and a machine that sleeps."""
import random

from torture_disk import shim_environment
from torture_ledger import *

DAY = 86400


def jumps(times):
    draw, jumped, harms = random.Random(9), 0, []
    unhurried = WHOLE.replace("epoch_seconds: 2", f"epoch_seconds: {patient(60)}")
    for i in in_time(range(times)):
        home = Home(f"clock{i}", unhurried)
        moments = sorted(draw.randrange(20, 900) for _ in range(4))
        plan = ",".join(f"{at}:{draw.choice((-DAY, DAY, -400 * DAY, 3600))}" for at in moments)
        code, err = home.run(env=shim_environment(SHIM_CLOCK=plan))
        jumped += len(moments)
        harm = None if code == 0 and "said nothing" not in err else f"exit code {code}: {err}"
        harm = harm or go_on(home)
        harms += [(plan, harm)] if harm else []
        discard(home)
    count("the wall clock jumps", jumped, len(harms), harms)


def deadlines(times):
    """A worker that hangs is found out in its time, whatever the clock does."""
    search = WHOLE.replace("epoch_seconds: 2", "epoch_seconds: 1")
    wanted, harms = undisturbed(search, FAKE), []
    for i in in_time(range(times)):
        home = Home(f"late{i}", search, FAKE)
        begin = time.monotonic()
        plan = ",".join(f"{at}:{DAY if at // 100 % 2 else -DAY}" for at in range(200, 5000, 100))
        code, err = home.run(workers=2, fake=f"hang={i % 9}:1",
                             env=shim_environment(SHIM_CLOCK=plan))
        seconds = time.monotonic() - begin
        reasons = rows(home.path, "SELECT reason FROM faults")
        # On a busy machine others may be as late.
        if code != 0 or home.results() != wanted or set(reasons) != {("said nothing for 1 s",)}:
            harms.append(f"exit code {code}, {reasons}: {err[-300:]}")
        elif seconds > patient(60):
            harms.append(f"took {seconds:.0f} s")
        discard(home)
    count("a deadline while the wall clock jumps", i + 1, len(harms), harms)


def sleeps(times):
    """The tuner does not run for longer than a worker may say nothing; its workers do."""
    draw, slept, harms = random.Random(4), 0, []
    for i in in_time(range(20 * times)):  # some end before they are stopped
        if slept >= times:
            break
        home = Home(f"sleep{i}", WHOLE.replace("epoch_seconds: 2", "epoch_seconds: 1"))
        process = home.start()
        time.sleep(draw.uniform(0.02, 0.3))
        if process.poll() is None:
            process.send_signal(signal.SIGSTOP)
            time.sleep(1.5)
            process.send_signal(signal.SIGCONT)
            slept += 1
        err = process.communicate(timeout=patient(60))[1]
        harm = None if process.returncode == 0 else f"exit code {process.returncode}: {err}"
        harm = harm or go_on(home)
        harms += [harm] if harm else []
        discard(home)
    count("the tuner sleeps past a deadline", slept, len(harms), harms)


def torture(long, **_):
    share_time(lambda: jumps(50 if long else 2), lambda: deadlines(10 if long else 1),
               lambda: sleeps(20 if long else 1))
