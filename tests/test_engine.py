"""The tuner's binary end to end, with a fake trainer that answers at once: the same
results for every number of workers and after every interruption, and what happens to
workers that misbehave."""
import json
import os
import random
import signal

from harness import *

EXPECTED = {}


def undisturbed():
    home = folder("undisturbed")
    study = write_study(home)
    code, out, err = run(home, "run", study, "--workers", "1")
    check("a study with the fake trainer runs to its end", code == 0, err)
    check("its result names the best trial and the report", "trial" in out and "report" in out, out)
    EXPECTED["s"] = results(home)
    check("the view results has rows", len(EXPECTED["s"]) > 17, EXPECTED["s"])
    check("exactly 17 trials", rows(home, "SELECT count(*) FROM trials") == [(17,)])
    held = rows(home, "SELECT bracket, rung, count(*), max(epochs) FROM rungs "
                      "GROUP BY bracket, rung ORDER BY bracket DESC, rung")
    check("rungs as in the plan: 9/1 3/3 1/9, 5/3 1/9, 3/9",
          [(b, r, n) for b, r, n, _ in held] ==
          [(2, 0, 9), (2, 1, 3), (2, 2, 1), (1, 0, 5), (1, 1, 1), (0, 0, 3)], held)
    code, out, err = run(home, "run", study)
    check("a finished study is not run again", code == 0 and results(home) == EXPECTED["s"], err)


def workers():
    for count in (2, 5, 16):
        home = folder(f"workers{count}")
        code, _, err = run(home, "run", write_study(home), "--workers", str(count))
        check(f"{count} workers give the results of one", code == 0 and
              results(home) == EXPECTED["s"], err)


def kill_in_epoch(home, study, trial, epoch, fake=""):
    """Runs a study until nothing but that epoch is left to wait for, which never ends, or
    less; then kills the tuner.  Whether it came to that."""
    process = start(home, "run", study, "--workers", "2",
                    fake=",".join(filter(None, (fake, f"hang={trial}:{epoch}!"))))
    came = soon(home, "SELECT count(*) FROM epochs JOIN segments USING (study, trial) WHERE "
                      f"trial = {trial} AND epoch = {epoch} - 1 AND segments.state = 'running'")
    process.kill()
    process.communicate()
    return came


def interrupt(home, study, epochs):
    """Runs a study until it has recorded so many epochs, then says Ctrl-C."""
    process = start(home, "run", study, "--workers", "2", fake="slow")
    soon(home, f"SELECT count(*) > {epochs} FROM curves")
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=patient(30))
    return process, err


def interrupted():
    home = folder("interrupted")
    study = write_study(home)
    process, err = interrupt(home, study, 5)
    check("Ctrl-C exits with 130", process.returncode == 130, err)
    check("and says how to go on", "To go on" in err, err)
    code, _, err = run(home, "run", study)
    check("run again, the study goes on to the same results",
          code == 0 and results(home) == EXPECTED["s"], err)


def run_and_die(home, study, point):
    """Runs that die at their n-th boundary, for n = 1, 2, ..., until one lives."""
    deaths, step = 0, 1
    while deaths < 300:
        code, _, err = run(home, "run", study, "--workers", "3", failpoint=f"{point}:{step}")
        if code != -signal.SIGKILL:
            break
        deaths += 1
        step = step % 7 + 1
    return code, deaths, err


BOUNDARIES = ("before-commit", "after-commit", "before-act", "after-act")


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


