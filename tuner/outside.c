/* Outside programs that ask for configurations and tell what became of them.  What one has in
 * hand is a slot without a worker. */
#include "tuner/engine.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static int find(struct daemon *daemon, const char *study, struct run **run, struct failure *why)
{
    *run = study != NULL ? daemon_find(daemon, study) : NULL;
    if (*run == NULL && study != NULL && store_find_study(daemon->store, study, why) > 0)
        return fail_input(why, "study %s is not in hand; submit it again to go on with it", study);
    if (*run == NULL)
        return submit_unknown(daemon, study != NULL ? study : "", why);
    if (!(*run)->study->outside)
        return fail_input(why, "study %s has a trainer; only a study with `trainer: none` is asked "
                               "and told", study);
    return 0;
}

/* ---- asking ---- */

static struct slot *free_slot(struct run *run)
{
    struct slot *slot;
    int i;
    for (i = 0; i < run->asked_count; i++) {
        if (run->asked[i]->state == SLOT_EMPTY)
            return run->asked[i];
    }
    slot = xcalloc(1, sizeof *slot);
    slot->daemon = run->daemon;
    slot->number = -1;
    run->asked = xreallocarray(run->asked, (size_t)run->asked_count + 1, sizeof(struct slot *));
    run->asked[run->asked_count++] = slot;
    return slot;
}

static json_t *given(const struct slot *slot)
{
    const struct job *job = &slot->job;
    return json_pack("{s:s, s:i, s:i, s:O, s:i, s:i}", "study", slot->run->study->name, "trial",
                     job->trial->number, "attempt", job->attempt, "parameters",
                     job->trial->parameters, "from_epoch", job->next_epoch - 1, "to_epoch",
                     job->to_epoch);
}

static json_t *give_out(struct run *run, struct failure *why)
{
    struct slot *slot = free_slot(run);
    slot->run = run;
    slot->state = SLOT_IDLE;
    segment_give(run, slot, run_next(run));
    slot_set_deadline(slot);
    return daemon_answer(run->daemon, why) == 0 ? given(slot) : NULL;
}

static bool is_finished(struct daemon *daemon, const char *study)
{
    json_t *arguments = json_pack("[s]", study);
    json_t *rows = store_rows(daemon->store, "SELECT state FROM studies "
                                             "WHERE study = ?1 AND state = 'finished'", arguments,
                              NULL);
    bool finished = json_array_size(rows) > 0;
    json_decref(arguments);
    json_decref(rows);
    return finished;
}

json_t *daemon_ask(struct daemon *daemon, const char *study, struct failure *why)
{
    struct run *run;
    if (daemon->ending > 0) {
        fail(why, "the daemon is about to end");
        return NULL;
    }
    if (study != NULL && daemon_find(daemon, study) == NULL && is_finished(daemon, study))
        return json_pack("{s:b}", "finished", 1);
    if (find(daemon, study, &run, why) != 0)
        return NULL;
    if (disk_has_room(daemon) && run_has_work(run) && run->final.winner == NULL)
        return give_out(run, why);
    return json_pack("{s:b}", "wait", 1);
}

/* ---- telling ---- */

/* `attempt` -1: whichever it is. */
static struct slot *holder(const struct run *run, int64_t trial, int64_t attempt)
{
    int i;
    for (i = 0; i < run->asked_count; i++) {
        struct slot *slot = run->asked[i];
        if (slot->state == SLOT_BUSY && slot->job.trial->number == trial &&
            (attempt < 0 || slot->job.attempt == attempt))
            return slot;
    }
    return NULL;
}

static void let_go(struct slot *slot)
{
    slot_drop_job(slot);
    slot->state = SLOT_EMPTY;
}

void outside_take_back(struct slot *slot, const char *reason)
{
    if (slot->state != SLOT_BUSY)
        return;
    segment_end(slot->run, &slot->job, "interrupted", (double)NAN, reason);
    run_pend(slot->run, slot->job.trial);
    let_go(slot);
}

/* What a report says of metrics, by name; `value` stands for the objective's.  NULL: nothing,
 * or with a failure something that is none. */
