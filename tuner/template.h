/* `model` and `training` of a study file: templates in which any value may be an
 * expression of the study's parameters. */
#ifndef TUNER_TEMPLATE_H
#define TUNER_TEMPLATE_H

#include "common/schema.h"
#include "tuner/yaml.h"

#include <jansson.h>

/* What a template is filled with. */
struct filling {
    const char *file;     /* for messages */
    const json_t *values; /* parameter -> value; NULL: expressions stay as they are written */
    int classes;
};

/* The value of `setting` (NULL: one that no table knows) as the JSON that
 * common/schema.h checks, expressions evaluated and shorthands written out: a layer
 * `- max_pool: 2` is {"type": "max_pool", "size": 2}.  What does not fit the setting is
 * kept, for the schema to complain of.  Errors are "file:line:column: error: ...".
 * New reference or NULL. */
json_t *template_fill(const struct filling *filling, const struct setting *setting,
                      const struct yaml *node, struct failure *why);

/* Calls `visit` with each $name below `node` and its place; -1 as soon as `visit`
 * returns -1 or an expression cannot be read. */
typedef int template_visit(void *context, const char *name, const struct yaml *place,
                           struct failure *why);
int template_names(const char *file, const struct yaml *node, template_visit *visit, void *context,
                   struct failure *why);

/* Whether a node is an expression. */
bool template_is_expression(const struct yaml *node);
/* " (`$filters / 3` with filters = 16)" for an expression, else "".  The caller frees it. */
char *template_explain(const struct yaml *node, const json_t *values);

#endif