def misbehaving():
    """Faults of workers that cost a segment one retry and change no result."""
    impatient = HYPERBAND.replace("epoch_seconds: 60", f"epoch_seconds: {patient(4)}")
    for fake in ("crash=3:1", "segv=4", "hang=5:1", "flood=2:1", "garbage=6", "half_line=7",
                 "early_done=8:1", "out_of_order=1:1", "wrong_trial=9:1", "no_metric=10:1",
                 "ask_again=11", "hold_pipe=12", "elsewhere=4:1", "old_flood=9:1", "old_attempt=2", "no_checkpoint=0:1"):
        home = folder("fault-" + fake.split("=")[0])
        study = write_study(home, search=impatient if fake.startswith("hang") else HYPERBAND)
        code, _, err = run(home, "run", study, "--workers", "2", fake=fake)
        check(f"a worker's fault ({fake}) costs a retry and no result",
              code == 0 and results(home) == EXPECTED["s"], (code, err))
        faulty = [trial for trial, in rows(home, "SELECT trial FROM faults")]
        harmless = fake.startswith(("old_attempt", "no_checkpoint"))
        trial = int(fake.split("=")[1].split(":")[0])
        check(f"and it is recorded ({fake})", faulty == ([] if harmless else [trial]), err)
        if fake.startswith("elsewhere"):
            check("a file that is not of the home is not deleted, whoever names it",
                  os.path.exists(home + "/fake-state/mine"))


def damaged_checkpoints():
    """Every checkpoint of an interrupted study is overwritten; then it goes on."""
    for epoch in (2, 6):
        home = folder(f"damaged{epoch}")
        study = write_study(home)
        check("the study was killed on its way", kill_in_epoch(home, study, 15, epoch))
        files = 0
        for path, _, names in os.walk(home + "/checkpoints"):
            for name in names:
                open(os.path.join(path, name), "w").write("no checkpoint")
                files += 1
        code, _, err = run(home, "run", study)
        check(f"{files} damaged checkpoints cost time and no result",
              code == 0 and files > 0 and results(home) == EXPECTED["s"], (code, files, err))
        check("and they are recorded", rows(
            home, "SELECT count(*) > 0 FROM faults WHERE kind = 'checkpoint'") == [(1,)], err)


def failing_trials():
    home = folder("always")
    code, _, err = run(home, "run", write_study(home), "--workers", "2", fake="crash=3!")
    check("a trial whose worker always crashes fails, the study goes on", code == 0, err)
    check("its trial is failed, with the reason",
          rows(home, "SELECT state FROM trials WHERE trial = 3") == [("failed",)])
    for fake, word in (("diverge=4:1", "diverged"), ("refuse=5", "memory")):
        home = folder("fails-" + word)
        code, _, err = run(home, "run", write_study(home), "--workers", "2", fake=fake + "!")
        trial = int(fake.split("=")[1].split(":")[0])
        check(f"{word}: the trial fails at once, the study goes on", code == 0 and rows(
            home, "SELECT state FROM trials WHERE trial = ?", trial) == [("failed",)], err)
        check(f"{word}: it was not tried again",
              rows(home, "SELECT count(*) FROM segments WHERE trial = ?", trial) == [(1,)])
    home = folder("all-fail")
    code, _, err = run(home, "run", write_study(home), "--workers", "3", fake="refuse!")
    check("a study whose trials all fail ends with exit code 1 and says so",
          code == 1 and "no trial ended well" in err, (code, err))
    check("and is recorded as failed, with the reason and every trial", rows(
        home, "SELECT state, note LIKE 'no trial ended well%', trials, failed FROM studies") ==
        [("failed", 1, 17, 17)], rows(home, "SELECT * FROM studies"))
    check("and its workers as ended", rows(
        home, "SELECT count(*) FROM workers WHERE ended_ms IS NULL") == [(0,)])
    code, _, err = run(home, "run", os.path.join(home, "s.yaml"), fake="refuse!")
    check("run again, it fails again and tries nothing twice", code == 1 and rows(
        home, "SELECT count(*) FROM segments") == [(17,)], (code, err))
    home = folder("final-fails")
    code, _, err = run(home, "run", write_study(home), "--workers", "2", fake="final_error!")
    check("a final that fails ends the study with its reason", code == 1 and rows(
        home, "SELECT state, note LIKE '%no room%' FROM studies") == [("failed", 1)], (code, err))
    check("and both of its faults are recorded", rows(
        home, "SELECT action FROM faults ORDER BY fault") == [("retried",), ("study failed",)], err)
    code, _, err = run(home, "run", os.path.join(home, "s.yaml"))
    check("run again, it goes on to the same results",
          code == 0 and results(home) == EXPECTED["s"], err)


