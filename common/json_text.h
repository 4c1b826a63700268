/* JSON as it is recorded and printed: compact, and numbers with as few digits as give
 * the same number again (0.1, not 0.10000000000000001). */
#ifndef COMMON_JSON_TEXT_H
#define COMMON_JSON_TEXT_H

#include <jansson.h>

/* The caller frees it. */
char *json_text(const json_t *value);
/* A text as a JSON string, NULL as null.  Such strings are UTF-8 only: in a text that is none (it
 * has a path in it, or was cut within a character) '?' stands for every byte beyond ASCII.  New
 * reference. */
json_t *json_text_of(const char *text);
/* Prints it on stdout as a line; an array of rows with a line for each. */
void json_text_print(const json_t *value);

#endif
