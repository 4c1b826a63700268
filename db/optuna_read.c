#include "db/optuna.h"

#include "common/text.h"
#include "db/optuna_distribution.h"
#include "db/store_internal.h"

#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum {
    VALUE_MOST = 16 << 20, /* bytes of one text of the file */
    NAME_MOST = 512        /* bytes of a parameter's name, as in Optuna */
};

/* The study that is being read. */
struct reading {
    struct store *file;
    int64_t study;      /* its id in the file */
    json_t *history;
    json_t *by_id;      /* the id of a trial there -> the trial */
    json_t *parameters; /* name -> parameter */
    struct failure *why;
};

static const char *text_of(const json_t *object, const char *key)
{
    return json_string_value(json_object_get(object, key));
}

/* ---- the file ---- */

/* Tables alone: a view that a file has in their place could go on for ever. */
static int check_tables(struct reading *reading)
{
    static const char *const tables[] = {
        "studies", "study_directions", "study_user_attributes", "trials", "trial_params",
        "trial_values", "trial_intermediate_values", "trial_user_attributes"};
    for (size_t i = 0; i < ARRAY_LENGTH(tables); i++) {
        const struct value values[] = {value_text(tables[i])};
        int64_t found = 0;
        int result = store_look_up(reading->file,
                                   "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND"
                                   " name = ?1 AND sql NOT LIKE 'CREATE VIRTUAL%'",
                                   values, 1, &found, reading->why);
        if (result == 0)
            fail_input(reading->why, "%s: is no storage of Optuna: it has no table %s",
                       reading->file->path, tables[i]);
        if (result <= 0)
            return -1;
    }
    return 0;
}

