"""A study as an Optuna storage and back: Debian's python3-optuna reads ours and makes those
that are imported."""
import json
import math
import os
import sqlite3
import warnings

import optuna
import sqlalchemy

import harness
from harness import check, finish, folder, run, write_study

optuna.logging.set_verbosity(optuna.logging.ERROR)


@sqlalchemy.event.listens_for(sqlalchemy.engine.Engine, "connect")
def do_not_sync(connection, _):
    """Optuna commits each step of each trial; a test needs none of them after a power cut."""
    connection.execute("PRAGMA synchronous = OFF")


STATES = {"completed": "COMPLETE", "stopped": "PRUNED", "failed": "FAIL"}


def load(path, name):
    """Opens it as its users do; no warning may be given."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return optuna.load_study(study_name=name, storage=f"sqlite:///{path}")


def study_of(home):
    """A search with every state, by the tests' trainer."""
    path = write_study(home, "searched", 3, "{scheduler: hyperband, max_epochs: 4, eta: 2}")
    done = run(home, "run", path, fake="diverge=2:1!")
    check("the study runs", done[0] == 0, done)


HOME = folder("optuna")
study_of(HOME)


def test_export():
    path = HOME + "/out.db"
    done = run(HOME, "export", "searched", "--optuna", path)
    check("the study is exported", done[0] == 0 and path in done[1], done)
    study = load(path, "searched")
    rows = harness.rows(HOME, "SELECT trial, state, value, parameters, bracket, epochs FROM trials"
                              " ORDER BY trial")
    trials = study.trials
    check("Optuna finds every trial", [trial.number for trial in trials] == [row[0] for row in rows])
    check("and their states", [trial.state.name for trial in trials] == [STATES[row[1]] for row in rows]
          and {row[1] for row in rows} == set(STATES), rows)
    check("and their values", [trial.value for trial in trials] == [row[2] for row in rows])
    check("and their parameters, each of its type",
          [json.dumps(trial.params, sort_keys=True) for trial in trials]
          == [json.dumps(json.loads(row[3]), sort_keys=True) for row in rows])
    check("and where they were", [(trial.user_attrs["bracket"], trial.user_attrs["epochs"]) for trial in trials]
          == [row[4:] for row in rows])
    curves = {}
    for trial, epoch, value in harness.rows(HOME, "SELECT trial, epoch, val_accuracy FROM curves"):
        curves.setdefault(trial, {})[epoch] = value
    check("and the objective after each epoch",
          [trial.intermediate_values for trial in trials] == [curves[row[0]] for row in rows])
    distributions = optuna.distributions
    check("and the ranges that were searched", trials[0].distributions == {
        "filters": distributions.IntDistribution(8, 64, step=8),
        "dropout": distributions.FloatDistribution(0, 0.5),
        "learning_rate": distributions.FloatDistribution(1e-4, 1e-2, log=True),
        "batch_size": distributions.CategoricalDistribution([32, 64, 128, 256])}, trials[0].distributions)
    winner = harness.rows(HOME, "SELECT winner FROM studies")[0][0]
    check("its best trial is our winner", study.best_trial.number == winner
          and study.direction.name == "MAXIMIZE" and study.user_attrs == {"metric": "val_accuracy"})
    started = harness.rows(HOME, "SELECT started_ms FROM trials ORDER BY trial")
    check("times are the same", [round(trial.datetime_start.timestamp() * 1000) for trial in trials]
          == [row[0] for row in started])
    version = optuna.storages.RDBStorage(f"sqlite:///{path}")
    check("its version is Optuna's own", version.get_current_version() == version.get_head_version())
    study.optimize(lambda trial: trial.suggest_float("dropout", 0, 0.5), n_trials=1)
    check("Optuna goes on with it", len(load(path, "searched").trials) == len(rows) + 1)
    done = run(HOME, "export", "searched", "--optuna", path)
    check("a file that is there is not written over", done[0] == 65 and "is there already" in done[2]
          and len(load(path, "searched").trials) == len(rows) + 1, done)
    done = run(HOME, "export", "searched", "--optuna", HOME + "/none/out.db")
    check("a folder that is not there is told", done[0] != 0 and "none/out.db" in done[2], done)
    left = [name for name in os.listdir(HOME) if ".tmp." in name]
    check("nothing half-written is left", not left, left)


