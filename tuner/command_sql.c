/* sql: any query of the database, which is only read. */
#include "tuner/command.h"

#include "common/file.h"
#include "common/options.h"
#include "common/text.h"
#include "db/ready_query.h"
#include "tuner/home.h"
#include "tuner/prompt.h"
#include "tuner/row_printer.h"
#include "tuner/visit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum {
    WORDS_MOST = 9,     /* a query, or a study and settings */
    QUERY_MOST = 1 << 20 /* bytes */
};

static const char usage[] =
    "[SQL | --file FILE | --query QUERY [STUDY] [SETTING=VALUE]...] [OPTIONS]\n";

static const char about[] =
    "Asks the database, which is only read; docs/database.md describes its views.  Without a "
    "query it asks for one, or reads it from stdin.\n";

static const char examples[] =
    "tuner sql \"SELECT trial, value FROM leaderboard WHERE study = 'quickstart'\"\n"
    "tuner sql --query best_trials quickstart\n"
    "tuner sql --query curve quickstart trial=7 --csv > curve.csv\n"
    "tuner sql -f mine.sql --json\n"
    "tuner sql\n";

/* What the command line says. */
struct request {
    const char *home, *file, *query;
    bool queries, table, csv, json;
    const char *words[WORDS_MOST];
    size_t word_count;
};

/* ---- ready queries ---- */

/* What the query answers, and of what: the comment at its head. */
static void print_comment(const char *sql)
{
    while (strncmp(sql, "-- ", 3) == 0) {
        const char *end = sql + strcspn(sql, "\n");
        printf("    %.*s\n", (int)(end - sql - 3), sql + 3);
        sql = *end ? end + 1 : end;
    }
}

static void list_queries(void)
{
    size_t count;
    const struct ready_query *queries = ready_queries(&count);
    for (size_t i = 0; i < count; i++) {
        printf("%s\n", queries[i].name);
        print_comment(queries[i].sql);
    }
}

static const char *find_query(const char *name, struct failure *why)
{
    size_t count;
    const struct ready_query *queries = ready_queries(&count);
    const char **names = xcalloc(count, sizeof *names);
    const char *found = NULL;
    for (size_t i = 0; i < count; i++) {
        names[i] = queries[i].name;
        if (strcmp(name, names[i]) == 0)
            found = queries[i].sql;
    }
    if (!found)
        options_unknown(why, "query", name, "--queries lists them", names, count);
    free(names);
    return found;
}

/* A number if it is one, else a text. */
static json_t *setting_value(const char *text)
{
    json_t *value = json_loads(text, JSON_DECODE_ANY, NULL);
    if (json_is_number(value))
        return value;
    json_decref(value);
    return json_string(text);
}

/* The words after --query: a study, and settings. */
static int read_settings(const struct request *request, struct store *store, json_t *arguments,
                         struct failure *why)
{
    for (size_t i = 0; i < request->word_count; i++) {
        const char *word = request->words[i], *equals = strchr(word, '=');
        char *name = equals ? xstrndup(word, (size_t)(equals - word)) : xstrdup("study");
        json_t *value = equals ? setting_value(equals + 1) : json_string(word);
        bool twice = json_object_get(arguments, name) != NULL;
        if (value)
            json_object_set_new(arguments, name, value);
        free(name);
        if (twice || !value)
            return fail_usage(why, "'%s' is one argument too many; see tuner sql --help", word);
    }
    const char *study = json_string_value(json_object_get(arguments, "study"));
    int64_t id = study ? store_find_study(store, study, why) : 1;
    if (id == 0)
        fail_input(why, "there is no study named %s; `tuner list` shows what there is", study);
    return id > 0 ? 0 : -1;
}

/* ---- where the query is ---- */

static char *read_input(struct failure *why)
{
    struct text text = TEXT_EMPTY;
    char bytes[4096];
    size_t count;
    while ((count = fread(bytes, 1, sizeof bytes, stdin)) > 0 && text.length <= QUERY_MOST)
        text_add_bytes(&text, bytes, count);
    if (ferror(stdin))
        fail(why, "the query cannot be read: %s", strerror(errno));
    else if (text.length > QUERY_MOST)
        fail_input(why, "a query has 1 MiB at most");
    else
        return text_take(&text);
    text_free(&text);
    return NULL;
}

