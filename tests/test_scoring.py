#!/usr/bin/python3
"""Compares log loss, Brier score, top-k accuracy, calibration and McNemar's test with
scikit-learn, NumPy and SciPy.  The program of tests/scoring_driver.c is beside REPORT_DRIVER."""
import os
import subprocess
import sys
import warnings

import numpy as np
from scipy.stats import binom, chi2
from sklearn.metrics import brier_score_loss, log_loss, top_k_accuracy_score

DRIVER = os.path.join(os.path.dirname(os.environ.get("REPORT_DRIVER", "build/tests/x")),
                      "scoring_driver")
BINS = 15
failed = False


def check(what, good, detail=""):
    global failed
    print(f"{'ok' if good else 'not ok'} - {what}")
    if not good:
        failed = True
        print("# " + str(detail)[:2000])


def run(argument, rows):
    text = "".join(" ".join(repr(value) for value in row) + "\n" for row in rows)
    done = subprocess.run([DRIVER, str(argument)], input=text, capture_output=True, text=True,
                          check=True)
    return [[float(word) for word in line.split()] for line in done.stdout.splitlines()]


def ours(labels, predicted, probabilities):
    rows = [[int(label), int(guess), *map(float, row)]
            for label, guess, row in zip(labels, predicted, probabilities)]
    numbers = run(probabilities.shape[1], rows)[0]
    return numbers[:3], numbers[3:6], np.array(numbers[6:]).reshape(BINS, 3)


def cases():
    draw = np.random.default_rng(1)
    for classes in (2, 3, 4, 6, 10, 26, 100):
        for count in (1, 7, 500):
            for sharpness in (0.1, 1.0, 30.0):
                probabilities = draw.dirichlet(np.full(classes, 1.0 / sharpness), count)
                yield draw.integers(0, classes, count), probabilities
    # Rounded, as they are stored: they do not sum to 1.
    yield draw.integers(0, 10, 500), np.round(draw.dirichlet(np.full(10, 0.3), 500), 2)
    # Ties, certainty in the right and in the wrong, and bounds of the bins.
    yield np.array([0, 1, 2, 3]), np.full((4, 4), 0.25)
    yield np.array([0, 1, 1, 0]), np.array([[1.0, 0, 0], [1, 0, 0], [0, 1, 0], [0.2, 0.4, 0.4]])
    yield np.array([0, 1, 0]), np.array([[0.6, 0.4], [0.2, 0.8], [1 / 3, 2 / 3]])


def brier(labels, probabilities):
    return sum(brier_score_loss(labels == k, probabilities[:, k], pos_label=True)
               for k in range(probabilities.shape[1]))


def calibration(labels, predicted, probabilities):
    """Guo et al. (2017), as they write it: bins (m - 1) / M < confidence <= m / M."""
    confidence = probabilities[np.arange(len(labels)), predicted]
    rows = []
    for index in range(BINS):
        inside = (confidence * BINS > index) & (confidence * BINS <= index + 1)
        rows.append((inside.sum(), confidence[inside].mean() if inside.any() else 0.0,
                     (labels == predicted)[inside].mean() if inside.any() else 0.0))
    bins = np.array(rows)
    return bins, (np.abs(bins[:, 2] - bins[:, 1]) * bins[:, 0]).sum() / len(labels)


def test_scores():
    wrong = {"log loss": [], "Brier score": [], "top k": [], "calibration": []}
    count = 0
    for labels, probabilities in cases():
        classes = probabilities.shape[1]
        predicted = probabilities.argmax(axis=1)
        (loss, score, ece), tops, bins = ours(labels, predicted, probabilities)
        everyone = list(range(classes))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            expected = log_loss(labels, probabilities, labels=everyone)
        if not np.isclose(loss, expected, rtol=1e-12, atol=1e-12):
            wrong["log loss"].append((loss, expected))
        expected = brier(labels, probabilities)
        if not np.isclose(score, expected, rtol=1e-12, atol=1e-14):
            wrong["Brier score"].append((score, expected))
        for k, share in zip((2, 3, 5), tops):
            if k >= classes or classes == 2:
                continue
            expected = top_k_accuracy_score(labels, probabilities, k=k, labels=everyone)
            if abs(share - expected) > 1e-14:
                wrong["top k"].append((k, share, expected))
        expected, error = calibration(labels, predicted, probabilities)
        if not np.allclose(bins, expected, atol=1e-12) or abs(ece - error) > 1e-12:
            wrong["calibration"].append((bins, expected, ece, error))
        count += 1
    check(f"log loss is scikit-learn's ({count} cases)", not wrong["log loss"], wrong["log loss"])
    check("the Brier score is the sum of scikit-learn's over the classes",
          not wrong["Brier score"], wrong["Brier score"])
    check("top-k accuracy is scikit-learn's, ties included", not wrong["top k"], wrong["top k"])
    check("bins and calibration error are those of the definition", not wrong["calibration"],
          wrong["calibration"])


def test_mcnemar():
    pairs = [(b, c) for b in range(0, 40) for c in range(0, 40)]
    pairs += [(183, 242), (1000, 1100), (0, 300), (12, 13), (5000, 5000)]
    exact, asymptotic = [], []
    for (b, c), (is_exact, statistic, p) in zip(pairs, run("mcnemar", pairs)):
        if b + c < 25:
            expected = min(1.0, 2.0 * binom.cdf(min(b, c), b + c, 0.5)) if b + c else 1.0
            if not is_exact or abs(p - expected) > 1e-12:
                exact.append((b, c, p, expected))
        else:
            wanted = max(0, abs(b - c) - 1) ** 2 / (b + c)
            if is_exact or abs(statistic - wanted) > 1e-9 or \
                    not np.isclose(p, chi2.sf(wanted, 1), rtol=1e-9):
                asymptotic.append((b, c, statistic, p))
    check("McNemar's test is the binomial one for few images", not exact, exact)
    check("McNemar's test is the corrected chi-squared one for many", not asymptotic, asymptotic)


test_scores()
test_mcnemar()
sys.exit(1 if failed else 0)
