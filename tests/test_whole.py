"""The whole, with the real trainer: a small study of real networks gives the same results
for every number of workers and threads and after kill -9, and its report is the one that
scikit-learn would print for the predictions in the database."""
from sklearn.metrics import classification_report

from harness import *

SMALL = "{scheduler: hyperband, max_epochs: 4, eta: 2}"
DATA = "dataset: synthetic, train: 1000, validation: 100"


def small_study(home, more=""):
    path = write_study(home, search=SMALL, more=more)
    text = open(path).read().replace(DATA, "dataset: synthetic, train: 400, validation: 200")
    text = text.replace("high: 64, step: 8", "high: 16, step: 4")
    open(path, "w").write(text)
    return path


home = folder("one")
code, out, err = run(home, "run", small_study(home), "--workers", "1", trainer=None)
expected = results(home)
check("a study of real networks runs to its end", code == 0 and "test accuracy" in out, err)
check("all metrics of all epochs are there", len(expected) > 20 and all(
    value is not None for row in expected for value in row[10:14]), expected[:3])



def cached():
    """The files of the home's cache and what would change if one were written again."""
    names = os.listdir(home + "/cache")
    stats = [os.stat(f"{home}/cache/{name}") for name in names]
    return [(name, stat.st_ino, stat.st_mtime_ns) for name, stat in zip(names, stats)]


before = cached()
check("its images are cached once", len(before) == 1 and before[0][0].startswith("synthetic-"),
      before)
code, _, err = run(home, "run", small_study(home), "--name", "again", "--workers", "2",
                   trainer=None)
check("a second study of the same images uses the cache and gives the same", code == 0 and
      [row[1:] for row in results(home, "again")] == [row[1:] for row in expected], err)
check("and does not write it again", cached() == before, (before, cached()))

home_uncached = folder("uncached")
open(home_uncached + "/cache", "w").close()
code, _, err = run(home_uncached, "run", small_study(home_uncached), "--workers", "2",
                   trainer=None)
check("where no cache can be made: the same bits in every metric",
      code == 0 and results(home_uncached) == expected, err)
check("and the worker's log says so", "without a cache" in
      open(home_uncached + "/logs/" + os.listdir(home_uncached + "/logs")[0]).read())

home_all = folder("all")
code, _, err = run(home_all, "run", small_study(home_all, "final: {train: all}\n"), trainer=None)
model = home_all + "/s.model"
run(home_all, "best", "s", "--model", model, trainer=None)
with open(model, "rb") as file:  # its form is in trainer/checkpoint.h
    file.seek(12)
    header = json.loads(file.read(int.from_bytes(file.read(4), "little")))
check("train: all gives the final training all images of the data set, those of validation too",
      header["step"] == header["epoch"] * -(-60000 // header["training"]["batch_size"]), header)

for count in (2, 5):
    home_many = folder(f"workers{count}")
    code, _, err = run(home_many, "run", small_study(home_many), "--workers", str(count),
                       trainer=None)
    check(f"{count} workers: the same bits in every metric",
          code == 0 and results(home_many) == expected, err)

home_threads = folder("threads")
code, _, err = run(home_threads, "run", small_study(home_threads, "threads: 3\n"), "--workers",
                   "1", trainer=None)
check("3 threads a worker: the same bits in every metric",
      code == 0 and results(home_threads) == expected, err)

home_killed = folder("killed")
deaths = 0
for step in (9, 14, 5, 11, 17, 8):
    code, _, err = run(home_killed, "run", small_study(home_killed), "--workers", "2",
                       trainer=None, failpoint=f"after-commit:{step}")
    if code != -signal.SIGKILL:
        break
    deaths += 1
code, _, err = run(home_killed, "run", small_study(home_killed), trainer=None)
check(f"killed {deaths} times: the same bits in every metric",
      code == 0 and deaths >= 4 and results(home_killed) == expected, (code, deaths, err))
check("and no epoch that was run again came out differently",
      rows(home_killed, "SELECT count(*) FROM faults WHERE kind = 'differs'") == [(0,)])

predictions = rows(home, "SELECT label, predicted FROM predictions WHERE study = 's' ORDER BY image")
wanted = classification_report([p[0] for p in predictions], [p[1] for p in predictions], digits=4,
                               zero_division=0)
written = open(home + "/reports/s/report.txt").read()
check("report.txt begins with exactly what scikit-learn prints for the stored predictions",
      len(predictions) > 0 and written.startswith(wanted), written)
check("the final training gives the same predictions after the kills", rows(
    home_killed, "SELECT label, predicted FROM predictions WHERE study = 's' ORDER BY image")
    == predictions)

os.rename(home + "/reports", home + "/reports-before")
code, out, err = run(home, "report", "s", trainer=None)
check("tuner report writes it again from the database alone",
      code == 0 and open(home + "/reports/s/report.txt").read() == written, err)

model = home + "/best.model"
code, _, err = run(home, "best", "s", "--model", model, trainer=None)
done = subprocess.run([TRAINER, "evaluate", model, "--data", "synthetic", "--json"],
                      capture_output=True, text=True, timeout=60)
correct = sum(p[0] == p[1] for p in predictions)
check("the model from the database evaluates to the recorded accuracy", code == 0 and
      done.returncode == 0 and
      abs(json.loads(done.stdout)["accuracy"] - correct / len(predictions)) < 1e-9,
      (err, done.stdout, done.stderr))
finish()
