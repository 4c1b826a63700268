#include "db/optuna_reading.h"

#include "common/member.h"
#include "db/optuna_distribution.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

enum { NAME_MOST = 512 }; /* bytes of a parameter's name, as in Optuna */

static void id_key(const json_t *row, char key[24])
{
    snprintf(key, 24, "%lld", (long long)json_integer_value(json_object_get(row, "trial_id")));
}

static json_t *trial_of(struct optuna_reading *reading, const json_t *row)
{
    char key[24];
    id_key(row, key);
    return json_object_get(reading->by_id, key);
}

static const char *our_state(const char *state)
{
    static const struct {
        const char *optuna, *ours;
    } states[] = {{"COMPLETE", "completed"}, {"PRUNED", "stopped"}, {"FAIL", "failed"},
                  {"RUNNING", ""},           {"WAITING", ""}};
    for (size_t i = 0; state && i < ARRAY_LENGTH(states); i++) {
        if (strcmp(state, states[i].optuna) == 0)
            return states[i].ours;
    }
    return NULL;
}

static int add_trial(struct optuna_reading *reading, const json_t *row, json_t *trials)
{
    json_int_t number = json_integer_value(json_object_get(row, "number"));
    const char *state = our_state(member_text(row, "state"));
    char key[24];
    if (!json_is_integer(json_object_get(row, "number")) || number < 0 || number > INT_MAX)
        return optuna_fail(reading, "trial %lld: no such number can be", (long long)number);
    if (!state)
        return optuna_fail(reading, "trial %lld: '%s' is no state of a trial", (long long)number,
                         member_text(row, "state") ? member_text(row, "state") : "");
    if (*state == '\0')
        return 0;
    json_t *trial = json_pack("{s:I, s:s, s:o, s:{}, s:{}, s:[], s:O, s:O}", "trial", number,
                              "state", state, "value", json_null(), "parameters", "attributes",
                              "curve", "started_ms", json_object_get(row, "started_ms"),
                              "ended_ms", json_object_get(row, "ended_ms"));
    if (strcmp(state, "failed") == 0)
        json_object_set_new(trial, "error", json_string("failed where it was made"));
    id_key(row, key);
    json_object_set(reading->by_id, key, trial);
    json_array_append_new(trials, trial);
    return 0;
}

static int read_rows(struct optuna_reading *reading)
{
    json_t *rows = optuna_rows(
        reading,
        "SELECT trial_id, number, CAST(state AS TEXT) AS state,"
        " CAST(round((julianday(datetime_start, 'utc') - 2440587.5) * 86400000) AS INTEGER)"
        " AS started_ms,"
        " CAST(round((julianday(datetime_complete, 'utc') - 2440587.5) * 86400000) AS INTEGER)"
        " AS ended_ms FROM trials WHERE study_id = ?1 ORDER BY number, trial_id");
    json_t *trials = json_array();
    int result = rows ? 0 : -1;
    size_t i;
    json_t *row;
    json_array_foreach(rows, i, row) {
        const json_t *before = i > 0 ? json_array_get(rows, i - 1) : NULL;
        if (result == 0 && before &&
            json_equal(json_object_get(row, "number"), json_object_get(before, "number")))
            result = optuna_fail(reading, "there are two trials with the number %lld",
                               (long long)json_integer_value(json_object_get(row, "number")));
        if (result == 0)
            result = add_trial(reading, row, trials);
    }
    if (result == 0 && json_array_size(trials) == 0)
        result = optuna_fail(reading, "no trial has ended there yet");
    json_object_set_new(reading->history, "left_out",
                        json_integer((json_int_t)(json_array_size(rows) -
                                                  json_array_size(trials))));
    json_object_set_new(reading->history, "trials", trials);
    json_decref(rows);
    return result;
}

/* ---- parameters ---- */

static int check_name(struct optuna_reading *reading, const char *name)
{
    size_t i;
    json_t *parameter;
    if (!name || *name == '\0' || strlen(name) > NAME_MOST)
        return optuna_fail(reading, "a parameter has no name, or one of more than %d bytes",
                         NAME_MOST);
    json_array_foreach(json_object_get(reading->history, "parameters"), i, parameter) {
        if (strcasecmp(member_text(parameter, "name"), name) == 0)
            return optuna_fail(reading, "two parameters have names that differ in upper and lower "
                                      "case alone: %s", name);
    }
    return 0;
}

/* Adds the distribution of one trial; the parameter it belongs to, or NULL. */
static const json_t *take_distribution(struct optuna_reading *reading, const json_t *row)
{
    const char *name = member_text(row, "param_name");
    json_t *known = name ? json_object_get(reading->parameters, name) : NULL;
    if (!known && check_name(reading, name) < 0)
        return NULL;
    json_t *parameter = optuna_parameter(name, member_text(row, "distribution_json"));
    if (!parameter) {
        optuna_fail(reading, "parameter %s: its distribution cannot be understood", name);
        return NULL;
    }
    if (!known) {
        json_array_append(json_object_get(reading->history, "parameters"), parameter);
        json_object_set_new(reading->parameters, name, parameter);
        return parameter;
    }
    bool one = optuna_merge(known, parameter);
    json_decref(parameter);
    if (!one)
        optuna_fail(reading, "parameter %s: its distributions are of different kinds", name);
    return one ? known : NULL;
}