static json_t *metrics_of(const struct run *run, const json_t *report, struct failure *why)
{
    const json_t *metrics = json_object_get(report, "metrics");
    json_t *value = json_object_get(report, "value"), *whole;
    const char *name;
    json_t *metric;
    if (metrics == NULL && value == NULL)
        return NULL;
    whole = metrics != NULL ? json_copy((json_t *)(uintptr_t)metrics) : json_object();
    if (value != NULL && json_is_object(whole))
        json_object_set(whole, run->study->metric, value);
    if (json_object_get(whole, run->study->metric) == NULL) {
        fail_input(why, "a report needs `value`, or `metrics` with the objective's %s",
                   run->study->metric);
    } else {
        json_object_foreach(whole, name, metric) {
            if (!json_is_number(metric) && !json_is_null(metric))
                fail_input(why, "metric %.60s must be a number, or null if it is not finite",
                           name);
        }
    }
    if (why->text == NULL)
        return whole;
    json_decref(whole);
    return NULL;
}

/* The epoch that a report is about: the segment's last where it does not say. */
static int epoch_of(const struct slot *slot, const json_t *report, int64_t *epoch,
                    struct failure *why)
{
    const struct job *job = &slot->job;
    const json_t *given_epoch = json_object_get(report, "epoch");
    *epoch = given_epoch != NULL ? json_integer_value(given_epoch) : job->to_epoch;
    if (*epoch >= job->next_epoch && *epoch <= job->to_epoch)
        return 0;
    return fail_input(why, "epoch %lld of trial %d is out of order: %d to %d are to come",
                      (long long)*epoch, job->trial->number, job->next_epoch, job->to_epoch);
}

static void hear_epoch(struct slot *slot, json_t *metrics, int64_t epoch)
{
    const struct message message = {.type = MESSAGE_EPOCH, .trial = slot->job.trial->number,
                                    .attempt = slot->job.attempt, .epoch = epoch,
                                    .metrics = metrics};
    segment_epoch(slot, &message);
    slot_set_deadline(slot);
}

static int hear_done(struct slot *slot, struct failure *why)
{
    const struct message message = {.type = MESSAGE_DONE};
    const char *lack = slot->job.settled ? NULL : segment_lacks(&slot->job, &message);
    if (lack != NULL)
        return fail_input(why, "trial %d %s", slot->job.trial->number, lack);
    if (!slot->job.settled)
        segment_done(slot->run, &slot->job, &message);
    let_go(slot);
    return 0;
}

static int hear_report(struct slot *slot, const json_t *report, struct failure *why)
{
    const char *failed = json_string_value(json_object_get(report, "failed"));
    bool done = json_is_true(json_object_get(report, "done"));
    json_t *metrics;
    int64_t epoch;
    if (failed != NULL) {
        fault_record(slot, "error", failed, "trial failed");
        fault_fail_trial(slot, failed);
        let_go(slot);
        return 0;
    }
    metrics = metrics_of(slot->run, report, why);
    if (metrics == NULL && !done && why->text == NULL)
        fail_input(why, "a report needs `value`, `metrics`, `failed` or `done`");
    if (why->text != NULL || (metrics != NULL && epoch_of(slot, report, &epoch, why) != 0)) {
        json_decref(metrics);
        return -1;
    }
    if (metrics != NULL) {
        hear_epoch(slot, metrics, epoch);
        done = done || slot->job.settled || json_object_get(report, "epoch") == NULL;
        json_decref(metrics);
    }
    return done ? hear_done(slot, why) : 0;
}

int daemon_tell(struct daemon *daemon, const char *study, const json_t *report,
                struct failure *why)
{
    struct failure unheard = FAILURE_NONE;
    struct failure *reason = why != NULL ? why : &unheard;
    int64_t trial = json_integer_value(json_object_get(report, "trial"));
    const json_t *given_attempt = json_object_get(report, "attempt");
    int64_t attempt = given_attempt != NULL ? json_integer_value(given_attempt) : -1;
    struct run *run;
    struct slot *slot;
    int result = -1;
    if (find(daemon, study, &run, reason) == 0) {
        slot = holder(run, trial, attempt);
        if (slot == NULL)
            fail_input(reason, "trial %lld%s is not in hand: it was never asked for, is over, or "
                               "was given out again", (long long)trial,
                       attempt < 0 ? "" : ", in that attempt,");
        else if (hear_report(slot, report, reason) == 0)
            result = daemon_answer(daemon, reason);
    }
    failure_clear(&unheard);
    return result;
}
