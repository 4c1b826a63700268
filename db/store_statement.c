#include "db/store_internal.h"

#include <math.h>
#include <string.h>

/* ---- values ---- */

struct value value_null(void)
{
    return (struct value){.type = VALUE_NULL};
}

struct value value_integer(int64_t integer)
{
    return (struct value){.type = VALUE_INTEGER, .integer = integer};
}

struct value value_integer_or_null(int64_t integer, int64_t null)
{
    return integer == null ? value_null() : value_integer(integer);
}

struct value value_real(double real)
{
    return isfinite(real) ? (struct value){.type = VALUE_REAL, .real = real} : value_null();
}

struct value value_text(const char *text)
{
    if (!text)
        return value_null();
    return (struct value){.type = VALUE_TEXT, .text = text, .size = strlen(text)};
}

struct value value_blob(const void *bytes, size_t size)
{
    return (struct value){.type = VALUE_BLOB, .text = bytes, .size = size};
}

struct value value_json(const json_t *value)
{
    if (json_is_integer(value))
        return value_integer(json_integer_value(value));
    if (json_is_real(value))
        return value_real(json_real_value(value));
    if (json_is_boolean(value))
        return value_integer(json_is_true(value));
    return value_text(json_string_value(value));
}

int store_bind_at(sqlite3_stmt *statement, int place, const struct value *value)
{
    switch (value->type) {
    case VALUE_INTEGER:
        return sqlite3_bind_int64(statement, place, value->integer);
    case VALUE_REAL:
        return sqlite3_bind_double(statement, place, value->real);
    case VALUE_TEXT:
        return sqlite3_bind_text64(statement, place, value->text, value->size, SQLITE_STATIC,
                                   SQLITE_UTF8);
    case VALUE_BLOB:
        return value->size == 0 ? sqlite3_bind_zeroblob(statement, place, 0)
                                : sqlite3_bind_blob64(statement, place, value->text, value->size,
                                                      SQLITE_STATIC);
    case VALUE_NULL:
        break;
    }
    return sqlite3_bind_null(statement, place);
}

int store_bind(sqlite3_stmt *statement, const struct value *values, size_t count)
{
    int code = SQLITE_OK;
    for (size_t i = 0; i < count && code == SQLITE_OK; i++)
        code = store_bind_at(statement, (int)i + 1, &values[i]);
    return code;
}

struct value store_column(sqlite3_stmt *statement, int column)
{
    struct value value = {.type = VALUE_NULL};
    switch (sqlite3_column_type(statement, column)) {
    case SQLITE_INTEGER:
        return value_integer(sqlite3_column_int64(statement, column));
    case SQLITE_FLOAT:
        value.type = VALUE_REAL; /* which may be infinite */
        value.real = sqlite3_column_double(statement, column);
        break;
    case SQLITE_TEXT:
        value.type = VALUE_TEXT;
        value.text = (const char *)sqlite3_column_text(statement, column);
        value.size = (size_t)sqlite3_column_bytes(statement, column);
        break;
    case SQLITE_BLOB:
        value.type = VALUE_BLOB;
        value.text = sqlite3_column_blob(statement, column);
        value.size = (size_t)sqlite3_column_bytes(statement, column);
        break;
    default:
        break;
    }
    return value;
}

/* ---- failures ---- */

/* Also where it was the index of the log, which is beside the database, that had no room. */
static bool is_full(const struct store *store, int code)
{
    return (code & 0xff) == SQLITE_FULL ||
           sqlite3_extended_errcode(store->db) == SQLITE_IOERR_SHMSIZE;
}

int store_fail(struct store *store, int code, struct failure *why)
{
    const char *text = sqlite3_errmsg(store->db);
    if (is_full(store, code))
        return fail(why, "%s: the disk is full; make room, then run the study again: it goes on "
                         "where it was", store->path);
    switch (code & 0xff) {
    case SQLITE_NOTADB:
        return fail_input(why, "%s: is not a database; move it away or choose another place",
                          store->path);
    case SQLITE_CORRUPT:
        return fail_input(why, "%s: is damaged (%s); restore it from a copy, or move it away",
                          store->path, text);
    case SQLITE_IOERR:
        return fail(why, "%s: the disk failed (%s, code %d); see to it, then run the study again: "
                         "it goes on where it was", store->path, text,
                    sqlite3_extended_errcode(store->db));
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return fail(why, "%s: another program keeps it locked; end that one, then try again",
                    store->path);
    case SQLITE_READONLY:
    case SQLITE_PERM:
        return fail_input(why, "%s: may not be written (%s); choose a place that you may write to",
                          store->path, text);
    case SQLITE_CANTOPEN:
        return fail_input(why, "%s: cannot be opened (%s)", store->path, text);
    default:
        return fail(why, "%s: %s", store->path, text);
    }
}

