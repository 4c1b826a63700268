#!/usr/bin/python3
"""The page of a report in a browser: that it stands alone and shows what the study has, that
its cells and its canvas answer, and that nothing overlaps on a phone, a desk or a wall, in the
light, in the dark and on paper.  The study is real: trained on MNIST where it is ($MNIST_DIR),
else on synthetic digits."""
import base64
import math
import os
import re
import shutil
import sqlite3
import urllib.parse

from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

import browser
from harness import TRAINER, check, finish, folder, run, wait_until

HOSTILE = "</script><script>alert(1)</script><b onclick=\"alert(2)\">&amp;"
DATASET = "mnist" if os.environ.get("MNIST_DIR") else "synthetic"
STUDY = f"""study: page
seed: 3
data: {{dataset: {DATASET}, train: 2500, validation: 300}}
parameters:
  learning_rate: {{type: float, low: 1e-3, high: 1e-2, log: true}}
  batch_size:    {{type: categorical, choices: [16, 32]}}
  filters:       {{type: int, low: 4, high: 8, step: 2}}
  activation:    {{type: categorical, choices: [relu, tanh]}}
model:
  - conv: {{filters: $filters, kernel: 5, stride: 2, activation: $activation}}
  - max_pool: 2
  - flatten
  - dense: {{units: classes}}
training:
  optimizer: {{type: adam, learning_rate: $learning_rate}}
  batch_size: $batch_size
search: {{scheduler: hyperband, max_epochs: 4, eta: 2}}
workers: 2
final: {{retrain: true}}
"""


def write_report(home):
    """The path of the page of a study that was really run."""
    path = os.path.join(home, "page.yaml")
    with open(path, "w") as file:
        file.write(STUDY)
    code, out, err = run(home, "run", path, trainer=TRAINER, timeout=400)
    check("a study is run and its report written", code == 0, out + err)
    return os.path.join(home, "reports", "page", "index.html")


def open_page(page, path):
    browser.requests(page), browser.console_errors(page)
    page.get("file://" + urllib.parse.quote(path))
    browser.settle(page)


def ask(page, script, *arguments):
    return page.execute_script("return " + script, *arguments)


def count(page, selector):
    return len(page.find_elements(By.CSS_SELECTOR, selector))


def report_of(page):
    return ask(page, "JSON.parse(document.getElementById('report-data').textContent)")


# ---- what is there ----

def check_alone(page, path):
    open_page(page, path)
    asked = [url for url in browser.requests(page) if not url.startswith(("data:", "chrome:"))]
    check("the page asks for nothing but itself",
          [urllib.parse.unquote(url) for url in asked] == ["file://" + path], asked)
    errors = browser.console_errors(page)
    check("the page loads without an error in the console", errors == [], errors)


def valued(report):
    return [trial for trial in report["trials"] if trial["value"] is not None]


def check_marks(page):
    report = report_of(page)
    trials, points = report["trials"], len(valued(report))
    expected = {
        "best": (".point", points),
        "curves": (".trial", len([t for t in trials if t["curve"]["val_accuracy"]])),
        "parallel": (".trial", len(trials)),
        "scatter": (".point", points * len(report["parameters"])),
        "rungs": (".place", len(report["rungs"])),
        "timeline": (".bar", len(report["segments"])),
    }
    for name, (mark, wanted) in expected.items():
        found = count(page, f"[data-chart={name}] {mark}")
        check(f"the chart {name} has its {wanted} marks", found == wanted > 0, found)
    check("each chart that marks trials marks the winner",
          all(count(page, f"[data-chart={name}] .winner") > 0 for name in expected))
    places = ask(page, "[...document.querySelectorAll('[data-chart=best] circle')]"
                       ".every(c => +c.getAttribute('cx') > 0 && +c.getAttribute('cy') > 0)")
    check("points have places", places)


def check_script(page):
    """Each module is in the page's script, behind those that it imports from."""
    script = page.find_element(By.CSS_SELECTOR, "script[type=module]").get_attribute("textContent")
    places, imports = {}, []
    for name in sorted(os.listdir(browser.WEB)):
        if name.endswith(".js"):
            with open(os.path.join(browser.WEB, name)) as file:
                lines = file.read().splitlines()
            places[name] = script.find("\n".join(
                line.removeprefix("export ") for line in lines if not line.startswith("import ")))
            imports += [(name, imported) for line in lines
                        for imported in re.findall(r'^import .* from "./(.*)";$', line)]
    wrong = [pair for pair in imports if places[pair[1]] > places[pair[0]]]
    check("the page's script has every module, each behind what it imports",
          len(imports) > 10 and -1 not in places.values() and wrong == [], (places, wrong))


# ---- interaction ----

