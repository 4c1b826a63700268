#!/usr/bin/python3
"""Faults by the thousand: tests/torture.py BUILD prints a table of what was injected, how
often, and what was lost.  It takes an hour; `make test` does a little of each kind
(tests/test_torture.py)."""
import os
import sys

if __name__ == "__main__":
    build = os.path.abspath(sys.argv[1] if len(sys.argv) > 1 else "build/test")
    os.environ.update(TUNER=build + "/tuner", TRAINER=build + "/trainer")

import harness
import torture_clock
import torture_disk
import torture_kill
import torture_store
import torture_worker
from torture_ledger import print_table

KINDS = {"kill": torture_kill, "worker": torture_worker, "disk": torture_disk,
         "store": torture_store, "clock": torture_clock}


def main():
    for name in sys.argv[2:] or KINDS:
        KINDS[name].torture(long=True)
    print_table()
    harness.finish()


if __name__ == "__main__":
    main()
