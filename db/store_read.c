#include "db/store_internal.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

int64_t store_find_study(struct store *store, const char *name, struct failure *why)
{
    const struct value values[] = {value_text(name)};
    int64_t id = 0;
    int found = store_look_up(store, "SELECT id FROM recorded_studies WHERE name = ?1", values, 1,
                              &id, why);
    return found < 0 ? -1 : found ? id : 0;
}

/* ---- of one moment ---- */

int store_begin_reading(struct store *store, struct failure *why)
{
    if (store->readings == 0 && store_execute(store, "BEGIN", why) < 0)
        return -1;
    store->readings++;
    return 0;
}

void store_end_reading(struct store *store)
{
    if (--store->readings == 0)
        sqlite3_exec(store->db, "COMMIT", NULL, NULL, NULL);
}

/* ---- any rows ---- */

static json_t *row_value(sqlite3_stmt *statement)
{
    json_t *row = json_object();
    for (int i = 0; i < sqlite3_column_count(statement); i++) {
        const struct value value = store_column(statement, i);
        json_object_set_new(row, sqlite3_column_name(statement, i), value_to_json(&value));
    }
    return row;
}

static int bind_arguments(struct store *store, sqlite3_stmt *statement, const json_t *arguments,
                          struct failure *why)
{
    size_t count = json_array_size(arguments);
    struct value *values = xcalloc(count, sizeof *values);
    for (size_t i = 0; i < count; i++)
        values[i] = value_json(json_array_get(arguments, i));
    int code = store_bind(statement, values, count);
    free(values);
    return code == SQLITE_OK ? 0 : store_fail(store, code, why);
}

static bool is_blank(const char *text)
{
    while (isspace((unsigned char)*text) || *text == ';')
        text++;
    return *text == '\0';
}

/* Compiled anew each time: its text may live anywhere. */
static sqlite3_stmt *compile_select(struct store *store, const char *sql, struct failure *why)
{
    sqlite3_stmt *statement = NULL;
    const char *rest = "";
    int code = sqlite3_prepare_v2(store->db, sql, -1, &statement, &rest);
    if (code != SQLITE_OK) {
        store_fail(store, code, why);
        return NULL;
    }
    if (statement && sqlite3_stmt_readonly(statement) && sqlite3_column_count(statement) > 0 &&
        is_blank(rest))
        return statement;
    fail(why, "%s: only one SELECT may be asked: %.60s", store->path, sql);
    sqlite3_finalize(statement);
    return NULL;
}

int store_each_row(struct store *store, const char *sql, const json_t *arguments,
                   void (*row)(void *context, const json_t *row), void *context,
                   struct failure *why)
{
    int code = SQLITE_DONE, result = -1;
    sqlite3_stmt *statement = compile_select(store, sql, why);
    if (statement && bind_arguments(store, statement, arguments, why) == 0) {
        while ((code = sqlite3_step(statement)) == SQLITE_ROW) {
            json_t *value = row_value(statement);
            row(context, value);
            json_decref(value);
        }
        result = code == SQLITE_DONE ? 0 : store_fail(store, code, why);
    }
    sqlite3_finalize(statement);
    return result;
}

static void append(void *context, const json_t *row)
{
    json_array_append(context, (json_t *)(uintptr_t)row);
}

json_t *store_rows(struct store *store, const char *sql, const json_t *arguments,
                   struct failure *why)
{
    json_t *rows = json_array();
    if (store_each_row(store, sql, arguments, append, rows, why) == 0)
        return rows;
    json_decref(rows);
    return NULL;
}

/* ---- the model ---- */

int store_final_model(struct store *store, int64_t study, void **bytes, size_t *size,
                      struct failure *why)
{
    const struct value values[] = {value_integer(study)};
    sqlite3_stmt *statement = store_statement(
        store, "SELECT bytes FROM recorded_models WHERE study = ?1", values, 1, why);
    if (!statement)
        return -1;
    int found = 0;
    int code = sqlite3_step(statement);
    if (code == SQLITE_ROW) {
        const void *blob = sqlite3_column_blob(statement, 0);
        *size = (size_t)sqlite3_column_bytes(statement, 0);
        *bytes = xmalloc(*size);
        if (*size > 0)
            memcpy(*bytes, blob, *size);
        found = 1;
    } else if (code != SQLITE_DONE) {
        found = store_fail(store, code, why);
    }
    store_reset(statement);
    return found;
}