def trainers_that_do_not_start():
    for fake in ("exit_at_start!", "bad_version!"):
        home = folder("start-" + fake[:-1])
        code, _, err = run(home, "run", write_study(home), fake=fake)
        check(f"a trainer that does not start ({fake}) ends the study with a message",
              code == 1 and err.count("\n") <= 4, (code, err))
        check("and leaves no home behind", not os.path.exists(home + "/trials.db"))
    home = folder("no-trainer")
    code, _, err = run(home, "run", write_study(home), trainer="/nonexistent/trainer")
    check("a trainer that is not there is named", code != 0 and "/nonexistent/trainer" in err, err)


def epochs_trained(home):
    """What the fake trainer did in this home: (whose, epoch) for each epoch."""
    with open(home + "/fake-state/trained") as file:
        return [tuple(line.split()) for line in file]


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


MILESTONES = "learning_rate_schedule: {type: linear, over: milestone}"
EARLY = "early_stopping: {monitor: val_accuracy, patience: 1}"


def write_trained(home, *settings, **study):
    """A study with more settings under `training`."""
    path = write_study(home, **study)
    lines = "".join(f"  {line}\n" for line in settings)
    text = open(path).read().replace("training:\n", "training:\n" + lines)
    open(path, "w").write(text)
    return path


def run_and_lose(home, study):
    """Runs a study that dies twice, and each time loses all of its checkpoints."""
    for epoch in (3, 5):
        check("the study was killed on its way", kill_in_epoch(home, study, 15, epoch))
        lose_checkpoints(home)
    return run(home, "run", study)


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


def lose_checkpoints(home):
    for path, _, names in os.walk(home + "/checkpoints"):
        for name in names:
            os.unlink(os.path.join(path, name))


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


def jobs(home, kind, whose=""):
    """What the fake trainer was told: its runs of a trial or the final, or evaluations."""
    with open(home + "/fake-state/jobs") as file:
        told = [json.loads(line) for line in file]
    return [job for job in told if job["type"] == kind and
            os.path.basename(job.get("write_checkpoint", "")) == whose]


def many_threads():
    """The final training has the threads of all workers, and no more than a job may have."""
    for count, wanted in ((3, 768), (5, 1024)):
        home = folder(f"threads{count}")
        code, _, err = run(home, "run", write_study(home, more="threads: 256\n"), "--workers",
                           str(count))
        told = jobs(home, "run", "final") + jobs(home, "evaluate")
        check(f"{count} workers of 256 threads make {wanted} in the end", code == 0 and
              [job["threads"] for job in told] == [wanted] * 2, ([job["threads"] for job in told],
                                                                  err))


def restored_best():
    """The final training of a winner whose weights are those of its best epoch."""
    for word in ("val_accuracy", "val_loss"):
        home = folder("restore-" + word)
        code, _, err = run(home, "run", write_trained(home, EARLY, f"restore_best: {word}"))
        final = rows(home, "SELECT trial, epochs FROM finals")[0]
        check(f"the winner is trained anew for the epochs of its best by {word}",
              code == 0 and final[1] == 1 + final[0] % 4, (final, err))
        told = jobs(home, "run", "final") + jobs(home, "evaluate")
        check("with neither early stopping nor a choice among epochs", len(told) == 2 and
              not any({"early_stopping", "restore_best"} & set(job["training"])
                      for job in told), told)
    home = folder("restore-kept")
    study = write_trained(home, EARLY, "restore_best: val_accuracy", MILESTONES,
                          more="final: {retrain: false}\n")
    code, _, err = run(home, "run", study, fake="few_predictions!")
    check("without retrain the winner's last checkpoint is evaluated", code == 1 and rows(
        home, "SELECT epochs - trial % 4, (SELECT count(*) FROM final_epochs) FROM finals") ==
        [(2, 0)], err)
    lose_checkpoints(home)
    code, _, err = run(home, "run", study)
    winner = rows(home, "SELECT winner FROM studies")[0][0]
    told, wanted = jobs(home, "run", "final"), jobs(home, "run", str(winner))
    check("and when it is lost, trained once more as it was", code == 0 and
          [job["schedule_epochs"] for job in told] == [job["schedule_epochs"] for job in wanted]
          and all(job["training"] == wanted[0]["training"] for job in told) and
          rows(home, "SELECT max(epoch) - ? % 4 FROM final_epochs", winner) == [(2,)],
          (told, wanted, err))


