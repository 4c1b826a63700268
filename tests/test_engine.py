"""The tuner's binary end to end, with a fake trainer that answers at once: the same results for
every number of workers and after every interruption."""
import os
import random
import signal

from engine_harness import *


def workers():
    for count in (2, 5, 16):
        home = folder(f"workers{count}")
        code, _, err = run(home, "run", write_study(home), "--workers", str(count))
        check(f"{count} workers give the results of one", code == 0 and
              results(home) == EXPECTED["s"], err)


def interrupted():
    home = folder("interrupted")
    study = write_study(home)
    process, err = interrupt(home, study, 5)
    check("Ctrl-C exits with 130", process.returncode == 130, err)
    check("and says how to go on", "To go on" in err, err)
    code, _, err = run(home, "run", study)
    check("run again, the study goes on to the same results",
          code == 0 and results(home) == EXPECTED["s"], err)


def killed_at_every_boundary():
    for point in BOUNDARIES:
        home = folder("boundary-" + point)
        code, deaths, err = run_and_die(home, write_study(home), point)
        check(f"killed {point} again and again ({deaths} times): the same results",
              code == 0 and deaths >= 5 and results(home) == EXPECTED["s"], (code, deaths, err))
        check(f"and the database is whole ({point})", integrity(home) == [("ok",)])


def killed_at_random():
    draw = random.Random(7)
    home = folder("random")
    study = write_study(home)
    deaths = 0
    for _ in range(20):
        process = start(home, "run", study, "--workers", "3", fake="slow")
        try:
            process.wait(timeout=draw.uniform(0.05, 0.6))
            process.communicate()
            if process.returncode == 0:
                break
        except Exception:
            process.kill()
            process.communicate()
            deaths += 1
    code, _, err = run(home, "run", study)
    check(f"killed at {deaths} random moments: the same results",
          code == 0 and deaths >= 3 and results(home) == EXPECTED["s"], (code, deaths, err))
    check("and the database is whole", integrity(home) == [("ok",)])


def moved_homes():
    """The home of an interrupted study has another path when it goes on."""
    for how in (os.rename, os.symlink):
        home = folder("moved-" + how.__name__)
        process = start(home, "run", write_study(home), "--workers", "2", fake="slow")
        wait_until(lambda: os.path.exists(home + "/fake-state/trained") and
                   len(epochs_trained(home)) > 20)
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=patient(30))
        how(home, home + "-there")
        home += "-there"
        code, _, err = run(home, "run", home + "/s.yaml")
        trained = epochs_trained(home)
        check(f"a study goes on in a home with another path ({how.__name__})",
              code == 0 and results(home) == EXPECTED["s"], err)
        check("and its checkpoints are found there: no epoch is trained twice",
              len(trained) == len(set(trained)) and
              rows(home, "SELECT count(*) FROM faults") == [(0,)], trained)


def copied_homes():
    """A copy of the database alone goes on in a home of its own, beside the one it comes from."""
    home, copy = folder("copied-from"), folder("copied-to")
    interrupt(home, write_study(home), 20)
    before = sorted(os.listdir(home + "/checkpoints/s"))
    with sqlite3.connect(home + "/trials.db") as one, sqlite3.connect(copy + "/trials.db") as two:
        one.backup(two)
    code, _, err = run(copy, "run", write_study(copy))
    check("a study goes on from a copy of its database",
          code == 0 and results(copy) == EXPECTED["s"], err)
    check("and leaves the checkpoints of the other home alone", before and
          sorted(os.listdir(home + "/checkpoints/s")) == before,
          (before, os.listdir(home + "/checkpoints/s")))


def sparse_checkpoints():
    """A trainer that saves after every second epoch only."""
    for fake in ("sparse", "sparse,crash=15:8", "sparse,final_crash=15:6,final_crash"):
        home = folder("sparse" + str(len(fake)))
        code, _, err = run(home, "run", write_study(home), "--workers", "2", fake=fake)
        check(f"checkpoints may be missing ({fake})",
              code == 0 and results(home) == EXPECTED["s"], err)
        check("and no more is trained again than from the newest one",
              sum(whose == "15" for whose, _ in epochs_trained(home)) ==
              (10 if "crash=15:8" in fake and "final" not in fake else 9), epochs_trained(home))


