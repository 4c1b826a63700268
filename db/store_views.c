#include "db/store_internal.h"

#include "common/embed.h"
#include "common/text.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

EMBED(store_views, "db/views.sql");
extern const char store_views[];

/* SQLite's limit is 2000 columns. */
enum { PARAMETER_COLUMNS_MAX = 1000 };

static const char *const fixed_columns[] = {"trial", "state", "bracket", "epochs", "value", "rank"};

/* Adds `name` in quotes, with quotes inside doubled. */
static void add_quoted(struct text *sql, const char *name, char quote)
{
    text_add_char(sql, quote);
    for (; *name; name++) {
        if (*name == quote)
            text_add_char(sql, quote);
        text_add_char(sql, *name);
    }
    text_add_char(sql, quote);
}

static bool is_taken(const char *column, const json_t *parameters)
{
    for (size_t i = 0; i < ARRAY_LENGTH(fixed_columns); i++) {
        if (strcasecmp(column, fixed_columns[i]) == 0)
            return true;
    }
    size_t i;
    json_t *row;
    json_array_foreach(parameters, i, row) {
        if (strcasecmp(column, json_string_value(json_object_get(row, "name"))) == 0)
            return true;
    }
    return false;
}

/* A parameter's column has its name, but where the view has such a column already:
 * "epochs" becomes "epochs_". */
static void add_column_name(struct text *sql, const char *name, const json_t *parameters)
{
    char *column = xstrdup(name);
    bool taken = is_taken(column, NULL);
    while (taken) {
        char *longer = xasprintf("%s_", column);
        free(column);
        column = longer;
        taken = is_taken(column, parameters);
    }
    add_quoted(sql, column, '"');
    free(column);
}

/* Whether the name stands in a path of SQLite's JSON functions as it does in JSON. */
static bool is_plain(const char *name)
{
    for (; *name; name++) {
        if ((unsigned char)*name < 0x20 || *name == '"' || *name == '\\')
            return false;
    }
    return true;
}

/* A trial's value of a parameter.  Every view is parsed whenever the database is opened, and there
 * may be a thousand: it is taken out of the trial's JSON (to the same bits, as 200,000 values have
 * shown), which takes a third of the words that a subquery does: that is for names which SQLite
 * does not find in JSON. */
static void add_value(struct text *sql, int64_t study, const char *parameter)
{
    if (is_plain(parameter)) {
        char *path = xasprintf("$.\"%s\"", parameter);
        text_add(sql, ",\n       t.parameters ->> ");
        add_quoted(sql, path, '\'');
        free(path);
        return;
    }
    text_addf(sql,
              ",\n       (SELECT p.value FROM recorded_trial_parameters p WHERE p.study = %lld"
              " AND p.trial = t.trial AND p.name = ", (long long)study);
    add_quoted(sql, parameter, '\'');
    text_add_char(sql, ')');
}

static char *study_view_sql(const char *name, int64_t study, const json_t *parameters)
{
    struct text sql = TEXT_EMPTY;
    size_t i;
    json_t *row;
    text_addf(&sql,
              "DROP VIEW IF EXISTS \"study_%s\";\n"
              "CREATE VIEW \"study_%s\" AS\n"
              "SELECT t.trial, t.state, t.bracket, t.epochs, t.value, l.rank", name, name);
    json_array_foreach(parameters, i, row) {
        const char *parameter = json_string_value(json_object_get(row, "name"));
        if (i == PARAMETER_COLUMNS_MAX)
            break;
        add_value(&sql, study, parameter);
        text_add(&sql, " AS ");
        add_column_name(&sql, parameter, parameters);
    }
    text_addf(&sql,
              "\nFROM trials t\n"
              "LEFT JOIN leaderboard l ON l.study = t.study AND l.trial = t.trial\n"
              "WHERE t.study = '%s'\nORDER BY t.trial", name);
    return text_take(&sql);
}

static int make_view(struct store *store, const char *name, int64_t study, struct failure *why)
{
    json_t *argument = json_pack("[I]", (json_int_t)study);
    json_t *parameters = store_rows(
        store, "SELECT name FROM recorded_parameters WHERE study = ?1 ORDER BY position", argument,
        why);
    int result = -1;
    if (parameters) {
        char *sql = study_view_sql(name, study, parameters);
        result = store_execute(store, sql, why);
        free(sql);
    }
    json_decref(parameters);
    json_decref(argument);
    return result;
}

/* Of the studies that `sql` finds; it may use ?1, the study's id. */
static int make_views_of(struct store *store, const char *sql, int64_t study, struct failure *why)
{
    json_t *argument = json_pack("[I]", (json_int_t)study);
    json_t *studies = store_rows(store, sql, study ? argument : NULL, why);
    int result = studies ? 0 : -1;
    size_t i;
    json_t *row;
    json_array_foreach(studies, i, row) {
        if (result == 0)
            result = make_view(store, json_string_value(json_object_get(row, "name")),
                               json_integer_value(json_object_get(row, "id")), why);
    }
    json_decref(studies);
    json_decref(argument);
    return result;
}

int store_make_study_view(struct store *store, int64_t study, struct failure *why)
{
    return make_views_of(store, "SELECT id, name FROM recorded_studies WHERE id = ?1", study, why);
}

int store_drop_study_view(struct store *store, int64_t study, struct failure *why)
{
    json_t *argument = json_pack("[I]", (json_int_t)study);
    json_t *rows = store_rows(store, "SELECT name FROM recorded_studies WHERE id = ?1", argument,
                              why);
    const char *name = json_string_value(json_object_get(json_array_get(rows, 0), "name"));
    char *sql = xasprintf("DROP VIEW IF EXISTS \"study_%s\"", name ? name : "");
    int result = rows ? store_execute(store, sql, why) : -1;
    free(sql);
    json_decref(rows);
    json_decref(argument);
    return result;
}

static int64_t count_of(const char *word, const char *text)
{
    int64_t count = 0;
    while ((text = strstr(text, word)) != NULL) {
        count++;
        text += strlen(word);
    }
    return count;
}

/* Whether the views in the database are those of views.sql, to the letter; -1: a failure. */
static int are_ours(struct store *store, struct failure *why)
{
    const struct value values[] = {value_text(store_views)};
    int64_t same = 0;
    if (store_look_up(store,
                      "SELECT count(*) FROM sqlite_schema WHERE type = 'view'"
                      " AND substr(name, 1, 6) <> 'study_' AND instr(?1, sql || ';') > 0",
                      values, ARRAY_LENGTH(values), &same, why) < 0)
        return -1;
    return same == count_of("CREATE VIEW ", store_views);
}

int store_make_views(struct store *store, struct failure *why)
{
    int ours = are_ours(store, why);
    if (ours < 0 || (ours == 0 && store_execute(store, store_views, why) < 0))
        return -1;
    return make_views_of(store,
                         ours ? "SELECT id, name FROM recorded_studies WHERE 'study_' || name"
                                " NOT IN (SELECT name FROM sqlite_schema WHERE type = 'view')"
                              : "SELECT id, name FROM recorded_studies", 0, why);
}
