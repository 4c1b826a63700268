/* The bytes are a storage of Optuna's: the file of SQLite itself, or what is in its tables, a
 * line for each row, since hardly a change of a file's bytes leaves a file.  A line is the
 * letter of a table and the columns, each after a tab: nothing for NULL, a number, 'text, xblob;
 * whatever is neither is text as well.
 *
 * What is accepted must be a history that can be imported, and each of its values one that can
 * be exported again. */
#include "tests/folder_remove.h"
#include "tests/fuzz/fuzz.h"

#include "common/file.h"
#include "db/optuna.h"
#include "db/optuna_distribution.h"
#include "db/store_import.h"
#include "tests/fuzz/history.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { COLUMNS_MOST = 6, NUMBER_MOST = 32, IMPORTS_MOST = 200 };

/* Without the types and constraints of db/optuna.sql, which a hostile file need not have. */
static const struct {
    char letter;
    const char *table, *columns, *places;
} tables[] = {
    {'s', "studies", "study_id, study_name", "?1, ?2"},
    {'d', "study_directions", "study_id, direction", "?1, ?2"},
    {'a', "study_user_attributes", "study_id, key, value_json", "?1, ?2, ?3"},
    {'t', "trials", "trial_id, number, study_id, state, datetime_start, datetime_complete",
     "?1, ?2, ?3, ?4, ?5, ?6"},
    {'p', "trial_params", "param_id, trial_id, param_name, param_value, distribution_json",
     "?1, ?2, ?3, ?4, ?5"},
    {'v', "trial_values", "trial_id, objective, value, value_type", "?1, ?2, ?3, ?4"},
    {'i', "trial_intermediate_values", "trial_id, step, intermediate_value", "?1, ?2, ?3"},
    {'u', "trial_user_attributes", "trial_id, key, value_json", "?1, ?2, ?3"},
};

/* ---- a file of the rows ---- */

static void run(sqlite3 *database, const char *format, const char *first, const char *second)
{
    char *sql = sqlite3_mprintf(format, first, second);
    fuzz_expect(sqlite3_exec(database, sql, NULL, NULL, NULL) == SQLITE_OK, "SQL is done");
    sqlite3_free(sql);
}

static void bind(sqlite3_stmt *statement, int column, const char *text, size_t length)
{
    char number[NUMBER_MOST] = "", *end = number;
    if (length > 0 && length < sizeof number) {
        memcpy(number, text, length);
        long long integer = strtoll(number, &end, 10);
        if (end == number + length) {
            sqlite3_bind_int64(statement, column, integer);
            return;
        }
        double real = strtod(number, &end);
        if (end == number + length) {
            sqlite3_bind_double(statement, column, real);
            return;
        }
    }
    if (length > 0 && *text == 'x')
        sqlite3_bind_blob(statement, column, text + 1, (int)length - 1, SQLITE_TRANSIENT);
    else if (length > 0)
        sqlite3_bind_text(statement, column, text + (*text == '\''),
                          (int)length - (*text == '\''), SQLITE_TRANSIENT);
}

/* What is up to the next of the characters `ends`, and goes behind it. */
static struct fuzz_input take(struct fuzz_input *from, char end)
{
    struct fuzz_input piece = *from;
    const uint8_t *found = from->left > 0 ? memchr(from->at, end, from->left) : NULL;
    if (found)
        piece.left = (size_t)(found - from->at);
    size_t gone = piece.left + (found ? 1 : 0);
    from->at += gone;
    from->left -= gone;
    return piece;
}

static void add_row(sqlite3_stmt *statement, struct fuzz_input line)
{
    sqlite3_reset(statement);
    sqlite3_clear_bindings(statement);
    for (int column = 1; column <= sqlite3_bind_parameter_count(statement); column++) {
        struct fuzz_input text = take(&line, '\t');
        bind(statement, column, (const char *)text.at, text.left);
    }
    fuzz_expect(sqlite3_step(statement) == SQLITE_DONE, "a row is added");
}

