#include "db/optuna.h"

#include "common/embed.h"
#include "common/file.h"
#include "common/json_text.h"
#include "common/member.h"
#include "db/optuna_distribution.h"
#include "db/store_internal.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

EMBED(optuna_schema, "db/optuna.sql");
extern const char optuna_schema[];

/* The file that is being written, of the study 1. */
struct writing {
    struct store *file;
    const json_t *history;
    json_t *distributions; /* name -> JSON text */
    struct failure *why;
};

/* ---- trials ---- */

static const char *state_of(const json_t *trial)
{
    static const struct {
        const char *ours, *optuna;
    } states[] = {{"completed", "COMPLETE"}, {"stopped", "PRUNED"}, {"failed", "FAIL"}};
    for (size_t i = 0; i < ARRAY_LENGTH(states); i++) {
        if (strcmp(member_text(trial, "state"), states[i].ours) == 0)
            return states[i].optuna;
    }
    return "RUNNING";
}

static int add_trial_row(struct writing *writing, int64_t id, const json_t *trial)
{
    const struct value values[] = {value_integer(id),
                                   value_json(json_object_get(trial, "trial")),
                                   value_text(state_of(trial)),
                                   value_json(json_object_get(trial, "started_ms")),
                                   value_json(json_object_get(trial, "ended_ms"))};
    return RECORD(writing->file,
                  "INSERT INTO trials VALUES (?1, ?2, 1, ?3,"
                  " strftime('%Y-%m-%d %H:%M:%f000', ?4 / 1000.0, 'unixepoch', 'localtime'),"
                  " strftime('%Y-%m-%d %H:%M:%f000', ?5 / 1000.0, 'unixepoch', 'localtime'))",
                  values, writing->why);
}

static int add_parameters(struct writing *writing, int64_t id, const json_t *trial)
{
    const json_t *values = json_object_get(trial, "parameters");
    size_t i;
    json_t *parameter;
    json_array_foreach(json_object_get(writing->history, "parameters"), i, parameter) {
        const char *name = member_text(parameter, "name");
        const json_t *value = json_object_get(values, name);
        if (!value)
            continue;
        double number = optuna_number(parameter, value);
        const struct value row[] = {value_integer(id), value_text(name), value_real(number),
                                    value_text(member_text(writing->distributions, name))};
        if (isnan(number))
            return fail(writing->why, "trial %lld: its %s is none of the choices",
                        (long long)json_integer_value(json_object_get(trial, "trial")), name);
        if (RECORD(writing->file,
                   "INSERT INTO trial_params (trial_id, param_name, param_value,"
                   " distribution_json) VALUES (?1, ?2, ?3, ?4)", row, writing->why) < 0)
            return -1;
    }
    return 0;
}

static int add_value(struct writing *writing, int64_t id, const json_t *trial)
{
    const json_t *value = json_object_get(trial, "value");
    const char *state = state_of(trial);
    const struct value values[] = {value_integer(id), value_json(value)};
    if (!json_is_number(value) || strcmp(state, "FAIL") == 0 || strcmp(state, "RUNNING") == 0)
        return 0;
    return RECORD(writing->file,
                  "INSERT INTO trial_values (trial_id, objective, value, value_type)"
                  " VALUES (?1, 0, ?2, 'FINITE')", values, writing->why);
}

static int add_curve(struct writing *writing, int64_t id, const json_t *trial)
{
    json_int_t shift = json_integer_value(json_object_get(writing->history, "step_shift"));
    const char *metric = member_text(writing->history, "metric");
    size_t i;
    json_t *point;
    json_array_foreach(json_object_get(trial, "curve"), i, point) {
        const json_t *measured = json_object_get(point, metric);
        const struct value values[] = {
            value_integer(id),
            value_integer(json_integer_value(json_object_get(point, "epoch")) - shift),
            value_json(measured), value_text(json_is_number(measured) ? "FINITE" : "NAN")};
        if (measured &&
            RECORD(writing->file,
                   "INSERT INTO trial_intermediate_values (trial_id, step, intermediate_value,"
                   " intermediate_value_type) VALUES (?1, ?2, ?3, ?4)", values, writing->why) < 0)
            return -1;
    }
    return 0;
}

