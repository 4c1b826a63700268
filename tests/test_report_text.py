#!/usr/bin/python3
"""Compares metrics_text() with scikit-learn's classification_report, character for
character.  REPORT_DRIVER is the path of the program of tests/report_driver.c."""
import os
import random
import subprocess
import sys
import warnings

from sklearn.metrics import classification_report

DRIVER = os.environ.get("REPORT_DRIVER", "build/tests/report_driver")
SCRIPTS = "aZ9_ äéßøλЖ中の\u00d7"
failures = 0


def ours(names, labels, predicted):
    pairs = "".join(f"{label} {guess}\n" for label, guess in zip(labels, predicted))
    done = subprocess.run([DRIVER, *names], input=pairs, capture_output=True,
                          encoding="utf-8", check=True)
    return done.stdout


def theirs(names, labels, predicted):
    seen = sorted(set(labels) | set(predicted))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return classification_report(labels, predicted, digits=4,
                                     target_names=[names[i] for i in seen])


def check(what, cases):
    """One result line for all the cases: a list of (names, labels, predicted)."""
    global failures
    for names, labels, predicted in cases:
        mine, expected = ours(names, labels, predicted), theirs(names, labels, predicted)
        if mine != expected:
            failures += 1
            print(f"not ok - {what}\n# names {names}\n# labels {labels}\n"
                  f"# predicted {predicted}\n# ours:\n{mine}\n# scikit-learn's:\n{expected}")
            return
    print(f"ok - {what} ({len(cases)} cases)")


def numbers(classes):
    return [str(i) for i in range(classes)]


def guesses(draw, labels, classes, right):
    return [label if draw.random() < right else draw.randrange(classes) for label in labels]


def random_case(draw, classes, names, right):
    count = draw.choice([1, 2, 5, 40, 300, 2000])
    labels = [draw.randrange(classes) for _ in range(count)]
    return names, labels, guesses(draw, labels, classes, right)


def every_number_of_classes(draw):
    return [random_case(draw, classes, numbers(classes), right)
            for classes in range(2, 27) for right in (0.0, 0.6, 0.99)]


def classes_never_predicted(draw):
    cases = []
    for classes in range(2, 27):
        labels = [i % classes for i in range(classes * 7)]
        keep = draw.randrange(1, classes)
        cases.append((numbers(classes), labels, [draw.randrange(keep) for _ in labels]))
    return cases


def classes_never_true(draw):
    return [(numbers(classes), [draw.randrange(classes // 2) for _ in range(60)],
             [draw.randrange(classes) for _ in range(60)]) for classes in range(2, 27)]


def uneven_classes(draw):
    cases = []
    for classes in range(2, 27):
        labels = draw.choices(range(classes), [2.0 ** -i for i in range(classes)], k=500)
        cases.append((numbers(classes), labels, guesses(draw, labels, classes, 0.9)))
    return cases


def names_of_any_length(draw):
    cases = []
    for longest in (1, 4, 11, 12, 13, 30, 200):
        names = ["".join(draw.choices(SCRIPTS, k=draw.randint(1, longest))) for _ in range(6)]
        names[draw.randrange(6)] = "".join(draw.choices(SCRIPTS, k=longest))
        cases.append(random_case(draw, 6, names, 0.8))
    return cases


def all_right(draw):
    return [(numbers(classes), list(range(classes)) * 3, list(range(classes)) * 3)
            for classes in range(2, 27)]


def all_wrong(draw):
    return [(numbers(classes), list(range(classes)), list(range(1, classes)) + [0])
            for classes in range(2, 27)]


def ties_in_the_fifth_digit(draw):
    """Shares of 20,000 and 32 end in a 5 after four digits: a last bit decides."""
    cases = []
    for count in (32, 160, 20000):
        for _ in range(12):
            wrong = draw.randrange(count // 2) | 1
            labels = [i % 4 for i in range(count)]
            predicted = [(label + (i < wrong)) % 4 for i, label in enumerate(labels)]
            cases.append((numbers(4), labels, predicted))
    return cases


def more_classes_than_numpy_adds_at_once(draw):
    cases = []
    for classes in (128, 129, 136, 200, 256):
        labels = [draw.randrange(classes) for _ in range(20 * classes)]
        cases.append((numbers(classes), labels, guesses(draw, labels, classes, 0.7)))
    return cases


def main():
    for test in (every_number_of_classes, classes_never_predicted, classes_never_true,
                 uneven_classes, names_of_any_length, all_right, all_wrong,
                 ties_in_the_fifth_digit, more_classes_than_numpy_adds_at_once):
        check(test.__name__.replace("_", " "), test(random.Random(test.__name__)))
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
