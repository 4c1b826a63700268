#include "db/optuna.h"

#include "common/member.h"
#include "common/text.h"
#include "db/optuna_reading.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { VALUE_MOST = 16 << 20 }; /* bytes of one text of the file */

/* ---- the file ---- */

/* Tables alone: a view that a file has in their place could go on for ever. */
static int check_tables(struct optuna_reading *reading)
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

json_t *optuna_rows(struct optuna_reading *reading, const char *sql)
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

int optuna_fail(struct optuna_reading *reading, const char *format, ...)
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

static int fail_choice(struct optuna_reading *reading, const json_t *studies, const char *wanted)
{
    struct text names = TEXT_EMPTY;
    size_t i;
    json_t *row;
    json_array_foreach(studies, i, row)
        text_addf(&names, "%s%s", i > 0 ? ", " : "", member_text(row, "study_name"));
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

static int choose_study(struct optuna_reading *reading, const char *wanted)
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
        const char *name = member_text(row, "study_name");
        if (wanted ? name && strcmp(name, wanted) == 0 : json_array_size(studies) == 1)
            chosen = row;
    }
    int result = chosen && member_text(chosen, "study_name")
                     ? 0 : fail_choice(reading, studies, wanted);
    if (result == 0) {
        reading->study = json_integer_value(json_object_get(chosen, "study_id"));
        json_object_set(reading->history, "study", json_object_get(chosen, "study_name"));
    }
    json_decref(studies);
    return result;
}

static int read_goal(struct optuna_reading *reading)
{
    json_t *rows =
        optuna_rows(reading, "SELECT direction FROM study_directions WHERE study_id = ?1");
    const char *direction = member_text(json_array_get(rows, 0), "direction");
    const char *goal = NULL;
    int result = rows ? 0 : -1;
    if (direction && strcmp(direction, "MAXIMIZE") == 0)
        goal = "maximize";
    else if (direction && strcmp(direction, "MINIMIZE") == 0)
        goal = "minimize";
    if (rows && json_array_size(rows) != 1)
        result = optuna_fail(reading, "the study has %zu objectives; only one can be imported",
                           json_array_size(rows));
    else if (rows && !goal)
        result = optuna_fail(reading, "'%s' is no direction of an objective",
                           direction ? direction : "");
    if (result == 0)
        json_object_set_new(reading->history, "goal", json_string(goal));
    json_decref(rows);
    return result;
}

static int read_metric(struct optuna_reading *reading)
{
    json_t *rows = optuna_rows(reading, "SELECT value_json FROM study_user_attributes"
                                    " WHERE study_id = ?1 AND key = 'metric'");
    const char *text = member_text(json_array_get(rows, 0), "value_json");
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

static int read_all(struct optuna_reading *reading, const char *study)
{
    if (check_tables(reading) < 0 || choose_study(reading, study) < 0 || read_goal(reading) < 0 ||
        read_metric(reading) < 0)
        return -1;
    return optuna_read_trials(reading);
}

json_t *optuna_read(const char *path, const char *study, struct failure *why)
{
    struct optuna_reading reading = {.file = open_file(path, why), .why = why};
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