static int take_parameter(struct optuna_reading *reading, const json_t *row)
{
    json_t *trial = trial_of(reading, row);
    if (!trial) /* one that was left out */
        return 0;
    const json_t *parameter = take_distribution(reading, row);
    if (!parameter)
        return -1;
    json_t *value = optuna_value(parameter, json_object_get(row, "param_value"));
    if (!value)
        return optuna_fail(reading, "trial %lld: its %s has a value that cannot be",
                         (long long)json_integer_value(json_object_get(trial, "trial")),
                         member_text(parameter, "name"));
    json_object_set_new(json_object_get(trial, "parameters"), member_text(parameter, "name"),
                        value);
    return 0;
}

/* ---- values ---- */

static int take_value(struct optuna_reading *reading, const json_t *row)
{
    json_t *trial = trial_of(reading, row);
    json_t *value = json_object_get(row, "value");
    if (trial && json_is_number(value))
        json_object_set_new(trial, "value", json_real(json_number_value(value)));
    return 0;
}

/* Steps count from 0 with most users, epochs from 1. */
static int take_least_step(struct optuna_reading *reading, const json_t *row)
{
    json_int_t shift = json_integer_value(json_object_get(reading->history, "step_shift"));
    json_int_t step = json_integer_value(json_object_get(row, "step"));
    if (!json_is_integer(json_object_get(row, "step")) || step < -INT_MAX / 4 || step > INT_MAX / 4)
        return optuna_fail(reading, "a step %lld is none that can be recorded", (long long)step);
    if (trial_of(reading, row) && 1 - step > shift)
        json_object_set_new(reading->history, "step_shift", json_integer(1 - step));
    return 0;
}

static int take_step(struct optuna_reading *reading, const json_t *row)
{
    json_int_t shift = json_integer_value(json_object_get(reading->history, "step_shift"));
    json_int_t step = json_integer_value(json_object_get(row, "step"));
    const json_t *value = json_object_get(row, "intermediate_value");
    json_t *trial = trial_of(reading, row);
    if (trial)
        json_array_append_new(json_object_get(trial, "curve"),
                              json_pack("{s:I, s:o}", "epoch", step + shift,
                                        member_text(reading->history, "metric"),
                                        json_is_number(value) ? json_real(json_number_value(value))
                                                              : json_null()));
    return 0;
}

/* One that is no JSON (Python writes NaN) is kept as its text. */
static int take_attribute(struct optuna_reading *reading, const json_t *row)
{
    json_t *trial = trial_of(reading, row);
    const char *key = member_text(row, "key"), *text = member_text(row, "value_json");
    if (!trial || !key || !text)
        return 0;
    json_t *value = json_loads(text, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
    json_object_set_new(json_object_get(trial, "attributes"), key,
                        value ? value : json_string(text));
    return 0;
}

static int take_rows(struct optuna_reading *reading, const char *sql,
                     int (*take)(struct optuna_reading *reading, const json_t *row))
{
    json_t *rows = optuna_rows(reading, sql);
    int result = rows ? 0 : -1;
    size_t i;
    json_t *row;
    json_array_foreach(rows, i, row) {
        if (result == 0)
            result = take(reading, row);
    }
    json_decref(rows);
    return result;
}

/* A trial that is complete has a value; where it is infinite it says nothing. */
static void check_values(struct optuna_reading *reading)
{
    size_t i;
    json_t *trial;
    json_array_foreach(json_object_get(reading->history, "trials"), i, trial) {
        if (strcmp(member_text(trial, "state"), "completed") == 0 &&
            !json_is_number(json_object_get(trial, "value"))) {
            json_object_set_new(trial, "state", json_string("failed"));
            json_object_set_new(trial, "error", json_string("its value is not finite"));
        }
    }
}

int optuna_read_trials(struct optuna_reading *reading)
{
    static const char steps[] =
        "SELECT i.trial_id, i.step, i.intermediate_value FROM trial_intermediate_values i"
        " JOIN trials t USING (trial_id) WHERE t.study_id = ?1 ORDER BY i.trial_id, i.step";
    if (read_rows(reading) < 0 ||
        take_rows(reading,
                  "SELECT p.trial_id, CAST(p.param_name AS TEXT) AS param_name, p.param_value,"
                  " CAST(p.distribution_json AS TEXT) AS distribution_json FROM trial_params p"
                  " JOIN trials t USING (trial_id) WHERE t.study_id = ?1 ORDER BY p.param_id",
                  take_parameter) < 0 ||
        take_rows(reading,
                  "SELECT v.trial_id, iif(v.value_type = 'FINITE', v.value, NULL) AS value"
                  " FROM trial_values v JOIN trials t USING (trial_id)"
                  " WHERE t.study_id = ?1 AND v.objective = 0", take_value) < 0 ||
        take_rows(reading, steps, take_least_step) < 0 ||
        take_rows(reading, steps, take_step) < 0 ||
        take_rows(reading,
                  "SELECT a.trial_id, CAST(a.key AS TEXT) AS key,"
                  " CAST(a.value_json AS TEXT) AS value_json FROM trial_user_attributes a"
                  " JOIN trials t USING (trial_id) WHERE t.study_id = ?1", take_attribute) < 0)
        return -1;
    check_values(reading);
    return 0;
}
