#include "tuner/history.h"

#include "common/file.h"
#include "common/json_text.h"
#include "common/text.h"
#include "db/optuna.h"
#include "tuner/csv.h"

#include <stdlib.h>
#include <string.h>

/* ---- reading ---- */

static const char study_sql[] =
    "SELECT s.study, s.state, s.metric, s.goal, s.sampler, s.scheduler, s.seed, s.max_epochs,"
    " s.eta, s.winner, s.test_accuracy, s.started_ms, s.ended_ms,"
    " coalesce(i.step_shift, 0) AS step_shift"
    " FROM studies s LEFT JOIN imports i USING (study) WHERE s.study = ?1";

static const char parameters_sql[] =
    "SELECT name, type, low, high, step, log, choices FROM parameters"
    " WHERE study = ?1 ORDER BY position";

static const char trials_sql[] =
    "SELECT t.trial, t.state, t.bracket, t.epochs, t.value, l.rank, t.error, t.parameters,"
    " t.seconds, t.started_ms, t.ended_ms"
    " FROM trials t LEFT JOIN leaderboard l ON l.study = t.study AND l.trial = t.trial"
    " WHERE t.study = ?1 ORDER BY t.trial";

static const char metrics_sql[] =
    "SELECT trial, epoch, name, value FROM metrics WHERE study = ?1 ORDER BY trial, epoch, name";

static const char attributes_sql[] =
    "SELECT trial, name, value FROM attributes WHERE study = ?1 ORDER BY trial, name";

static json_t *rows_of(struct store *store, const char *sql, const char *study,
                       struct failure *why)
{
    json_t *arguments = json_pack("[s]", study);
    json_t *rows = store_rows(store, sql, arguments, why);
    json_decref(arguments);
    return rows;
}

/* A column that holds JSON, in place of its text. */
static void open_column(json_t *row, const char *column)
{
    const char *text = json_string_value(json_object_get(row, column));
    json_t *value = text ? json_loads(text, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL) : NULL;
    if (value)
        json_object_set_new(row, column, value);
}

static void open_parameter(json_t *parameter)
{
    static const char *const columns[] = {"low", "high", "step", "choices"};
    bool log = json_integer_value(json_object_get(parameter, "log")) != 0;
    open_column(parameter, "choices");
    for (size_t i = 0; i < ARRAY_LENGTH(columns); i++) {
        if (json_is_null(json_object_get(parameter, columns[i])))
            json_object_del(parameter, columns[i]);
    }
    json_object_del(parameter, "log");
    if (log)
        json_object_set_new(parameter, "log", json_true());
}

static void open_trial(json_t *trial)
{
    open_column(trial, "parameters");
    if (json_is_null(json_object_get(trial, "error")))
        json_object_del(trial, "error");
    json_object_set_new(trial, "curve", json_array());
    json_object_set_new(trial, "attributes", json_object());
}

static json_int_t number_of(const json_t *row)
{
    return json_integer_value(json_object_get(row, "trial"));
}

/* Gives each row to its trial; both are in the order of the trials.  A trial that is not
 * there began only after they were read. */
static void deal(json_t *trials, const json_t *rows, void (*take)(json_t *trial, json_t *row))
{
    size_t i, at = 0, count = json_array_size(trials);
    json_t *row;
    json_array_foreach(rows, i, row) {
        while (at < count && number_of(json_array_get(trials, at)) < number_of(row))
            at++;
        if (at < count && number_of(json_array_get(trials, at)) == number_of(row))
            take(json_array_get(trials, at), row);
    }
}

static void take_metric(json_t *trial, json_t *row)
{
    json_t *curve = json_object_get(trial, "curve"), *epoch = json_object_get(row, "epoch");
    json_t *point = json_array_get(curve, json_array_size(curve) - 1);
    if (!json_equal(json_object_get(point, "epoch"), epoch)) {
        point = json_pack("{s:O}", "epoch", epoch);
        json_array_append_new(curve, point);
    }
    json_object_set(point, json_string_value(json_object_get(row, "name")),
                    json_object_get(row, "value"));
}

static void take_attribute(json_t *trial, json_t *row)
{
    open_column(row, "value");
    json_object_set(json_object_get(trial, "attributes"),
                    json_string_value(json_object_get(row, "name")),
                    json_object_get(row, "value"));
}

