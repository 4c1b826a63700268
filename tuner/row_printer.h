/* The rows of a query on a stream, as they come: a table for people, CSV (RFC 4180) or
 * JSON (an array of objects, one a line).
 *
 * CSV and JSON have numbers with as many digits as give the same number again, a table at
 * most seven.  In CSV what is NULL is an empty cell, and an empty text a pair of quotes.  Of
 * columns with the same name, JSON has the second as name_2. */
#ifndef TUNER_ROW_PRINTER_H
#define TUNER_ROW_PRINTER_H

#include "db/store_query.h"

#include <stdio.h>

enum row_format { ROWS_TABLE, ROWS_CSV, ROWS_JSON };

struct row_printer;

/* `width`: characters that a line of a table may have; 0: no limit. */
struct row_printer *row_printer_new(FILE *output, enum row_format format, size_t width);
void row_printer_free(struct row_printer *printer);
/* The reader that prints; `interrupted` is left to the caller. */
struct query_reader row_printer_reader(struct row_printer *printer);

#endif
