"""Limits of time in tests are there to end what hangs.  They are said in seconds for a plain
build; tests/run.sh gives builds under a sanitizer or an emulator, which are slower, more of them
by $TEST_PATIENCE."""
import os

PATIENCE = int(os.environ.get("TEST_PATIENCE", "1"))


def patient(seconds):
    return seconds * PATIENCE
