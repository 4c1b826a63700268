/* Queries that people write: checked to do nothing but read, and answered row by row, so
 * that an answer of any length needs no memory. */
#ifndef DB_STORE_QUERY_H
#define DB_STORE_QUERY_H

#include "db/store.h"
#include "db/value.h"

/* Whoever wants the rows.  Each function but `interrupted` may end everything by -1 with
 * its reason; texts are there for the time of the call. */
struct query_reader {
    void *context; /* given to each function */
    /* A statement's columns, before its first row. */
    int (*begin)(void *context, const char *const *names, size_t count, struct failure *why);
    int (*row)(void *context, const struct value *values, size_t count, struct failure *why);
    int (*end)(void *context, struct failure *why);
    /* Asked every few milliseconds while SQLite works; NULL: nobody interrupts. */
    bool (*interrupted)(void *context);
};

/* Runs the statements of `sql`, one after another: SELECTs, and PRAGMAs that only tell.
 * Anything else (ATTACH, a temporary table, ...) is refused before it begins.  `arguments`,
 * name -> scalar, is bound to the parameters :name; those that are not in it are NULL.
 * 0: done, 1: interrupted, -1: a failure.  One in the text of the query shows the line,
 * with a mark under the place. */
int store_query(struct store *store, const char *sql, const json_t *arguments,
                const struct query_reader *reader, struct failure *why);

/* Whether `text` is whole as it stands: each statement ends in a semicolon that is in no
 * string, comment or quoted name. */
bool query_is_complete(const char *text);

#endif
