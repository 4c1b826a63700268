#!/usr/bin/python3
"""Pages of studies that are shaped unlike most: two classes and a hundred, a parameter whose name
is as long as it may be among twelve, data in a folder of the user's own."""
import os
import struct
import random

import browser
from harness import TRAINER, check, finish, folder, run

LONG = "a_name_as_long_as_the_name_of_a_parameter_may_be_" + "x" * 15
SIDE = 8


def write_idx(path, dimensions, values):
    with open(path, "wb") as file:
        file.write(struct.pack(f">HBB{len(dimensions)}I", 0, 8, len(dimensions), *dimensions))
        file.write(bytes(values))


def write_data(place, classes):
    """Each class has a picture of its own, which chance darkens here and there."""
    chance = random.Random(5)
    pictures = [[chance.choice((0, 255)) for _ in range(SIDE * SIDE)] for _ in range(classes)]
    for part, each in (("train", 12), ("t10k", 6)):
        labels = [label for label in range(classes) for _ in range(each)]
        pixels = [pixel if chance.random() < 0.7 else 0
                  for label in labels for pixel in pictures[label]]
        write_idx(f"{place}/{part}-images-idx3-ubyte", (len(labels), SIDE, SIDE), pixels)
        write_idx(f"{place}/{part}-labels-idx1-ubyte", (len(labels),), labels)


def report(classes):
    """The page of a study on so many classes, in the folder `letters`, with 12 parameters."""
    home = folder(f"shapes-{classes}")
    write_data(folder(f"shapes-{classes}/letters"), classes)
    names = [LONG] + [f"dropout_{i}" for i in range(11)]
    lines = ["study: shapes", "data: {dataset: letters, validation: %d}" % (classes * 2),
             "parameters:", *(f"  {name}: {{type: float, low: 0.0, high: 0.1}}" for name in names),
             "model:", "  - flatten", *(f"  - dropout: ${name}" for name in names),
             "  - dense: {units: classes}",
             "training: {optimizer: {type: adam, learning_rate: 0.01}, batch_size: 8}",
             "search: {trials: 3, max_epochs: 2}"]
    with open(home + "/shapes.yaml", "w") as file:
        file.write("\n".join(lines) + "\n")
    done = run(home, "run", home + "/shapes.yaml", "--quiet", trainer=TRAINER)
    check(f"a study on {classes} classes has its page", done[0] == 0, done)
    return f"{home}/reports/shapes/index.html"


def ask(page, script):
    return page.execute_script("return " + script)


def check_page(page, path, what):
    page.get("file://" + path)
    browser.settle(page)
    for width in (390, 1280, 1920):
        browser.resize(page, width)
        result = browser.overlaps(page)
        check(f"{what} at {width} pixels nothing overlaps", result["texts"] > 100
              and result["found"] == [], (result["texts"], result["found"][:12]))
        broken = ask(page, "[...document.querySelectorAll('.settings td')].filter(cell => {"
                           "  const range = document.createRange();"
                           "  range.selectNodeContents(cell);"
                           "  return /^[\\d.e-]+$/.test(cell.textContent)"
                           "      && range.getClientRects().length !== 1;"
                           "}).map(cell => cell.textContent)")
        check("each number stands on one line", broken == [], broken)
        if width > 390:
            wide = ask(page, "[...document.querySelectorAll('#model .scroll, "
                             "[data-chart=parallel] .scroll')].filter("
                             "e => e.scrollWidth > e.clientWidth).length")
            check("the layers and twelve parameters have room", wide == 0, wide)
    check("the data set is called what its folder is called",
          "test images of the data set letters." in ask(
              page, "document.querySelector('.lead').textContent"))
    check("without an error in the console", browser.console_errors(page) == [])


# Heights of names beside the matrix as they are seen, and how far the rows are apart that they
# name.
NAMES = """(() => {
    const names = [...document.querySelectorAll("#confusion text.name")]
        .filter(name => name.getAttribute("text-anchor") === "end")
        .map(name => name.getBoundingClientRect());
    return {count: names.length, height: Math.min(...names.map(box => box.height)),
            most: Math.max(...names.map(box => box.height)),
            apart: names[1].top - names[0].top};
})()"""


def main():
    page = browser.start()
    try:
        check_page(page, report(2), "two classes:")
        browser.resize(page, 1280)
        names = ask(page, NAMES)
        check("a matrix of two classes is not blown up",
              names["count"] == 2 and names["most"] < 24, names)
        check_page(page, report(100), "a hundred classes:")
        browser.resize(page, 1280)
        names = ask(page, NAMES)
        check("of a hundred classes as many are named as can be read",
              20 <= names["count"] < 100 and names["height"] >= 10
              and names["apart"] > 0.8 * names["height"], names)
        cells = ask(page, "document.querySelectorAll('#confusion rect[data-label]').length")
        check("and every one has a cell to open", cells >= 10, cells)
    finally:
        page.quit()
    finish()


main()