def check_tips(page):
    first = page.find_element(By.CSS_SELECTOR, "[data-chart=best] [tabindex='0']")
    page.execute_script("arguments[0].focus()", first)
    tip = page.find_element(By.ID, "tip")
    before = tip.text
    check("a mark with the focus says what it is", before.startswith("trial "), before)
    page.switch_to.active_element.send_keys(Keys.ARROW_RIGHT)
    check("the arrow keys go to the next mark", tip.text.startswith("trial ")
          and tip.text != before, tip.text)
    page.switch_to.active_element.send_keys(Keys.ESCAPE)
    check("Escape closes the tip", not tip.is_displayed())
    mark = page.find_element(By.CSS_SELECTOR, "[data-chart=rungs] .place.stopped")
    page.execute_script("arguments[0].scrollIntoView({block: 'center'})", mark)
    ActionChains(page, duration=20).move_to_element(mark).perform()
    check("a place in a rung says why it was stopped", "stopped: " in tip.text, tip.text)
    ActionChains(page, duration=20).move_by_offset(0, -200).perform()


def check_brush(page):
    area = page.find_element(By.CSS_SELECTOR, "[data-chart=parallel] .brush")
    page.execute_script("arguments[0].scrollIntoView({block: 'center'})", area)
    ActionChains(page, duration=20).move_to_element_with_offset(area, 0, -150).click_and_hold() \
        .move_by_offset(0, 120).release().perform()
    trials, faded = (count(page, "[data-chart=parallel] .trial" + more)
                     for more in ("", ".faded"))
    said = page.find_element(By.CSS_SELECTOR, "[data-chart=parallel] .remark-line").text
    check("a range dragged on an axis leaves the trials within it", 0 < faded < trials
          and said.startswith(f"{trials - faded} trial"), (trials, faded, said))
    area.send_keys(Keys.ESCAPE)
    check("Escape takes the range away", count(page, "[data-chart=parallel] .faded") == 0)


def check_cells(page):
    report = report_of(page)
    wrong = {key: images for key, images in report["cells"].items()
             if len(set(key.split(","))) == 2}
    key = max(wrong, key=lambda k: len(wrong[k]))
    label, predicted = key.split(",")
    cell = page.find_element(
        By.CSS_SELECTOR, f"#confusion rect[data-label='{label}'][data-predicted='{predicted}']")
    page.execute_script("arguments[0].scrollIntoView({block: 'center'})", cell)
    ActionChains(page, duration=20).move_to_element(cell).click().perform()
    shown = count(page, "#cell .specimen")
    check("a click on a cell shows its images", shown == min(len(wrong[key]), 12), shown)
    boxes = ask(page, "[...document.querySelectorAll('#cell .digit')].map(s => s.getAttribute("
                      "'viewBox').split(' ').map(Number))")
    images = report["images"]
    check("they are those of the cell", boxes == [
        [index % images["columns"] * images["width"], index // images["columns"]
         * images["height"], images["width"], images["height"]]
        for index in wrong[key][:12]], boxes)
    share = page.find_element(By.CSS_SELECTOR, "#cell .odds .share").text
    most = images["entries"][wrong[key][0]]["probability"]
    check("with their probabilities", share == f"{most * 100:.1f} %", (share, most))
    page.find_element(By.CSS_SELECTOR, "#cell .close").click()
    check("and can be closed", not page.find_element(By.ID, "cell").is_displayed())
    check("which gives the focus back to it", page.switch_to.active_element == cell)
    page.switch_to.active_element.send_keys(Keys.ENTER)
    check("the Enter key opens a cell too", page.find_element(By.ID, "cell").is_displayed())
    check("pixels of the images are there", ask(page, PIXELS))


# Whether the picture with all images can be decoded and is not of one colour.
PIXELS = """(() => {
    const sprite = document.getElementById("sprite"), box = sprite.getBBox();
    return sprite.getAttribute("href").startsWith("data:image/png;base64,")
        && box.width > 0 && box.height > 0;
})()"""


# What the page's network makes of the stored images: how far its probabilities are from the
# trainer's at most, of how many images.
NETWORK = """
const [data, sprite, done] = arguments;
const picture = new Image();
picture.onload = async () => {
    const {loadNetwork, networkLogits, softmax} = await import("/network.js");
    const network = loadNetwork(data.network), {width, height, columns, entries} = data.images;
    const canvas = document.createElement("canvas");
    canvas.width = picture.naturalWidth;
    canvas.height = picture.naturalHeight;
    const context = canvas.getContext("2d");
    context.drawImage(picture, 0, 0);
    let furthest = 0;
    entries.forEach((entry, i) => {
        const pixels = context.getImageData(i % columns * width, Math.floor(i / columns) * height,
                                            width, height).data;
        const image = Float32Array.from({length: width * height}, (_, p) => pixels[4 * p] / 255);
        const shares = softmax(networkLogits(network, image));
        shares.forEach((share, c) => {
            furthest = Math.max(furthest, Math.abs(share - entry.probabilities[c]));
        });
    });
    done([furthest, entries.length]);
};
picture.src = sprite;
"""


