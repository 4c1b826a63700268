/* YAML as a tree that remembers where everything stood.
 *
 * Read with libyaml's events; scalars by YAML 1.2's core schema (`1e-4` is a
 * number, `no` is a string).  Bounded: 1 MiB, 32 levels; aliases, tags, several
 * documents and duplicate keys are refused. */
#ifndef TUNER_YAML_H
#define TUNER_YAML_H

#include "common/base.h"

enum yaml_type { YAML_NULL, YAML_BOOL, YAML_INT, YAML_FLOAT, YAML_STRING, YAML_LIST, YAML_MAP };

struct yaml {
    enum yaml_type type;
    int line, column;           /* from 1 */
    bool quoted;                /* a scalar in quotes: always a string */
    char *text;                 /* a scalar as it was written */
    bool boolean;
    int64_t integer;
    double real;                /* of INT and FLOAT */
    size_t count;               /* items of LIST, entries of MAP */
    struct yaml **items;        /* values, [count] */
    struct yaml **keys;         /* of MAP: scalars, [count] */
};

/* `file` is used in messages only: "file:line:column: error: text". */
struct yaml *yaml_parse(const char *file, const char *bytes, size_t size, struct failure *why);
/* Not `yaml_free`: libyaml exports a function of that name for its own use. */
void yaml_tree_free(struct yaml *yaml);

struct yaml *yaml_get(const struct yaml *map, const char *key); /* NULL when absent */
const char *yaml_type_name(enum yaml_type type);                /* "a number", "a list", ... */

/* A failure of bad input at this node; returns -1. */
int yaml_fail(const char *file, const struct yaml *at, struct failure *why,
              const char *format, ...) __attribute__((format(printf, 4, 5)));

#endif
