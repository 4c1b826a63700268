"""A headless Chromium for the tests of pages, and a server of files on loopback."""
import functools
import http.server
import json
import os
import tempfile
import threading

from selenium import webdriver
from selenium.webdriver.chrome.service import Service

from harness import SCRATCH, TOP

WEB = os.path.join(TOP, "reports", "web")


def start(width=1280, height=900):
    """The browser; quit() it.  It looks at nothing but what it is given: a request to anywhere
    else than loopback fails at once."""
    options = webdriver.ChromeOptions()
    for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
                     "--disable-dev-shm-usage", "--disable-background-networking",
                     "--force-device-scale-factor=1", "--proxy-server=127.0.0.1:9",
                     f"--window-size={width},{height}",
                     "--user-data-dir=" + tempfile.mkdtemp(dir=SCRATCH, prefix="chromium-")):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    browser = webdriver.Chrome(service=Service("/usr/bin/chromedriver"), options=options)
    browser.set_script_timeout(60)
    return browser


def resize(browser, width, height=900):
    """Exact also where a window cannot be so narrow."""
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride",
                            {"width": width, "height": height, "deviceScaleFactor": 1,
                             "mobile": False})
    settle(browser)


def emulate(browser, media="", scheme="light"):
    """`media`: "print" or "" for the screen; `scheme`: light or dark."""
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia",
                            {"media": media,
                             "features": [{"name": "prefers-color-scheme", "value": scheme}]})
    settle(browser)


def settle(browser):
    """Waits until what was asked for has been drawn."""
    browser.execute_async_script(
        "const done = arguments[0];"
        "requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done, 30)));")


def console_errors(browser):
    return [entry["message"] for entry in browser.get_log("browser")
            if entry["level"] in ("SEVERE", "WARNING")]


def requests(browser):
    """The addresses that were asked for since the last time."""
    messages = [json.loads(entry["message"])["message"]
                for entry in browser.get_log("performance")]
    return [message["params"]["request"]["url"] for message in messages
            if message["method"] == "Network.requestWillBeSent"]


# Texts that lie on each other: pairs of lines of text that both are visible and share more than
# two pixels in both directions, and what reaches over the page's edge.
OVERLAPS = """(() => {
    const texts = [], walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    const clips = new Map();
    const clipOf = element => {
        const box = element.closest(".scroll, pre");
        if (box && !clips.has(box))
            clips.set(box, box.getBoundingClientRect());
        return box ? clips.get(box)
                   : {left: 0, right: innerWidth, top: -Infinity, bottom: Infinity};
    };
    while (walker.nextNode()) {
        const node = walker.currentNode, parent = node.parentElement;
        if (!node.textContent.trim() || parent.closest("script, title, noscript, #tip")
            || !parent.checkVisibility())
            continue;
        const range = document.createRange(), clip = clipOf(parent);
        range.selectNodeContents(node);
        for (const box of range.getClientRects()) {
            const left = Math.max(box.left, clip.left), right = Math.min(box.right, clip.right);
            const top = Math.max(box.top, clip.top), bottom = Math.min(box.bottom, clip.bottom);
            if (right - left > 0.5 && bottom > top)
                texts.push({text: node.textContent.trim().slice(0, 30), left, right, top, bottom,
                            far: box.right, clipped: clip.right < innerWidth,
                            size: parseFloat(getComputedStyle(parent).fontSize)});
        }
    }
    const found = [];
    texts.sort((a, b) => a.top - b.top);
    for (let i = 0; i < texts.length; i++) {
        const a = texts[i];
        if (!a.clipped && a.far > innerWidth + 0.5)
            found.push(a.text + " reaches over the edge");
        for (let k = i + 1; k < texts.length && texts[k].top < a.bottom; k++) {
            const b = texts[k], slack = 2 + 0.1 * Math.max(a.size, b.size);
            if (Math.min(a.right, b.right) - Math.max(a.left, b.left) > 2
                && Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > slack)
                found.push(a.text + " | " + b.text);
        }
    }
    if (document.documentElement.scrollWidth > innerWidth)
        found.push("the page is " + document.documentElement.scrollWidth + " pixels wide");
    const blocks = [...document.querySelectorAll("section > *, .panels > *, .drawing > *")]
        .filter(e => e.checkVisibility()).map(e => [e, e.getBoundingClientRect()]);
    for (const [a, boxA] of blocks)
        for (const [b, boxB] of blocks)
            if (a !== b && a.parentElement === b.parentElement && boxA.top <= boxB.top
                && Math.min(boxA.bottom, boxB.bottom) - boxB.top > 1
                && Math.min(boxA.right, boxB.right) - Math.max(boxA.left, boxB.left) > 1)
                found.push(`<${a.tagName} ${a.className}> is on <${b.tagName} ${b.className}>`);
    return {texts: texts.length, found};
})()"""


def overlaps(browser):
    """{texts: how many lines of text there are, found: what lies on what, in words}."""
    return browser.execute_script("return " + OVERLAPS)


class Files(http.server.SimpleHTTPRequestHandler):
    """Files of the web folder; under /test/ what a test has put there."""
    extensions_map = {"": "application/octet-stream", ".js": "text/javascript",
                      ".css": "text/css", ".html": "text/html; charset=utf-8"}

    def translate_path(self, path):
        if path.startswith("/test/"):
            return os.path.join(self.test_folder, os.path.basename(path))
        return super().translate_path(path)

    def __init__(self, *arguments, test_folder, **more):
        self.test_folder = test_folder
        super().__init__(*arguments, **more)

    def log_message(self, *arguments):
        pass


def serve(test_folder):
    """(server, address); shutdown() it."""
    handler = functools.partial(Files, directory=WEB, test_folder=test_folder)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server, f"http://127.0.0.1:{server.server_address[1]}"
