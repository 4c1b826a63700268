/* JSON as it is recorded and printed: compact, and numbers with as few digits as give
 * the same number again (0.1, not 0.10000000000000001). */
#ifndef COMMON_JSON_TEXT_H
#define COMMON_JSON_TEXT_H

#include <jansson.h>

/* The caller frees it. */
char *json_text(const json_t *value);
/* Prints it on stdout as a line; an array of rows with a line for each. */
void json_text_print(const json_t *value);

#endif
