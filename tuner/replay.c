#include "tuner/engine.h"

#include "common/member.h"
#include "tuner/home.h"
#include "tuner/recorded.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static json_t *rows_of(struct run *run, const char *sql)
{
    struct daemon *daemon = run->daemon;
    json_t *arguments = json_pack("[s]", run->study->name);
    json_t *rows = store_rows(daemon->store, sql, arguments, &daemon->broken);
    json_decref(arguments);
    return rows;
}

/* Has each row of a SELECT recalled, until one is damaged; ?1 is the study's name. */
static int recall_each(struct run *run, const char *sql,
                       void (*recall)(void *run, const json_t *row))
{
    struct daemon *daemon = run->daemon;
    json_t *arguments = json_pack("[s]", run->study->name);
    int result = store_each_row(daemon->store, sql, arguments, recall, run, &daemon->broken);
    json_decref(arguments);
    return run->broken.text != NULL ? -1 : result;
}

static double real(const json_t *row, const char *name)
{
    const json_t *value = json_object_get(row, name);
    return json_is_number(value) ? json_number_value(value) : (double)NAN;
}

/* ---- is it on the same data? ---- */

static int check_data(struct run *run, const json_t *row)
{
    json_t *recorded = member_parsed(row, "data");
    const json_t *dataset = json_object_get(run->prepared.data, "dataset");
    int result = 0;
    if (json_object_size(recorded) == 0) /* it is prepared for the first time */
        result = record_data(run);
    else if (!json_equal(json_object_get(recorded, "dataset"), dataset) ||
             !json_equal(json_object_get(recorded, "checksum"),
                         json_object_get(run->prepared.shape, "checksum")))
        result = fail_input(&run->broken,
                            "study %s began with other data (%s); with data that differs its "
                            "trials cannot be compared. Bring the data back, or start over with "
                            "--fresh", run->study->name,
                            json_string_value(json_object_get(recorded, "dataset")));
    json_decref(recorded);
    return result;
}

/* ---- is it the same arithmetic? ---- */

static int refuse_precision(struct run *run, const char *began)
{
    return fail_input(&run->broken,
                      "study %s began in %s, and on this machine it would go on in %s: its "
                      "trials could not be compared. Go on where it can be %s, start over "
                      "with --fresh, or allow the mixture with --any-precision",
                      run->study->name, began, run->prepared.precision, began);
}

static int record_mixture(struct run *run, const char *began)
{
    struct daemon *daemon = run->daemon;
    char *reason = xasprintf("it began in %s and went on in %s", began, run->prepared.precision);
    int result = store_void_study(daemon->store, run->id, reason, &daemon->broken);
    free(reason);
    return result;
}

/* `precision: auto` may mean another one on this machine than where the study began. */
static int check_precision(struct run *run, const json_t *row)
{
    const char *began = json_string_value(json_object_get(row, "precision"));
    const char *here = run->prepared.precision;
    if (began == NULL || here == NULL || strcmp(began, here) == 0)
        return 0;
    return run->any_precision ? record_mixture(run, began) : refuse_precision(run, began);
}

static int check_study(struct run *run)
{
    json_t *rows = rows_of(run, "SELECT data, state, precision FROM studies WHERE study = ?1");
    const json_t *row = json_array_get(rows, 0);
    int result = -1;
    run->finished = row != NULL && run->state_before != NULL &&
                    strcmp(run->state_before, "finished") == 0;
    if (row == NULL)
        fail(&run->broken, "the record of study %s cannot be read", run->study->name);
    else if (run->study->outside && !member_is(row, "data", "{}"))
        result = 0;
    else if (check_data(run, row) == 0 && (run->finished || check_precision(run, row) == 0))
        result = 0;
    json_decref(rows);
    return result;
}

/* ---- trials ---- */

static void recall_trial(void *context, const json_t *row)
{
    struct run *run = context;
    json_t *parameters = member_parsed(row, "parameters");
    int next = run->trial_count; /* their numbers are those of their places */
    struct trial *trial = trial_new(recorded_number(run, "trials", row, "trial", next, next),
                                    recorded_number(run, "trials", row, "bracket", 0,
                                           PLAN_BRACKETS_MAX - 1), NULL);
    sampler_recall(run->sampler, (uint32_t)trial->number, parameters);
    json_decref(parameters); /* read again if it is gone on with */
    trial->early_end = recorded_number(run, "trials", row, "early_end", 0, RECORDED_MOST);
    trial->state = TRIAL_PAUSED;
    run_add_trial(run, trial);
}