static struct store *open_file(const char *path, struct failure *why)
{
    struct store *file = store_connect(path, SQLITE_OPEN_READONLY, why);
    if (!file)
        return NULL;
    sqlite3_db_config(file->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    sqlite3_db_config(file->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    sqlite3_limit(file->db, SQLITE_LIMIT_LENGTH, VALUE_MOST);
    return file;
}

/* Rows that belong to the study, whose id is ?1. */
static json_t *rows_of(struct reading *reading, const char *sql)
{
    json_t *arguments = json_pack("[I]", (json_int_t)reading->study);
    json_t *rows = store_rows(reading->file, sql, arguments, reading->why);
    json_decref(arguments);
    if (!rows && reading->why) {
        fail_prefix(reading->why, "not as Optuna 3 writes it (`optuna storage upgrade` brings an "
                                  "older file up to date)");
        reading->why->code = EXIT_BAD_INPUT; /* it is the file that is wrong, not the query */
    }
    return rows;
}

static int fail_file(struct reading *reading, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
static int fail_file(struct reading *reading, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    char *what = xvasprintf(format, arguments);
    va_end(arguments);
    fail_input(reading->why, "%s: %s", reading->file->path, what);
    free(what);
    return -1;
}

/* ---- which study ---- */

static int fail_choice(struct reading *reading, const json_t *studies, const char *wanted)
{
    struct text names = TEXT_EMPTY;
    size_t i;
    json_t *row;
    json_array_foreach(studies, i, row)
        text_addf(&names, "%s%s", i > 0 ? ", " : "", text_of(row, "study_name"));
    if (json_array_size(studies) == 0)
        fail_input(reading->why, "%s: holds no study", reading->file->path);
    else if (wanted)
        fail_input(reading->why, "%s: holds no study %s; there are: %s", reading->file->path,
                   wanted, text_string(&names));
    else
        fail_input(reading->why, "%s: holds several studies; choose one with --study: %s",
                   reading->file->path, text_string(&names));
    text_free(&names);
    return -1;
}

static int choose_study(struct reading *reading, const char *wanted)
{
    json_t *studies = store_rows(reading->file,
                                 "SELECT study_id, CAST(study_name AS TEXT) AS study_name"
                                 " FROM studies ORDER BY study_id", NULL, reading->why);
    const json_t *chosen = NULL;
    size_t i;
    json_t *row;
    if (!studies)
        return -1;
    json_array_foreach(studies, i, row) {
        const char *name = text_of(row, "study_name");
        if (wanted ? name && strcmp(name, wanted) == 0 : json_array_size(studies) == 1)
            chosen = row;
    }
    int result = chosen && text_of(chosen, "study_name")
                     ? 0 : fail_choice(reading, studies, wanted);
    if (result == 0) {
        reading->study = json_integer_value(json_object_get(chosen, "study_id"));
        json_object_set(reading->history, "study", json_object_get(chosen, "study_name"));
    }
    json_decref(studies);
    return result;
}

static int read_goal(struct reading *reading)
{
    json_t *rows = rows_of(reading, "SELECT direction FROM study_directions WHERE study_id = ?1");
    const char *direction = text_of(json_array_get(rows, 0), "direction");
    const char *goal = NULL;
    int result = rows ? 0 : -1;
    if (direction && strcmp(direction, "MAXIMIZE") == 0)
        goal = "maximize";
    else if (direction && strcmp(direction, "MINIMIZE") == 0)
        goal = "minimize";
    if (rows && json_array_size(rows) != 1)
        result = fail_file(reading, "the study has %zu objectives; only one can be imported",
                           json_array_size(rows));
    else if (rows && !goal)
        result = fail_file(reading, "'%s' is no direction of an objective",
                           direction ? direction : "");
    if (result == 0)
        json_object_set_new(reading->history, "goal", json_string(goal));
    json_decref(rows);
    return result;
}

static int read_metric(struct reading *reading)
{
    json_t *rows = rows_of(reading, "SELECT value_json FROM study_user_attributes"
                                    " WHERE study_id = ?1 AND key = 'metric'");
    const char *text = text_of(json_array_get(rows, 0), "value_json");
    json_t *metric = text ? json_loads(text, JSON_DECODE_ANY, NULL) : NULL;
    /* An epoch's number and its metrics are one object. */
    if (!json_is_string(metric) || json_string_length(metric) == 0 ||
        strcmp(json_string_value(metric), "epoch") == 0) {
        json_decref(metric);
        metric = json_string("value");
    }
    json_object_set_new(reading->history, "metric", metric);
    int result = rows ? 0 : -1;
    json_decref(rows);
    return result;
}

/* ---- trials ---- */

static void id_key(const json_t *row, char key[24])
{
    snprintf(key, 24, "%lld", (long long)json_integer_value(json_object_get(row, "trial_id")));
}

static json_t *trial_of(struct reading *reading, const json_t *row)
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

static int add_trial(struct reading *reading, const json_t *row, json_t *trials)
{
    json_int_t number = json_integer_value(json_object_get(row, "number"));
    const char *state = our_state(text_of(row, "state"));
    char key[24];
    if (!json_is_integer(json_object_get(row, "number")) || number < 0 || number > INT_MAX)
        return fail_file(reading, "trial %lld: no such number can be", (long long)number);
    if (!state)
        return fail_file(reading, "trial %lld: '%s' is no state of a trial", (long long)number,
                         text_of(row, "state") ? text_of(row, "state") : "");
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

static int read_trials(struct reading *reading)
{
    json_t *rows = rows_of(
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
            result = fail_file(reading, "there are two trials with the number %lld",
                               (long long)json_integer_value(json_object_get(row, "number")));
        if (result == 0)
            result = add_trial(reading, row, trials);
    }
    if (result == 0 && json_array_size(trials) == 0)
        result = fail_file(reading, "no trial has ended there yet");
    json_object_set_new(reading->history, "left_out",
                        json_integer((json_int_t)(json_array_size(rows) -
                                                  json_array_size(trials))));
    json_object_set_new(reading->history, "trials", trials);
    json_decref(rows);
    return result;
}

/* ---- parameters ---- */

static int check_name(struct reading *reading, const char *name)
{
    size_t i;
    json_t *parameter;
    if (!name || *name == '\0' || strlen(name) > NAME_MOST)
        return fail_file(reading, "a parameter has no name, or one of more than %d bytes",
                         NAME_MOST);
    json_array_foreach(json_object_get(reading->history, "parameters"), i, parameter) {
        if (strcasecmp(text_of(parameter, "name"), name) == 0)
            return fail_file(reading, "two parameters have names that differ in upper and lower "
                                      "case alone: %s", name);
    }
    return 0;
}

/* Adds the distribution of one trial; the parameter it belongs to, or NULL. */
static const json_t *take_distribution(struct reading *reading, const json_t *row)
{
    const char *name = text_of(row, "param_name");
    json_t *known = name ? json_object_get(reading->parameters, name) : NULL;
    if (!known && check_name(reading, name) < 0)
        return NULL;
    json_t *parameter = optuna_parameter(name, text_of(row, "distribution_json"));
    if (!parameter) {
        fail_file(reading, "parameter %s: its distribution cannot be understood", name);
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
        fail_file(reading, "parameter %s: its distributions are of different kinds", name);
    return one ? known : NULL;
}

static int take_parameter(struct reading *reading, const json_t *row)
{
    json_t *trial = trial_of(reading, row);
    if (!trial) /* one that was left out */
        return 0;
    const json_t *parameter = take_distribution(reading, row);
    if (!parameter)
        return -1;
    json_t *value = optuna_value(parameter, json_object_get(row, "param_value"));
    if (!value)
        return fail_file(reading, "trial %lld: its %s has a value that cannot be",
                         (long long)json_integer_value(json_object_get(trial, "trial")),
                         text_of(parameter, "name"));
    json_object_set_new(json_object_get(trial, "parameters"), text_of(parameter, "name"), value);
    return 0;
}

/* ---- values ---- */

static int take_value(struct reading *reading, const json_t *row)
{
    json_t *trial = trial_of(reading, row);
    json_t *value = json_object_get(row, "value");
    if (trial && json_is_number(value))
        json_object_set_new(trial, "value", json_real(json_number_value(value)));
    return 0;
}

/* Steps count from 0 with most users, epochs from 1. */
static int take_least_step(struct reading *reading, const json_t *row)
{
    json_int_t shift = json_integer_value(json_object_get(reading->history, "step_shift"));
    json_int_t step = json_integer_value(json_object_get(row, "step"));
    if (!json_is_integer(json_object_get(row, "step")) || step < -INT_MAX / 4 || step > INT_MAX / 4)
        return fail_file(reading, "a step %lld is none that can be recorded", (long long)step);
    if (trial_of(reading, row) && 1 - step > shift)
        json_object_set_new(reading->history, "step_shift", json_integer(1 - step));
    return 0;
}

static int take_step(struct reading *reading, const json_t *row)
{
    json_int_t shift = json_integer_value(json_object_get(reading->history, "step_shift"));
    json_int_t step = json_integer_value(json_object_get(row, "step"));
    const json_t *value = json_object_get(row, "intermediate_value");
    json_t *trial = trial_of(reading, row);
    if (trial)
        json_array_append_new(json_object_get(trial, "curve"),
                              json_pack("{s:I, s:o}", "epoch", step + shift,
                                        text_of(reading->history, "metric"),
                                        json_is_number(value) ? json_real(json_number_value(value))
                                                              : json_null()));
    return 0;
}

/* One that is no JSON (Python writes NaN) is kept as its text. */
static int take_attribute(struct reading *reading, const json_t *row)
{
    json_t *trial = trial_of(reading, row);
    const char *key = text_of(row, "key"), *text = text_of(row, "value_json");
    if (!trial || !key || !text)
        return 0;
    json_t *value = json_loads(text, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
    json_object_set_new(json_object_get(trial, "attributes"), key,
                        value ? value : json_string(text));
    return 0;
}

static int take_rows(struct reading *reading, const char *sql,
                     int (*take)(struct reading *reading, const json_t *row))
{
    json_t *rows = rows_of(reading, sql);
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
static void check_values(struct reading *reading)
{
    size_t i;
    json_t *trial;
    json_array_foreach(json_object_get(reading->history, "trials"), i, trial) {
        if (strcmp(text_of(trial, "state"), "completed") == 0 &&
            !json_is_number(json_object_get(trial, "value"))) {
            json_object_set_new(trial, "state", json_string("failed"));
            json_object_set_new(trial, "error", json_string("its value is not finite"));
        }
    }
}

static int read_all(struct reading *reading, const char *study)
{
    static const char steps[] =
        "SELECT i.trial_id, i.step, i.intermediate_value FROM trial_intermediate_values i"
        " JOIN trials t USING (trial_id) WHERE t.study_id = ?1 ORDER BY i.trial_id, i.step";
    if (check_tables(reading) < 0 || choose_study(reading, study) < 0 || read_goal(reading) < 0 ||
        read_metric(reading) < 0 || read_trials(reading) < 0 ||
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

json_t *optuna_read(const char *path, const char *study, struct failure *why)
{
    struct reading reading = {.file = open_file(path, why), .why = why};
    if (!reading.file)
        return NULL;
    reading.history = json_pack("{s:i, s:[]}", "step_shift", 0, "parameters");
    reading.by_id = json_object();
    reading.parameters = json_object();
    if (read_all(&reading, study) < 0) {
        json_decref(reading.history);
        reading.history = NULL;
    }
    json_decref(reading.by_id);
    json_decref(reading.parameters);
    store_close(reading.file);
    return reading.history;
}
