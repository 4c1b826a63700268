#include "db/store_internal.h"

#include "common/json_text.h"

#include <stdlib.h>
#include <string.h>

/* ---- trials ---- */

static int add_row(struct store *store, int64_t study, int number, int bracket,
                   const json_t *parameters, const json_t *configuration, struct failure *why)
{
    char *drawn = json_text(parameters);
    char *complete = configuration ? json_text(configuration) : NULL;
    const struct value values[] = {value_integer(study),   value_integer(number),
                                   value_integer(bracket), value_text(drawn),
                                   value_text(complete),   value_integer(clock_wall_ms())};
    int result = RECORD(store,
                        "INSERT INTO recorded_trials (study, trial, bracket, parameters,"
                        " configuration, started_ms) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                        values, why);
    free(drawn);
    free(complete);
    return result;
}

int store_add_trial(struct store *store, int64_t study, int number, int bracket,
                    const json_t *parameters, const json_t *configuration,
                    struct failure *why)
{
    const char *name;
    json_t *value;
    if (add_row(store, study, number, bracket, parameters, configuration, why) < 0)
        return -1;
    json_object_foreach((json_t *)parameters, name, value) {
        const struct value values[] = {value_integer(study), value_integer(number),
                                       value_text(name), value_json(value)};
        if (RECORD(store,
                   "INSERT INTO recorded_trial_parameters (study, trial, name, value)"
                   " VALUES (?1, ?2, ?3, ?4)", values, why) < 0)
            return -1;
    }
    return 0;
}

/* `error` and an end are set by the states that end a trial. */
static int set_trial_state(struct store *store, int64_t study, int trial, const char *state,
                           const char *error, struct failure *why)
{
    const struct value values[] = {value_integer(study), value_integer(trial), value_text(state),
                                   value_text(error), value_integer(clock_wall_ms())};
    return RECORD(store,
                  "UPDATE recorded_trials SET state = ?3, error = coalesce(error, ?4), ended_ms ="
                  " iif(?3 IN ('stopped', 'completed', 'failed'), coalesce(ended_ms, ?5), NULL)"
                  " WHERE study = ?1 AND trial = ?2", values, why);
}

int store_set_early_end(struct store *store, int64_t study, int trial, int epoch,
                        struct failure *why)
{
    const struct value values[] = {value_integer(study), value_integer(trial),
                                   value_integer(epoch)};
    return RECORD(store,
                  "UPDATE recorded_trials SET early_end = ?3 WHERE study = ?1 AND trial = ?2",
                  values, why);
}

/* ---- segments ---- */

int store_begin_segment(struct store *store, int64_t study, int trial, int rung, int attempt,
                        int from_epoch, int to_epoch, int64_t worker, struct failure *why)
{
    const struct value values[] = {value_integer(study),
                                   value_integer(trial),
                                   value_integer(rung),
                                   value_integer(attempt),
                                   value_integer(from_epoch),
                                   value_integer(to_epoch),
                                   value_integer_or_null(worker, 0),
                                   value_integer(clock_wall_ms())};
    if (RECORD(store,
               "INSERT INTO recorded_segments (study, trial, rung, attempt, from_epoch, to_epoch,"
               " worker, started_ms) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)", values, why) < 0)
        return -1;
    return set_trial_state(store, study, trial, "running", NULL, why);
}

int store_set_arithmetic(struct store *store, int64_t study, int trial, int rung, int attempt,
                         const char *arithmetic, struct failure *why)
{
    const struct value values[] = {value_integer(study), value_integer(trial),
                                   value_integer(rung), value_integer(attempt),
                                   value_text(arithmetic)};
    return RECORD(store,
                  "UPDATE recorded_segments SET arithmetic = ?5"
                  " WHERE study = ?1 AND trial = ?2 AND rung = ?3 AND attempt = ?4", values, why);
}

static const char *trial_state_after(const char *segment_state)
{
    if (strcmp(segment_state, "ended") == 0)
        return "paused";
    return strcmp(segment_state, "failed") == 0 ? "failed" : "pending";
}

/* The trial's value is that of its last segment that ended; a failed trial has none. */
static int set_value(struct store *store, int64_t study, int trial, int rung, int attempt,
                     bool ended, struct failure *why)
{
    const struct value values[] = {value_integer(study), value_integer(trial),
                                   value_integer(rung), value_integer(attempt)};
    if (!ended)
        return store_record(store,
                            "UPDATE recorded_trials SET value = NULL, value_epochs = NULL,"
                            " order_epochs = NULL, order_value = NULL"
                            " WHERE study = ?1 AND trial = ?2", values, 2, why);
    return RECORD(store,
                  "UPDATE recorded_trials SET (value, value_epochs, order_epochs, order_value) ="
                  " (SELECT g.value, g.to_epoch, iif(s.scheduler = 'full', 0, -g.to_epoch),"
                  " iif(s.maximize, -g.value, g.value)"
                  " FROM recorded_segments g JOIN recorded_studies s ON s.id = g.study"
                  " WHERE g.study = ?1 AND g.trial = ?2 AND g.rung = ?3 AND g.attempt = ?4)"
                  " WHERE study = ?1 AND trial = ?2", values, why);
}

int store_end_segment(struct store *store, int64_t study, int trial, int rung, int attempt,
                      const char *state, double value, const char *reason, struct failure *why)
{
    bool ended = strcmp(state, "ended") == 0, failed = strcmp(state, "failed") == 0;
    const struct value values[] = {value_integer(study),
                                   value_integer(trial),
                                   value_integer(rung),
                                   value_integer(attempt),
                                   value_text(state),
                                   ended ? value_real(value) : value_null(),
                                   value_text(reason),
                                   value_integer(clock_wall_ms())};
    if (RECORD(store,
               "UPDATE recorded_segments SET state = ?5, value = ?6, reason = ?7, ended_ms = ?8"
               " WHERE study = ?1 AND trial = ?2 AND rung = ?3 AND attempt = ?4", values, why) < 0)
        return -1;
    if (store_changed(store) == 0) {
        store->spoilt = true;
        return fail(why, "%s: trial %d has not begun attempt %d of rung %d", store->path, trial,
                    attempt, rung);
    }
    if ((ended || failed) && set_value(store, study, trial, rung, attempt, ended, why) < 0)
        return -1;
    return set_trial_state(store, study, trial, trial_state_after(state), failed ? reason : NULL,
                           why);
}

/* ---- decisions and faults ---- */

int store_add_decision(struct store *store, int64_t study, int trial, int bracket, int rung,
                       const char *verdict, int rank, const char *reason, struct failure *why)
{
    const struct value values[] = {value_integer(study),
                                   value_integer(trial),
                                   value_integer(bracket),
                                   value_integer(rung),
                                   value_text(verdict),
                                   value_integer(rank),
                                   value_text(reason ? reason : ""),
                                   value_integer(clock_wall_ms())};
    if (RECORD(store,
               "INSERT INTO recorded_decisions (study, trial, bracket, rung, verdict, rank, reason,"
               " recorded_ms) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)"
               " ON CONFLICT (study, trial, rung) DO NOTHING", values, why) < 0)
        return -1;
    /* A replay decides everything once more; meanwhile the trial may be further. */
    if (store_changed(store) == 0)
        return 0;
    return set_trial_state(store, study, trial, verdict,
                           strcmp(verdict, "failed") == 0 ? reason : NULL, why);
}

int store_add_fault(struct store *store, int64_t study, int trial, int attempt, int64_t worker,
                    const char *kind, const char *reason, const char *action,
                    struct failure *why)
{
    const struct value values[] = {value_integer(study),
                                   value_integer_or_null(trial, -1),
                                   trial < 0 ? value_null() : value_integer(attempt),
                                   value_integer_or_null(worker, 0),
                                   value_text(kind),
                                   value_text(reason ? reason : ""),
                                   value_text(action),
                                   value_integer(clock_wall_ms())};
    return RECORD(store,
                  "INSERT INTO recorded_faults (study, trial, attempt, worker, kind, reason,"
                  " action, recorded_ms) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)", values, why);
}