/* What says something about one statement says nothing about the disk. */
static bool breaks(int code)
{
    switch (code & 0xff) {
    case SQLITE_ERROR:
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_CONSTRAINT:
    case SQLITE_MISMATCH:
    case SQLITE_TOOBIG:
    case SQLITE_RANGE:
    case SQLITE_MISUSE:
        return false;
    default:
        return true;
    }
}

int store_fail_recording(struct store *store, int code, struct failure *why)
{
    store->spoilt = true;
    if (breaks(code) && !store->broken) {
        store->broken = xstrdup(sqlite3_errstr(code & 0xff));
        store->full = is_full(store, code);
        /* After a failed sync nobody knows what the disk has: the write-ahead log must
         * stay as it is for the next start, which reads it back. */
        sqlite3_db_config(store->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    }
    return store_fail(store, code, why);
}

/* ---- statements ---- */

static sqlite3_stmt *compile(struct store *store, const char *sql, int *code)
{
    sqlite3_stmt *compiled = NULL;
    for (size_t i = 0; i < store->statement_count; i++) {
        if (store->statements[i].sql == sql)
            return store->statements[i].compiled;
    }
    if (store->statement_count == STATEMENTS_MAX) {
        /* The oldest goes; there are fewer texts than places, so this is for later. */
        sqlite3_finalize(store->statements[0].compiled);
        store->statement_count--;
        memmove(store->statements, store->statements + 1,
                store->statement_count * sizeof store->statements[0]);
    }
    *code = sqlite3_prepare_v3(store->db, sql, -1, SQLITE_PREPARE_PERSISTENT, &compiled, NULL);
    if (*code == SQLITE_OK)
        store->statements[store->statement_count++] = (struct statement){sql, compiled};
    return compiled;
}

sqlite3_stmt *store_statement(struct store *store, const char *sql, const struct value *values,
                              size_t count, struct failure *why)
{
    int code = SQLITE_OK;
    sqlite3_stmt *statement = compile(store, sql, &code);
    if (code == SQLITE_OK)
        code = store_bind(statement, values, count);
    if (code == SQLITE_OK)
        return statement;
    store_fail(store, code, why);
    return NULL;
}

void store_reset(sqlite3_stmt *statement)
{
    sqlite3_reset(statement);
    sqlite3_clear_bindings(statement);
}

int store_may_record(const struct store *store, struct failure *why)
{
    if (store->broken)
        return fail(why, "%s: nothing more is recorded after an earlier failure (%s); run the "
                         "study again: it goes on where it was", store->path, store->broken);
    if (store->mode == STORE_READ)
        return fail(why, "%s: was opened for reading only", store->path);
    return 0;
}

int store_record(struct store *store, const char *sql, const struct value *values, size_t count,
                 struct failure *why)
{
    if (store_may_record(store, why) < 0)
        return -1;
    if (sqlite3_get_autocommit(store->db))
        return fail(why, "%s: recording needs a transaction", store->path);
    int code = SQLITE_OK;
    sqlite3_stmt *statement = compile(store, sql, &code);
    if (code == SQLITE_OK)
        code = store_bind(statement, values, count);
    if (code == SQLITE_OK)
        code = sqlite3_step(statement);
    int result = code == SQLITE_DONE ? 0 : store_fail_recording(store, code, why);
    if (statement)
        store_reset(statement);
    return result;
}

int store_changed(const struct store *store)
{
    return sqlite3_changes(store->db);
}

int store_execute(struct store *store, const char *sql, struct failure *why)
{
    int code = sqlite3_exec(store->db, sql, NULL, NULL, NULL);
    return code == SQLITE_OK ? 0 : store_fail(store, code, why);
}

int store_look_up(struct store *store, const char *sql, const struct value *values, size_t count,
                  int64_t *result, struct failure *why)
{
    sqlite3_stmt *statement = store_statement(store, sql, values, count, why);
    if (!statement)
        return -1;
    int code = sqlite3_step(statement);
    if (code == SQLITE_ROW)
        *result = sqlite3_column_int64(statement, 0);
    int found = code == SQLITE_ROW ? 1 : 0;
    if (code != SQLITE_ROW && code != SQLITE_DONE)
        found = store_fail(store, code, why);
    store_reset(statement);
    return found;
}
