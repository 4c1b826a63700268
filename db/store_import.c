#include "db/store_import.h"

#include "common/json_text.h"
#include "common/member.h"
#include "db/store_internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- reading the history ---- */

static int number_of(const json_t *trial)
{
    return (int)json_integer_value(json_object_get(trial, "trial"));
}

static int epoch_of(const json_t *point)
{
    return (int)json_integer_value(json_object_get(point, "epoch"));
}

static int last_epoch(const json_t *trial)
{
    int last = 0;
    size_t i;
    json_t *point;
    json_array_foreach(json_object_get(trial, "curve"), i, point) {
        if (epoch_of(point) > last)
            last = epoch_of(point);
    }
    return last;
}

/* ---- a trial ---- */

static int add_epochs(struct store *store, int64_t study, const json_t *trial,
                      struct failure *why)
{
    size_t i;
    json_t *point;
    json_array_foreach(json_object_get(trial, "curve"), i, point) {
        json_t *metrics = json_copy(point);
        const struct epoch_record epoch = {number_of(trial), epoch_of(point), 1, metrics, NULL, 0};
        bool differs;
        json_object_del(metrics, "epoch");
        int result = store_add_epoch(store, study, &epoch, &differs, why);
        json_decref(metrics);
        if (result < 0)
            return -1;
    }
    return 0;
}

/* One segment stands for all of its training, of which no more is known. */
static int add_segment(struct store *store, int64_t study, const json_t *trial,
                       struct failure *why)
{
    const json_t *value = json_object_get(trial, "value");
    bool failed = strcmp(member_text(trial, "state"), "failed") == 0;
    int number = number_of(trial), epochs = last_epoch(trial);
    const char *state = failed ? "failed" : json_is_number(value) ? "ended" : "interrupted";
    if (store_begin_segment(store, study, number, 0, 1, 0, epochs > 0 ? epochs : 1, 0, why) < 0 ||
        add_epochs(store, study, trial, why) < 0)
        return -1;
    return store_end_segment(store, study, number, 0, 1, state, json_number_value(value),
                             failed ? member_text(trial, "error") : NULL, why);
}

static int add_attributes(struct store *store, int64_t study, const json_t *trial,
                          struct failure *why)
{
    const char *name;
    json_t *attribute;
    json_object_foreach(json_object_get(trial, "attributes"), name, attribute) {
        char *text = json_text(attribute);
        const struct value values[] = {value_integer(study), value_integer(number_of(trial)),
                                       value_text(name), value_text(text)};
        int result = RECORD(store,
                            "INSERT INTO recorded_attributes (study, trial, name, value)"
                            " VALUES (?1, ?2, ?3, ?4)", values, why);
        free(text);
        if (result < 0)
            return -1;
    }
    return 0;
}

/* The times are those of there, where they are known. */
static int set_times(struct store *store, int64_t study, const json_t *trial,
                     struct failure *why)
{
    const struct value values[] = {value_integer(study), value_integer(number_of(trial)),
                                   value_json(json_object_get(trial, "started_ms")),
                                   value_json(json_object_get(trial, "ended_ms"))};
    if (RECORD(store,
               "UPDATE recorded_trials SET started_ms = coalesce(?3, started_ms),"
               " ended_ms = coalesce(?4, ended_ms) WHERE study = ?1 AND trial = ?2",
               values, why) < 0)
        return -1;
    return RECORD(store,
                  "UPDATE recorded_segments SET started_ms = coalesce(?3, started_ms),"
                  " ended_ms = coalesce(?4, ended_ms) WHERE study = ?1 AND trial = ?2",
                  values, why);
}

static int add_trial(struct store *store, int64_t study, const json_t *trial,
                     struct failure *why)
{
    int number = number_of(trial);
    const char *state = member_text(trial, "state");
    const char *reason = member_text(trial, "error");
    if (store_add_trial(store, study, number, 0, json_object_get(trial, "parameters"), NULL,
                        why) < 0 ||
        add_segment(store, study, trial, why) < 0 ||
        store_add_decision(store, study, number, 0, 0, state, 0,
                           reason ? reason : "imported", why) < 0 ||
        add_attributes(store, study, trial, why) < 0)
        return -1;
    return set_times(store, study, trial, why);
}

/* ---- the study ---- */

static int add_study(struct store *store, const json_t *history, const char *name,
                     const char *format, const char *file, int64_t *study, struct failure *why)
{
    json_t *plan = json_pack("[{s:i, s:i, s:i, s:i, s:i}]", "bracket", 0, "rung", 0, "places",
                             (int)json_array_size(json_object_get(history, "trials")), "keep", 0,
                             "epochs", 0);
    char *fingerprint = xasprintf("{\"imported\":\"%s\"}", format);
    const struct study_record record = {
        .name = name, .file = file, .text = "", .fingerprint = fingerprint, .seed = 0,
        .metric = member_text(history, "metric"),
        .maximize = strcmp(member_text(history, "goal"), "maximize") == 0,
        .sampler = "imported", .scheduler = "imported", .data = "{}",
        .parameters = json_object_get(history, "parameters"), .plan = plan};
    int result = store_add_study(store, &record, study, why);
    free(fingerprint);
    json_decref(plan);
    return result;
}

/* After its trials: the winner, the end, and where it comes from. */
static int finish_study(struct store *store, int64_t study, const json_t *history,
                        const char *format, const char *file, struct failure *why)
{
    const struct value values[] = {value_integer(study), value_text(format),
                                   value_text(member_text(history, "study")),
                                   value_json(json_object_get(history, "step_shift"))};
    char *note = xasprintf("imported from %s", file);
    int result = RECORD(store,
                        "INSERT INTO recorded_imports (study, format, name, step_shift)"
                        " VALUES (?1, ?2, ?3, coalesce(?4, 0))", values, why);
    if (result == 0) /* how far the others went is not known so well as that they were stopped */
        result = store_record(store,
                              "UPDATE recorded_trials SET order_epochs = state <> 'completed'"
                              " WHERE study = ?1 AND value IS NOT NULL", values, 1, why);
    if (result == 0)
        result = store_set_study_state(store, study, "finished", note, why);
    if (result == 0)
        result = store_record(store,
                              "UPDATE recorded_studies SET winner = (SELECT l.trial"
                              " FROM leaderboard l JOIN studies s USING (study)"
                              " WHERE s.id = ?1 AND l.rank = 1),"
                              " (started_ms, ended_ms) = (SELECT min(started_ms), max(ended_ms)"
                              " FROM recorded_trials WHERE study = ?1) WHERE id = ?1",
                              values, 1, why);
    free(note);
    return result;
}

static int add_all(struct store *store, const json_t *history, const char *name,
                   const char *format, const char *file, struct failure *why)
{
    int64_t study = 0;
    size_t i;
    json_t *trial;
    if (add_study(store, history, name, format, file, &study, why) < 0)
        return -1;
    json_array_foreach(json_object_get(history, "trials"), i, trial) {
        if (add_trial(store, study, trial, why) < 0)
            return -1;
    }
    return finish_study(store, study, history, format, file, why);
}

int store_import(struct store *store, const json_t *history, const char *name,
                 const char *format, const char *file, struct failure *why)
{
    int64_t there = store_find_study(store, name, why);
    if (there > 0)
        return fail_input(why, "there is a study named %s already; choose another name with "
                               "--name", name);
    if (there < 0 || store_begin(store, why) < 0)
        return -1;
    if (add_all(store, history, name, format, file, why) == 0)
        return store_commit(store, why);
    store_rollback(store);
    return -1;
}