static void fill(sqlite3 *database, struct fuzz_input input)
{
    sqlite3_stmt *statements[ARRAY_LENGTH(tables)];
    for (size_t i = 0; i < ARRAY_LENGTH(tables); i++) {
        char *sql = sqlite3_mprintf("INSERT INTO %s VALUES (%s)", tables[i].table,
                                    tables[i].places);
        run(database, "CREATE TABLE %s (%s)", tables[i].table, tables[i].columns);
        fuzz_expect(sqlite3_prepare_v2(database, sql, -1, &statements[i], NULL) == SQLITE_OK,
                    "SQL is understood");
        sqlite3_free(sql);
    }
    while (input.left > 0) {
        struct fuzz_input line = take(&input, '\n'), letter = take(&line, '\t');
        for (size_t i = 0; i < ARRAY_LENGTH(tables); i++) {
            if (letter.left == 1 && *letter.at == tables[i].letter)
                add_row(statements[i], line);
        }
    }
    for (size_t i = 0; i < ARRAY_LENGTH(tables); i++)
        sqlite3_finalize(statements[i]);
}

static const char *make_file(struct fuzz_input input)
{
    sqlite3 *database;
    sqlite3_int64 size;
    fuzz_expect(sqlite3_open(":memory:", &database) == SQLITE_OK, "a database is made");
    run(database, "PRAGMA page_size = 512; BEGIN", NULL, NULL);
    fill(database, input);
    run(database, "COMMIT", NULL, NULL);
    unsigned char *bytes = sqlite3_serialize(database, "main", &size, 0);
    fuzz_expect(bytes != NULL, "a database is written");
    const char *path = fuzz_file(bytes, (size_t)size);
    sqlite3_free(bytes);
    sqlite3_close(database);
    return path;
}

/* ---- what was read ---- */

static void check_value(const json_t *parameter, const json_t *value)
{
    json_t *number = json_real(optuna_number(parameter, value));
    json_t *again = number ? optuna_value(parameter, number) : NULL;
    fuzz_expect(again && json_equal(again, value), "a value is the same again");
    json_decref(again);
    json_decref(number);
}

static void check_parameter(const json_t *history, const json_t *parameter)
{
    const char *name = json_string_value(json_object_get(parameter, "name"));
    json_t *text = optuna_distribution(parameter);
    json_t *again = optuna_parameter(name, json_string_value(text)), *trial;
    size_t i;
    fuzz_expect(again && strcmp(json_string_value(json_object_get(again, "type")),
                                json_string_value(json_object_get(parameter, "type"))) == 0,
                "a parameter has a distribution");
    json_array_foreach(json_object_get(history, "trials"), i, trial) {
        const json_t *value = json_object_get(json_object_get(trial, "parameters"), name);
        if (value)
            check_value(parameter, value);
    }
    json_decref(again);
    json_decref(text);
}

static struct store *open_store(const char *path)
{
    struct failure why = FAILURE_NONE;
    struct store *store = store_open(path, STORE_WRITE, &why);
    fuzz_judge(store != NULL, &why);
    fuzz_expect(store != NULL, "a store can be opened");
    return store;
}

/* One store has many, since making it takes longer than all the rest. */
static void import(const json_t *history)
{
    static struct store *store;
    static int count;
    struct failure why = FAILURE_NONE;
    char name[NUMBER_MOST], *path = path_join(fuzz_folder(), "home/trials.db");
    if (count++ % IMPORTS_MOST == 0) {
        store_close(store);
        char *folder = path_folder(path);
        folder_remove(folder, NULL);
        fuzz_expect(folder_make(folder, NULL) == 0, "a folder can be made");
        free(folder);
        store = open_store(path);
    }
    snprintf(name, sizeof name, "s%d", count);
    bool imported = store_import(store, history, name, "optuna", "file", &why) == 0;
    if (!imported)
        fprintf(stderr, "%s\n", why.text);
    fuzz_expect(imported, "what is read can be imported");
    fuzz_judge(imported, &why);
    free(path);
}

static void check(const json_t *history)
{
    size_t i;
    json_t *parameter;
    fuzz_check_history(history);
    fuzz_expect(json_string_length(json_object_get(history, "study")) > 0 ||
                json_is_string(json_object_get(history, "study")), "a study has a name");
    json_array_foreach(json_object_get(history, "parameters"), i, parameter)
        check_parameter(history, parameter);
    import(history);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static const char magic[] = "SQLite format 3";
    struct fuzz_input input = {bytes, size};
    bool whole = size >= sizeof magic && memcmp(bytes, magic, sizeof magic) == 0;
    const char *path = whole ? fuzz_file(bytes, size) : make_file(input);
    struct failure why = FAILURE_NONE;
    json_t *history = optuna_read(path, NULL, &why);
    fuzz_judge(history != NULL, &why);
    if (history)
        check(history);
    json_decref(history);
    return 0;
}