static char *read_query(const struct request *request, struct failure *why)
{
    char *bytes = NULL;
    size_t size;
    if (request->query) {
        const char *ready = find_query(request->query, why);
        return ready ? xstrdup(ready) : NULL;
    }
    if (request->word_count > 0)
        return xstrdup(request->words[0]);
    if (!request->file || strcmp(request->file, "-") == 0)
        return read_input(why);
    return file_read(request->file, QUERY_MOST, &bytes, &size, why) < 0 ? NULL : bytes;
}

/* ---- running ---- */

static int run_query(const struct request *request, struct store *store,
                     struct query_reader *reader, struct failure *why)
{
    char *sql = read_query(request, why);
    json_t *arguments = json_object();
    int result = -1;
    if (sql && (!request->query || read_settings(request, store, arguments, why) == 0)) {
        reader->interrupted = prompt_interrupted;
        prompt_keep_interrupts(true);
        result = store_query(store, sql, arguments, reader, why);
        prompt_keep_interrupts(false);
    }
    json_decref(arguments);
    free(sql);
    return result;
}

static size_t terminal_width(void)
{
    struct winsize size = {0};
    return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

static enum row_format format_of(const struct request *request)
{
    if (request->csv || request->json)
        return request->csv ? ROWS_CSV : ROWS_JSON;
    return request->table || isatty(STDOUT_FILENO) ? ROWS_TABLE : ROWS_CSV;
}

static enum exit_code answer(const struct request *request, struct failure *why)
{
    struct visit visit;
    int result = -1;
    if (visit_enter(&visit, request->home, NULL, why) == 0) {
        struct row_printer *printer =
            row_printer_new(stdout, format_of(request), terminal_width());
        struct query_reader reader = row_printer_reader(printer);
        bool asked = request->query || request->file || request->word_count > 0;
        result = asked || !isatty(STDIN_FILENO) ? run_query(request, visit.store, &reader, why)
                                                : prompt_run(visit.store, &reader, why);
        row_printer_free(printer);
    }
    visit_leave(&visit);
    return result > 0 ? EXIT_INTERRUPTED : why->code;
}

/* What cannot be asked for together. */
static int check_request(const struct request *request, struct failure *why)
{
    if (request->table + request->csv + request->json > 1)
        return fail_usage(why, "--table, --csv and --json: only one of them");
    if (request->query && request->file)
        return fail_usage(why, "--query and --file: only one of them");
    if (request->file && request->word_count > 0)
        return fail_usage(why, "a query and --file: only one of them");
    if (!request->query && request->word_count > 1)
        return fail_usage(why, "'%s' is one argument too many; put the query in quotes",
                          request->words[1]);
    return 0;
}

enum exit_code command_sql(char *const arguments[], struct failure *why)
{
    struct request request = {0};
    const struct option_rule rules[] = {
        {"query", 0, OPTION_TEXT, &request.query, 0, 0, "QUERY",
         "one of the queries that stand ready"},
        {"queries", 0, OPTION_FLAG, &request.queries, 0, 0, NULL, "lists them"},
        {"file", 'f', OPTION_TEXT, &request.file, 0, 0, "FILE.sql",
         "the query is in a file, or \"-\": on stdin"},
        {"table", 0, OPTION_FLAG, &request.table, 0, 0, NULL,
         "rows as a table (the default on a terminal)"},
        {"csv", 0, OPTION_FLAG, &request.csv, 0, 0, NULL, "as CSV (the default elsewhere)"},
        {"json", 0, OPTION_FLAG, &request.json, 0, 0, NULL, "as JSON"},
        {"home", 0, OPTION_TEXT, &request.home, 0, 0, "DIR", HOME_OPTION_HELP},
    };
    const struct options options = {
        "tuner sql", rules, ARRAY_LENGTH(rules), "STUDY...", 0, WORDS_MOST, .usage = usage,
        .about = about, .examples = examples};
    if (options_parse(&options, arguments, request.words, &request.word_count, why) != 0)
        return why->code;
    if (check_request(&request, why) < 0)
        return EXIT_BAD_USAGE;
    if (request.queries) {
        list_queries();
        return EXIT_DONE;
    }
    return answer(&request, why);
}
