/* The members of a JSON object, a row of the store among them, by their names.  All take NULL
 * for an object that has none. */
#ifndef COMMON_MEMBER_H
#define COMMON_MEMBER_H

#include <jansson.h>

#include <stdbool.h>

/* A string, borrowed; NULL for what is none or not there. */
const char *member_text(const json_t *object, const char *name);
/* The same to be shown: "" in place of NULL. */
const char *member_shown(const json_t *object, const char *name);
bool member_is(const json_t *object, const char *name, const char *text);
/* 0 for what is no integer. */
json_int_t member_integer(const json_t *object, const char *name);
/* An integer too; 0 for what is no number.  Sums come out of the database as such. */
double member_number(const json_t *object, const char *name);
/* The JSON that a string holds: a new reference, NULL for what holds none. */
json_t *member_parsed(const json_t *object, const char *name);

#endif