def check_weights(page, path):
    """Asked from a page beside the modules, which a page of one file does not give out."""
    report = report_of(page)
    sprite = page.find_element(By.ID, "sprite").get_attribute("href")
    place = folder("page-modules")
    with open(os.path.join(place, "empty.html"), "w") as file:
        file.write("<!DOCTYPE html><title>test</title><link rel=icon href='data:,'>")
    server, address = browser.serve(place)
    page.get(address + "/test/empty.html")
    furthest, images = page.execute_async_script(NETWORK, report, sprite)
    check("the network in the page gives the stored images the stored probabilities",
          furthest < 1e-4 and images >= 80, (furthest, images))
    server.shutdown()
    open_page(page, path)


# ---- drawing ----

ONE = [(0, y) for y in range(-95, 96, 19)]
ZERO = [(62 * math.sin(i * math.pi / 12), -90 * math.cos(i * math.pi / 12)) for i in range(25)]


def draw(page, stroke):
    canvas = page.find_element(By.CSS_SELECTOR, "#draw canvas.paper")
    page.execute_script("arguments[0].scrollIntoView({block: 'center'})", canvas)
    actions = ActionChains(page, duration=5)
    for i, (x, y) in enumerate(stroke):
        actions.move_to_element_with_offset(canvas, round(x), round(y))
        if i == 0:
            actions.click_and_hold()
    actions.release().perform()
    browser.settle(page)


def answers(page, expected):
    """Whether the answer becomes that; a slow network answers a while after a stroke."""
    return wait_until(lambda: page.find_element(By.CSS_SELECTOR, "#draw .answer").text == expected,
                      10)


def check_drawing(page):
    check("before anything is drawn there is no answer", answers(page, "?"), odds(page))
    draw(page, ONE)
    check("a drawn 1 is taken for a 1", answers(page, "1"), odds(page))
    sure = page.find_element(By.CSS_SELECTOR, "#draw .sure").text
    check("with a probability", re.fullmatch(r"\d+\.\d % sure", sure), sure)
    page.find_element(By.CSS_SELECTOR, "#draw canvas.paper").send_keys(Keys.DELETE)
    check("the Delete key clears the drawing", answers(page, "?"), odds(page))
    draw(page, ZERO)
    check("a drawn 0 is taken for a 0", answers(page, "0"), odds(page))
    rows = odds(page)
    check("every class has its probability, together 1", len(rows) == 10
          and abs(sum(rows) - 100) < 1, rows)
    draw(page, ONE)
    page.find_element(By.XPATH, "//*[@id='draw']//button[text()='Undo']").click()
    check("Undo takes the last stroke away", answers(page, "0"), odds(page))
    page.find_element(By.XPATH, "//*[@id='draw']//button[text()='Clear']").click()
    check("Clear takes all away", answers(page, "?"), odds(page))


def odds(page):
    return [float(share.text.split()[0])
            for share in page.find_elements(By.CSS_SELECTOR, "#draw .odds .share")]


# ---- looks ----

def check_widths(page, what=""):
    for width in (390, 1280, 1920):
        browser.resize(page, width)
        result = browser.overlaps(page)
        check(f"{what}at {width} pixels nothing overlaps", result["texts"] > 100
              and result["found"] == [], (result["texts"], result["found"][:12]))
    browser.resize(page, 1280)


# Makes of its trials a table of 600 rows.
LENGTHEN = """(() => {
    const box = document.querySelector("#trials .listing"), body = box.querySelector("tbody");
    const rows = [...body.children];
    while (body.children.length < 600)
        body.append(...rows.map(row => row.cloneNode(true)));
})()"""
SCROLL = """(share => {
    const box = document.querySelector("#trials .listing");
    box.scrollTop = box.scrollHeight * share;
})(arguments[0])"""
# How high the box of the table is, and the table, and how far below the box's edge its head is.
LISTING = """(() => {
    const height = element => element.getBoundingClientRect().height;
    const top = element => element.getBoundingClientRect().top;
    const box = document.querySelector("#trials .listing"), table = box.querySelector("table");
    return [height(box), height(table), top(table.querySelector("th")) - top(box)];
})()"""