def finals():
    home = folder("final-kept")
    kept = "final: {retrain: false}\nkeep: 1\n"
    code, _, err = run(home, "run", write_study(home, more=kept), "--workers", "2")
    check("without retrain the winner's own checkpoint is evaluated", code == 0 and rows(
        home, "SELECT images FROM finals") == [(1000,)] and rows(
        home, "SELECT count(*) FROM final_epochs") == [(0,)], err)
    home = folder("final-lost")
    study = write_study(home, more=kept)
    code, _, err = run(home, "run", study, "--workers", "3", fake="few_predictions!")
    check("an evaluation that always goes wrong ends the study", code == 1 and rows(
        home, "SELECT state FROM finals") == [("running",)], (code, err))
    lose_checkpoints(home)
    code, _, err = run(home, "run", study)
    layers = rows(home, "SELECT trial, json_extract(layers, '$[0].trial'), "
                        "json_extract(layers, '$[0].epoch') FROM finals")
    check("a winner whose checkpoint is gone is trained as before, then evaluated",
          code == 0 and results(home) == EXPECTED["s"] and rows(
              home, "SELECT count(*) FROM final_epochs") == [(9,)] and
          layers[0][1:] == (layers[0][0], 9), (err, layers))
    for fake in ("few_predictions", "refuse_file"):
        home = folder("final-" + fake)
        code, _, err = run(home, "run", write_study(home), fake=fake)
        check(f"a final evaluation that goes wrong ({fake}) is done again, whole", code == 0 and
              rows(home, "SELECT images FROM finals") == [(1000,)] and
              rows(home, "SELECT count(*) FROM predictions") == [(1000,)] and
              rows(home, "SELECT count(*), min(length(pixels)) FROM images") == [(20, 784)] and
              rows(home, "SELECT count(*) FROM faults") == [(1,)], err)
    home = folder("final-diverges")
    code, _, err = run(home, "run", write_study(home), fake="final_diverge!")
    check("a final training that diverges ends the study and says so", code == 1 and
          "the final training diverged" in err and rows(
              home, "SELECT state FROM studies") == [("failed",)], (code, err))


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


def begun_elsewhere(name, fake):
    """A home whose study was interrupted on another machine, trained as `fake` says."""
    home = folder("precision-" + name)
    study = write_study(home)
    check(f"a study was interrupted when it had a checkpoint to go on from ({name})",
          kill_in_epoch(home, study, 15, 6, fake))
    return home, study


def arithmetics(home):
    return [name for name, in rows(home, "SELECT DISTINCT arithmetic FROM segments "
                                         "WHERE state = 'ended' ORDER BY arithmetic")]


def trained_again(home, known, begin):
    """Which of the recorded epochs `known` are among what was trained from `begin` on."""
    return set(known) & {(int(whose), int(epoch)) for whose, epoch in
                         epochs_trained(home)[begin:] if whose != "final"}


def state_of(home):
    return (rows(home, "SELECT state, void_reason FROM studies"), results(home),
            rows(home, "SELECT count(*) FROM segments"), epochs_trained(home))


