/* One value of SQL: what is bound to a statement, and what a row has in a column. */
#ifndef DB_VALUE_H
#define DB_VALUE_H

#include <jansson.h>

#include <stddef.h>
#include <stdint.h>

struct value {
    enum { VALUE_NULL, VALUE_INTEGER, VALUE_REAL, VALUE_TEXT, VALUE_BLOB } type;
    int64_t integer;
    double real;
    const char *text; /* or a blob's bytes; [size], a text has a zero after it */
    size_t size;
};

/* As JSON: a blob as a string of hexadecimal digits, an infinite number as null.  New
 * reference. */
json_t *value_to_json(const struct value *value);

#endif