def milestones():
    """A learning rate that is laid out anew for each rung, and checkpoints that are lost."""
    home = folder("milestones")
    code, _, err = run(home, "run", write_trained(home, MILESTONES))
    wanted = results(home)
    check("a study with rates by milestones runs", code == 0 and wanted != EXPECTED["s"], err)
    home = folder("milestones-lost")
    err = run_and_lose(home, write_trained(home, MILESTONES))
    check("what is trained again pauses where it did before, and comes out the same",
          results(home) == wanted and rows(home, "SELECT count(*) FROM faults") == [(0,)], err)


def carried(home):
    """Where trials were carried without training, and what the winner had in the end."""
    return (rows(home, "SELECT trial, rung FROM segments WHERE reason LIKE 'not run%' "
                       "ORDER BY trial, rung"), rows(home, "SELECT trial, epochs FROM finals"))


def stopped_early():
    """Trials that learn nothing more before their milestone, after 2, 3, 4 or 5 epochs."""
    home = folder("early")
    code, _, err = run(home, "run", write_trained(home, EARLY, seed=3), "--workers", "1")
    wanted = results(home)
    check("a study with early stopping runs without a fault", code == 0 and
          rows(home, "SELECT count(*) FROM faults") == [(0,)], err)
    ends = rows(home, "SELECT trial, early_end, epochs FROM trials WHERE early_end NOT NULL")
    check("it knows where each trial ended, and trains none further", len(ends) > 5 and
          all(end == epochs == 2 + trial % 4 for trial, end, epochs in ends) and
          len(set(epochs_trained(home))) == len(epochs_trained(home)), ends)
    passed = rows(home, "SELECT s.trial, s.worker, s.value = t.value, s.reason, t.early_end "
                        "FROM segments AS s JOIN trials AS t USING (study, trial) "
                        "WHERE s.reason LIKE 'not run%'")
    check("promoted, it reaches further milestones with its value and no worker",
          len(passed) > 0 and all(row[1:4] == (None, 1, f"not run: stopped early after epoch "
                                               f"{row[4]}") for row in passed), passed)
    check("which is the value of its last epoch", rows(
        home, "SELECT count(*) > 5, sum(c.val_accuracy <> t.value) FROM trials AS t "
              "JOIN curves AS c USING (study, trial) WHERE c.epoch = t.early_end") == [(1, 0)])
    leader = rows(home, "SELECT trial, early_end, epochs FROM leaderboard WHERE rank = 1")[0]
    check("one that was carried to the last rung may win, and is trained anew as far as it went",
          leader == (passed[0][0], passed[0][4], 9) and
          rows(home, "SELECT trial, epochs FROM finals") == [leader[:2]], leader)
    for count, fake in ((2, ""), (5, ""), (3, "eager"), (2, "crash=4:3,sparse")):
        home = folder(f"early{count}{fake}")
        code, _, err = run(home, "run", write_trained(home, EARLY, seed=3), "--workers", str(count),
                           fake=fake)
        check(f"early stopping gives the same with {count} workers ({fake})",
              code == 0 and results(home) == wanted, err)
    went = carried(folder("early"))
    for point in BOUNDARIES:
        home = folder("early-" + point)
        code, deaths, err = run_and_die(home, write_trained(home, EARLY, seed=3), point)
        check(f"and killed {point} again and again ({deaths} times)", code == 0 and deaths >= 4
              and results(home) == wanted and carried(home) == went, (code, deaths, err))
    home = folder("early-interrupted")
    study = write_trained(home, EARLY, seed=3)
    process, err = interrupt(home, study, 15)
    code = run(home, "run", study)[0]
    check("and after Ctrl-C", process.returncode == 130 and code == 0 and
          results(home) == wanted and carried(home) == went, err)