def other_precisions():
    """A study that goes on on a machine which trains in another precision."""
    home, study = begun_elsewhere("plain", "bf16")
    before = state_of(home)
    code, _, err = run(home, "run", study)
    check("a study does not go on in another precision by itself", code == 65 and
          "began in bf16" in err and "--any-precision" in err and err.count("\n") == 1, (code, err))
    check("and nothing has changed", state_of(home)[1:] == before[1:], before)
    code, _, err = run(home, "run", study, fake="bf16")
    check("where it began it goes on to the same results, unvoided", code == 0 and
          results(home) == EXPECTED["s"] and
          rows(home, "SELECT precision, void_reason FROM studies") == [("bf16", None)], err)
    check("its trials and its final have their arithmetic", rows(
        home, "SELECT DISTINCT arithmetic FROM trials UNION ALL SELECT arithmetic FROM finals") ==
        [("python bf16",), ("python bf16",)] and arithmetics(home) == ["python bf16"],
        rows(home, "SELECT trial, arithmetic FROM trials UNION ALL SELECT 'final', arithmetic "
                   "FROM finals") + arithmetics(home))
    again = folder("precision-at-end")
    code, _, err = run(again, "run", write_study(again), fake="bf16,crash_at_end=3")
    check("so has an attempt that found nothing left to train", code == 0 and
          rows(again, "SELECT attempt, state FROM segments WHERE trial = 3 AND rung = 0 "
                      "ORDER BY attempt") == [(1, "retry"), (2, "ended")] and
          arithmetics(again) == ["python bf16"], (err, arithmetics(again)))
    out = run(home, "trials", "s", "--json")[1]
    check("and `tuner trials --json` tells it", {row["arithmetic"] for row in json.loads(out)} ==
          {"python bf16"}, out)
    check("a finished study is shown on any machine", run(home, "run", study)[0] == 0)

    home, study = begun_elsewhere("allowed", "bf16")
    known, begin = rows(home, "SELECT trial, epoch FROM epochs"), len(epochs_trained(home))
    code, _, err = run(home, "run", study, "--any-precision")
    check("--any-precision has it go on, from its checkpoints", code == 0 and len(known) > 5 and
          results(home) == EXPECTED["s"] and rows(home, "SELECT count(*) FROM faults") == [(0,)]
          and not trained_again(home, known, begin), (code, err))
    check("and the study says so", rows(home, "SELECT void_reason FROM studies") ==
          [("it began in bf16 and went on in fp32",)] and
          arithmetics(home) == ["python bf16", "python fp32"] and
          rows(home, "SELECT arithmetic FROM finals") == [("python fp32",)], arithmetics(home))


def other_precisions_of_checkpoints():
    """What a worker finds out only when it is to go on with a trial."""
    home, study = begun_elsewhere("unsaid", "bf16,unsaid")
    known, begin = rows(home, "SELECT trial, epoch FROM epochs"), len(epochs_trained(home))
    for attempt in (1, 2):
        code, _, err = run(home, "run", study, "--workers", "1", fake="unsaid")
        check(f"a checkpoint of another precision ends the study ({attempt})", code == 65 and
              "trained in bf16, here in fp32" in err and "tuner run --any-precision" in err and
              rows(home, "SELECT precision FROM studies") == [(None,)], (code, err))
        check("and it is recorded once, no retry and no failure of the trial", rows(
            home, "SELECT count(*), min(kind), min(action) FROM faults") ==
            [(attempt, "precision", "study stopped")] and
            rows(home, "SELECT state, failed FROM studies") == [("failed", 0)] and
            rows(home, "SELECT count(*) FROM segments WHERE state IN ('retry', 'failed')") ==
            [(0,)], err)
    code, _, err = run(home, "run", study, "--any-precision", fake="unsaid")
    check("until it is allowed", code == 0 and results(home) == EXPECTED["s"], (code, err))
    check("and no epoch is trained again", len(known) > 5 and
          not trained_again(home, known, begin), known)

    home = folder("precision-lacks")
    study = write_study(home)
    code, _, err = run(home, "run", study, fake="lacks=4!")
    check("a trial that this machine cannot train ends the study and does not fail", code == 65
          and "trial 4" in err and "there is no bf16 here" in err and "--any" not in err and rows(
              home, "SELECT failed FROM studies") == [(0,)], (code, err))
    code, _, err = run(home, "run", study)
    check("and is trained where it can be", code == 0 and results(home) == EXPECTED["s"], err)

    home = folder("precision-final")
    study = write_study(home)
    run(home, "run", study, "--workers", "2", fake="bf16,unsaid,final_crash=:6!")
    code, _, err = run(home, "run", study, fake="unsaid")
    check("a final training does not change its precision either", code == 65 and
          "tuner run --any-precision" in err, (code, err))
    code, _, err = run(home, "run", study, "--any-precision", fake="unsaid")
    check("unless it is allowed", code == 0 and results(home) == EXPECTED["s"], (code, err))


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


