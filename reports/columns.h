/* Columns of plain text that line up for names in any script. */
#ifndef REPORTS_COLUMNS_H
#define REPORTS_COLUMNS_H

#include "common/text.h"

/* How many characters (code points) a UTF-8 string has. */
size_t columns_count(const char *string);
/* Adds `string` with spaces before it to a width of `width` characters. */
void columns_right(struct text *text, const char *string, size_t width);
/* Adds the first `most` characters of `string`. */
void columns_cut(struct text *text, const char *string, size_t most);

#endif
