#include "tuner/engine.h"

#include "common/json_text.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static json_t *real_or_null(double value)
{
    return isfinite(value) ? json_real(value) : json_null();
}

/* ---- slots ---- */

static json_t *slot_status(const struct slot *slot)
{
    static const char *const states[] = {"empty", "starting", "idle", "busy", "ending"};
    const struct job *job = &slot->job;
    const struct trial *trial = job->trial;
    json_t *status = json_pack("{s:i, s:s, s:o, s:o, s:s}", "worker", slot->number, "state",
                               states[slot->state], "pid",
                               slot->worker != NULL ? json_integer(worker_pid(slot->worker))
                                                    : json_null(),
                               "study", json_text_of(slot->run != NULL ? slot->run->study->name
                                                                       : NULL),
                               "activity", slot_activity(slot));
    json_object_set_new(status, "trial",
                        trial != NULL ? json_integer(trial->number) : json_null());
    if (trial == NULL)
        return status;
    json_object_set_new(status, "epoch", json_integer(job->next_epoch - 1));
    json_object_set_new(status, "to_epoch", json_integer(job->to_epoch));
    json_object_set_new(status, "latest", real_or_null(trial->latest));
    if (trial->parameters != NULL)
        json_object_set(status, "parameters", trial->parameters);
    return status;
}

/* Those of one study, or all. */
static json_t *slots_status(const struct daemon *daemon, const struct run *run)
{
    json_t *slots = json_array();
    int i;
    for (i = 0; i < daemon->slot_count; i++) {
        const struct slot *slot = daemon->slots[i];
        if (run == NULL ? slot->number < daemon->workers || slot->state != SLOT_EMPTY
                        : slot->run == run && slot->job.type != JOB_NONE)
            json_array_append_new(slots, slot_status(slot));
    }
    return slots;
}

/* ---- studies ---- */

static json_t *best_status(struct run *run)
{
    struct trial *best = run->best;
    if (best == NULL)
        return json_null();
    run_recall(run, best);
    return json_pack("{s:i, s:f, s:i, s:O?}", "trial", best->number, "value", best->value,
                     "epochs", best->value_epochs, "parameters", best->parameters);
}

static const char *waiting_for(const struct run *run)
{
    if (run->child != NULL)
        return "it is being prepared";
    if (run->state == RUN_QUEUED)
        return "others come before it";
    if (run->daemon->disk.waiting != NULL)
        return run->daemon->disk.waiting;
    return run->daemon->unstartable;
}

static json_t *extends_of(struct run *run)
{
    json_t *arguments = json_pack("[s]", run->study->name);
    json_t *rows = store_rows(run->daemon->store, "SELECT extends FROM studies WHERE study = ?1",
                              arguments, NULL);
    json_t *extends = json_incref(json_object_get(json_array_get(rows, 0), "extends"));
    json_decref(arguments);
    json_decref(rows);
    return extends != NULL ? extends : json_null();
}

static json_t *run_status(struct run *run, bool whole)
{
    const struct study *study = run->study;
    const struct tally *tally = &run->tally;
    int64_t planned = run->plan.epochs - tally->spared, done = tally->epochs;
    json_t *status;
    if (study->retrain && !study->outside) {
        done += run->final.epochs;
        planned += run->final.winner != NULL ? run->final.to_epoch : study->max_epochs;
    }
    status = json_pack("{s:s, s:s, s:n, s:i, s:i, s:i, s:o, s:s, s:s}", "study", study->name,
                       "state", run_state_name(run->state), "note", "priority", run->priority,
                       "workers", run->workers, "segments", run->segments, "waiting",
                       json_text_of(waiting_for(run)), "metric", study->metric, "goal",
                       study->maximize ? "maximize" : "minimize");
    json_object_set_new(status, "trials_planned", json_integer(run->plan.trials));
    json_object_set_new(status, "trials_ended", json_integer(tally->ended));
    json_object_set_new(status, "trials_failed", json_integer(tally->failed));
    json_object_set_new(status, "epochs_planned", json_integer(planned));
    json_object_set_new(status, "epochs_done", json_integer(done));
    json_object_set_new(status, "best", best_status(run));
    if (whole)
        json_object_set_new(status, "extends", extends_of(run));
    return status;
}

