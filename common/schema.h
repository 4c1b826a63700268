/* What may stand under `model` and `training`: every layer, optimizer and
 * schedule with its settings, their types, ranges and defaults.  One table for
 * both programs: the tuner checks a study file against it and fills in the
 * defaults, the trainer checks what it is sent.  A new layer or section starts
 * with a row in schema.c; whoever reads, fills in or records a configuration
 * walks this table and knows no name of its own. */
#ifndef COMMON_SCHEMA_H
#define COMMON_SCHEMA_H

#include "common/base.h"

#include <jansson.h>

struct section;
struct section_list;

enum setting_type {
    SETTING_INT,
    SETTING_FLOAT,
    SETTING_BOOL,
    SETTING_WORD,
    SETTING_SECTION, /* a mapping: the settings of `section` */
    SETTING_CHOICE,  /* a mapping: its `type` names one of `list`, the rest are its settings */
    SETTING_LIST     /* a list of such mappings, at least one */
};

struct setting {
    const char *name;
    enum setting_type type;
    double low, high;          /* inclusive; of numbers */
    bool above_low, below_high; /* the bound itself is excluded */
    const char *initial;       /* default, as JSON; "null": may be absent; NULL: required */
    const char *const *words;  /* NULL-terminated; of SETTING_WORD */
    const struct section *section;
    const struct section_list *list;
};

struct section {
    const char *name;          /* "conv", "adam", ... */
    const char *shorthand;     /* setting meant by `max_pool: 2` instead of a mapping, or NULL */
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
/* What stands directly under `training`. */
extern const struct section schema_training;
/* `model` and `training`: the whole of a configuration. */
extern const struct section schema_configuration;
/* The words of every setting that names a metric to watch: a loss is better when it is
 * less, an accuracy when it is more. */
extern const char *const schema_monitors[];

const struct section *section_find(const struct section_list *list, const char *name);
/* The one that the `type` of a choice or of a list's item names; NULL: none of the list. */
const struct section *section_of(const struct section_list *list, const json_t *object);
const struct setting *setting_find(const struct section *section, const char *name);

/* Checks one value against its setting; the value's place is `where`, such as
 * "model[3].kernel".  An integral real is accepted where an integer is needed, and
 * mappings and lists come back complete: every setting present, in the order of the
 * table, but for those that may be absent and are.  A new reference, NULL on failure
 * (fail_at, with the nearest right word for an unknown name). */
json_t *setting_check(const struct setting *setting, json_t *value, const char *where,
                      struct failure *why);

/* The whole `model` and `training`, checked and complete; a new reference, NULL on
 * failure.  A model has at most 1,024 layers, those within others counted too, and
 * layers within layers go 4 deep. */
json_t *schema_check_model(const json_t *model, struct failure *why);
json_t *schema_check_training(const json_t *training, struct failure *why);

#endif
