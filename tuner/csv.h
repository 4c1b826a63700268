/* Comma-separated values as RFC 4180 has them: lines end in CR LF, a cell that needs it is
 * in double quotes, and quotes in it are doubled. */
#ifndef TUNER_CSV_H
#define TUNER_CSV_H

#include "common/base.h"
#include "common/text.h"

/* Adds a cell to a line: `first` of it, or after a comma.  NULL is a cell without anything;
 * an empty text is a pair of quotes. */
void csv_add(struct text *line, const char *cell, bool first);
void csv_end_line(struct text *line);

/* A file of them. */
struct csv {
    char **cells;   /* [rows][columns], the names of the first line not among them */
    char **names;   /* [columns] */
    size_t rows, columns;
};
/* Reads a file whose lines end in LF or CR LF and all have as many cells as the first;
 * empty lines and the mark of UTF-8 at its beginning are passed over.  -1: bad input, the
 * line is in the message. */
int csv_read(const char *path, struct csv *csv, struct failure *why);
void csv_release(struct csv *csv);

#endif
