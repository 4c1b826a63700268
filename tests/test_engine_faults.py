"""The tuner's binary end to end, with a fake trainer that misbehaves: workers that are at fault, the
final training and evaluation, and machines that train in another precision."""
import json
import os
import shutil
import sqlite3

from engine_harness import *


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


EDITS = {
    "trials": ["UPDATE recorded_trials SET trial = 99999 WHERE trial = 3",
               "UPDATE recorded_trials SET trial = -1 WHERE trial = 3",
               "DELETE FROM recorded_trials WHERE trial = 0",
               "UPDATE recorded_trials SET bracket = 4000000000",
               "UPDATE recorded_trials SET early_end = -7",
               "UPDATE recorded_trials SET configuration = NULL",
               "UPDATE recorded_trials SET parameters = '3'"],
    # The last that has epochs: others after it may have been proposed and not begun.
    "epochs": ["DELETE FROM recorded_trials "
               "WHERE trial >= (SELECT max(trial) FROM recorded_epochs)",
               "UPDATE recorded_epochs SET trial = 99999 WHERE trial = 2",
               "UPDATE recorded_epochs SET epoch = 1 << 40 WHERE trial = 2 AND epoch = 1"],
    "segments": ["UPDATE recorded_segments SET trial = -5 WHERE trial = 2",
                 "UPDATE recorded_segments SET rung = 77 WHERE trial = 2",
                 "UPDATE recorded_segments SET rung = -1 WHERE trial = 2 AND rung = 0",
                 "UPDATE recorded_segments SET from_epoch = -1",
                 "UPDATE recorded_segments SET to_epoch = 0",
                 "UPDATE recorded_segments SET attempt = 1 << 33 WHERE trial = 2"],
    "decisions": ["UPDATE recorded_decisions SET trial = 99999 WHERE trial = 2"],
}


def restore(home, edit="SELECT 1"):
    """Puts the backup of a home's database in its place, with one edit that no program makes."""
    database = home + "/trials.db"
    for end in ("-wal", "-shm"):
        if os.path.exists(database + end):
            os.remove(database + end)
    shutil.copy(home + "/backup", database)
    edited = sqlite3.connect(database, isolation_level=None)
    edited.execute("PRAGMA ignore_check_constraints = ON")
    edited.execute(edit)
    edited.close()


def edited_records():
    """A database with a row that cannot be is refused, and the row is named."""
    home = folder("edited")
    study = write_study(home)
    check("the study was killed on its way", kill_in_epoch(home, study, 16, 2))
    database = sqlite3.connect(home + "/trials.db")
    database.execute("VACUUM INTO ?", (home + "/backup",))
    database.close()
    for view, edits in EDITS.items():
        for edit in edits:
            restore(home, edit)
            code, _, err = run(home, "run", study)
            check(f"{edit}: it is refused", code == 65 and "backup" in err and
                  "is damaged: study s has" in err and f" in {view}" in err, (code, err))
    restore(home)
    code, _, err = run(home, "run", study)
    check("with the backup restored it goes on", code == 0 and results(home) == EXPECTED["s"], err)


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
    code, out, err = run(home, "best", "s")
    check("and tuner best says why", code == 0 and out.startswith("study s failed: no trial ended")
          and "tuner sql --query failures s" in out, (code, out, err))
    for command in (("report",), ("best", "--model", home + "/m"), ("export", "--onnx", home + "/m")):
        code, _, err = run(home, command[0], "s", *command[1:])
        check(f"tuner {' '.join(command[:2])} says that it failed, and why", code == 1 and
              "no trial ended well" in err and "has no final evaluation yet" not in err, (code, err))
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
misbehaving()
damaged_checkpoints()
edited_records()
failing_trials()
trainers_that_do_not_start()
many_threads()
restored_best()
finals()
other_precisions()
other_precisions_of_checkpoints()
workers_die_with_the_tuner()
limits_of_workers()
finish()
