/* What may stand under `model` and `training`: every layer, optimizer and
 * schedule with its settings, their types, ranges and defaults.  One table for
 * both programs: the tuner checks a study file against it and fills in the
 * defaults, the trainer checks what it is sent.  A new layer starts with a row
 * in schema.c. */
#ifndef COMMON_SCHEMA_H
#define COMMON_SCHEMA_H

#include "common/base.h"

#include <jansson.h>

enum setting_type { SETTING_INT, SETTING_FLOAT, SETTING_BOOL, SETTING_WORD };

struct setting {
    const char *name;
    enum setting_type type;
    double low, high;          /* inclusive; of numbers */
    bool above_low, below_high; /* the bound itself is excluded */
    const char *initial;       /* default, as JSON; "null": may be absent; NULL: required */
    const char *const *words;  /* NULL-terminated; of SETTING_WORD */
};

struct section {
    const char *name;          /* "conv", "adam", ... */
    const char *shorthand;     /* setting meant by `conv: 3` instead of a mapping, or NULL */
    const struct setting *settings;
    size_t setting_count;
};

/* A kind of section: the layers, the optimizers, the schedules. */
struct section_list {
    const char *noun;          /* "layer", for messages */
    const struct section *sections;
    size_t count;
};

extern const struct section_list schema_layers;
extern const struct section_list schema_optimizers;
extern const struct section_list schema_learning_rate_schedules;
/* batch_size, epochs: the plain settings directly under `training`. */
extern const struct section schema_training;

const struct section *section_find(const struct section_list *list, const char *name);
const struct setting *setting_find(const struct section *section, const char *name);

/* Checks one value against its setting; the value's place is `where`, such as
 * "model[3].kernel".  An integral real is accepted where an integer is needed;
 * the JSON to use is returned as a new reference, NULL on failure (fail_at). */
json_t *setting_check(const struct setting *setting, json_t *value, const char *where,
                      struct failure *why);

/* Checks an object {"type": name, setting: value, ...} and returns a new one with
 * every setting present, in the order of the table; NULL on failure (fail_at,
 * with the nearest right word for an unknown name). */
json_t *section_check(const struct section_list *list, const json_t *object, const char *where,
                      struct failure *why);

/* The whole `model` (array of layers) and `training` ({"optimizer": {...},
 * "learning_rate_schedule": {...}, "batch_size": n, "epochs": n or absent}; a missing
 * schedule is constant), checked and complete; a new reference, NULL on failure. */
json_t *schema_check_model(const json_t *model, struct failure *why);
json_t *schema_check_training(const json_t *training, struct failure *why);

#endif
