"""The whole, with the real trainer: a small study of real networks gives the same results
for every number of workers and threads and after kill -9, and its report is the one that
scikit-learn would print for the predictions in the database."""
import csv
import warnings

import numpy as np
from sklearn.metrics import (brier_score_loss, classification_report, confusion_matrix, log_loss,
                             top_k_accuracy_score)

from harness import *
from patience import patient

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

labels = np.array([p[0] for p in predictions])
guesses = np.array([p[1] for p in predictions])
odds = np.array([json.loads(row[0]) for row in rows(
    home, "SELECT probabilities FROM predictions WHERE study = 's' ORDER BY image")])
classes = range(odds.shape[1])
report = json.load(open(home + "/reports/s/report.json"))
test = report["test"]
mistakes = [image for image, (label, guess) in enumerate(predictions) if label != guess]
with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # probabilities of six digits do not sum to 1 exactly
    scores = (log_loss(labels, odds, labels=classes),
              sum(brier_score_loss(labels == k, odds[:, k]) for k in classes),
              *(top_k_accuracy_score(labels, odds, k=k, labels=classes) for k in (2, 3, 5)))
check("report.json has scikit-learn's figures", np.allclose(
    (test["log_loss"], test["brier"], *test["top_k"].values()), scores, rtol=1e-12, atol=1e-14)
    and test["confusion"] == confusion_matrix(labels, guesses, labels=classes).tolist(),
    (scores, test))
stored = rows(home, "SELECT image, length(pixels) FROM images WHERE study = 's' ORDER BY image")
sure = odds[np.arange(len(odds)), guesses]
shown = {image for image, _ in stored} & set(mistakes)
check("the images of the surest mistakes are stored, and some right ones",
      len(shown) == min(len(mistakes), 1000) and {size for _, size in stored} == {784} and
      len(shown) < len(stored) <= len(shown) + 8 * len(classes) and
      min(sure[list(shown)]) >= max(sure[list(set(mistakes) - shown)], default=0) - 1e-5,
      (len(mistakes), len(shown), len(stored)))
entries = report["images"]["entries"]
check("and the report has each of them, the surest mistake first",
      [entry["image"] for entry in entries] == [image for image, _ in stored] and
      {entries[index]["image"] for index in report["mistakes"]} == shown and
      entries[report["mistakes"][0]]["probability"] == max(sure[list(shown)]))
with open(home + "/reports/s/predictions.csv") as file:
    table = list(csv.DictReader(file))
check("predictions.csv has the stored predictions", len(table) == len(predictions) and all(
    (int(row["label"]), int(row["predicted"])) == pair and
    [float(row[f"p_{k}"]) for k in classes] == list(line)
    for row, pair, line in zip(table, predictions, odds)), table[:2])

code, out, err = run(home, "compare", "s", "again", trainer=None)
check("two runs of the same study get the same images right", code == 0 and
      "s and again get the same images right." in out, (out, err))
code, out, err = run(home, "compare", "s", "again", "--html", home + "/compared.html",
                     trainer=None)
check("tuner compare --html writes a page", code == 0 and out.strip() == home + "/compared.html"
      and "<h1>s and again</h1>" in open(home + "/compared.html").read(), (out, err))
code, _, err = run(home, "compare", "s", trainer=None)
check("tuner compare needs two studies", code == 64 and "another STUDY is needed" in err, err)
code, _, err = run(home, "compare", "s", "nobody", trainer=None)
check("and names one that is not there", code != 0 and "nobody" in err, err)

os.rename(home + "/reports", home + "/reports-before")
code, out, err = run(home, "report", "s", trainer=None)
check("tuner report writes it again from the database alone",
      code == 0 and open(home + "/reports/s/report.txt").read() == written, err)

model = home + "/best.model"
code, _, err = run(home, "best", "s", "--model", model, trainer=None)
done = subprocess.run([TRAINER, "evaluate", model, "--data", "synthetic", "--json"],
                      capture_output=True, text=True, timeout=patient(60))
correct = sum(p[0] == p[1] for p in predictions)
check("the model from the database evaluates to the recorded accuracy", code == 0 and
      done.returncode == 0 and
      abs(json.loads(done.stdout)["accuracy"] - correct / len(predictions)) < 1e-9,
      (err, done.stdout, done.stderr))
finish()
