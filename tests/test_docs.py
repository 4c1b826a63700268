"""What README.md and docs/ show is true: their studies pass, their files are there."""
import glob
import os
import re

import examples
import harness
from harness import check, finish, folder

os.environ["MNIST_DIR"] = ""


def blocks(path, language):
    with open(os.path.join(harness.TOP, path)) as file:
        return re.findall(rf"^```{language}\n(.*?)^```", file.read(), re.M | re.S)


def test_studies():
    studies = [(path, text) for path in ("README.md", "docs/search_spaces.md")
               for text in blocks(path, "yaml") if text.startswith("study:")]
    check("README and docs/search_spaces.md each show a study",
          [path for path, _ in studies] == ["README.md", "docs/search_spaces.md"], studies)
    home = folder("docs")
    for path, text in studies:
        file = os.path.join(home, "study.yaml")
        with open(file, "w") as stream:
            stream.write(text.replace("dataset: mnist", "dataset: synthetic"))
        done = harness.run(home, "check", file, trainer=harness.TRAINER)
        check(f"the study of {path} passes the check", done[0] == 0, done)


def test_files():
    """Every `room/file` and every `file`, which is in the room named last in its line."""
    with open(os.path.join(harness.TOP, "README.md")) as file:
        text = file.read()
    missing = []
    for line in text.splitlines():
        room = ""
        for name in re.findall(r"`([a-z_/]+\.(?:[ch]|md|sql|sh))`", line):
            room = os.path.dirname(name) or room
            found = glob.glob(os.path.join(harness.TOP, room or "*", os.path.basename(name)))
            if not found:
                missing.append(name)
    check("every file that README names is there", not missing, missing)
    links = [link for path in ["README.md", *glob.glob("docs/*.md")]
             for link in re.findall(r"\]\(([^)#]+)\)", open(path).read())
             if "://" not in link and not os.path.exists(
                 os.path.join(harness.TOP, os.path.dirname(path), link))]
    check("every link of README and docs leads somewhere", not links, links)


def test_queries():
    with open(os.path.join(harness.TOP, "docs/database.md")) as file:
        named = set(re.findall(r"^\| `(\w+\.sql)`", file.read(), re.M))
    there = {os.path.basename(path) for path in glob.glob(harness.TOP + "/db/queries/*.sql")}
    check("docs/database.md lists each ready query", named == there, named ^ there)


def test_examples():
    with open(os.path.join(harness.TOP, "docs/database.md")) as file:
        text = file.read()
    made = examples.filled_in(text)
    wrong = [(given, true) for given, true in zip(text.splitlines(), made.splitlines()) if given != true]
    check("the examples of docs/database.md print what it says", text == made, wrong[:4])
    queries = " ".join(command for block in examples.blocks(text) for command, _ in examples.split(block))
    with open(os.path.join(harness.TOP, "db/views.sql")) as file:
        views = re.findall(r"^CREATE VIEW (\w+)", file.read(), re.M)
    missing = [view for view in [*views, "study_digits"] if not re.search(rf"(FROM|JOIN) {view}\b", queries)]
    check("it has an example of each view", len(views) > 20 and not missing, missing)


test_studies()
test_files()
test_queries()
test_examples()
finish()
