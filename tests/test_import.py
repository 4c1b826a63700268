"""`tuner import` of a CSV, `tuner export --csv` and `--json`, and what an imported study is to
the other commands."""
import csv
import io
import json
import os
import sqlite3
import subprocess

import harness
from harness import check, finish, folder, run, write_study
from patience import patient

HOME = folder("import")


def put(name, text, mode="w"):
    path = os.path.join(HOME, name)
    with open(path, mode, **({} if "b" in mode else {"newline": ""})) as file:
        file.write(text)
    return path


def trials(study, columns="trial, state, value, parameters"):
    return harness.rows(HOME, f"SELECT {columns} FROM trials WHERE study = ? ORDER BY trial", study)


def test_types():
    path = put("types.csv", "\ufeffrate,size,kind,fast,note,val_loss\r\n"
               "0.5,1,relu,true,\"a,\"\"b\"\"\nc\",0.25\r\n"
               "1e-3,32,tanh,FALSE,,0.125\r\n"
               "\r\n"
               "2,-7,true,true,é <b>,nan\r\n")
    done = run(HOME, "import", path, "--value", "val_loss")
    check("a CSV is imported under the file's name", done[0] == 0
          and done[1] == "study types: 3 trials, 5 parameters, finished\n", done)
    check("types follow from what is there", harness.rows(
        HOME, "SELECT name, type, low, high, choices FROM parameters WHERE study = 'types' ORDER BY position")
        == [("rate", "float", 0.001, 2.0, None), ("size", "int", -7, 32, None),
            ("kind", "categorical", None, None, '["relu","tanh","true"]'), ("fast", "bool", None, None, None),
            ("note", "categorical", None, None, '["a,\\"b\\"\\nc","é <b>"]')])
    rows = trials("types")
    check("values and parameters are those of the file, an empty cell is none",
          [(row[0], row[1], row[2], json.loads(row[3])) for row in rows] == [
              (0, "completed", 0.25, {"rate": 0.5, "size": 1, "kind": "relu", "fast": True, "note": 'a,"b"\nc'}),
              (1, "completed", 0.125, {"rate": 0.001, "size": 32, "kind": "tanh", "fast": False}),
              (2, "failed", None, {"rate": 2.0, "size": -7, "kind": "true", "fast": True, "note": "é <b>"})], rows)
    check("a loss is minimized, and the least one wins", harness.rows(
        HOME, "SELECT metric, goal, winner, state, sampler, scheduler FROM studies WHERE study = 'types'")
        == [("val_loss", "minimize", 1, "finished", "imported", "imported")])
    check("it has its wide view", harness.rows(HOME, "SELECT size FROM study_types ORDER BY trial")
          == [(1,), (32,), (-7,)])
    check("and where it comes from", harness.rows(HOME, "SELECT format, name FROM imports") == [("csv", "types")]
          and harness.rows(HOME, "SELECT note FROM studies")[0][0] == "imported from " + path)


def test_other_commands():
    done = run(HOME, "list")
    check("list shows it", "types" in done[1] and "imported" in done[1], done)
    done = run(HOME, "trials", "types", "--json")
    check("trials shows it", len(json.loads(done[1])) == 3, done)
    done = [[row["trial"] for row in json.loads(run(HOME, "trials", "types", "--sort", "value", *limit, "--json")[1])]
            for limit in ((), ("--limit", "1"), ("--limit", "3"), ("--limit", "9"))]
    check("by value, the one without a value comes last", done == [[1, 0, 2], [1], [1, 0, 2], [1, 0, 2]], done)
    done = run(HOME, "best", "types")
    check("best shows it, and that there is no model", "best trial     1 of study types" in done[1]
          and "the study was imported" in done[1], done)
    done = run(HOME, "report", "types")
    check("a report says that there is nothing to report on", done[0] != 0 and "was imported" in done[2], done)
    done = run(HOME, "best", "types", "--model", HOME + "/model")
    check("there is no model to be had", done[0] != 0 and "no final model" in done[2], done)
    done = run(HOME, "sql", "--query", "by_parameter", "types", "--json")
    check("ready queries answer about it", len(json.loads(done[1])) == 9, done)
    path = write_study(HOME, "types")
    done = run(HOME, "run", path)
    check("no study of its name is run over it", done[0] == 65 and len(trials("types")) == 3, done)