static char *present_checkpoint(const struct run *run, const json_t *row)
{
    return home_find_checkpoint(run->daemon->settings.home, run->study->name,
                                json_string_value(json_object_get(row, "checkpoint")));
}

/* Metrics by epoch, and the newest checkpoint that is still there. */
static void recall_epoch(void *context, const json_t *row)
{
    struct run *run = context;
    struct trial *trial = recorded_trial(run, "epochs", row);
    int epoch = recorded_number(run, "epochs", row, "epoch", 1, RECORDED_MOST);
    char *checkpoint;
    if (run->broken.text != NULL)
        return;
    checkpoint = present_checkpoint(run, row);
    trial_advance(trial, epoch, real(row, "value"), run->study->maximize, checkpoint);
    free(checkpoint);
}

/* ---- segments ---- */

/* One attempt at a segment.  The last one of a segment says how it stands; one that was
 * running when the tuner died waits for a worker again. */
static void recall_segment(void *context, const json_t *row)
{
    struct run *run = context;
    struct trial *trial = recorded_trial(run, "segments", row);
    int rung = recorded_number(run, "segments", row, "rung", 0, PLAN_RUNGS_MAX - 1);
    int from = recorded_number(run, "segments", row, "from_epoch", 0, RECORDED_MOST - 1);
    int to = recorded_number(run, "segments", row, "to_epoch", from + 1, RECORDED_MOST);
    int attempt = recorded_number(run, "segments", row, "attempt", 1, RECORDED_MOST);
    if (run->broken.text != NULL)
        return;
    if (trial->attempt == 0 || trial->rung != rung) {
        trial_set_out(trial, rung, from, to);
        scheduler_begun(run->scheduler, trial->number, rung);
    }
    trial->attempt = attempt;
    if (member_is(row, "state", "retry")) {
        trial->retries++;
    } else if (member_is(row, "state", "ended")) {
        trial->value = real(row, "value");
        trial->value_epochs = trial->to_epoch;
        trial->state = TRIAL_PAUSED;
        scheduler_ended(run->scheduler, trial->number, rung, trial->value);
    } else if (member_is(row, "state", "failed")) {
        trial->value = (double)NAN;
        trial->state = TRIAL_ENDED;
        scheduler_ended(run->scheduler, trial->number, rung, (double)NAN);
    }
}

/* A trial that was drawn and not given to a worker any more. */
static void recall_unbegun(struct run *run, struct trial *trial)
{
    const struct plan *plan = &run->plan;
    int epochs = 0, b;
    for (b = 0; b < plan->bracket_count; b++) {
        if (plan->brackets[b].number == trial->bracket)
            epochs = plan->brackets[b].rungs[0].epochs;
    }
    if (epochs == 0) {
        run_recall(run, trial);
        epochs = (int)json_integer_value(json_object_get(
            json_object_get(trial->configuration, "training"), "epochs"));
    }
    trial_set_out(trial, 0, 0, epochs > 0 ? epochs : 1);
    scheduler_begun(run->scheduler, trial->number, 0);
}

/* What the scheduler decides again was recorded with the segment that made it certain. */
static void recall_decision(void *context, const json_t *row)
{
    struct run *run = context;
    struct trial *trial = recorded_trial(run, "decisions", row);
    if (trial == NULL)
        return;
    trial->completed = trial->completed || member_is(row, "verdict", "completed");
    if (!member_is(row, "verdict", "promoted"))
        trial->state = TRIAL_ENDED;
}

