#!/usr/bin/python3
"""Each reader of files and lines stands every file of its corpus (tests/fuzz): the seeds that
fuzzing began with, what it reached, and each bug that it found."""
import glob
import os
import subprocess

from patience import patient

PROGRAMS = os.path.join(os.path.dirname(os.environ.get("TUNER", "build/test/tuner")), "tests")
failures = 0


def check(what, good, detail=""):
    global failures
    failures += not good
    print(f"ok - {what}" if good else f"not ok - {what}\n    {str(detail)[-2000:]}", flush=True)


targets = sorted(os.path.basename(path)[5:-2] for path in glob.glob("tests/fuzz/fuzz_*.c"))
check("there are targets", len(targets) > 1)
check("each corpus has its target", set(os.listdir("tests/fuzz/corpus")) <= set(targets),
      os.listdir("tests/fuzz/corpus"))
for target in targets:
    folder = f"tests/fuzz/corpus/{target}"
    count = len(os.listdir(folder))
    done = subprocess.run([os.path.join(PROGRAMS, f"fuzz_{target}"), folder], capture_output=True,
                          text=True, errors="replace", timeout=patient(120),
                          env={**os.environ, "MNIST_DIR": "/nowhere"}, check=False)
    check(f"{target} stands all files of its corpus",
          done.returncode == 0 and count > 0 and done.stdout == f"{count} files\n",
          (done.returncode, done.stdout, done.stderr))
raise SystemExit(failures > 0)