def test_options():
    path = put("plain.csv", "x,score\n1,3\n2,4\n")
    for arguments, code, part in (
            ((path,), 65, "--value"),
            ((path, "--value", "score"), 64, "--goal"),
            ((path, "--value", "score", "--goal", "up"), 64, "one of maximize|minimize"),
            ((path, "--value", "score", "--goal", "maximize", "--name", "1x"), 64, "--name"),
            ((path, "--value", "score", "--goal", "maximize", "--name", "select"), 64, "SQL"),
            ((path, "--value", "score", "--metric", "a b", "--goal", "maximize"), 64, "--metric"),
            ((), 64, "FILE is needed"),
            ((HOME + "/none.csv",), 65, "none.csv")):
        done = run(HOME, "import", *arguments)
        check(f"{arguments[1:]}: is refused with a hint", done[0] == code and part in done[2], done)
    done = run(HOME, "import", path, "--value", "score", "--goal", "maximize", "--metric", "points",
               "--name", "mine")
    check("the study is named, and so is the metric", done[0] == 0 and harness.rows(
        HOME, "SELECT metric, goal, winner FROM studies WHERE study = 'mine'") == [("points", "maximize", 1)], done)
    done = run(HOME, "import", path, "--value", "score", "--goal", "maximize", "--name", "MINE")
    check("a name that is there is refused, in any case", done[0] == 65 and "already" in done[2], done)
    odd = put("2 odd-name.x.csv", "x,value\n1,3\n")
    done = run(HOME, "import", odd, "--goal", "minimize")
    check("a name is made of the file's", done[0] == 0 and "study study_2_odd_name:" in done[1], done)
    check("import --help tells", "Usage: tuner import" in run(HOME, "import", "--help")[1])


def test_hostile_files():
    before = harness.rows(HOME, "SELECT count(*) FROM studies")
    for name, content, part in (
            ("empty", b"", "empty"),
            ("header", b"x,value\n", "no trial"),
            ("binary", bytes(range(256)), "no UTF-8"),
            ("zero", b"x,value\n1,2\0\n", "zero.csv:2: the file is no UTF-8"),
            ("ragged", b"x,value\n1,2\n3\n", "ragged.csv:3: the line has 1 cells, the first has 2"),
            ("quote", b"x,value\n\"1,2\n", "quote.csv:2: a quote is opened"),
            ("after", b"x,value\n\"1\"2,2\n", "after a closing quote"),
            ("twice", b"x,X,value\n1,2,3\n", "two columns are named"),
            ("nameless", b"x,,value\n1,2,3\n", "column 2 has no name"),
            ("hollow", b"x,y,value\n1,,3\n", "column y is empty"),
            ("word", b"x,value\n1,many\n", "'many' is no number"),
            ("wide", b",".join(b"c%d" % i for i in range(3000)) + b"\n", "2000 columns"),
            ("repeated", b"trial,state,bracket,epochs,value,rank,x\n1,completed,0,1,2,1,3\n"
                         b"1,completed,0,1,2,1,4\n", "two lines of trial 1"),
            ("negative", b"trial,state,bracket,epochs,value,rank,x\n-1,completed,0,1,2,1,3\n", "'-1' is no number")):
        path = put(name + ".csv", content, "wb")
        done = run(HOME, "import", path, "--goal", "maximize")
        check(f"{name}: is refused, {part}", done[0] == 65 and part in done[2] and name in done[2], done)
    done = run(HOME, "import", HOME, "--goal", "maximize")
    check("a folder is refused", done[0] == 65, done)
    strange = put("\udcff.csv", b"x,value\n1,2\n", "wb") # a byte that is no UTF-8
    done = subprocess.run([harness.TUNER, "import", strange, "--goal", "maximize"], check=False,
                          env=harness.environment(HOME), capture_output=True, timeout=patient(60))
    check("a path that is no UTF-8 is refused",
          done.returncode == 65 and b"not valid UTF-8" in done.stderr, done)
    many = "x,value\n" + "".join(f"{i},{i}\n" for i in range(20000))
    done = run(HOME, "import", put("many.csv", many), "--goal", "maximize")
    check("many trials are imported", done[0] == 0 and harness.rows(
        HOME, "SELECT count(*), max(winner) FROM recorded_trials t JOIN studies s ON s.id = t.study"
              " WHERE s.study = 'many'") == [(20000, 19999)], done)
    check("nothing is left of what was refused",
          harness.rows(HOME, "SELECT count(*) FROM studies") == [(before[0][0] + 1,)]
          and harness.integrity(HOME) == [("ok",)])


