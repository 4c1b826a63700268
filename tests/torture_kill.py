"""Death of the tuner: kill -9 at every boundary between recording and acting, and at any
moment."""
import random

from torture_ledger import *

BOUNDARIES = ("before-commit", "after-commit", "before-act", "after-act")


def killed_at(point, step):
    """One death there: whether it died, and the harm, None: none."""
    home = Home(f"{point}-{step}")
    code, err = home.run(workers=1, failpoint=f"{point}:{step}")
    died = code == -signal.SIGKILL
    harm = home.harm(set())
    if harm is None and died:
        harm = go_on(home)
    elif harm is None and code != 0:
        harm = f"exit code {code}: {err}"
    discard(home)
    return died, harm


def at_boundaries(steps):
    for point in BOUNDARIES:
        deaths, harms = 0, []
        for step in in_time(steps):
            died, harm = killed_at(point, step)
            if not died and harm is None:
                break
            deaths += died
            harms += [(step, harm)] if harm else []
        count(f"kill -9 of the tuner {point.replace('-', ' ')}", deaths, len(harms), harms)


def at_random(deaths, seed=0):
    """Studies that are killed again and again until they have ended all the same."""
    draw = random.Random(11 + seed)
    harms, killed = [], 0
    for homes in in_time(range(deaths)):
        if killed >= deaths:
            break
        home = Home(f"random{homes}")
        before, begun = set(), killed
        while home.kill_after(draw.uniform(0.02, 1.0), workers=draw.choice((1, 2, 3, 5))):
            killed += 1
            harm = home.harm(before)
            harms += [harm] if harm else []
            before = home.recorded() if harm is None else before
            if killed >= deaths:
                break
        harm = go_on(home)
        harms += [f"after {killed - begun} deaths: {harm}"] if harm else []
        discard(home)
    count("kill -9 of the tuner at a random moment", killed, len(harms), harms)


def torture(long, part=0, parts=1):
    share_time(lambda: at_boundaries(range(1 + part, 1000, parts) if long else (1, 20)),
               lambda: at_random(1000 // parts + 1 if long else 10, part))
