#!/usr/bin/python3
"""The charts of the search as modules (reports/web/*.js), served as files: they can be fed more,
thin out thousands of trials, and take a study that has nothing for them, or strange values."""
import copy
import os
import random

from selenium.webdriver.common.by import By

import browser
from harness import check, finish, folder

NAMES = ("best", "curves", "parallel", "rungs", "scatter", "timeline")
HTML = """<!DOCTYPE html><meta charset=utf-8><title>charts</title><link rel=icon href="data:,">
<link rel=stylesheet href="/style.css"><link rel=stylesheet href="/plot.css">
<link rel=stylesheet href="/chart.css"><main><section>""" + "".join(
    f'<h3>{name}</h3><div class="chart" data-chart="{name}"></div>' for name in NAMES) + """
</section></main>"""
PARAMETERS = [
    {"name": "rate", "type": "float", "low": 1e-4, "high": 1e-1, "log": True, "choices": None},
    {"name": "units", "type": "int", "low": 16, "high": 256, "log": False, "choices": None},
    {"name": "kind", "type": "categorical", "low": None, "high": None, "log": False,
     "choices": ["a", "b<i>", 3, True]},
    {"name": "flag", "type": "bool", "low": None, "high": None, "log": False, "choices": None},
]


def draw_parameters(random_):
    return {"rate": 10 ** random_.uniform(-4, -1), "units": random_.randrange(16, 257),
            "kind": random_.choice(PARAMETERS[2]["choices"]), "flag": random_.random() < 0.5}


def make_trial(number, random_, start):
    epochs = random_.choice([1, 1, 1, 3, 9])
    value = 1 - random_.random() ** 2 * 0.6 / epochs
    return {"trial": number, "bracket": 0, "state": "stopped" if epochs < 9 else "completed",
            "rank": None, "value": value, "epochs": epochs, "reason": "",
            "parameters": draw_parameters(random_), "seconds": 2.0 * epochs,
            "started_ms": start, "ended_ms": start + 2000 * epochs,
            "curve": {"val_accuracy": [value * (e + 1) / epochs for e in range(epochs)]}}


def make_study(count, seed=1):
    """As docs/report_json.md has it, with one worker after four; a night between the halves."""
    random_, trials, rungs, segments, start = random.Random(seed), [], [], [], 1_700_000_000_000
    for number in range(count):
        if number == count // 2:
            start += 8 * 3600 * 1000
        trial = make_trial(number, random_, start)
        start += 700
        trials.append(trial)
        for rung in range(1 + (trial["epochs"] > 1) + (trial["epochs"] > 3)):
            last = 3 ** rung == trial["epochs"]
            rungs.append({"bracket": 0, "rung": rung, "trial": number, "epochs": 3 ** rung,
                          "value": trial["value"], "rank": number + 1,
                          "verdict": "stopped" if last else "promoted", "reason": "because"})
        segments.append({"trial": number, "rung": 0, "attempt": 1, "worker": number % 4 + 1,
                         "from_epoch": 0, "to_epoch": trial["epochs"], "state": "ended",
                         "value": trial["value"], "reason": "",
                         "started_ms": trial["started_ms"], "ended_ms": trial["ended_ms"]})
    best = max(trials, key=lambda t: (t["epochs"], t["value"]), default=None)
    return {"study": {"metric": "val_accuracy", "goal": "maximize", "started_ms": start},
            "winner": best and {"trial": best["trial"]}, "parameters": PARAMETERS,
            "trials": trials, "rungs": rungs, "segments": segments}


SHOW = """
const [data, names, done] = arguments;
Promise.all([import("/study.js"), ...names.map(name => import(`/${name}.js`))])
    .then(([study, ...modules]) => {
        const read = study.readStudy(data);
        window.charts ??= {};
        names.forEach((name, i) => {
            const place = document.querySelector(`[data-chart=${name}]`);
            if (window.charts[name])
                window.charts[name].update(read);
            else
                window.charts[name] = modules[i][`${name}Chart`](place, read);
        });
        requestAnimationFrame(() => done("shown"));
    }).catch(error => done(String(error.stack)));
"""


def show(page, data):
    said = page.execute_async_script(SHOW, data, NAMES)
    if said != "shown":
        check("charts can be drawn", False, said)
    browser.settle(page)


def fresh(page, address):
    page.get(address + "/test/charts.html")


def count(page, name, mark):
    return len(page.find_elements(By.CSS_SELECTOR, f"[data-chart={name}] {mark}"))


def texts(page, name, mark="p"):
    return [element.text for element in page.find_elements(By.CSS_SELECTOR,
                                                           f"[data-chart={name}] {mark}")]


MARKS = {"best": ".point", "curves": ".trial", "parallel": ".trial", "rungs": ".place",
         "scatter": ".point", "timeline": ".bar"}


def counts(page):
    return {name: count(page, name, mark) for name, mark in MARKS.items()}


def expected(data):
    trials = len(data["trials"])
    return {"best": trials, "curves": trials, "parallel": trials, "rungs": len(data["rungs"]),
            "scatter": 4 * trials, "timeline": len(data["segments"])}