def schema(path):
    database = sqlite3.connect(path)
    tables = [name for (name,) in database.execute(
        "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name")]
    columns = {table: [row[1:4] for row in database.execute(f"PRAGMA table_info({table})")] for table in tables}
    database.close()
    return columns


def test_schema():
    optuna.create_study(study_name="a", storage=f"sqlite:///{HOME}/theirs.db")
    run(HOME, "export", "searched", "--optuna", HOME + "/ours.db")
    ours, theirs = schema(HOME + "/ours.db"), schema(HOME + "/theirs.db")
    check("tables and columns are those that Optuna makes", ours == theirs,
          [(table, ours.get(table), theirs[table]) for table in theirs if ours.get(table) != theirs[table]])


def make_study(path):
    """What Optuna can say: every distribution, conditions, steps from 0, pruning, failures."""
    study = optuna.create_study(study_name="no-name 7/x", storage=f"sqlite:///{path}", direction="minimize",
                                sampler=optuna.samplers.RandomSampler(seed=5))

    def objective(trial):
        rate = trial.suggest_float("optimizer.rate", 1e-5, 1e-1, log=True)
        trial.suggest_float("drop", 0, 1, step=0.25)
        size = trial.suggest_int("size", 1, 9, step=2)
        trial.suggest_int("width", 1, 128, log=True)
        trial.suggest_categorical("act", ["relu", "tanh", None, 3, 2.5, True])
        trial.suggest_categorical("flip", [False, True])
        if size > 4:
            trial.suggest_float("moves", 0, trial.number + 1)
        trial.set_user_attr("note", {"a": [1, "<b>"]})
        for step in range(4):
            trial.report(float("nan") if trial.number == 6 and step == 1 else size + 1 / (step + 1), step)
            if trial.number % 5 == 1 and step == 1:
                raise optuna.TrialPruned()
        if trial.number == 3:
            raise RuntimeError("on purpose")
        return float("inf") if trial.number == 4 else abs(math.log10(rate) + 3) + size

    study.optimize(objective, n_trials=16, catch=(RuntimeError,))
    study.ask()


def summary(trial, moves):
    """All but what an import may change: the range that moves is given."""
    ranges = dict(trial.distributions)
    if "moves" in ranges:
        ranges["moves"] = moves
    return repr((trial.number, trial.state.name, trial.value, sorted(trial.params.items()),
                 trial.intermediate_values, sorted(ranges.items()), trial.user_attrs))


def same_times(trial, other):
    """To the millisecond."""
    return (abs(trial.datetime_start - other.datetime_start).total_seconds() < 0.001
            and abs(trial.datetime_complete - other.datetime_complete).total_seconds() < 0.001)


def test_round_trip():
    home = folder("imported")
    make_study(home + "/theirs.db")
    done = run(home, "import", home + "/theirs.db")
    check("a study of Optuna's is imported, and what had not ended is told",
          done[0] == 0 and "study no_name_7_x: 16 trials, 7 parameters" in done[1]
          and "left out: 1 trial " in done[1], done)
    theirs = load(home + "/theirs.db", "no-name 7/x")
    states = {trial: (state, value) for trial, state, value in
              harness.rows(home, "SELECT trial, state, value FROM trials")}
    check("states and values are theirs; an infinite value has failed",
          states == {trial.number: (("failed", None) if trial.number in (3, 4) else
                                    ("stopped" if trial.number % 5 == 1 else "completed", trial.value))
                     for trial in theirs.trials[:16]}, states)
    best = harness.rows(home, "SELECT trial, value FROM leaderboard WHERE rank = 1")
    finite = [trial for trial in theirs.trials if trial.state.name == "COMPLETE" and trial.number != 4]
    first = min(finite, key=lambda trial: trial.value)
    check("the leaderboard is by value, the winner Optuna's",
          best == [(first.number, first.value)] and harness.rows(
              home, "SELECT winner, state, sampler, scheduler, goal, metric FROM studies")
          == [(first.number, "finished", "imported", "imported", "minimize", "value")], best)
    done = run(home, "export", "no_name_7_x", "--optuna", home + "/ours.db")
    check("it is exported again", done[0] == 0, done)
    ours = load(home + "/ours.db", "no_name_7_x")
    moves = ours.trials[0].distributions.get("moves") or next(
        trial.distributions["moves"] for trial in ours.trials if "moves" in trial.distributions)
    wide = [trial for trial in theirs.trials[:16] if "moves" in trial.distributions]
    check("a range that differs among the trials becomes one that holds them all",
          moves == optuna.distributions.FloatDistribution(0, max(t.number for t in wide) + 1), moves)
    different = [trial.number for trial, other in zip(theirs.trials, ours.trials)
                 if trial.number != 4 and summary(trial, moves) != summary(other, moves)]
    check("every trial is as it was", len(ours.trials) == 16 and not different,
          [(summary(theirs.trials[n], moves), summary(ours.trials[n], moves)) for n in different[:1]])
    check("at its time", all(map(same_times, theirs.trials, ours.trials)))
    check("and the best one", ours.best_trial.number == first.number and ours.direction.name == "MINIMIZE")