/* Of a study that is only in the store. */
static json_t *recorded_status(struct daemon *daemon, const char *study, struct failure *why)
{
    json_t *arguments = json_pack("[s]", study);
    json_t *rows = store_rows(
        daemon->store,
        "SELECT s.study AS study, s.state AS state, s.note AS note, s.priority AS priority,"
        " 0 AS workers, 0 AS segments, NULL AS waiting, s.metric AS metric, s.goal AS goal,"
        " (SELECT total(p.places) FROM planned_rungs p WHERE p.study = s.study AND p.rung = 0)"
        " AS trials_planned, (SELECT count(*) FROM trials t WHERE t.study = s.study"
        " AND t.state IN ('stopped', 'completed', 'failed')) AS trials_ended,"
        " s.failed AS trials_failed, NULL AS epochs_planned, s.epochs AS epochs_done,"
        " s.extends AS extends FROM studies s WHERE s.study = ?1", arguments, why);
    json_t *best = rows != NULL && json_array_size(rows) > 0
                       ? store_rows(daemon->store, "SELECT trial, value, epochs, parameters "
                                                   "FROM leaderboard WHERE study = ?1 LIMIT 1",
                                    arguments, why) : NULL;
    json_t *row = json_incref(json_array_get(rows, 0)), *first = json_array_get(best, 0);
    const char *parameters = json_string_value(json_object_get(first, "parameters"));
    if (first != NULL && parameters != NULL)
        json_object_set_new(first, "parameters", json_loads(parameters, 0, NULL));
    if (row != NULL)
        json_object_set(row, "best", first != NULL ? first : json_null());
    else if (rows != NULL)
        submit_unknown(daemon, study, why);
    json_decref(arguments);
    json_decref(rows);
    json_decref(best);
    return row;
}

/* ---- the whole ---- */

static json_t *study_status(struct daemon *daemon, const char *study, struct failure *why)
{
    struct run *run = daemon_find(daemon, study);
    json_t *one = run != NULL ? run_status(run, true) : recorded_status(daemon, study, why);
    if (one == NULL)
        return NULL;
    json_object_set_new(one, "reporting", json_boolean(reporter_has(daemon, study)));
    return json_pack("{s:s, s:i, s:o, s:[o]}", "home", daemon->settings.home, "pid",
                     (int)getpid(), "slots",
                     run != NULL ? slots_status(daemon, run) : json_array(), "studies", one);
}

json_t *daemon_status(struct daemon *daemon, const char *study, struct failure *why)
{
    const char *waiting = daemon->disk.waiting != NULL ? daemon->disk.waiting
                                                       : daemon->unstartable;
    json_t *studies;
    int i;
    if (study != NULL)
        return study_status(daemon, study, why);
    studies = json_array();
    for (i = 0; i < daemon->run_count; i++) {
        if (daemon->runs[i]->state != RUN_OVER)
            json_array_append_new(studies, run_status(daemon->runs[i], false));
    }
    return json_pack("{s:s, s:i, s:i, s:I, s:b, s:o, s:o, s:o}", "home", daemon->settings.home,
                     "pid", (int)getpid(), "workers", daemon->workers, "quota_bytes",
                     (json_int_t)daemon->disk.quota_bytes, "ending", daemon->ending > 0,
                     "waiting", json_text_of(waiting), "slots", slots_status(daemon, NULL),
                     "studies", studies);
}

void daemon_log_state(struct daemon *daemon)
{
    int i;
    event_line(daemon, NULL, "%d workers, %d studies in hand, %lld MiB of checkpoints%s%s",
               daemon->workers, daemon->run_count, (long long)(daemon->disk.used_bytes >> 20),
               daemon->disk.waiting != NULL ? "; " : "",
               daemon->disk.waiting != NULL ? daemon->disk.waiting : "");
    for (i = 0; i < daemon->run_count; i++) {
        const struct run *run = daemon->runs[i];
        event_line(daemon, run, "%s, priority %d, %d segments running, %d of %d trials ended, %d "
                                "failed", run_state_name(run->state), run->priority,
                   run->segments, run->tally.ended, run->plan.trials, run->tally.failed);
    }
    for (i = 0; i < daemon->slot_count; i++) {
        const struct slot *slot = daemon->slots[i];
        if (slot->job.trial != NULL)
            event_line(daemon, slot->run, "worker %d: %s, trial %d, epoch %d of %d", i,
                       slot_activity(slot), slot->job.trial->number, slot->job.next_epoch - 1,
                       slot->job.to_epoch);
    }
}
