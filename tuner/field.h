/* Values of a study file that must be of a certain kind.  Each reader returns 0, or
 * -1 with "file:line:column: error: `name` must be ..., not ...".  `name` is how the
 * field is called in the message. */
#ifndef TUNER_FIELD_H
#define TUNER_FIELD_H

#include "tuner/yaml.h"

/* Refuses keys that are not among `allowed`, with the nearest right word. */
int field_check_keys(const char *file, const struct yaml *map, const char *of,
                     const char *const *allowed, size_t count, struct failure *why);

/* `name` must be `demand`; the value at `at` is not. */
int field_fail(const char *file, const struct yaml *at, const char *name, const char *demand,
               struct failure *why);
/* What stands at `node`, for a message: "a list", "`sam`".  The caller frees it. */
char *field_found(const struct yaml *node);

/* A mapping, of which the failure shows an example, such as "{metric: val_loss}". */
int field_map(const char *file, const struct yaml *node, const char *name, const char *example,
              struct failure *why);
/* A number without a fraction (3 or 3.0 or 1e3) from low to high. */
int field_integer(const char *file, const struct yaml *node, const char *name, int64_t low,
                  int64_t high, int64_t *value, struct failure *why);
int field_int(const char *file, const struct yaml *node, const char *name, int low, int high,
              int *value, struct failure *why);
/* The entry `name` of a mapping; *value stays as it is where there is none. */
int field_optional_int(const char *file, const struct yaml *map, const char *name, int low,
                       int high, int *value, struct failure *why);
int field_number(const char *file, const struct yaml *node, const char *name, double *value,
                 struct failure *why);
int field_bool(const char *file, const struct yaml *node, const char *name, bool *value,
               struct failure *why);
/* *index of the word among `words`. */
int field_word(const char *file, const struct yaml *node, const char *name,
               const char *const *words, size_t count, int *index, struct failure *why);

#endif
