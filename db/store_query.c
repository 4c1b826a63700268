#include "db/store_query.h"

#include "common/text.h"
#include "db/store_internal.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum {
    STEPS_BETWEEN_LOOKS = 20000, /* of SQLite's virtual machine: about a millisecond */
    LINE_SHOWN = 100             /* bytes of a line of the query in a message */
};

/* ---- reading only ---- */

/* What these change, if anything, is gone with the connection. */
static const char *const telling_pragmas[] = {
    "application_id", "collation_list",    "compile_options",   "database_list",
    "encoding",       "foreign_key_check", "foreign_key_list",  "freelist_count",
    "function_list",  "index_info",        "index_list",        "index_xinfo",
    "integrity_check", "journal_mode",     "page_count",        "page_size",
    "quick_check",    "table_info",        "table_list",        "table_xinfo",
    "user_version",
};
/* Their argument is what they tell about, not a new value. */
static const char *const asking_pragmas[] = {
    "foreign_key_check", "foreign_key_list", "index_info",  "index_list", "index_xinfo",
    "integrity_check",   "quick_check",      "table_info",  "table_list", "table_xinfo",
};

static bool is_one_of(const char *name, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (strcasecmp(name, names[i]) == 0)
            return true;
    }
    return false;
}

static bool only_tells(const char *pragma, const char *argument)
{
    return argument ? is_one_of(pragma, asking_pragmas, ARRAY_LENGTH(asking_pragmas))
                    : is_one_of(pragma, telling_pragmas, ARRAY_LENGTH(telling_pragmas));
}

/* SQLite asks it about each thing that a statement would do. */
static int authorize(void *context, int action, const char *first, const char *second,
                     const char *database, const char *trigger)
{
    (void)context, (void)database, (void)trigger;
    switch (action) {
    case SQLITE_SELECT:
    case SQLITE_READ:
    case SQLITE_FUNCTION:
    case SQLITE_RECURSIVE:
        return SQLITE_OK;
    case SQLITE_PRAGMA:
        return only_tells(first, second) ? SQLITE_OK : SQLITE_DENY;
    case SQLITE_UPDATE: /* asked, though not done, where a table such as json_each is read */
        return strcmp(first, "sqlite_master") == 0 ? SQLITE_OK : SQLITE_DENY;
    default:
        return SQLITE_DENY;
    }
}

/* ---- what is wrong with a query ---- */

/* The line that holds `place`, and below it a mark under the place. */
static void show_place(struct text *text, const char *sql, const char *place)
{
    const char *begin = place, *end = place;
    while (begin > sql && begin[-1] != '\n')
        begin--;
    while (place - begin > LINE_SHOWN / 2 && (begin[1] & 0xc0) != 0x80)
        begin++;
    while (*end && *end != '\n' && end - begin < LINE_SHOWN)
        end++;
    text_add(text, "\n  ");
    text_add_bytes(text, begin, (size_t)(end - begin));
    text_add(text, "\n  ");
    for (const char *at = begin; at < place; at++) {
        if ((*at & 0xc0) != 0x80)
            text_add_char(text, *at == '\t' ? '\t' : ' ');
    }
    text_add_char(text, '^');
}

static int line_of(const char *sql, const char *place)
{
    int line = 1;
    for (; sql < place; sql++)
        line += *sql == '\n';
    return line;
}

/* What may have been meant by the name of a table that is not there, if that is what is wrong. */
static void suggest_view(struct store *store, struct text *message)
{
    static const char lead[] = "no such table: ";
    const char *wanted = text_string(message), **names, *near;
    json_t *rows, *row;
    size_t i;
    if (strncmp(wanted, lead, strlen(lead)) != 0)
        return;
    rows = store_rows(store, "SELECT name FROM sqlite_master WHERE type = 'view'", NULL, NULL);
    names = xcalloc(json_array_size(rows) + 1, sizeof *names);
    json_array_foreach(rows, i, row)
        names[i] = json_string_value(json_object_get(row, "name"));
    near = nearest_word(wanted + strlen(lead), names, json_array_size(rows));
    if (near)
        text_addf(message, "; did you mean %s?", near);
    else
        text_add(message, "; docs/database.md describes what there is");
    free(names);
    json_decref(rows);
}