def test_other_programs_study():
    """Ours, exported and imported, is the same in all that both know."""
    home = folder("again")
    path = HOME + "/again.db"
    run(HOME, "export", "searched", "--optuna", path)
    done = run(home, "import", path, "--name", "copy")
    check("our own export is imported under another name", done[0] == 0 and "study copy" in done[1], done)
    query = ("SELECT trial, state, value, parameters FROM trials ORDER BY trial",
             "SELECT position, name, type, low, high, step, log, choices FROM parameters ORDER BY 1",
             "SELECT trial, epoch, val_accuracy FROM curves ORDER BY 1, 2",
             "SELECT metric, goal, winner FROM studies")
    for sql in query:
        ours, copy = harness.rows(HOME, sql), harness.rows(home, sql)
        check(f"the same: {sql}", sorted(map(repr, ours)) == sorted(map(repr, copy)), (ours[:3], copy[:3]))


def test_odd_studies():
    """What Optuna takes and hardly anybody writes: a metric named as our own column, the widest
    ranges of integers."""
    home = folder("odd")
    study = optuna.create_study(study_name="odd", storage=f"sqlite:///{home}/odd.db")
    study.set_user_attr("metric", "epoch")
    least, most = -2 ** 63, 2 ** 63 - 1
    ranges = {"any": optuna.distributions.IntDistribution(least, most),
              "steps": optuna.distributions.IntDistribution(0, most, step=5)}
    study.add_trial(optuna.trial.create_trial(params={"any": -7, "steps": 15}, distributions=ranges, value=0.5,
                                              intermediate_values={0: 0.25, 1: 0.5}))
    done = run(home, "import", home + "/odd.db")
    check("a study of odd names and ranges is imported", done[0] == 0, done)
    check("a metric that is named epoch leaves the epochs alone", harness.rows(
        home, "SELECT epoch, value FROM metrics WHERE name = 'value' ORDER BY epoch") == [(1, 0.25), (2, 0.5)],
        harness.rows(home, "SELECT * FROM metrics"))
    done = run(home, "export", "odd", "--optuna", home + "/ours.db")
    check("it is exported", done[0] == 0, done)
    ours = load(home + "/ours.db", "odd").trials[0]
    check("with the same ranges", (ours.params, ours.distributions) == ({"any": -7, "steps": 15}, ranges),
          ours.distributions)


def test_which_study():
    home = folder("several")
    url = f"sqlite:///{home}/several.db"
    for name in ("one", "two"):
        study = optuna.create_study(study_name=name, storage=url)
        study.optimize(lambda trial: trial.suggest_int("x", 0, 9), n_trials=2)
    optuna.create_study(study_name="both", storage=url, directions=["minimize", "maximize"])
    optuna.create_study(study_name="none", storage=url)
    done = run(home, "import", home + "/several.db")
    check("of several studies one has to be chosen", done[0] == 65 and "one, two, both, none" in done[2], done)
    done = run(home, "import", home + "/several.db", "--study", "three")
    check("one that is not there is named", done[0] == 65 and "three" in done[2], done)
    done = run(home, "import", home + "/several.db", "--study", "both")
    check("two objectives are refused", done[0] == 65 and "2 objectives" in done[2], done)
    done = run(home, "import", home + "/several.db", "--study", "none")
    check("a study without a trial is refused", done[0] == 65 and "no trial has ended" in done[2], done)
    done = run(home, "import", home + "/several.db", "--study", "two", "--metric", "val_loss")
    check("the one that is chosen is imported", done[0] == 0 and harness.rows(
        home, "SELECT study, metric, goal FROM studies") == [("two", "val_loss", "minimize")], done)
    done = run(home, "import", home + "/several.db", "--study", "two")
    check("a name that is there is refused", done[0] == 65 and "--name" in done[2], done)
    check("and nothing is half-written", harness.rows(home, "SELECT count(*) FROM trials") == [(2,)]
          and harness.integrity(home) == [("ok",)])


