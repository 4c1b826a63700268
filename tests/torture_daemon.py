"""The daemon with several studies at once: its death, its disk and its descriptors, steered or
left alone."""
import random

from daemon_harness import Daemon, request, study_of
from torture_disk import read_lines, shim_environment, went_on
from torture_kill import BOUNDARIES
from torture_ledger import *

NAMES = ("a", "b", "c")


class DaemonHome:
    """A home with three studies that a daemon works on."""

    def __init__(self, name):
        self.homes = {study: Home(name, study=study) for study in NAMES}
        self.path = self.homes["a"].path
        self.accepted = set()  # what a daemon said that it has recorded

    def serve(self, **env):
        return Daemon(self.path, "--workers", "3", trainer=QUICK, env=env)

    def submit(self, *studies):
        """Hands in what is not there yet, or was interrupted; as the daemon may be dead by now,
        whether it was taken is seen later."""
        for study in studies:
            try:
                with open(self.homes[study].file) as file:
                    answer = request(self.path, "submit", file=self.homes[study].file,
                                     text=file.read())
            except (OSError, ValueError):
                return
            if answer["ok"]:
                self.accepted.add(study)

    def states(self):
        try:
            return {study: study_of(self.path, study).get("state") for study in NAMES}
        except (OSError, ValueError, KeyError):
            return {}

    def harm(self, before):
        known = self.recorded_studies()
        if self.accepted - known:
            return f"accepted, but gone: {self.accepted - known}"
        return self.homes["a"].harm(before)

    def recorded_studies(self):
        if not self.homes["a"].has_views():
            return set()
        return {study for study, in rows(self.path, "SELECT study FROM studies")}

    def recorded(self):
        return self.homes["a"].recorded()

    def finish(self):
        """Serves undisturbed until all have finished; the harm, None: none."""
        before = self.recorded()
        daemon = self.serve()
        if not daemon.ready:
            return "does not start again: " + daemon.end()[-500:]
        done = wait_until(self.push_on, 120)
        states, log = self.states(), daemon.end()
        if not done:
            return f"not finished: {states}, {log[-500:]}"
        if daemon.process.returncode != 0:
            return f"ended with {daemon.process.returncode}: {log[-500:]}"
        if any(self.homes[study].results() != alone(study) for study in NAMES):
            return "other results"
        return self.harm(before)

    def push_on(self):
        """Hands in again what rests, which a study may do only after it has been queued for a
        while, and resumes what is paused; whether all have finished."""
        states = self.states()
        self.submit(*(study for study, state in states.items()
                      if state in (None, "interrupted", "failed")))
        for study in (study for study, state in states.items() if state == "paused"):
            try:
                request(self.path, "resume", study=study)
            except (OSError, ValueError):
                pass
        return set(states.values()) == {"finished"}

    def discard(self):
        discard(self.homes["a"])


def alone(study, cache={}):
    """The results of a study that is run alone and undisturbed."""
    if study not in cache:
        home = Home("alone-" + study, study=study)
        code, err = home.run()
        if not check(f"study {study} runs alone", code == 0, err):
            finish()
        cache[study] = home.results()
    return cache[study]


def ended(daemon, seconds):
    """Whether it has ended by itself within so long."""
    return daemon.wait(seconds) is not None


# ---- death ----

def steer(home, draw):
    """Some request that a user might send now."""
    study = draw.choice(NAMES)
    word = draw.choice(("pause", "resume", "stop", "cancel", "submit", "submit", "set", "status"))
    try:
        if word == "submit":
            home.submit(study)
        elif word == "set":
            request(home.path, "set", study=study, settings={"workers": draw.randrange(4),
                                                             "priority": draw.randrange(3)})
        else:
            request(home.path, word, study=study)
    except (OSError, ValueError):
        pass


def live_a_while(home, seconds, draw):
    """Has the daemon serve for so long, steered if there is something to draw from, and kills
    it; whether it was alive until then."""
    daemon = home.serve()
    until = time.monotonic() + seconds
    home.submit(*NAMES)
    while time.monotonic() < until and daemon.process.poll() is None:
        if draw:
            steer(home, draw)
        time.sleep(0.01 if draw else max(0, until - time.monotonic()))
    alive = daemon.process.poll() is None
    daemon.kill()
    daemon.log.close()
    return alive


def all_over(home):
    return home.homes["a"].exists() and rows(
        home.path, "SELECT count(*) FROM studies WHERE state = 'finished'") == [(len(NAMES),)]


