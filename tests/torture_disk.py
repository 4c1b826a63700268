"""A disk, descriptors, processes and memory that give out."""
import random

from torture_ledger import *

KINDS = {"write:EIO": "the n-th write to the database fails (EIO)",
         "write:ENOSPC": "the n-th write to the database finds the disk full, the next one not",
         "short:ENOSPC": "the n-th write to the database writes half, then the disk is full",
         "full:ENOSPC": "the disk is full from the n-th write to the database on",
         "sync:EIO": "the n-th sync of the database fails"}


def shim_environment(**settings):
    env = {"LD_PRELOAD": SHIM}
    if "asan" in TUNER:  # its own memory must be there first, or be told not to mind
        env["ASAN_OPTIONS"] = os.environ.get("ASAN_OPTIONS", "") + ":verify_asan_link_order=0"
    return {**env, **settings}


def read_lines(path):
    try:
        with open(path) as file:
            return file.read().splitlines()
    except OSError:
        return []


WAITED = 20  # seconds, after which a tuner that waits for room is killed


def wrong_message(code, err):
    """What is wrong with how the tuner ended after such a fault; None: nothing."""
    if code == "hangs" and "until there is room again" in err:
        return None
    if crashed(code):
        return f"crashed with {code}: {err[-300:]}"
    if code != 0 and "trials.db" not in err:
        return f"exit code {code} without a message: {err[-300:]}"
    return None


def went_on(trace):
    """Whether anything was recorded after the fault, when nobody knows what the disk has.  While
    the database is made, which is before it has its log, a rollback may follow.  (A sync that
    fails as the database is closed is not told: its log stays, and the next start reads it.)"""
    return any(line.endswith("-wal") or trace[0].endswith("-wal") for line in trace[1:])


def strike(kind, number):
    """One fault of the database's files: whether it came to it, and the harm, None: none."""
    what, error = kind.split(":")
    home = Home(f"{what}-{error}-{number}", SMALL)
    trace = home.path + "/trace"
    seconds = 120 if error == "EIO" else WAITED
    code, err = home.run(workers=2, timeout=seconds, env=shim_environment(
        SHIM_IO=f"{what}:{number}:{error}", SHIM_TRACE=trace))
    seen = read_lines(trace)
    harm = wrong_message(code, err) or home.harm(set())
    if harm is None and (code not in (0, "hangs") or what == "sync") and went_on(seen):
        harm = f"went on after the fault: {seen[:3]}"
    harm = harm or go_on(home, SMALL)
    discard(home)
    return bool(seen), harm


def database_fault(kind, numbers):
    undisturbed(SMALL)
    struck, harms = 0, []
    for number in in_time(numbers):
        came, harm = strike(kind, number)
        harms += [(number, harm)] if harm else []
        if not came:
            break
        struck += 1
    count(KINDS[kind], struck, len(harms), harms)


# ---- a small file system ----

# The tuner ends with a message when it can write no more, and waits when there is hardly any
# room; after a while there is, and then it goes on, or is run again.
IN_A_SMALL_ROOM = """
mount -t tmpfs -o size=$1k none "$2/room" && cp "$2/s.yaml" "$2/room/" || exit 99
shift 2
"$@" &
tuner=$!
(sleep 2; mount -o remount,size=64m "$TUNER_HOME") &
wait $tuner
echo "exit $?" >&2
wait
"$@"
echo "exit $?" >&2
cp "$TUNER_HOME"/trials.db* "$TUNER_HOME/.."
"""


def unshare():
    """The command that runs something with mounts of its own; None where that may not be."""
    command = ["unshare", "-m"] if os.geteuid() == 0 else ["unshare", "-Urm"]
    may = subprocess.run([*command, "mount", "-t", "tmpfs", "none", "/mnt"], capture_output=True)
    return command if may.returncode == 0 else None


def fill(private, kilobytes):
    """A study on a tmpfs that is too small, then made larger: whether it was, and the harm."""
    home = Home(f"room{kilobytes}")
    os.mkdir(home.path + "/room")
    inside = [TUNER, "run", home.path + "/room/s.yaml", "--workers", "2", "--trainer", QUICK]
    done = subprocess.run([*private, "sh", "-c", IN_A_SMALL_ROOM, "sh", str(kilobytes), home.path,
                           *inside], env=environment(home.path + "/room"), capture_output=True,
                          text=True, timeout=patient(120), stdin=subprocess.DEVNULL)
    exits = [line for line in done.stderr.splitlines() if line.startswith("exit ")]
    said = any(words in done.stderr for words in ("No space left", "disk is full", "MiB left"))
    if len(exits) != 2 or exits[1] != "exit 0":
        harm = f"does not go on: {exits}, {done.stderr[-500:]}"
    elif exits[0] not in ("exit 0", "exit 1", "exit 65"):
        harm = f"crashed: {done.stderr[-500:]}"
    elif exits[0] != "exit 0" and not said:
        harm = f"no message: {done.stderr[-500:]}"
    else:
        harm = home.harm(set()) or (None if home.results() == undisturbed() else "other results")
    discard(home)
    return said, harm