def check_listing(page):
    """A table of many trials."""
    ask(page, LENGTHEN)
    for width in (390, 1280):
        ask(page, SCROLL, 0.5)
        browser.resize(page, width)
        box, table, head = ask(page, LISTING)
        check(f"at {width} pixels many trials are in a box that scrolls, its head in sight",
              box <= 720 and table > 10000 and abs(head) < 1, (box, table, head))
        ask(page, SCROLL, 0)
        result = browser.overlaps(page)
        check("and nothing overlaps", result["found"] == [], result["found"][:12])
    browser.emulate(page, "print")
    box, table, head = ask(page, LISTING)
    check("all of them are printed", abs(box - table) < 1 and table > 10000, (box, table, head))
    browser.emulate(page)


def luminance(colour):
    red, green, blue = (int(part) for part in re.findall(r"\d+", colour)[:3])
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def colours(page):
    """How light paper, text, the best line and a tick's label are."""
    return [luminance(colour) for colour in ask(page, """(() => {
        const style = selector => getComputedStyle(document.querySelector(selector));
        return [style("body").backgroundColor, style("body").color,
                style("[data-chart=best] .best").stroke, style("[data-chart=best] .tick").fill];
    })()""")]


def check_schemes(page):
    for what, media, scheme, dark in (("in the light", "", "light", False),
                                      ("in the dark", "", "dark", True),
                                      ("on paper, also in the dark", "print", "dark", False)):
        browser.emulate(page, media, scheme)
        paper, *marks = colours(page)
        right = paper < 60 if dark else paper > 240
        check(f"the page can be read {what}",
              right and all(abs(paper - mark) > 70 for mark in marks), (paper, marks))
    check("the canvas is not printed", not page.find_element(By.ID, "draw").is_displayed())
    widths = ask(page, "[...document.querySelectorAll('[data-chart] svg')]"
                       ".map(s => s.viewBox.baseVal.width)")
    check("charts are drawn anew for paper", max(widths) < 800, widths)
    pdf = base64.b64decode(page.execute_cdp_cmd("Page.printToPDF", {})["data"])
    pages = len(re.findall(rb"/Type\s*/Page\b", pdf))
    check("it can be printed", pdf.startswith(b"%PDF") and 3 <= pages <= 30, pages)
    browser.emulate(page)


# ---- what comes from outside ----

def check_hostile(page, home):
    """A choice that is markup, put into the database of the study."""
    other = folder("page-hostile")
    for name in os.listdir(home):
        if name.startswith("trials.db"):
            shutil.copy(os.path.join(home, name), other)
    database = sqlite3.connect(os.path.join(other, "trials.db"))
    quoted = HOSTILE.replace('"', '\\"')
    database.execute("UPDATE recorded_parameters SET choices = replace(choices, 'tanh', ?)",
                     (quoted,))
    database.execute("UPDATE recorded_trials SET parameters = replace(parameters, 'tanh', ?)",
                     (quoted,))
    database.execute("UPDATE recorded_trial_parameters SET value = ? WHERE value = 'tanh'",
                     (HOSTILE,))
    database.commit()
    database.close()
    code, out, err = run(other, "report", "page")
    check("a study with a choice that is markup is reported", code == 0, out + err)
    path = os.path.join(other, "reports", "page", "index.html")
    open_page(page, path)
    alert = ask(page, "document.scripts.length")
    check("a choice named <script> is not run", alert == 2 and browser.console_errors(page) == [],
          alert)
    check("it makes no elements", count(page, "b[onclick]") == 0)
    texts = ask(page, "[...document.querySelectorAll('[data-chart=scatter] text title, "
                      "[data-chart=parallel] text title')].map(t => t.textContent)")
    check("the charts show it", texts.count(HOSTILE) == 2, texts)
    check("the table of trials shows it", HOSTILE in ask(
        page, "[...document.querySelectorAll('.trials td')].map(t => t.textContent)"))
    mark = ask(page, "[...document.querySelectorAll('[data-chart=scatter] svg')].at(-1)"
                     ".querySelector('.point')")
    page.execute_script("arguments[0].dispatchEvent(new FocusEvent('focusin', {bubbles: true}))",
                        mark)
    tip = page.find_element(By.ID, "tip").get_attribute("textContent")
    check("a tip shows it as text", "activation = " in tip
          and count(page, "#tip b, #tip script") == 0, tip)
    check_widths(page, "with a long name ")


def main():
    home = folder("page")
    path = write_report(home)
    page = browser.start()
    try:
        check_alone(page, path)
        check_script(page)
        check_marks(page)
        check_tips(page)
        check_brush(page)
        check_cells(page)
        check_weights(page, path)
        check_drawing(page)
        check_widths(page)
        check_schemes(page)
        check_listing(page)
        check_hostile(page, home)
    finally:
        page.quit()
    finish()


main()
