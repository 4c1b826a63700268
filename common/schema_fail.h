/* The complaints of schema_check.c: what a value should have been, and the nearest
 * right word.  Each returns -1. */
#ifndef COMMON_SCHEMA_FAIL_H
#define COMMON_SCHEMA_FAIL_H

#include "common/schema.h"

/* "`kernel` must be an integer from 1 to 31, not 32". */
int schema_fail_value(const struct setting *setting, const json_t *value, const char *where,
                      struct failure *why);
/* "`dense` needs the setting `units`". */
int schema_fail_missing(const struct section *section, const struct setting *setting,
                        const char *where, struct failure *why);
/* A setting that the section does not have. */
int schema_fail_key(const struct section *section, const char *key, const char *where,
                    struct failure *why);
/* A `type` that the list does not have, or none. */
int schema_fail_type(const struct section_list *list, const json_t *type, const char *where,
                     struct failure *why);

#endif