def forget_trial(home, number):
    """As if it had begun only after the trials were read, and before their epochs are."""
    with sqlite3.connect(home + "/trials.db") as database:
        database.execute("DELETE FROM recorded_trials WHERE study = 1 AND trial = ?", (number,))


def test_exports():
    home = folder("searched")
    done = run(home, "run", write_study(home, "s", 3, "{scheduler: hyperband, max_epochs: 4, eta: 2}"),
               fake="diverge=2:1!")
    check("a study runs", done[0] == 0, done)
    done = run(home, "export", "S", "--csv", home + "/s.csv", "--json", home + "/s.json")
    check("it is exported as CSV and JSON at once", done[0] == 0 and done[1].count("written") == 2, done)
    with open(home + "/s.csv", newline="") as file:
        content = file.read()
    rows = list(csv.DictReader(io.StringIO(content, newline="")))
    direct = harness.rows(home, "SELECT t.trial, t.state, t.bracket, t.epochs, t.value, l.rank, t.parameters"
                                " FROM trials t LEFT JOIN leaderboard l USING (study, trial) ORDER BY t.trial")
    check("the CSV has a line for each trial, with every digit", content.count("\r\n") == len(direct) + 1 and [
        (int(row["trial"]), row["state"], int(row["bracket"]), int(row["epochs"]),
         float(row["value"]) if row["value"] else None, int(row["rank"]) if row["rank"] else None,
         float(row["dropout"])) for row in rows]
        == [(*row[:6], json.loads(row[6])["dropout"]) for row in direct], content[:300])
    with open(home + "/s.json") as file:
        history = json.load(file)
    check("the JSON has the study", [history[key] for key in ("study", "metric", "goal", "scheduler", "eta")]
          == ["s", "val_accuracy", "maximize", "hyperband", 2] and len(history["parameters"]) == 4, history.keys())
    check("and its trials", [(trial["trial"], trial["state"], trial["bracket"], trial["epochs"], trial["value"],
                              trial["rank"], trial["parameters"]) for trial in history["trials"]]
          == [(*row[:6], json.loads(row[6])) for row in direct])
    curves = harness.rows(home, "SELECT trial, epoch, train_loss, val_accuracy FROM curves ORDER BY 1, 2")
    check("and their epochs", [(trial["trial"], point["epoch"], point["train_loss"], point["val_accuracy"])
                               for trial in history["trials"] for point in trial["curve"]] == curves)
    done = run(home, "import", home + "/s.csv", "--name", "copy", "--metric", "val_accuracy")
    query = "SELECT trial, state, value, parameters FROM trials WHERE study = ? ORDER BY trial"
    check("our own CSV is imported with its states",
          done[0] == 0 and harness.rows(home, query, "copy") == harness.rows(home, query, "s"), done)
    check("and the same trial wins", harness.rows(home, "SELECT count(DISTINCT winner) FROM studies") == [(1,)])
    forget_trial(home, 1)
    done = run(home, "export", "s", "--json", home + "/less.json", timeout=20)
    with open(home + "/less.json") as file:
        left = [trial for trial in history["trials"] if trial["trial"] != 1]
        check("epochs of a trial that is not among the trials are passed over", done[0] == 0 and
              [trial["curve"] for trial in json.load(file)["trials"]] ==
              [trial["curve"] for trial in left], done)
    done = run(home, "export", "s", "--csv", home + "/none/s.csv")
    check("a folder that is not there is told", done[0] != 0 and "none/s.csv" in done[2], done)
    done = run(home, "export", "nosuch", "--csv", home + "/x.csv")
    check("a study that is not there is told", done[0] == 65 and "nosuch" in done[2]
          and not os.path.exists(home + "/x.csv"), done)


test_types()
test_other_commands()
test_options()
test_hostile_files()
test_exports()
finish()