def at_random(fault, deaths, steered, seed=0):
    draw = random.Random(13 + steered + 2 * seed)
    killed, harms = 0, []
    for homes in in_time(range(deaths)):
        if killed >= deaths:
            break
        home = DaemonHome(f"serve{int(steered)}-{homes}")
        before, harm, begun = set(), None, killed
        while killed < deaths and harm is None and not all_over(home):
            if not live_a_while(home, draw.uniform(0.02, 0.6), draw if steered else None):
                harm = "ended by itself"
            killed += 1
            harm = harm or home.harm(before)
            before = home.recorded() if harm is None else before
        harm = harm or home.finish()
        harms += [f"after {killed - begun} deaths: {harm}"] if harm else []
        home.discard()
    count(fault, killed, len(harms), harms)


def at_boundaries(steps):
    for point in BOUNDARIES:
        deaths, harms = 0, []
        for step in in_time(steps):
            home = DaemonHome(f"serve-{point}-{step}")
            daemon = home.serve(TUNER_FAILPOINT=f"{point}:{step}")
            home.submit(*NAMES)
            wait_until(lambda: ended(daemon, 0.01) or
                       set(home.states().values()) == {"finished"}, 60)
            died = daemon.process.poll() == -signal.SIGKILL
            daemon.end()
            deaths += died
            harm = home.harm(set()) or home.finish()
            harms += [(step, harm)] if harm else []
            home.discard()
            if not died and harm is None:
                break
        count(f"kill -9 of the daemon {point.replace('-', ' ')}", deaths, len(harms), harms)


# ---- what gives out ----

def database_faults(numbers):
    for kind, name in (("write:ENOSPC", "a write to the database of a daemon fails"),
                       ("sync:EIO", "a sync of the database of a daemon fails")):
        what, error = kind.split(":")
        struck, harms = 0, []
        for number in in_time(numbers):
            home = DaemonHome(f"serve-{what}{number}")
            trace = home.path + "/trace"
            daemon = home.serve(**shim_environment(SHIM_IO=f"{what}:{number}:{error}",
                                                   SHIM_TRACE=trace))
            home.submit(*NAMES)
            wait_until(lambda: ended(daemon, 0.01) or
                       set(home.states().values()) == {"finished"}, 60)
            log = daemon.end()
            seen = read_lines(trace)
            struck += bool(seen)
            code, harm = daemon.process.returncode, None
            if code not in (0, 1) or code == 1 and "trials.db" not in log:
                harm = f"ended with {code}: {log[-300:]}"
            elif what == "sync" and went_on(seen):
                harm = f"went on: {seen[:3]}"
            harm = harm or home.harm(set()) or home.finish()
            harms += [(number, harm)] if harm else []
            home.discard()
            if not seen and not harm:
                break
        count(name, struck, len(harms), harms)


def descriptors(times):
    """For a while a daemon at work may open nothing more; it says so and goes on later."""
    draw, harms = random.Random(8), []
    for i in in_time(range(times)):
        home = DaemonHome(f"serve-files{i}")
        daemon = home.serve()
        home.submit(*NAMES)
        time.sleep(draw.uniform(0.05, 0.5))
        pid = str(daemon.process.pid)
        subprocess.run(["prlimit", "--pid", pid, "--nofile=8:4096"], check=False)
        time.sleep(0.5)
        subprocess.run(["prlimit", "--pid", pid, "--nofile=1024:4096"], check=False)
        done = wait_until(lambda: daemon.process.poll() is not None or
                          set(home.states().values()) <= {"finished", "failed"}, 60)
        code, log = daemon.process.poll(), daemon.end()
        harm = None if done and code in (None, 1) else f"{code}: {log[-500:]}"
        harm = harm or home.harm(set()) or home.finish()
        harms += [harm] if harm else []
        home.discard()
    count("no more descriptors for a while, for a daemon at work", i + 1, len(harms), harms)


def second_daemon(times):
    harms = []
    for i in in_time(range(times)):
        home = DaemonHome(f"second{i}")
        daemon = home.serve()
        second = subprocess.run([TUNER, "serve"], env=environment(home.path), capture_output=True,
                                text=True, timeout=patient(60), stdin=subprocess.DEVNULL)
        harm = None
        if second.returncode != 1 or str(daemon.process.pid) not in second.stderr:
            harm = f"{second.returncode}: {second.stderr}"
        elif not daemon.answers():
            harm = "the first one is gone"
        daemon.end()
        harms += [harm] if harm else []
        home.discard()
    count("a second daemon on one home", i + 1, len(harms), harms)


def torture(long, part=0, parts=1):
    for study in NAMES:
        alone(study)
    share_time(
        lambda: at_boundaries(range(1 + 5 * part, 1000, 5 * parts) if long else (30,)),
        lambda: at_random("kill -9 of the daemon with three studies",
                          1000 // parts + 1 if long else 5, False, part),
        lambda: at_random("kill -9 of the daemon while it is steered",
                          300 // parts + 1 if long else 5, True, part),
        lambda: database_faults(range(1 + 4 * part, 400, 4 * parts) if long else (40,)),
        lambda: descriptors(30 // parts if long else 1),
        lambda: second_daemon(20 // parts if long else 1))
