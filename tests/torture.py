#!/usr/bin/python3
"""Faults by the thousand: tests/torture.py BUILD [KIND...] prints a table of what was injected,
how often, and what was lost.  The kinds run side by side, for an hour or more; `make test` does
a little of each (tests/test_torture.py)."""
import os
import sys

if __name__ == "__main__":
    build = os.path.abspath(sys.argv[1] if len(sys.argv) > 1 else "build/test")
    os.environ.update(TUNER=build + "/tuner", TRAINER=build + "/trainer")

import harness
import torture_clock
import torture_daemon
import torture_disk
import torture_kill
import torture_store
import torture_worker
from torture_ledger import add, ledger, print_table

KINDS = {"kill": torture_kill.torture, "daemon": torture_daemon.torture,
         "worker": torture_worker.torture, "database": torture_disk.torture_database,
         "disk": torture_disk.torture, "store": torture_store.torture,
         "clock": torture_clock.torture}
PARTS = {"kill": 3, "daemon": 4, "database": 3}  # of the longest, side by side


def one_part(name, part, pipe):
    """In a child: does it in a folder of its own and sends the ledger."""
    good = False
    harness.SCRATCH = harness.folder(f"{name}{part}")
    try:
        KINDS[name](long=True, part=part, parts=PARTS.get(name, 1))
        good = harness.failures == 0
    finally:
        with os.fdopen(pipe, "w") as out:
            harness.json.dump(ledger, out)
        os._exit(0 if good else 1)


def start(name, part):
    """A process that does one part of a kind: its id, and where its ledger will come from."""
    receive, send = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(receive)
        one_part(name, part, send)
    os.close(send)
    return pid, receive


def main():
    children = [start(name, part) for name in sys.argv[2:] or KINDS
                for part in range(PARTS.get(name, 1))]
    for pid, pipe in children:
        with os.fdopen(pipe) as sent:
            add(harness.json.loads(sent.read() or "{}"))
        harness.failures += os.waitpid(pid, 0)[1] != 0
    print_table()
    harness.finish()


if __name__ == "__main__":
    main()
