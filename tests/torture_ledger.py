"""What the torture tests share: studies with a trainer that answers at once, what their homes
have recorded, and the ledger of faults."""
from harness import *

QUICK = os.path.join(os.path.dirname(TUNER), "tests", "quick_trainer")
SHIM = os.path.join(os.path.dirname(TUNER), "tests", "fault_shim.so")
MEMORY_SHIM = os.path.join(os.path.dirname(TUNER), "tests", "memory_shim.so")

# Retries without end for what is injected; a worker that says nothing is soon found out.
LIMITS = "limits: {retries: 100, epoch_seconds: 2}"
WHOLE = "{scheduler: hyperband, max_epochs: 9, eta: 3, " + LIMITS + "}"
SMALL = "{trials: 3, max_epochs: 2, " + LIMITS + "}"

# What a tuner says that waits for what it lacks, and goes on then.
WAITS = ("until there is room again", "trying again")

SEEDS = {"a": 11, "b": 12, "c": 13}  # of studies that are worked on together

ledger = {}

# $TORTURE_MINUTES: about how long it may take; its sections then share the time.
end = time.monotonic() + 60 * float(os.environ.get("TORTURE_MINUTES", "inf"))
section_end = end


def share_time(*sections):
    global section_end
    for done, section in enumerate(sections):
        left = end - time.monotonic()
        section_end = time.monotonic() + left / (len(sections) - done)
        section()


def in_time(things):
    """Those of the things that there is still time for, but always the first."""
    for number, thing in enumerate(things):
        if number > 0 and time.monotonic() > section_end:
            return
        yield thing


def count(fault, injected, lost, detail=""):
    """Enters that a fault was injected so often and lost so much, and checks that this is
    nothing.  `detail` is shown if it is not."""
    total = ledger.setdefault(fault, [0, 0])
    total[0] += injected
    total[1] += lost
    check(f"{fault}: {injected} times, {lost} lost", injected > 0 and lost == 0, detail)


def skip(fault, why):
    ledger[fault] = [0, "not tried: " + why]
    print(f"skipped - {fault}: {why}", flush=True)


def add(other):
    """Another ledger's entries to this one's."""
    for fault, (injected, lost) in other.items():
        mine = ledger.setdefault(fault, [0, 0])
        mine[0] += injected
        mine[1] = lost if isinstance(lost, str) else mine[1] + lost


def print_table():
    print("\n| fault | injected | lost |\n| --- | --- | --- |")
    for fault, (injected, lost) in ledger.items():
        print(f"| {fault} | {injected:,} | {lost} |")


class Home:
    """A home with one study and a trainer that answers at once."""

    def __init__(self, name, search=WHOLE, trainer=QUICK, study="s"):
        self.path = folder(name)
        self.study = study
        self.trainer = trainer
        self.file = write_study(self.path, study, SEEDS.get(study, 1), search)

    def command(self, workers=3, *more):
        return [TUNER, "run", self.file, "--workers", str(workers), "--trainer", self.trainer,
                *more]

    def start(self, workers=3, before=(), fake="", env=None, failpoint=None):
        """The running tuner; `before` is a command that runs it."""
        return subprocess.Popen([*before, *self.command(workers)], stdin=subprocess.DEVNULL,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                env={**environment(self.path, fake, failpoint), **(env or {})})

    def run(self, workers=3, timeout=120, **how):
        """Runs the tuner to its end: (exit code, stderr); "hangs" for one that had to be killed:
        after so many seconds if it has said that it waits, else when patience ends."""
        process = self.start(workers, **how)
        for seconds in (timeout, patient(timeout) - timeout):
            try:
                err = process.communicate(timeout=seconds)[1]
                return process.returncode, err
            except subprocess.TimeoutExpired as late:
                if any(words in (late.stderr or b"").decode(errors="replace") for words in WAITS):
                    break
        process.kill()
        return "hangs", process.communicate()[1]

    def kill_after(self, seconds, **how):
        """Whether it was still running after so long, and was killed."""
        process = self.start(**how)
        try:
            process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            return True
        return False

    def results(self):
        return results(self.path, self.study)

    def exists(self):
        """Whether there is a record; not while a database that is being made has come to
        nothing and is to be rolled back by the next who writes."""
        return os.path.exists(self.path + "/trials.db") and \
            not os.path.exists(self.path + "/trials.db-journal")

    def has_views(self):
        return self.exists() and bool(rows(self.path, "SELECT 1 FROM sqlite_schema "
                                                      "WHERE name = 'results'"))

    def recorded(self):
        """Everything of this home that must never go away again, and nothing twice."""
        if not self.has_views():
            return set()
        found = []
        for sql in ("SELECT 'trial', study, trial FROM trials",
                    "SELECT 'epoch', study, trial, epoch, name, value FROM metrics",
                    "SELECT 'segment', study, trial, rung, value FROM segments "
                    "WHERE state = 'ended'",
                    "SELECT 'decision', study, bracket, rung, trial, verdict FROM decisions"):
            found += rows(self.path, sql)
        if len(set(found)) != len(found):
            raise AssertionError("recorded twice: " +
                                 str([row for row in set(found) if found.count(row) > 1][:3]))
        return set(found)

    def harm(self, before):
        """What is wrong with the record now, given what it had before; None: nothing."""
        try:
            if self.exists() and integrity(self.path) != [("ok",)]:
                return "the database is damaged"
            missing = before - self.recorded()
        except (AssertionError, sqlite3.Error) as error:
            return str(error)
        return f"gone: {sorted(missing, key=str)[:3]}" if missing else None


def undisturbed(search=WHOLE, trainer=QUICK, cache={}):
    """The results of such a study when nothing happens to it."""
    if (search, trainer) not in cache:
        home = Home(f"undisturbed{len(cache)}", search, trainer)
        code, err = home.run()
        if not check("an undisturbed study runs to its end", code == 0, err):
            finish()
        cache[search, trainer] = home.results()
    return cache[search, trainer]


def go_on(home, search=WHOLE):
    """Runs it undisturbed; what is wrong with the outcome, None: nothing."""
    before = home.recorded()
    code, err = home.run()
    if code != 0:
        return f"exit code {code}: {err[-500:]}"
    if home.results() != undisturbed(search, home.trainer):
        return "other results"
    return home.harm(before)


def crashed(code):
    """Whether an exit code tells of a crash or a hang."""
    return not isinstance(code, int) or code < 0


def discard(home):
    shutil.rmtree(home.path, ignore_errors=True)