static int recall_search(struct run *run)
{
    struct decision decision;
    int i;
    if (recall_each(run, "SELECT trial, bracket, parameters, coalesce(early_end, 0) AS early_end "
                         "FROM trials WHERE study = ?1 ORDER BY trial", recall_trial) != 0 ||
        recall_each(run, "SELECT e.trial AS trial, e.epoch AS epoch, e.checkpoint AS checkpoint,"
                         " m.value AS value "
                         "FROM epochs AS e LEFT JOIN metrics AS m ON m.study = e.study AND"
                         " m.trial = e.trial AND m.epoch = e.epoch AND m.name ="
                         " (SELECT metric FROM studies WHERE study = ?1) "
                         "WHERE e.study = ?1 ORDER BY e.trial, e.epoch", recall_epoch) != 0 ||
        /* Rung by rung: a trial begins one only after that below has let it go on. */
        recall_each(run, "SELECT trial, rung, attempt, from_epoch, to_epoch, state, value "
                         "FROM segments WHERE study = ?1 ORDER BY rung, trial, attempt",
                    recall_segment) != 0)
        return -1;
    while (scheduler_decision(run->scheduler, &decision))
        continue;
    for (i = 0; i < run->trial_count; i++) {
        if (run->trials[i]->attempt == 0)
            recall_unbegun(run, run->trials[i]);
    }
    return recall_each(run, "SELECT trial, verdict FROM decisions WHERE study = ?1",
                       recall_decision);
}

/* What follows from how the trials stand.  Another limit in epochs makes another plan: trials
 * beyond it are not gone on with. */
static void sum_up(struct run *run)
{
    struct tally *tally = &run->tally;
    int i;
    for (i = 0; i < run->trial_count; i++) {
        struct trial *trial = run->trials[i];
        if (i >= run->plan.trials)
            trial->state = TRIAL_ENDED;
        tally->epochs += trial->epochs;
        if (trial->early_end > 0 && trial->value_epochs > trial->early_end)
            tally->spared += trial->value_epochs - trial->early_end;
        tally->ended += trial->state == TRIAL_ENDED;
        tally->failed += trial->state == TRIAL_ENDED && isnan(trial->value);
        disk_add(run, trial);
        if (trial->state == TRIAL_PENDING)
            run_pend(run, trial);
        if (trial->completed && trial->checkpoint != NULL)
            kept_add(&run->kept, trial);
    }
    run_find_best(run);
}

/* ---- the final ---- */

static int recall_final_epochs(struct run *run)
{
    struct final *final = &run->final;
    json_t *rows = rows_of(run, "SELECT epoch, checkpoint FROM final_epochs WHERE study = ?1 "
                                "ORDER BY epoch");
    const json_t *row;
    size_t i;
    if (rows == NULL)
        return -1;
    json_array_foreach(rows, i, row) {
        char *checkpoint = present_checkpoint(run, row);
        if (checkpoint == NULL)
            continue;
        free(final->checkpoint);
        final->checkpoint = checkpoint;
        final->epochs = recorded_number(run, "final_epochs", row, "epoch", 1, RECORDED_MOST);
    }
    final->trained = final->epochs == final->to_epoch;
    json_decref(rows);
    return 0;
}

static int recall_final(struct run *run)
{
    struct final *final = &run->final;
    json_t *rows = rows_of(run, "SELECT trial, attempt, epochs, state FROM finals "
                                "WHERE study = ?1");
    const json_t *row = json_array_get(rows, 0);
    int result = rows != NULL ? 0 : -1;
    if (row != NULL) {
        final->winner = recorded_trial(run, "finals", row);
        final->attempt = recorded_number(run, "finals", row, "attempt", 1, RECORDED_MOST);
        final->to_epoch = recorded_number(run, "finals", row, "epochs", 0, RECORDED_MOST);
        final->evaluated = member_is(row, "state", "ended");
    }
    if (final->winner != NULL) {
        run_recall(run, final->winner);
        final_adopt(run);
        if (!final->trained)
            result = recall_final_epochs(run);
    }
    json_decref(rows);
    return run->broken.text != NULL ? -1 : result;
}

static int record_start(struct run *run)
{
    struct daemon *daemon = run->daemon;
    json_t *plan = plan_json(&run->plan);
    int result = store_set_plan(daemon->store, run->id, plan, &daemon->broken);
    json_decref(plan);
    run_set_state(run, RUN_RUNNING);
    return result;
}

int replay(struct run *run)
{
    if (!daemon_recording(run->daemon) || check_study(run) != 0)
        return -1;
    if (run->finished)
        return 0;
    if (recall_search(run) != 0 || recall_final(run) != 0)
        return -1;
    sum_up(run);
    return record_start(run);
}
