#include "reports/report_read.h"

#include <stdlib.h>
#include <string.h>

/* ---- trials ---- */

static struct report_trial take_trial(const json_t *row)
{
    return (struct report_trial){
        .number = row_integer(row, "trial", 0),
        .bracket = row_integer(row, "bracket", 0),
        .rank = row_integer(row, "rank", 0),
        .epochs = row_integer(row, "epochs", 0),
        .early_end = row_integer(row, "early_end", 0),
        .value = row_real(row, "value"),
        .seconds = row_real(row, "seconds"),
        .started_ms = row_time(row, "started_ms"),
        .ended_ms = row_time(row, "ended_ms"),
        .state = row_text(row, "state"),
        .reason = row_text(row, "reason"),
        .arithmetic = row_text(row, "arithmetic"),
        .parameters = row_json(row, "parameters"),
    };
}

/* What a SELECT says to have the chosen trials alone. */
#define CHOSEN "IN (SELECT value FROM json_each(?2)) "

static int read_trials(struct store *store, struct report_data *data, const char *chosen,
                       struct failure *why)
{
    json_t *rows = report_chosen_rows(store,
                               "SELECT t.trial, t.bracket, t.state, t.epochs, t.early_end, "
                               "t.value, t.parameters, t.arithmetic, t.seconds, t.started_ms, "
                               "t.ended_ms, l.rank, coalesce(t.error, (SELECT d.reason "
                               "FROM decisions d WHERE d.study = t.study AND d.trial = t.trial "
                               "ORDER BY d.rung DESC LIMIT 1)) AS reason "
                               "FROM trials t LEFT JOIN leaderboard l "
                               "ON l.study = t.study AND l.trial = t.trial "
                               "WHERE t.study = ?1 AND t.trial " CHOSEN "ORDER BY t.trial",
                               data->name, chosen, why);
    size_t index;
    json_t *row;
    if (!rows)
        return -1;
    data->listed_count = json_array_size(rows);
    data->trials = xcalloc(data->listed_count, sizeof *data->trials);
    json_array_foreach(rows, index, row)
        data->trials[index] = take_trial(row);
    json_decref(rows);
    return 0;
}

/* Gives each trial the epochs that are its own; both are by number. */
static void share_out(struct report_data *data, const json_t *epochs)
{
    size_t at = 0, count = json_array_size(epochs);
    for (size_t i = 0; i < data->listed_count; i++) {
        json_t *own = json_array();
        for (; at < count && row_integer(json_array_get(epochs, at), "trial", -1) ==
                                 data->trials[i].number; at++)
            json_array_append(own, json_array_get(epochs, at));
        report_take_curve(&data->trials[i].curve, own);
        json_decref(own);
    }
}

static int read_curves(struct store *store, struct report_data *data, const char *chosen,
                       struct failure *why)
{
    json_t *epochs = report_chosen_rows(store, "SELECT * FROM curves WHERE study = ?1 AND trial "
                                               CHOSEN "ORDER BY trial, epoch", data->name,
                                        chosen, why);
    if (!epochs)
        return -1;
    share_out(data, epochs);
    json_decref(epochs);
    return 0;
}

/* ---- faults ---- */

static int read_faults(struct store *store, struct report_data *data, struct failure *why)
{
    json_t *rows = report_rows(store,
                               "SELECT trial, attempt, worker, kind, reason, action, recorded_ms "
                               "FROM faults WHERE study = ?1 ORDER BY fault", data->name, why);
    size_t index;
    json_t *row;
    if (!rows)
        return -1;
    data->fault_count = json_array_size(rows);
    data->faults = xcalloc(data->fault_count, sizeof *data->faults);
    json_array_foreach(rows, index, row)
        data->faults[index] = (struct report_fault){
            .trial = row_integer(row, "trial", -1),
            .attempt = row_integer(row, "attempt", 0),
            .worker = row_integer(row, "worker", 0),
            .recorded_ms = row_time(row, "recorded_ms"),
            .kind = row_text(row, "kind"),
            .reason = row_text(row, "reason"),
            .action = row_text(row, "action"),
        };
    json_decref(rows);
    return 0;
}

/* ---- what is passed on as it is ---- */

static int read_space(struct store *store, struct report_data *data, struct failure *why)
{
    size_t index;
    json_t *row;
    data->space = report_rows(store,
                              "SELECT name, type, low, high, step, log, choices FROM parameters "
                              "WHERE study = ?1 ORDER BY position", data->name, why);
    json_array_foreach(data->space, index, row) {
        json_t *choices = row_json(row, "choices");
        json_object_set_new(row, "log", json_boolean(row_integer(row, "log", 0)));
        json_object_set_new(row, "choices", choices ? choices : json_null());
    }
    return data->space ? 0 : -1;
}

/* Sums over all trials, listed or not. */
static int read_sums(struct store *store, struct report_data *data, struct failure *why)
{
    json_t *rows = report_rows(store,
                               "SELECT (SELECT total(seconds) FROM epochs WHERE study = ?1) "
                               "AS seconds, (SELECT count(*) FROM (SELECT DISTINCT trial, rung "
                               "FROM segments WHERE study = ?1)) AS places, (SELECT count(*) "
                               "FROM segments WHERE study = ?1) AS segments", data->name, why);
    const json_t *row = json_array_get(rows, 0);
    if (!rows)
        return -1;
    data->training_seconds = row_real(row, "seconds");
    data->place_count = json_integer_value(json_object_get(row, "places"));
    data->segment_count = json_integer_value(json_object_get(row, "segments"));
    json_decref(rows);
    return 0;
}

static int read_course(struct store *store, struct report_data *data, const char *chosen,
                       struct failure *why)
{
    const struct {
        json_t **rows;
        bool of_trials;
        const char *sql;
    } lists[] = {
        {&data->plan, false, "SELECT bracket, rung, places, keep, epochs FROM planned_rungs "
                      "WHERE study = ?1 ORDER BY bracket DESC, rung"},
        {&data->rungs, true, "SELECT bracket, rung, trial, epochs, value, rank, verdict, reason "
                       "FROM rungs WHERE study = ?1 AND trial " CHOSEN
                       "ORDER BY bracket DESC, rung, rank, trial"},
        {&data->segments, true, "SELECT trial, rung, attempt, worker, from_epoch, to_epoch, state, "
                          "value, reason, started_ms, ended_ms FROM segments WHERE study = ?1 "
                          "AND trial " CHOSEN "ORDER BY started_ms, trial, rung, attempt"},
        {&data->workers, false, "SELECT worker, program, arithmetic, started_ms, ended_ms, reason "
                         "FROM workers WHERE study = ?1 ORDER BY worker"},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(lists); i++) {
        *lists[i].rows = lists[i].of_trials
                             ? report_chosen_rows(store, lists[i].sql, data->name, chosen, why)
                             : report_rows(store, lists[i].sql, data->name, why);
        if (!*lists[i].rows)
            return -1;
    }
    return 0;
}

int report_read_search(struct store *store, struct report_data *data, struct failure *why)
{
    char *chosen = report_choose(store, data, why);
    int result = -1;
    if (chosen && read_trials(store, data, chosen, why) == 0 &&
        read_curves(store, data, chosen, why) == 0 && read_sums(store, data, why) == 0 &&
        read_faults(store, data, why) == 0 && read_space(store, data, why) == 0)
        result = read_course(store, data, chosen, why);
    free(chosen);
    return result;
}