/* `sql` is the whole query, `statement` where the statement at fault begins in it. */
static int fail_query(struct store *store, int code, const char *sql, const char *statement,
                      struct failure *why)
{
    if (code == SQLITE_AUTH)
        return fail_input(why, "the database can only be read here: a SELECT is needed, not "
                               "\"%.40s\"", statement);
    if (code != SQLITE_ERROR)
        return store_fail(store, code, why);
    struct text text = TEXT_EMPTY;
    int offset = sqlite3_error_offset(store->db);
    text_add(&text, sqlite3_errmsg(store->db));
    if (offset >= 0 && (size_t)offset <= strlen(statement)) {
        const char *place = statement + offset;
        if (strchr(sql, '\n'))
            text_addf(&text, ", in line %d", line_of(sql, place));
        show_place(&text, sql, place);
    }
    suggest_view(store, &text);
    fail_input(why, "%s", text_string(&text));
    text_free(&text);
    return -1;
}

/* ---- running ---- */

static int bind_arguments(struct store *store, sqlite3_stmt *statement, const json_t *arguments,
                          struct failure *why)
{
    const char *name;
    json_t *argument;
    json_object_foreach((json_t *)arguments, name, argument) {
        const struct value value = value_json(argument);
        char *parameter = xasprintf(":%s", name);
        int place = sqlite3_bind_parameter_index(statement, parameter);
        free(parameter);
        if (place == 0)
            return fail_usage(why, "the query has no :%s", name);
        int code = store_bind_at(statement, place, &value);
        if (code != SQLITE_OK)
            return store_fail(store, code, why);
    }
    return 0;
}

static int begin(sqlite3_stmt *statement, const struct query_reader *reader, size_t count,
                 struct failure *why)
{
    const char **names = xcalloc(count, sizeof *names);
    for (size_t i = 0; i < count; i++)
        names[i] = sqlite3_column_name(statement, (int)i);
    int result = reader->begin(reader->context, names, count, why);
    free(names);
    return result;
}

/* 0, or -1 when the reader wants no more; *code is how SQLite ended. */
static int read_rows(sqlite3_stmt *statement, const struct query_reader *reader, int *code,
                     struct failure *why)
{
    size_t count = (size_t)sqlite3_column_count(statement);
    struct value *values = xcalloc(count, sizeof *values);
    int result = begin(statement, reader, count, why);
    *code = SQLITE_DONE;
    while (result == 0 && (*code = sqlite3_step(statement)) == SQLITE_ROW) {
        for (size_t i = 0; i < count; i++)
            values[i] = store_column(statement, (int)i);
        result = reader->row(reader->context, values, count, why);
    }
    free(values);
    if (result == 0 && *code == SQLITE_DONE)
        result = reader->end(reader->context, why);
    return result;
}

/* Runs the statement at *next and moves *next behind it. */
static int run_statement(struct store *store, const char *sql, const char **next,
                         const json_t *arguments, const struct query_reader *reader,
                         struct failure *why)
{
    const char *at = *next;
    sqlite3_stmt *statement = NULL;
    int code = sqlite3_prepare_v2(store->db, at, -1, &statement, next);
    if (code != SQLITE_OK)
        return fail_query(store, code, sql, at, why);
    if (!statement) /* a comment, or nothing */
        return 0;
    int result = bind_arguments(store, statement, arguments, why);
    if (result == 0)
        result = read_rows(statement, reader, &code, why);
    if (result == 0 && code == SQLITE_INTERRUPT)
        result = 1;
    else if (result == 0 && code != SQLITE_DONE)
        result = fail_query(store, code, sql, at, why);
    sqlite3_finalize(statement);
    return result;
}

static int look_for_interruption(void *context)
{
    const struct query_reader *reader = context;
    return reader->interrupted(reader->context);
}

int store_query(struct store *store, const char *sql, const json_t *arguments,
                const struct query_reader *reader, struct failure *why)
{
    const char *next = sql;
    int result = 0;
    sqlite3_set_authorizer(store->db, authorize, NULL);
    if (reader->interrupted)
        sqlite3_progress_handler(store->db, STEPS_BETWEEN_LOOKS, look_for_interruption,
                                 (void *)(uintptr_t)reader);
    while (result == 0 && *next)
        result = run_statement(store, sql, &next, arguments, reader, why);
    sqlite3_progress_handler(store->db, 0, NULL, NULL);
    sqlite3_set_authorizer(store->db, NULL, NULL);
    return result;
}

bool query_is_complete(const char *text)
{
    return sqlite3_complete(text) != 0;
}
