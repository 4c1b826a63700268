#include "tuner/prompt.h"

#include "common/text.h"

#include <ctype.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const char help[] =
    "A query ends with a semicolon and may take several lines.\n"
    "  .views    what can be asked; docs/database.md describes each\n"
    "  .tables   the same\n"
    "  .quit     ends it, and so does Ctrl-D\n"
    "Ctrl-C ends a query that takes too long.\n";

static const char views_sql[] =
    "SELECT v.name AS view, group_concat(c.name, ' ') AS columns"
    " FROM sqlite_schema v JOIN pragma_table_info(v.name) c"
    " WHERE v.type = 'view' GROUP BY v.name ORDER BY v.name;";

/* ---- Ctrl-C ---- */

/* A blocked signal waits until it is asked for, so that no handler and no global variable
 * is needed. */
static sigset_t interrupt_alone(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    return set;
}

void prompt_keep_interrupts(bool keep)
{
    sigset_t set = interrupt_alone();
    sigprocmask(keep ? SIG_BLOCK : SIG_UNBLOCK, &set, NULL);
}

bool prompt_interrupted(void *context)
{
    const struct timespec at_once = {0, 0};
    sigset_t set = interrupt_alone();
    (void)context;
    return sigtimedwait(&set, NULL, &at_once) == SIGINT;
}

/* ---- one query ---- */

static int show(struct failure *why)
{
    fflush(stdout);
    message("%s", why->text);
    failure_clear(why);
    return 0;
}

static int run(struct store *store, const char *sql, const struct query_reader *reader,
               struct failure *why)
{
    struct failure cause = FAILURE_NONE;
    prompt_keep_interrupts(true);
    int result = store_query(store, sql, NULL, reader, &cause);
    prompt_interrupted(NULL); /* one that came too late is for nobody */
    prompt_keep_interrupts(false);
    if (result > 0)
        puts("interrupted");
    if (result >= 0)
        return 0;
    if (!ferror(stdout))
        return show(&cause);
    fail(why, "%s", cause.text);
    failure_clear(&cause);
    return -1;
}

/* ---- lines ---- */

static bool is_word(const char *line, const char *word)
{
    size_t length = strlen(word);
    return strncmp(line, word, length) == 0 &&
           line[length + strspn(line + length, " \t\r\n;")] == '\0';
}

static bool is_blank(const char *line)
{
    return line[strspn(line, " \t\r\n;")] == '\0';
}

/* A line that begins with a dot; 1 when it ends the prompt. */
static int run_word(struct store *store, const char *line, const struct query_reader *reader,
                    struct failure *why)
{
    if (is_word(line, ".quit") || is_word(line, ".exit"))
        return 1;
    if (is_word(line, ".views") || is_word(line, ".tables"))
        return run(store, views_sql, reader, why);
    if (is_word(line, ".help"))
        fputs(help, stdout);
    else
        message("unknown word '%.*s'; .help shows what there is", (int)strcspn(line, "\r\n"),
                line);
    return 0;
}

/* Takes a line; runs what is whole with it.  1 ends the prompt. */
static int take_line(struct store *store, struct text *query, const char *line,
                     const struct query_reader *reader, struct failure *why)
{
    if (query->length == 0 && is_blank(line))
        return 0;
    if (query->length == 0 && *line == '.')
        return run_word(store, line, reader, why);
    text_add(query, line);
    if (!query_is_complete(text_string(query)))
        return 0;
    int result = run(store, text_string(query), reader, why);
    text_clear(query);
    return result;
}

static void ask(const struct text *query)
{
    fputs(query->length == 0 ? "sql> " : "...> ", stdout);
    fflush(stdout);
}

int prompt_run(struct store *store, struct query_reader *reader, struct failure *why)
{
    struct text query = TEXT_EMPTY;
    char *line = NULL;
    size_t room = 0;
    int result = 0;
    reader->interrupted = prompt_interrupted;
    puts("Reads the database, and changes nothing; .help says how.");
    for (ask(&query); result == 0 && getline(&line, &room, stdin) >= 0; ) {
        result = take_line(store, &query, line, reader, why);
        if (result == 0)
            ask(&query);
    }
    if (result == 0 && query.length > 0) /* the last one may lack its semicolon */
        result = run(store, text_string(&query), reader, why);
    else if (result == 0)
        putchar('\n');
    free(line);
    text_free(&query);
    return result < 0 ? -1 : 0;
}
