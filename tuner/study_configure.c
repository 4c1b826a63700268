/* From parameters to a configuration, and from a configuration back to the file. */
#include "tuner/study_parts.h"

#include "tuner/place.h"
#include "tuner/template.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* ---- Places ---- */

int study_fail_at(const struct study *study, const char *where, struct failure *why,
                  const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    char *text = xvasprintf(format, arguments);
    va_end(arguments);
    yaml_fail(study->file, place_find(study->document, where), why, "%s", text);
    free(text);
    return -1;
}

/* What a text that is no expression may have been meant to be: "; `$filters` is the
 * parameter" where it begins with the name of one, else "".  The caller frees it. */
static char *suggest_parameter(const struct study *study, const struct yaml *node)
{
    const char *text = node->type == YAML_STRING && !template_is_expression(node) ? node->text : "";
    for (size_t i = 0; i < study->space.count; i++) {
        const char *name = study->space.parameters[i].name;
        size_t length = strlen(name);
        if (strncmp(text, name, length) == 0 && !isalnum((unsigned char)text[length]) &&
            text[length] != '_') {
            return xasprintf("; the parameter is written `$%s`", name);
        }
    }
    return xstrdup("");
}

/* Moves a complaint of the schema to its place in the file. */
static void place_problem(const struct study *study, const json_t *values,
                          struct failure *problem, struct failure *why)
{
    const struct yaml *node = place_find(study->document, problem->where);
    char *explained = template_explain(node, values);
    char *suggested = suggest_parameter(study, node);
    yaml_fail(study->file, node, why, "%s%s%s", problem->text, explained, suggested);
    free(suggested);
    free(explained);
    failure_clear(problem);
}

/* ---- Configurations ---- */

/* The part of a configuration that stands under `key`, complete. */
static json_t *configure_part(const struct study *study, const char *key,
                              const struct filling *filling,
                              json_t *(*check)(const json_t *, struct failure *),
                              struct failure *why)
{
    struct failure problem = FAILURE_NONE;
    const struct setting *setting = setting_find(&schema_configuration, key);
    json_t *filled = template_fill(filling, setting, yaml_get(study->document, key), why);
    json_t *checked = filled ? check(filled, &problem) : NULL;
    if (filled && !checked) {
        place_problem(study, filling->values, &problem, why);
    }
    json_decref(filled);
    return checked;
}

static json_t *configure_training(const struct study *study, const struct filling *filling,
                                  struct failure *why)
{
    struct failure problem = FAILURE_NONE;
    json_t *training = configure_part(study, "training", filling, schema_check_training, why);
    if (training && study_check_monitors(study, training, &problem) != 0) {
        place_problem(study, filling->values, &problem, why);
        json_decref(training);
        return NULL;
    }
    return training;
}

json_t *study_configure(const struct study *study, const json_t *values, int classes,
                        struct failure *why)
{
    const struct filling filling = {study->file, values, classes};
    json_t *training = NULL;
    if (study->outside) { /* its parameters are all that there is */
        return json_object();
    }
    json_t *model = configure_part(study, "model", &filling, schema_check_model, why);
    if (model) {
        training = configure_training(study, &filling, why);
    }
    if (!training) {
        json_decref(model);
        return NULL;
    }
    return json_pack("{s:o, s:o}", "model", model, "training", training);
}
