#include "tuner/engine.h"

#include "common/file.h"
#include "tuner/home.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static json_t *rows_of(struct tuner *tuner, const char *sql, struct failure *why)
{
    json_t *arguments = json_pack("[s]", tuner->study->name);
    json_t *rows = store_rows(tuner->store, sql, arguments, why);
    json_decref(arguments);
    return rows;
}

static int integer(const json_t *row, const char *name)
{
    return (int)json_integer_value(json_object_get(row, name));
}

static double real(const json_t *row, const char *name)
{
    const json_t *value = json_object_get(row, name);
    return json_is_number(value) ? json_number_value(value) : (double)NAN;
}

static bool is(const json_t *row, const char *name, const char *text)
{
    const char *value = json_string_value(json_object_get(row, name));
    return value != NULL && strcmp(value, text) == 0;
}

static json_t *parsed(const json_t *row, const char *name)
{
    const char *text = json_string_value(json_object_get(row, name));
    return text != NULL ? json_loads(text, JSON_DECODE_ANY, NULL) : NULL;
}

/* ---- is it the same study, on the same data? ---- */

static int check_fingerprint(struct tuner *tuner, const json_t *row, struct failure *why)
{
    json_t *recorded = parsed(row, "fingerprint");
    char *differences = study_differences(recorded, tuner->study->fingerprint);
    int result = 0;
    if (*differences != '\0')
        result = fail_input(why, "study %s is recorded in this home with other settings:\n%s\n"
                                 "give the study another name, or start over with --fresh",
                            tuner->study->name, differences);
    free(differences);
    json_decref(recorded);
    return result;
}

static int check_data(struct tuner *tuner, const json_t *row, struct failure *why)
{
    json_t *recorded = parsed(row, "data");
    const json_t *dataset = json_object_get(tuner->prepared.data, "dataset");
    int result = 0;
    if (!json_equal(json_object_get(recorded, "dataset"), dataset) ||
        !json_equal(json_object_get(recorded, "checksum"),
                    json_object_get(tuner->prepared.shape, "checksum")))
        result = fail_input(why, "study %s began with other data (%s); with data that differs its "
                                 "trials cannot be compared. Bring the data back, or start over "
                                 "with --fresh", tuner->study->name,
                            json_string_value(json_object_get(recorded, "dataset")));
    json_decref(recorded);
    return result;
}

static int check_study(struct tuner *tuner, struct failure *why)
{
    json_t *rows = rows_of(tuner, "SELECT fingerprint, data, state FROM studies "
                                  "WHERE study = ?1", why);
    const json_t *row = json_array_get(rows, 0);
    int result = -1;
    if (row == NULL)
        fail(why, "the record of study %s cannot be read", tuner->study->name);
    else if (check_fingerprint(tuner, row, why) == 0 && check_data(tuner, row, why) == 0)
        result = 0;
    if (result == 0)
        tuner->finished = is(row, "state", "finished");
    json_decref(rows);
    return result;
}

/* ---- is it the same arithmetic? ---- */

static int refuse_precision(const struct tuner *tuner, const char *began, struct failure *why)
{
    return fail_input(why, "study %s began in %s, and on this machine it would go on in %s: its "
                           "trials could not be compared. Go on where it can be %s, start over "
                           "with --fresh, or allow the mixture with --any-precision",
                      tuner->study->name, began, tuner->prepared.precision, began);
}

static int record_mixture(struct tuner *tuner, const char *began, struct failure *why)
{
    char *reason = xasprintf("it began in %s and went on in %s", began,
                             tuner->prepared.precision);
    int failed = store_begin(tuner->store, why) != 0 ||
                 store_void_study(tuner->store, tuner->id, reason, why) != 0 ||
                 store_commit(tuner->store, why) != 0;
    free(reason);
    return failed ? -1 : 0;
}

/* `precision: auto` may mean another one on this machine than where the study began. */
static int check_precision(struct tuner *tuner, struct failure *why)
{
    json_t *rows = rows_of(tuner, "SELECT precision FROM studies WHERE study = ?1", why);
    const char *began = json_string_value(json_object_get(json_array_get(rows, 0), "precision"));
    const char *here = tuner->prepared.precision;
    int result = rows != NULL ? 0 : -1;
    if (began != NULL && here != NULL && strcmp(began, here) != 0)
        result = tuner->options->any_precision ? record_mixture(tuner, began, why)
                                               : refuse_precision(tuner, began, why);
    json_decref(rows);
    return result;
}

