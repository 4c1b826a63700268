#!/usr/bin/python3
"""Looks for bytes that break a reader, with the programs of build/fuzz (`make fuzz`):

    fuzz.py run SECONDS [TARGET...]    each in turn; what breaks one is kept in build/fuzz/found
    fuzz.py coverage [TARGET...]       how much of each reader's lines its corpus reaches
    fuzz.py minimise [TARGET...]       keeps what reaches as much as the runs in tests/fuzz/corpus

A bug that is found and mended stays found: its bytes go to tests/fuzz/corpus/TARGET/found_WHAT,
which `make test` tries."""
import glob
import os
import re
import shutil
import subprocess
import sys
import time

BUILD = "build/fuzz"
CORPUS = "tests/fuzz/corpus"
BYTES_MOST = 8192
FILES_MOST = 200
ENVIRONMENT = {**os.environ, "LLVM_PROFILE_FILE": "/dev/null", "OPENBLAS_NUM_THREADS": "1",
               "UBSAN_OPTIONS": "print_stacktrace=1", "TRAINER": f"{BUILD}/trainer"}
LIMITS = ["-timeout=10", "-rss_limit_mb=512", "-malloc_limit_mb=256", f"-max_len={BYTES_MOST}"]

# The files whose lines a target is to reach, and the functions in them that read nothing: they
# answer, write or stamp, or are for people.
READERS = {
    "study": (["tuner/yaml.c", "tuner/yaml_scalar.c", "tuner/study.c", "tuner/study_check.c",
               "tuner/study_configure.c", "tuner/study_data.c", "tuner/study_fingerprint.c",
               "tuner/study_monitor.c", "tuner/study_search.c", "tuner/space_read.c",
               "tuner/template.c", "tuner/expression.c", "tuner/field.c", "tuner/number.c",
               "tuner/utf8.c", "common/schema.c", "common/schema_check.c"],
              ["study_load", "study_differences"]),
    "protocol": (["common/protocol.c", "trainer/inbox.c"], ["protocol_write"]),
    "request": (["tuner/requests.c"],
                ["add_all", "submit", "tell", "answer_with", "act", "request_answer"]),
    "history": (["tuner/csv.c", "tuner/history_csv.c"], ["csv_add", "csv_end_line"]),
    "optuna": (["db/optuna_read.c", "db/optuna_trials.c", "db/optuna_distribution.c"], []),
    "idx": (["trainer/data_file.c", "trainer/data_idx.c", "trainer/data_labels.c"],
            ["data_hold_out_test", "mark_class", "mark_held", "move_held"]),
    "csv": (["trainer/data_csv.c", "trainer/data_labels.c"], []),
    "npz": (["trainer/zip.c", "trainer/data_npz.c"], []),
    "npy": (["trainer/npy.c"], ["npy_write", "describe"]),
    "png": (["trainer/data_png.c", "trainer/digit.c"], []),
    "cifar": (["trainer/data_cifar.c"], []),
    "cache": (["trainer/data_cache.c"], []),
    "checkpoint": (["trainer/checkpoint.c", "trainer/checkpoint_network.c"], []),
    "onnx": (["trainer/protobuf_read.c", "trainer/onnx_read.c", "trainer/onnx_run.c",
              "trainer/onnx_call.c", "trainer/onnx_functions.c", "trainer/onnx_windows.c"], []),
}


def program(target):
    return f"{BUILD}/fuzz_{target}"


def folders(target):
    """The corpus that grows, then those that it begins with."""
    work = f"{BUILD}/reached/{target}"
    os.makedirs(work, exist_ok=True)
    return [work] + [path for path in (f"{CORPUS}/{target}", f"{BUILD}/seeds/{target}")
                     if os.path.isdir(path)]


def make_seeds():
    subprocess.run(["/usr/bin/python3", "tests/fuzz/seeds.py", f"{BUILD}/seeds"], check=True,
                   env=ENVIRONMENT)


# ---- Looking ----

def look(target, seconds):
    """Whether nothing was found."""
    log = f"{BUILD}/{target}.log"
    os.makedirs(f"{BUILD}/found", exist_ok=True)
    begin = time.monotonic()
    with open(log, "w") as file:
        done = subprocess.run(
            [program(target), *folders(target), f"-max_total_time={seconds}", *LIMITS,
             f"-dict=tests/fuzz/dictionaries/{target}.dict", "-print_final_stats=1",
             f"-artifact_prefix={BUILD}/found/{target}-"],
            stdout=file, stderr=subprocess.STDOUT, env=ENVIRONMENT, check=False)
    with open(log, errors="replace") as file:
        counts = re.findall(r"number_of_executed_units: (\d+)", file.read())
    executions = int(counts[-1]) if counts else 0
    print(f"{target:12} {time.monotonic() - begin:8.0f} s {executions:12,} executions  "
          + ("nothing found" if done.returncode == 0 else f"FOUND SOMETHING: {log}"), flush=True)
    return done.returncode == 0


