"""Others at the home's database while a study runs: a second tuner, readers, writers, backups;
and homes of earlier versions."""
import gzip

from torture_ledger import *

CASES = os.path.join(TOP, "tests", "cases", "interrupted")


def crowd(times):
    """Tuners that are all started at once on one home."""
    started, harms = 0, []
    for i in in_time(range(times)):
        home = Home(f"crowd{i}")
        processes = [home.start() for _ in range(4)]
        ended = [(process, process.communicate(timeout=patient(60))[1]) for process in processes]
        started += len(processes) - 1
        losers = [(process.returncode, err) for process, err in ended if process.returncode != 0]
        # One that comes after the first has ended finds the study finished.
        named = all(code == 1 and any(f"process {process.pid} " in err for process in processes)
                    for code, err in losers)
        harm = home.harm(set()) or go_on(home)
        if harm is None and (len(losers) == len(processes) or not named):
            harm = f"{losers}"
        harms += [harm] if harm else []
        discard(home)
    count("a second tuner on one home", started, len(harms), harms)


def watch(home, meanwhile):
    """Runs the study and calls `meanwhile` again and again until it has ended: how often, and
    the harm, None: none."""
    process = home.start()
    wait_until(lambda: process.poll() is not None or home.recorded())
    times = 0
    while process.poll() is None:
        meanwhile(times)
        times += 1
    err = process.communicate()[1]
    if process.returncode != 0:
        return times, f"exit code {process.returncode}: {err}"
    return times, go_on(home)


def readers(times):
    held, harms = 0, []
    for i in in_time(range(times)):
        home = Home(f"reader{i}")
        process = home.start()
        wait_until(lambda: process.poll() is not None or home.recorded())
        reader = sqlite3.connect(f"file:{home.path}/trials.db?mode=ro", uri=True)
        reader.execute("BEGIN")
        seen = reader.execute("SELECT * FROM epochs").fetchall()
        err = process.communicate(timeout=patient(60))[1]
        held += 1
        same = reader.execute("SELECT * FROM epochs").fetchall() == seen
        reader.close()
        harm = None if process.returncode == 0 and same else f"{process.returncode}: {err}"
        harm = harm or go_on(home)
        harms += [harm] if harm else []
        discard(home)
    count("a reader that holds the database open all the while", held, len(harms), harms)


def writers(times):
    """Another program writes into the database, which nobody should; it is waited out."""
    held, harms = 0, []
    for i in in_time(range(times)):
        home = Home(f"writer{i}")

        def hold(_):
            writer = sqlite3.connect(home.path + "/trials.db", timeout=patient(20))
            writer.execute("BEGIN IMMEDIATE")
            time.sleep(0.1)
            writer.rollback()
            writer.close()
            time.sleep(0.1)
        waits, harm = watch(home, hold)
        held += waits
        harms += [harm] if harm else []
        discard(home)
    count("another program locks the database for a moment", held, len(harms), harms)


def resume_from(home, copy):
    """A home that has nothing but a copy of a database; what is wrong with it."""
    other = Home(copy)
    os.rename(f"{home.path}/{copy}.db", other.path + "/trials.db")
    harm = other.harm(set()) or go_on(other)
    discard(other)
    return harm


def backups(times):
    """Backups taken while a study runs; a study goes on from each, to the same results."""
    taken, harms = 0, []
    for i in in_time(range(times)):
        home = Home(f"backed{i}")

        def back_up(number):
            source = sqlite3.connect(f"file:{home.path}/trials.db?mode=ro", uri=True,
                                     timeout=patient(20))
            copy = sqlite3.connect(f"{home.path}/copy{i}-{number}.db")
            source.backup(copy)
            copy.close()
            source.close()
            time.sleep(0.03)
        number, harm = watch(home, back_up)
        taken += number
        harms += [harm] if harm else []
        for one in range(0, number, 1 + number // 5):
            harm = resume_from(home, f"copy{i}-{one}")
            harms += [(one, harm)] if harm else []
        discard(home)
    count("a backup while a study runs", taken, len(harms), harms)


def earlier_versions():
    """Interrupted studies in databases that earlier versions of this program made."""
    found, harms = 0, []
    for name in sorted(os.listdir(CASES)):
        home = Home("earlier-" + name.split(".")[0])
        with gzip.open(os.path.join(CASES, name)) as packed:
            open(home.path + "/trials.db", "wb").write(packed.read())
        before = set(rows(home.path, "SELECT study, trial, epoch, name, value FROM metrics"))
        harm = go_on(home)
        after = set(rows(home.path, "SELECT study, trial, epoch, name, value FROM metrics"))
        if harm is None and (not before or not before <= after):
            harm = f"{len(before)} measurements before, {len(before - after)} gone"
        found += 1
        harms += [(name, harm)] if harm else []
    count("a home of an earlier version", found, len(harms), harms)


def torture(long, **_):
    share_time(lambda: crowd(50 if long else 1), lambda: readers(30 if long else 1),
               lambda: writers(20 if long else 1), lambda: backups(20 if long else 1),
               earlier_versions)