/* ---- trials ---- */

static void recall_trial(struct tuner *tuner, const json_t *row)
{
    struct trial *trial = trial_new(integer(row, "trial"), integer(row, "bracket"),
                                    parsed(row, "parameters"));
    trial->configuration = parsed(row, "configuration");
    trial->early_end = integer(row, "early_end");
    trial->state = TRIAL_PAUSED;
    sampler_recall(tuner->sampler, (uint32_t)trial->number, trial->parameters);
    tuner->trials = xreallocarray(tuner->trials, (size_t)tuner->trial_count + 1,
                                  sizeof *tuner->trials);
    tuner->trials[tuner->trial_count++] = trial;
}

static int recall_trials(struct tuner *tuner, struct failure *why)
{
    json_t *rows = rows_of(tuner, "SELECT trial, bracket, parameters, configuration, early_end "
                                  "FROM trials WHERE study = ?1 ORDER BY trial", why);
    const json_t *row;
    size_t i;
    if (rows == NULL)
        return -1;
    json_array_foreach(rows, i, row)
        recall_trial(tuner, row);
    json_decref(rows);
    return 0;
}

static char *present_checkpoint(const struct tuner *tuner, const json_t *row)
{
    return home_find_checkpoint(tuner->options->home, tuner->study->name,
                                json_string_value(json_object_get(row, "checkpoint")));
}

/* Metrics by epoch, and the newest checkpoint that is still there. */
static int recall_epochs(struct tuner *tuner, struct failure *why)
{
    json_t *arguments = json_pack("[s, s]", tuner->study->name, tuner->study->metric);
    json_t *rows = store_rows(tuner->store,
                              "SELECT e.trial AS trial, e.epoch AS epoch, "
                              "       e.checkpoint AS checkpoint, m.value AS value "
                              "FROM epochs AS e LEFT JOIN metrics AS m ON m.study = e.study AND "
                              "     m.trial = e.trial AND m.epoch = e.epoch AND m.name = ?2 "
                              "WHERE e.study = ?1 ORDER BY e.trial, e.epoch", arguments, why);
    const json_t *row;
    size_t i;
    json_decref(arguments);
    if (rows == NULL)
        return -1;
    json_array_foreach(rows, i, row) {
        struct trial *trial = tuner->trials[integer(row, "trial")];
        char *checkpoint = present_checkpoint(tuner, row);
        trial_advance(trial, integer(row, "epoch"), real(row, "value"), tuner->study->maximize,
                      checkpoint);
        free(checkpoint);
    }
    json_decref(rows);
    return 0;
}

/* ---- segments ---- */

/* One attempt at a segment.  The last one of a segment says how it stands. */
static void recall_segment(struct tuner *tuner, const json_t *row)
{
    struct trial *trial = tuner->trials[integer(row, "trial")];
    int rung = integer(row, "rung");
    bool first = trial->attempt == 0 || trial->rung != rung;
    if (first) {
        trial_set_out(trial, rung, integer(row, "from_epoch"), integer(row, "to_epoch"));
        scheduler_begun(tuner->scheduler, trial->number, rung);
    }
    trial->attempt = integer(row, "attempt");
    if (is(row, "state", "retry")) {
        trial->retries++;
    } else if (is(row, "state", "ended")) {
        trial->value = real(row, "value");
        trial->value_epochs = trial->to_epoch;
        trial->state = TRIAL_PAUSED;
        scheduler_ended(tuner->scheduler, trial->number, rung, trial->value);
    } else if (is(row, "state", "failed")) {
        trial->value = (double)NAN;
        trial->state = TRIAL_ENDED;
        scheduler_ended(tuner->scheduler, trial->number, rung, (double)NAN);
    }
}

/* Segments that were running when the tuner died wait for a worker again.  Rung by rung,
 * because a trial begins a rung only after the rung below has let it go on. */