def check_fed(page, address):
    fresh(page, address)
    few, more = make_study(12), make_study(60)
    show(page, few)
    check("each chart has its marks", counts(page) == expected(few), counts(page))
    show(page, more)
    check("a chart that is fed more shows all of it", counts(page) == expected(more), counts(page))
    check("in one picture", all(count(page, name, "svg") == 1
                                for name in ("best", "curves", "parallel", "timeline")))
    tick = texts(page, "best", ".axis-name")[0]
    check("a night without work is no part of the time", tick in (
        "seconds since the start", "minutes since the start"), tick)
    check("but is marked", count(page, "timeline", ".pause") == 1)


def check_many(page, address):
    fresh(page, address)
    data = make_study(2500)
    show(page, data)
    found = counts(page)
    check("thousands of trials are thinned out", all(
        0 < found[name] < expected(data)[name] for name in NAMES), found)
    check("to what a browser takes", sum(found.values()) < 20_000, found)
    check("every chart says how many are shown", all(
        any("are shown" in text for text in texts(page, name))
        for name in NAMES), {name: texts(page, name) for name in NAMES})
    check("the winner is always among them", all(count(page, name, ".winner") > 0
                                                 for name in NAMES))


def check_empty(page, address):
    fresh(page, address)
    data = make_study(0)
    data["parameters"] = []
    show(page, data)
    check("a study without trials says so in every chart", all(
        texts(page, name) and count(page, name, "svg") == 0 for name in NAMES),
        {name: texts(page, name) for name in NAMES})
    data = make_study(5)
    data["rungs"] = [dict(place, verdict="completed") for place in data["rungs"]
                     if place["rung"] == 0]
    show(page, data)
    check("where nobody was stopped there are no rungs to show", count(page, "rungs", "svg") == 0
          and texts(page, "rungs")[0].startswith("There are no rungs"), texts(page, "rungs"))
    data = make_study(5)
    for trial in data["trials"]:
        trial["curve"] = {"val_accuracy": [trial["value"]]}
    show(page, data)
    check("where no trial had a second epoch there is no curve to show",
          count(page, "curves", "svg") == 0
          and texts(page, "curves")[0].startswith("There is no curve"), texts(page, "curves"))
    show(page, make_study(5))
    check("and each is drawn when there is something", counts(page) == expected(make_study(5)),
          counts(page))


def check_strange(page, address):
    """Failures, one value for all, no times, values of every size."""
    fresh(page, address)
    data = make_study(20)
    for trial in data["trials"][:4]:
        trial.update(value=None, state="failed", reason="diverged", ended_ms=None)
    for segment in data["segments"][:3]:
        segment.update(state="failed", value=None, reason="signal 9")
    data["rungs"][0].update(verdict="failed", value=None, rank=None)
    show(page, data)
    check("a failed trial has a line among the parameters and no point",
          (count(page, "parallel", ".trial"), count(page, "best", ".point")) == (20, 16),
          counts(page))
    check("failed segments and places are told apart without colour",
          (count(page, "timeline", ".broken"), count(page, "rungs", ".failed")) == (3, 1))
    for what, values in (("one value", [0.5] * 20), ("large values", range(10 ** 9, 10 ** 9 + 20)),
                         ("tiny values", [i * 1e-12 for i in range(20)]),
                         ("values below and above 0", range(-10, 10))):
        same = copy.deepcopy(data)
        for trial, value in zip(same["trials"], values):
            trial.update(value=value, curve={"val_accuracy": [value] * trial["epochs"]},
                         parameters=dict(trial["parameters"], units=16))
        show(page, same)
        bad = page.execute_script("return [...document.querySelectorAll('svg *')].filter(e => "
                                  "[...e.attributes].some(a => /NaN|Infinity|undefined/.test("
                                  "a.value))).map(e => e.outerHTML)")
        labels = texts(page, "best", ".tick")
        check(f"{what} are drawn", not bad and len(set(labels)) >= 3, bad[:3] or labels)


def check_minimize(page, address):
    fresh(page, address)
    data = make_study(30)
    for trial in data["trials"]:
        trial["value"] = 1 - trial["value"]
    data["study"]["goal"] = "minimize"
    show(page, data)
    best = page.execute_script("""
        const numbers = document.querySelector("[data-chart=best] .best").getAttribute("d")
            .match(/[\\d.]+/g).map(Number);
        return numbers.filter((_, i) => i % 2);""")
    check("where less is better the line of the best goes down", best == sorted(best)
          and best[0] < best[-1], best)


def check_keyboard(page, address):
    fresh(page, address)
    show(page, make_study(40))
    stops = page.execute_script("return [...document.querySelectorAll('svg')].map(s => s."
                                "querySelectorAll('[tabindex=\"0\"]:not(.brush)').length)")
    check("each picture is one stop of the Tab key", set(stops) == {1}, stops)
    names = page.execute_script("return [...document.querySelectorAll('svg')].map(s => s."
                                "getAttribute('aria-label'))")
    check("each picture says what it is", all(names), names)


def main():
    place = folder("charts")
    with open(os.path.join(place, "charts.html"), "w") as file:
        file.write(HTML)
    server, address = browser.serve(place)
    page = browser.start()
    try:
        for part in (check_fed, check_many, check_empty, check_strange, check_minimize,
                     check_keyboard):
            part(page, address)
        errors = browser.console_errors(page)
        check("nothing was said in the console", errors == [], errors)
    finally:
        page.quit()
        server.shutdown()
    finish()


main()
