/* A table for people, of rows that come one by one: the first thousand decide how wide the
 * columns are.  Numbers stand to the right; what is too wide ends in an ellipsis, and no
 * character of a value can do anything to a terminal. */
#ifndef TUNER_ROW_TABLE_H
#define TUNER_ROW_TABLE_H

#include "db/value.h"

#include <stdio.h>

struct row_table;

struct row_table *row_table_new(FILE *output, const char *const *names, size_t count,
                                size_t width);
void row_table_add(struct row_table *table, const struct value *values);
/* Prints what is still held back. */
void row_table_end(struct row_table *table);
void row_table_free(struct row_table *table);

#endif
