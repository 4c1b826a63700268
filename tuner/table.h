/* Rows of the database as a table for people. */
#ifndef TUNER_TABLE_H
#define TUNER_TABLE_H

#include <jansson.h>

/* Prints an array of objects on stdout, a column for each key of the first row;
 * numbers to the right, an object's text as name=value. */
void table_print(const json_t *rows);
/* "0.0012", "64", "same": one value for people; the caller frees it. */
char *table_value(const json_t *value);

#endif
