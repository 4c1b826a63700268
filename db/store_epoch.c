#include "db/store_internal.h"

#include <math.h>

/* Epochs of trials and of the final training are recorded alike; only the tables
 * differ.  In all of these ?1 is the study, ?2 the trial (of which there is but one in
 * the final) and ?3 the epoch. */
struct epoch_tables {
    const char *add, *repeat, *add_metric, *metrics;
};

static const struct epoch_tables search_tables = {
    "INSERT INTO recorded_epochs (study, trial, epoch, attempt, checkpoint, seconds, recorded_ms)"
    " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT DO NOTHING",
    "UPDATE recorded_epochs SET attempt = ?4, checkpoint = ?5"
    " WHERE study = ?1 AND trial = ?2 AND epoch = ?3",
    "INSERT INTO recorded_metrics (study, trial, epoch, name, value) VALUES (?1, ?2, ?3, ?4, ?5)",
    "SELECT name, value FROM recorded_metrics WHERE study = ?1 AND trial = ?2 AND epoch = ?3",
};

static const struct epoch_tables final_tables = {
    "INSERT INTO recorded_final_epochs (study, epoch, attempt, checkpoint, seconds, recorded_ms)"
    " VALUES (?1, ?3, ?4, ?5, ?6, ?7) ON CONFLICT DO NOTHING",
    "UPDATE recorded_final_epochs SET attempt = ?4, checkpoint = ?5"
    " WHERE study = ?1 AND epoch = ?3",
    "INSERT INTO recorded_final_metrics (study, epoch, name, value) VALUES (?1, ?3, ?4, ?5)",
    "SELECT name, value FROM recorded_final_metrics WHERE study = ?1 AND epoch = ?3",
};

static int add_metrics(struct store *store, const struct epoch_tables *tables, int64_t study,
                       const struct epoch_record *epoch, struct failure *why)
{
    const char *name;
    json_t *metric;
    json_object_foreach((json_t *)epoch->metrics, name, metric) {
        const struct value values[] = {
            value_integer(study), value_integer(epoch->trial), value_integer(epoch->epoch),
            value_text(name),
            json_is_number(metric) ? value_real(json_number_value(metric)) : value_null()};
        if (RECORD(store, tables->add_metric, values, why) < 0)
            return -1;
    }
    return 0;
}

/* Whether the recorded metric in `row` (name, value) is the one in `metrics`.  SQLite
 * does not keep the sign of zero, everything else to the bit. */
static bool same_metric(sqlite3_stmt *row, const json_t *metrics)
{
    const json_t *metric = json_object_get(metrics, (const char *)sqlite3_column_text(row, 0));
    bool finite = sqlite3_column_type(row, 1) != SQLITE_NULL;
    if (!metric || json_is_number(metric) != finite)
        return false;
    return !finite || sqlite3_column_double(row, 1) == json_number_value(metric);
}

static int compare_metrics(struct store *store, const struct epoch_tables *tables, int64_t study,
                           const struct epoch_record *epoch, bool *differs, struct failure *why)
{
    const struct value values[] = {value_integer(study), value_integer(epoch->trial),
                                   value_integer(epoch->epoch)};
    sqlite3_stmt *row = store_statement(store, tables->metrics, values, ARRAY_LENGTH(values), why);
    if (!row)
        return -1;
    int code;
    size_t same = 0, recorded = 0;
    while ((code = sqlite3_step(row)) == SQLITE_ROW) {
        recorded++;
        same += same_metric(row, epoch->metrics);
    }
    int result = code == SQLITE_DONE ? 0 : store_fail(store, code, why);
    *differs = same != recorded || recorded != json_object_size(epoch->metrics);
    store_reset(row);
    return result;
}

static int add_epoch(struct store *store, const struct epoch_tables *tables, int64_t study,
                     const struct epoch_record *epoch, bool *differs, struct failure *why)
{
    const struct value values[] = {value_integer(study),
                                   value_integer(epoch->trial),
                                   value_integer(epoch->epoch),
                                   value_integer(epoch->attempt),
                                   value_text(epoch->checkpoint),
                                   value_real(isfinite(epoch->seconds) ? epoch->seconds : 0),
                                   value_integer(clock_wall_ms())};
    enum { REPEATED = 5 }; /* the values that an epoch which is there already takes */
    *differs = false;
    if (RECORD(store, tables->add, values, why) < 0)
        return -1;
    if (store_changed(store) > 0)
        return add_metrics(store, tables, study, epoch, why);
    if (store_record(store, tables->repeat, values, REPEATED, why) < 0)
        return -1;
    return compare_metrics(store, tables, study, epoch, differs, why);
}

int store_add_epoch(struct store *store, int64_t study, const struct epoch_record *epoch,
                    bool *differs, struct failure *why)
{
    return add_epoch(store, &search_tables, study, epoch, differs, why);
}

int store_add_final_epoch(struct store *store, int64_t study, const struct epoch_record *epoch,
                          struct failure *why)
{
    bool differs;
    return add_epoch(store, &final_tables, study, epoch, &differs, why);
}

int store_forget_checkpoint(struct store *store, int64_t study, int trial, int epoch,
                            struct failure *why)
{
    const struct value values[] = {value_integer(study), value_integer(trial),
                                   value_integer(epoch)};
    return RECORD(store,
                  "UPDATE recorded_epochs SET checkpoint = NULL"
                  " WHERE study = ?1 AND trial = ?2 AND epoch = ?3", values, why);
}