static int add_attributes(struct writing *writing, const char *sql, int64_t id,
                          const json_t *attributes)
{
    const char *name;
    json_t *attribute;
    json_object_foreach((json_t *)attributes, name, attribute) {
        char *text = json_text(attribute);
        const struct value values[] = {value_integer(id), value_text(name), value_text(text)};
        int result = RECORD(writing->file, sql, values, writing->why);
        free(text);
        if (result < 0)
            return -1;
    }
    return 0;
}

static int add_trial(struct writing *writing, int64_t id, const json_t *trial)
{
    static const char sql[] = "INSERT INTO trial_user_attributes (trial_id, key, value_json)"
                              " VALUES (?1, ?2, ?3)";
    if (add_trial_row(writing, id, trial) < 0 || add_parameters(writing, id, trial) < 0 ||
        add_value(writing, id, trial) < 0 || add_curve(writing, id, trial) < 0)
        return -1;
    return add_attributes(writing, sql, id, json_object_get(trial, "attributes"));
}

/* ---- the study ---- */

static int add_study(struct writing *writing)
{
    static const char sql[] = "INSERT INTO study_user_attributes (study_id, key, value_json)"
                              " VALUES (?1, ?2, ?3)";
    bool maximize = strcmp(member_text(writing->history, "goal"), "maximize") == 0;
    const struct value values[] = {value_text(member_text(writing->history, "study")),
                                   value_text(maximize ? "MAXIMIZE" : "MINIMIZE")};
    json_t *attributes = json_pack("{s:O}", "metric", json_object_get(writing->history, "metric"));
    int result = store_record(writing->file, "INSERT INTO studies VALUES (1, ?1)", values, 1,
                              writing->why);
    if (result == 0)
        result = RECORD(writing->file,
                        "INSERT INTO study_directions (direction, study_id, objective)"
                        " SELECT ?2, study_id, 0 FROM studies WHERE study_name = ?1",
                        values, writing->why);
    if (result == 0)
        result = add_attributes(writing, sql, 1, attributes);
    json_decref(attributes);
    return result;
}

static int add_all(struct writing *writing)
{
    size_t i;
    json_t *item;
    json_array_foreach(json_object_get(writing->history, "parameters"), i, item)
        json_object_set_new(writing->distributions, member_text(item, "name"),
                            optuna_distribution(item));
    if (store_execute(writing->file, optuna_schema, writing->why) < 0 ||
        store_begin(writing->file, writing->why) < 0 || add_study(writing) < 0)
        return -1;
    json_array_foreach(json_object_get(writing->history, "trials"), i, item) {
        if (add_trial(writing, (int64_t)i + 1, item) < 0)
            return -1;
    }
    return store_commit(writing->file, writing->why);
}

static int write_file(const char *path, const json_t *history, struct failure *why)
{
    struct writing writing = {.history = history, .why = why};
    writing.file = store_connect(path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, why);
    if (!writing.file)
        return -1;
    writing.distributions = json_object();
    int result = add_all(&writing);
    json_decref(writing.distributions);
    store_close(writing.file);
    return result;
}

int optuna_write(const char *path, const json_t *history, struct failure *why)
{
    if (file_exists(path))
        return fail_input(why, "%s: is there already, and may hold other studies; choose another "
                               "name, or move it away", path);
    char *unfinished = xasprintf("%s.tmp.%ld", path, (long)getpid());
    int result = write_file(unfinished, history, why);
    if (result == 0 && rename(unfinished, path) < 0)
        result = fail(why, "%s: cannot be written: %s", path, strerror(errno));
    if (result < 0)
        unlink(unfinished);
    free(unfinished);
    return result;
}