def run(seconds, targets):
    make_seeds()
    found = [target for target in targets if not look(target, seconds)]
    return 1 if found else 0


# ---- Coverage ----

def function_lines(target, sources, profile):
    """(function, lines, lines missed) of each function of the sources."""
    report = subprocess.run(
        ["llvm-cov", "report", program(target), f"-instr-profile={profile}", "-show-functions",
         *sources], capture_output=True, text=True, check=True).stdout
    for line in report.splitlines():
        cells = line.split()
        if len(cells) >= 7 and cells[1].isdigit() and cells[0] != "TOTAL":
            yield cells[0].rsplit(":", 1)[-1], int(cells[4]), int(cells[5])


def cover(target):
    """The share of the reader's lines that the corpus reaches, in percent."""
    sources, others = READERS[target]
    raw, profile = f"{BUILD}/{target}.profraw", f"{BUILD}/{target}.profdata"
    folder = f"{CORPUS}/{target}"
    files = os.listdir(folder)
    subprocess.run([program(target), folder, "-runs=0", *LIMITS], check=True, capture_output=True,
                   env={**ENVIRONMENT, "LLVM_PROFILE_FILE": raw})
    subprocess.run(["llvm-profdata", "merge", "-o", profile, raw], check=True)
    counted = [row for row in function_lines(target, sources, profile) if row[0] not in others]
    lines, missed = sum(row[1] for row in counted), sum(row[2] for row in counted)
    share = 100 * (lines - missed) / lines
    print(f"{target:12} {len(files):5} {lines - missed:6} of {lines:5} {share:6.1f} %   "
          + " ".join(os.path.basename(source) for source in sources), flush=True)
    for name, _, gone in sorted(counted, key=lambda row: -row[2])[:5] if share < 90 else []:
        print(f"{'':12} {gone} lines not reached: {name}")
    return share


def coverage(targets):
    print(f"{'target':12} {'files':>5} {'lines':>15} {'':8}   of")
    return 0 if min([cover(target) for target in targets]) >= 90 else 1


# ---- The corpus ----

def merge(target, into, sources, *options):
    """The fewest files of `sources` that reach what all of them do."""
    shutil.rmtree(into, ignore_errors=True)
    os.makedirs(into)
    subprocess.run([program(target), "-set_cover_merge=1", *options, *LIMITS, into, *sources],
                   check=True, capture_output=True, env=ENVIRONMENT)


def minimise(targets):
    """Files that were found stay; the others are those that reach new edges, at most so many."""
    make_seeds()
    for target in targets:
        folder, fewest = f"{CORPUS}/{target}", f"{BUILD}/fewest/{target}"
        os.makedirs(folder, exist_ok=True)
        merge(target, fewest, folders(target), "-use_counters=0")
        for path in glob.glob(f"{folder}/*"):
            if not os.path.basename(path).startswith("found_"):
                os.unlink(path)
        paths = sorted(glob.glob(f"{fewest}/*"), key=os.path.getsize)
        for path in paths[:FILES_MOST]:
            shutil.copy(path, folder)
        size = sum(os.path.getsize(path) for path in glob.glob(f"{folder}/*"))
        print(f"{target:12} {len(os.listdir(folder)):5} of {len(paths)} files {size:8} bytes",
              flush=True)
    return 0


def main():
    arguments = sys.argv[1:]
    what = arguments.pop(0) if arguments else ""
    if what not in ("run", "coverage", "minimise"):
        sys.exit(__doc__)
    seconds = int(arguments.pop(0)) if what == "run" else 0
    unknown = set(arguments) - set(READERS)
    if unknown:
        sys.exit(f"no such target: {' '.join(unknown)}; there are {' '.join(READERS)}")
    targets = arguments or list(READERS)
    actions = {"run": lambda: run(seconds, targets), "coverage": lambda: coverage(targets),
               "minimise": lambda: minimise(targets)}
    sys.exit(actions[what]())


if __name__ == "__main__":
    main()