json_t *history_read(struct store *store, const char *study, struct failure *why)
{
    json_t *studies = rows_of(store, study_sql, study, why);
    json_t *parameters = rows_of(store, parameters_sql, study, why);
    json_t *trials = rows_of(store, trials_sql, study, why);
    json_t *metrics = rows_of(store, metrics_sql, study, why);
    json_t *attributes = rows_of(store, attributes_sql, study, why);
    json_t *history = json_incref(json_array_get(studies, 0)), *item;
    size_t i;
    if (history && parameters && trials && metrics && attributes) {
        json_array_foreach(parameters, i, item)
            open_parameter(item);
        json_array_foreach(trials, i, item)
            open_trial(item);
        deal(trials, metrics, take_metric);
        deal(trials, attributes, take_attribute);
        json_object_set(history, "parameters", parameters);
        json_object_set(history, "trials", trials);
    } else {
        fail(why, "study %s cannot be read", study);
        json_decref(history);
        history = NULL;
    }
    json_decref(studies);
    json_decref(parameters);
    json_decref(trials);
    json_decref(metrics);
    json_decref(attributes);
    return history;
}

/* ---- writing ---- */

static int write_text(const char *path, struct text *text, struct failure *why)
{
    const struct file_piece piece = {text_string(text), text->length};
    int result = file_replace(path, &piece, 1, why);
    text_free(text);
    return result;
}

/* A trial stands in a line of its own, so that the file can be looked at. */
static void add_json(struct text *text, json_t *history)
{
    json_t *trials = json_incref(json_object_get(history, "trials")), *trial;
    size_t i;
    json_object_del(history, "trials");
    char *head = json_text(history);
    text_add_bytes(text, head, strlen(head) - 1);
    text_add(text, ",\n \"trials\":[");
    json_array_foreach(trials, i, trial) {
        char *line = json_text(trial);
        text_addf(text, "%s\n  %s", i > 0 ? "," : "", line);
        free(line);
    }
    text_add(text, "]}\n");
    free(head);
    json_decref(trials);
}

int history_write_json(const struct visit *visit, const char *path, struct failure *why)
{
    struct text text = TEXT_EMPTY;
    json_t *history = history_read(visit->store, visit->study, why);
    if (!history)
        return -1;
    add_json(&text, history);
    json_decref(history);
    return write_text(path, &text, why);
}

static void add_cell(struct text *text, const json_t *value, bool first)
{
    char *other = value && !json_is_null(value) && !json_is_string(value) ? json_text(value)
                                                                          : NULL;
    csv_add(text, other ? other : json_string_value(value), first);
    free(other);
}

static const char *const fixed_columns[] = {"trial", "state", "bracket", "epochs", "value", "rank"};

static void add_csv(struct text *text, const json_t *history)
{
    const json_t *parameters = json_object_get(history, "parameters");
    size_t i, k;
    json_t *trial, *parameter;
    for (k = 0; k < ARRAY_LENGTH(fixed_columns); k++)
        csv_add(text, fixed_columns[k], k == 0);
    json_array_foreach(parameters, k, parameter)
        add_cell(text, json_object_get(parameter, "name"), false);
    csv_end_line(text);
    json_array_foreach(json_object_get(history, "trials"), i, trial) {
        const json_t *values = json_object_get(trial, "parameters");
        for (k = 0; k < ARRAY_LENGTH(fixed_columns); k++)
            add_cell(text, json_object_get(trial, fixed_columns[k]), k == 0);
        json_array_foreach(parameters, k, parameter)
            add_cell(text,
                     json_object_get(values, json_string_value(json_object_get(parameter, "name"))),
                     false);
        csv_end_line(text);
    }
}

int history_write_csv(const struct visit *visit, const char *path, struct failure *why)
{
    struct text text = TEXT_EMPTY;
    json_t *history = history_read(visit->store, visit->study, why);
    if (!history)
        return -1;
    add_csv(&text, history);
    json_decref(history);
    return write_text(path, &text, why);
}

/* What Optuna has no place for; a study from elsewhere keeps what it had. */
static void add_own_attributes(json_t *history)
{
    size_t i;
    json_t *trial;
    json_array_foreach(json_object_get(history, "trials"), i, trial) {
        json_t *attributes = json_object_get(trial, "attributes");
        json_object_set(attributes, "bracket", json_object_get(trial, "bracket"));
        json_object_set(attributes, "epochs", json_object_get(trial, "epochs"));
        if (json_object_get(trial, "error"))
            json_object_set(attributes, "error", json_object_get(trial, "error"));
    }
}

int history_write_optuna(const struct visit *visit, const char *path, struct failure *why)
{
    json_t *history = history_read(visit->store, visit->study, why);
    if (!history)
        return -1;
    if (strcmp(json_string_value(json_object_get(history, "sampler")), "imported") != 0)
        add_own_attributes(history);
    int result = optuna_write(path, history, why);
    json_decref(history);
    return result;
}
