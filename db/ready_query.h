/* The queries of db/queries/, which are part of the program. */
#ifndef DB_READY_QUERY_H
#define DB_READY_QUERY_H

#include <stddef.h>

struct ready_query {
    const char *name; /* of the file, without ".sql" */
    const char *sql;  /* begins with comments that say what it answers; may have parameters
                         such as :study, which are NULL for the usual case */
};

/* All of them, in the order of their names. */
const struct ready_query *ready_queries(size_t *count);

#endif