def stopped_early_otherwise():
    search = "{sampler: random, scheduler: full, trials: 12, max_epochs: 4}"
    wanted = None
    for count in (1, 2, 5):
        home = folder(f"early-full{count}")
        code, _, err = run(home, "run", write_trained(home, EARLY, search=search),
                           "--workers", str(count))
        wanted = wanted or results(home)
        check(f"early stopping with the scheduler full ({count} workers)", code == 0 and rows(
            home, "SELECT count(*), min(epochs), max(epochs), count(early_end) FROM trials") ==
            [(12, 2, 4, 6)] and results(home) == wanted, err)
    home = folder("early-far")
    search = HYPERBAND.replace("max_epochs: 9", "max_epochs: 27")
    code, _, err = run(home, "run", write_trained(home, EARLY, seed=1, search=search))
    check("one rung after another is reached without training", code == 0 and rows(
        home, "SELECT count(*) > 2, count(DISTINCT trial) < count(*) FROM segments "
              "WHERE reason LIKE 'not run%'") == [(1, 1)] and rows(
        home, "SELECT count(*) FROM segments WHERE state <> 'ended'") == [(0,)], err)
    home = folder("early-best")
    code, _, err = run(home, "run", write_trained(home, EARLY, more="objective: {take: best}\n"))
    check("by `take: best` the best epoch before the end counts", code == 0 and rows(
        home, "SELECT count(*) > 5, sum(c.val_accuracy <> t.value) FROM trials AS t "
              "JOIN curves AS c USING (study, trial) WHERE c.epoch = t.early_end - 1") ==
        [(1, 0)], err)
    home = folder("early-milestones")
    run(home, "run", write_trained(home, EARLY, MILESTONES))
    wanted = results(home)
    home = folder("early-milestones-lost")
    err = run_and_lose(home, write_trained(home, EARLY, MILESTONES))
    check("with rates by milestones and lost checkpoints it ends where it did before",
          results(home) == wanted and rows(home, "SELECT count(*) FROM faults") == [(0,)], err)
    search = HYPERBAND.replace("epoch_seconds: 60", "epoch_seconds: 60, retries: 2")
    never = EARLY.replace("patience: 1", "patience: 99")
    for fake, settings, reason in (
            ("stop_at_once=3:0", [never], "before its first epoch"),
            ("sparse,crash=15:8,stop_at_once=15:6", [never],
             "before an epoch that it had trained"),
            ("crash=15:3,stop_at_once=15:2", [], "without `early_stopping` among its settings")):
        home = folder("early-at-once" + fake[:1] + fake[-1:])
        code, _, err = run(home, "run", write_trained(home, *settings, search=search), fake=fake)
        wanted = results(home)
        check(f"a worker that stops early {reason} is at fault", code == 0 and rows(
            home, "SELECT count(*) FROM faults WHERE reason = ?", "stopped early " + reason) ==
            [(1,)] and rows(home, "SELECT count(early_end) FROM trials") == [(0,)], err)
        home = folder("early-at-once-not" + str(len(settings)))
        run(home, "run", write_trained(home, *settings, search=search))
        check("and its trial comes out as without the fault", results(home) == wanted)


SMALL = """study: s
data: {dataset: synthetic, train: 1000, validation: 100}
parameters:
  filters:    {type: int, low: 8, high: 16, step: 8}
  batch_size: {type: categorical, choices: [32, 64, 128]}
model:
  - conv: {filters: $filters, kernel: 3}
  - flatten
  - dense: {units: classes}
training:
  optimizer: {type: adam, learning_rate: 0.001}
  batch_size: $batch_size
search: {scheduler: hyperband, max_epochs: 9}
"""


def used_up():
    """A space of 6 configurations where the plan has places for 17."""
    wanted = None
    for count, points in ((1, ""), (3, ""), (2, "after-act"), (2, "before-commit")):
        home = folder(f"small{count}{points}")
        study = home + "/s.yaml"
        open(study, "w").write(SMALL)
        step = 4 if points else 0
        code, said = -signal.SIGKILL, ""
        while code == -signal.SIGKILL and step < 40:
            code, _, err = run(home, "run", study, "--workers", str(count),
                               failpoint=f"{points}:{step}" if points else None)
            said += err
            step += 1
        wanted = wanted or results(home)
        check(f"a space that is used up ends the study ({count} workers, killed {points})",
              code == 0 and rows(home, "SELECT count(*) FROM trials") == [(6,)] and
              results(home) == wanted, said)
        check("and is recorded so", rows(
            home, "SELECT note FROM studies") == [("the search space is used up",)], said)
        check("and says so, unless it was killed just then", points or "used up" in said, said)
    code, out, err = run(home, "check", study)
    check("check says beforehand that the space is small", "only 6 configurations" in out, out)


