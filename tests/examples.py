"""The examples of docs/database.md: lines that begin with "$ " are run in a shell, in a home that has
the study `digits`; what follows each is what it prints.  By itself prints the file as it ought
to be, which fills in the output of examples that have none yet."""
import contextlib
import gzip
import os
import re
import shutil
import sqlite3
import subprocess
import sys

import harness
from patience import patient

PACKED = os.path.join(harness.TOP, "tests/cases/databases/3.db.gz")
# On a terminal rows are a table.
WRAPPER = """#!/bin/sh
case "$1" in sql) exec "$TUNER" "$@" --table ;; *) exec "$TUNER" "$@" ;; esac
"""


def make_home():
    home = harness.folder("examples")
    with gzip.open(PACKED) as source, open(home + "/trials.db", "wb") as target:
        shutil.copyfileobj(source, target)
    os.mkdir(home + "/bin")
    with open(home + "/bin/tuner", "w") as file:
        file.write(WRAPPER)
    os.chmod(home + "/bin/tuner", 0o755)
    harness.run(home, "list")
    with contextlib.closing(sqlite3.connect(home + "/trials.db")) as database, database:
        # Of the time of this database no images were kept.
        database.execute("INSERT INTO recorded_images SELECT study, image, zeroblob(28 * 28) "
                         "FROM recorded_predictions WHERE label <> predicted")
    return home


def run_example(home, command):
    env = dict(harness.environment(home), TUNER=harness.TUNER, PATH=home + "/bin:" + os.environ["PATH"])
    done = subprocess.run(["sh", "-c", command], cwd=home, env=env, capture_output=True, text=True,
                          timeout=patient(60), stdin=subprocess.DEVNULL)
    return done.stdout + done.stderr


def split(block):
    """The commands of a block, each with what it is said to print; a command goes on in lines that
    are indented by two while its quote is open."""
    commands = []
    for line in block.splitlines(keepends=True):
        if line.startswith("$ "):
            commands.append([line[2:], ""])
        elif commands[-1][0].count('"') % 2:
            commands[-1][0] += line
        else:
            commands[-1][1] += line
    return commands


def blocks(text):
    return [match.group(1) for match in re.finditer(r"^```\n(\$ .*?)^```$", text, re.M | re.S)]


def filled_in(text):
    home = make_home()
    for block in blocks(text):
        made = "".join("$ " + command + run_example(home, command) for command, _ in split(block))
        text = text.replace(block, made)
    return text


if __name__ == "__main__":
    with open(sys.argv[1]) as document:
        sys.stdout.write(filled_in(document.read()))
    shutil.rmtree(harness.SCRATCH)