def full_disk(sizes):
    fault = "a file system of so many KB is full"
    private = unshare()
    if private is None:
        return skip(fault, "mounting is not allowed")
    full, harms = 0, []
    for kilobytes in in_time(sizes):
        was_full, harm = fill(private, kilobytes)
        full += was_full
        harms += [(kilobytes, harm)] if harm else []
    count(fault, full, len(harms), harms)


def read_only_home():
    fault = "a read-only home"
    private = unshare()
    if private is None:
        return skip(fault, "mounting is not allowed")
    home = Home("read-only")
    done = subprocess.run([*private, "sh", "-c", 'mount --bind "$1" "$1" && '
                           'mount -o remount,ro,bind "$1" && shift && exec "$@"', "sh", home.path,
                           *home.command()], env=environment(home.path), capture_output=True,
                          text=True, timeout=patient(60), stdin=subprocess.DEVNULL)
    said = done.returncode == 65 and home.path in done.stderr and "ead-only" in done.stderr
    harm = go_on(home) if said else f"{done.returncode}: {done.stderr}"
    count(fault, 1, int(harm is not None), harm)
    discard(home)


# ---- what else a process is given ----

def waits(code, err):
    """Whether it was waiting for the limit to be gone when it was killed, and had said so."""
    return code == "hangs" and "trying again" in err


def limited(name, command, env=None, words=()):
    """A study under a limit, then without: whether it was too tight, and the harm."""
    home = Home(name)
    code, err = home.run(before=command, env=env, timeout=15)
    harm = None
    if crashed(code) and not waits(code, err):
        harm = f"crashed with {code}: {err[-300:]}"
    elif code not in (0, "hangs") and not any(word in err for word in words):
        harm = f"exit code {code} without a message: {err[-300:]}"
    harm = harm or home.harm(set()) or go_on(home)
    discard(home)
    return code != 0, harm


def descriptors(numbers):
    tight, harms = 0, []
    for number in in_time(numbers):
        was, harm = limited(f"files{number}", ["prlimit", f"--nofile={number}"],
                            words=("Too many open files", "cannot be opened", "unable to open"))
        tight += was
        harms += [(number, harm)] if harm else []
    count("no more descriptors", tight, len(harms), harms)


STRANGER = 61234  # a user who has no other processes


def processes(numbers):
    fault = "no more processes"
    if os.geteuid() != 0:
        return skip(fault, "needs another user")
    tight, harms = 0, []
    for number in in_time(numbers):
        home = Home(f"processes{number}")
        os.chmod(SCRATCH, 0o755)  # which all homes are below
        for path, _, names in os.walk(home.path):
            for one in [path, *(os.path.join(path, name) for name in names)]:
                os.chown(one, STRANGER, STRANGER)
        code, err = home.run(before=["setpriv", f"--reuid={STRANGER}", f"--regid={STRANGER}",
                                     "--clear-groups", "prlimit", f"--nproc={number}"],
                             timeout=15)
        if "Permission denied" in err:
            return skip(fault, "another user may not run the tuner from here")
        harm = None
        if not waits(code, err) and code != 0 and "Resource temporarily unavailable" not in err:
            harm = f"exit code {code}: {err[-300:]}"
        tight += code != 0
        harm = harm or go_on(home)
        harms += [(number, harm)] if harm else []
        discard(home)
    count(fault, tight, len(harms), harms)


def memory(times):
    fault = "the n-th request for memory is refused, and every later one"
    if "asan" in TUNER or "tsan" in TUNER:
        return skip(fault, "the sanitizer has memory of its own")
    draw, tight, harms = random.Random(2), 0, []
    for i in in_time(range(times)):
        number = int(10 ** draw.uniform(0, 5))
        was, harm = limited(f"memory{i}-{number}", [],
                            {"LD_PRELOAD": MEMORY_SHIM, "SHIM_MEMORY": str(number)},
                            ("out of memory", "memory"))
        tight += was
        harms += [(number, harm)] if harm else []
    count(fault, tight, len(harms), harms)


def torture_database(long, part=0, parts=1):
    numbers = range(1 + part, 2000, parts) if long else (5, 33)
    share_time(*(lambda kind=kind: database_fault(kind, numbers) for kind in KINDS))


def torture(long, **_):
    share_time(lambda: full_disk(range(40, 500, 8) if long else (40, 120)), read_only_home,
               lambda: descriptors(range(4, 26) if long else (4, 9)),
               lambda: processes(range(1, 12) if long else (2,)),
               lambda: memory(300 if long else 5))