def limits():
    def study(place, limit):
        return write_study(place, search="{trials: 12, max_epochs: 3" + limit + "}")

    def die_in_trial_5(path):
        process = start(home, "run", path, "--workers", "1", fake="hang=5:1!")
        there = soon(home, "SELECT trial FROM segments WHERE trial = 5")
        process.kill()
        process.communicate()
        return there
    home = folder("limit-raised")
    there = die_in_trial_5(study(home, ", limits: {epochs: 18}"))
    check("the plan follows the limit in epochs", there and rows(
        home, "SELECT places FROM planned_rungs") == [(6,)])
    code, _, err = run(home, "run", study(home, ""))
    check("without the limit the whole of it is run", code == 0 and rows(
        home, "SELECT places, (SELECT count(*) FROM trials) FROM planned_rungs") == [(12, 12)], err)
    home = folder("limit-lowered")
    there = die_in_trial_5(study(home, ""))
    beyond = "SELECT count(*) FROM segments WHERE trial >= 2"
    began = rows(home, beyond)
    code, _, err = run(home, "run", study(home, ", limits: {epochs: 6}"))
    check("a lower limit leaves out what had begun beyond it", code == 0 and
          there and began == [(4,)] and rows(home, beyond) == began, (began, err))
    home = folder("limit-minutes")
    code, _, err = run(home, "run", write_study(
        home, search="{trials: 1, max_epochs: 1, limits: {minutes: 0.1}}"),
        fake="slow_evaluation")
    check("a limit in minutes that is over after the search voids nothing", code == 0 and rows(
        home, "SELECT void_reason FROM studies") == [(None,)], err)


def other_searches():
    home = folder("grid")
    study = write_study(home, search="{sampler: grid, points: 2, scheduler: full, max_epochs: 2}")
    code, _, err = run(home, "run", study, "--workers", "4")
    check("a grid runs all of its 8 x 2 x 2 x 4 points", code == 0 and
          rows(home, "SELECT count(*) FROM trials") == [(128,)], err)
    home = folder("full")
    search = "{sampler: random, scheduler: full, trials: 12, max_epochs: 3}"
    code, _, err = run(home, "run", write_study(home, search=search))
    one = results(home)
    check("a random search runs its 12 trials of 3 epochs", code == 0 and
          rows(home, "SELECT count(*), min(epochs) FROM trials") == [(12, 3)], err)
    home = folder("full5")
    run(home, "run", write_study(home, search=search), "--workers", "5")
    check("a random search gives the same with 5 workers", results(home) == one)
    home = folder("minimum")
    study = write_study(home, more="objective: {metric: val_loss, goal: minimize}\n")
    code, _, err = run(home, "run", study)
    check("a loss is minimized", code == 0 and rows(
        home, "SELECT value = (SELECT min(value) FROM trials WHERE epochs = 9) FROM trials "
              "JOIN studies USING (study) WHERE winner = trial") == [(1,)], err)


def same_study():
    home = folder("again")
    study = write_study(home)
    run(home, "run", study)
    code, _, err = run(home, "run", study, "--fresh")
    first = [row[1:] for row in results(home)]
    check("--fresh starts over under a new name with the same draws", code == 0 and
          [row[1:] for row in results(home, "s_2")] == first, err)
    code, _, err = run(home, "run", study, "--name", "other")
    check("--name runs the same file as another study", code == 0 and
          [row[1:] for row in results(home, "other")] == first, err)
    check("a name that is none is refused", run(home, "run", study, "--name", "a b")[0] == 64)
    with open(study, "a") as file:
        file.write("# only a comment\nworkers: 2\n")
    check("comments and workers make no other study", run(home, "run", study)[0] == 0)
    text = open(study).read().replace("high: 64", "high: 32")
    open(study, "w").write(text)
    code, _, err = run(home, "run", study)
    check("a changed range under the same name is refused with the difference",
          code == 65 and "64" in err and "32" in err and "filters" in err, (code, err))


def one_tuner_a_home():
    home = folder("two")
    study = write_study(home)
    first = start(home, "run", study, "--workers", "1", fake="slow")
    soon(home, "SELECT count(*) FROM workers")
    code, _, err = run(home, "run", study)
    check("a second tuner says who has the home and ends",
          code == 1 and str(first.pid) in err, (code, err))
    first.kill()
    first.communicate()


undisturbed()
workers()
interrupted()
killed_at_every_boundary()
killed_at_random()
moved_homes()
copied_homes()
sparse_checkpoints()
milestones()
stopped_early()
stopped_early_otherwise()
used_up()
limits()
other_searches()
same_study()
one_tuner_a_home()
finish()