def test_hostile_files():
    home = folder("hostile")
    good = home + "/good.db"
    study = optuna.create_study(study_name="good", storage=f"sqlite:///{good}")
    study.optimize(lambda trial: trial.suggest_int("x", 0, 9) + trial.suggest_categorical("c", [1, 2]), n_trials=3)
    changes = {
        "is no storage of Optuna": "DROP TABLE trial_params",
        "no table trial_values": "DROP TABLE trial_values; CREATE VIEW trial_values AS WITH RECURSIVE n (x) AS"
                                 " (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT x FROM n",
        "distribution cannot be understood": "UPDATE trial_params SET distribution_json = '{'",
        "its distribution": "UPDATE trial_params SET distribution_json = '{\"name\": \"Odd\", \"attributes\": {}}'",
        "different kinds": "UPDATE trial_params SET distribution_json = replace(distribution_json, '[1, 2]', '[1, 3]')"
                           " WHERE param_id = (SELECT max(param_id) FROM trial_params WHERE param_name = 'c')",
        "has a value that cannot be": "UPDATE trial_params SET param_value = 7 WHERE param_name = 'c'",
        "its x has a value": "UPDATE trial_params SET param_value = 'many' WHERE param_name = 'x'",
        "is no state": "UPDATE trials SET state = 'ODD'",
        "no such number": "UPDATE trials SET number = -1 WHERE number = 1",
        "two trials with the number": "UPDATE trials SET number = 0",
        "is no direction": "UPDATE study_directions SET direction = 'UP'",
        "0 objectives": "DELETE FROM study_directions",
        "holds no study": "DELETE FROM studies",
        "has no name": "UPDATE trial_params SET param_name = '' WHERE param_name = 'c'",
        "upper and lower case alone": "UPDATE trial_params SET param_name = 'X' WHERE param_name = 'c'",
        "a step": "INSERT INTO trial_intermediate_values VALUES (1, 1, 99999999999, 1.0, 'FINITE')",
        "optuna storage upgrade": "ALTER TABLE trial_values DROP COLUMN value_type",
    }
    for part, sql in changes.items():
        path = home + "/bad.db"
        with open(good, "rb") as source, open(path, "wb") as target:
            target.write(source.read())
        database = sqlite3.connect(path)
        database.executescript("PRAGMA foreign_keys = OFF;" + sql)
        database.close()
        done = run(home, "import", path, timeout=20)
        check(f"{sql[:60]}: is told, {part}", done[0] == 65 and part in done[2] and path in done[2], done)
    with open(good, "rb") as source:
        content = source.read()
    for name, bad in (("cut", content[:len(content) // 2]), ("head", content[:40]),
                      ("mixed", content[:4096] + bytes(reversed(content[4096:])))):
        with open(f"{home}/{name}.db", "wb") as file:
            file.write(bad)
        done = run(home, "import", f"{home}/{name}.db", timeout=20)
        check(f"a damaged file is refused: {name}", done[0] in (1, 65) and name in done[2], done)
    done = run(home, "import", HOME + "/trials.db")
    check("a database of our own is no storage of Optuna's", done[0] == 65 and "is no storage" in done[2], done)
    check("none of them left anything", not os.path.exists(home + "/trials.db")
          or harness.rows(home, "SELECT count(*) FROM studies") == [(0,)])


test_export()
test_schema()
test_round_trip()
test_other_programs_study()
test_odd_studies()
test_which_study()
test_hostile_files()
finish()