def is_alive(pid, name):
    """Whether the process is there and still what it was."""
    try:
        with open(f"/proc/{pid}/cmdline") as file:
            return name in file.read()
    except OSError:
        return False


def workers_die_with_the_tuner():
    home = folder("orphans")
    process = start(home, "run", write_study(home), "--workers", "2", fake="strays,hang=0:1!")
    soon(home, "SELECT count(*) >= 2 FROM workers")
    found = [(pid, "fake_trainer") for (pid,) in rows(home, "SELECT pid FROM workers")]
    with open(home + "/fake-state/strays") as file:
        found += [(int(pid), "sleep") for pid in file]
    process.kill()
    process.communicate()
    gone = wait_until(lambda: not any(is_alive(*who) for who in found))
    check("workers die with a tuner that is killed, and all that they started",
          len(found) >= 4 and gone, [who for who in found if is_alive(*who)])


def limits_of_workers():
    home = folder("memory")
    search = "{trials: 4, max_epochs: 2, limits: {memory_megabytes: 300, nice: 3}}"
    code, _, err = run(home, "run", write_study(home, search=search), "--workers", "1",
                       fake="big=2!")
    check("a trial whose worker is refused memory fails at once, with the reason", code == 0 and
          rows(home, "SELECT kind, reason, action FROM faults") ==
          [("memory", "exited with 71 (out of memory)", "trial failed")] and
          rows(home, "SELECT count(*) FROM segments WHERE trial = 2") == [(1,)], err)
    check("the study goes on", rows(home, "SELECT trials, failed FROM studies") == [(4, 1)], err)
    home = folder("log-flood")
    search = HYPERBAND.replace("epoch_seconds: 60", "epoch_seconds: 60, log_megabytes: 1")
    code, _, err = run(home, "run", write_study(home, search=search), fake="log_flood=3:1")
    check("a worker that floods its log costs a retry and no result", code == 0 and
          results(home) == EXPECTED["s"] and rows(home, "SELECT reason FROM faults") ==
          [("wrote more than 1 MB to its log",)], (code, err))
    sizes = [os.path.getsize(f"{home}/logs/{name}") for name in os.listdir(home + "/logs")]
    check("and its log stays within the limit", max(sizes) == 1 << 20, sizes)


undisturbed()
workers()
interrupted()
killed_at_every_boundary()
killed_at_random()
misbehaving()
damaged_checkpoints()
failing_trials()
trainers_that_do_not_start()
moved_homes()
copied_homes()
sparse_checkpoints()
milestones()
stopped_early()
stopped_early_otherwise()
many_threads()
restored_best()
finals()
other_precisions()
other_precisions_of_checkpoints()
used_up()
limits()
other_searches()
same_study()
one_tuner_a_home()
workers_die_with_the_tuner()
limits_of_workers()
finish()