static int recall_segments(struct tuner *tuner, struct failure *why)
{
    json_t *rows = rows_of(tuner, "SELECT trial, rung, attempt, from_epoch, to_epoch, state, value "
                                  "FROM segments WHERE study = ?1 ORDER BY rung, trial, attempt",
                           why);
    const json_t *row;
    size_t i;
    if (rows == NULL)
        return -1;
    json_array_foreach(rows, i, row)
        recall_segment(tuner, row);
    json_decref(rows);
    return 0;
}

/* Another limit in epochs makes another plan: trials beyond it are not gone on with. */
static void leave_out(struct tuner *tuner)
{
    int i;
    for (i = tuner->plan.trials; i < tuner->trial_count; i++)
        tuner->trials[i]->state = TRIAL_ENDED;
}

/* What the scheduler decides again was recorded with the segment that made it certain. */
static int recall_decisions(struct tuner *tuner, struct failure *why)
{
    json_t *rows = rows_of(tuner, "SELECT trial, verdict FROM rungs WHERE study = ?1 "
                                  "AND verdict IS NOT NULL", why);
    struct decision decision;
    const json_t *row;
    size_t i;
    if (rows == NULL)
        return -1;
    while (scheduler_decision(tuner->scheduler, &decision))
        continue;
    json_array_foreach(rows, i, row) {
        struct trial *trial = tuner->trials[integer(row, "trial")];
        trial->completed = trial->completed || is(row, "verdict", "completed");
        if (!is(row, "verdict", "promoted"))
            trial->state = TRIAL_ENDED;
    }
    json_decref(rows);
    return 0;
}

/* ---- the final ---- */

static int recall_final_epochs(struct tuner *tuner, struct failure *why)
{
    struct final *final = &tuner->final;
    json_t *rows = rows_of(tuner, "SELECT epoch, checkpoint FROM final_epochs WHERE study = ?1 "
                                  "ORDER BY epoch", why);
    const json_t *row;
    size_t i;
    if (rows == NULL)
        return -1;
    json_array_foreach(rows, i, row) {
        char *checkpoint = present_checkpoint(tuner, row);
        if (checkpoint == NULL)
            continue;
        free(final->checkpoint);
        final->checkpoint = checkpoint;
        final->epochs = integer(row, "epoch");
    }
    final->trained = final->epochs == final->to_epoch;
    json_decref(rows);
    return 0;
}

static int recall_final(struct tuner *tuner, struct failure *why)
{
    struct final *final = &tuner->final;
    json_t *rows = rows_of(tuner, "SELECT trial, attempt, epochs, state FROM finals "
                                  "WHERE study = ?1", why);
    const json_t *row = json_array_get(rows, 0);
    int result = rows != NULL ? 0 : -1;
    if (row != NULL) {
        final->winner = tuner->trials[integer(row, "trial")];
        final->attempt = integer(row, "attempt");
        final->to_epoch = integer(row, "epochs");
        final->evaluated = is(row, "state", "ended");
        final_adopt(tuner);
        if (!final->trained)
            result = recall_final_epochs(tuner, why);
    }
    json_decref(rows);
    return result;
}

static int record_start(struct tuner *tuner, struct failure *why)
{
    json_t *plan = plan_json(&tuner->plan);
    int failed = store_begin(tuner->store, why) != 0 ||
                 store_set_plan(tuner->store, tuner->id, plan, why) != 0 ||
                 store_set_study_state(tuner->store, tuner->id, "running", NULL, why) != 0 ||
                 store_commit(tuner->store, why) != 0;
    json_decref(plan);
    return failed ? -1 : 0;
}

int replay(struct tuner *tuner, struct failure *why)
{
    if (check_study(tuner, why) != 0)
        return -1;
    if (tuner->finished)
        return 0;
    if (check_precision(tuner, why) != 0 || recall_trials(tuner, why) != 0 ||
        recall_epochs(tuner, why) != 0 || recall_segments(tuner, why) != 0 ||
        recall_decisions(tuner, why) != 0 || recall_final(tuner, why) != 0)
        return -1;
    leave_out(tuner);
    return record_start(tuner, why);
}
