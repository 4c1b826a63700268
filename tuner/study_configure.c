/* From parameters to a configuration, and from a configuration back to the file. */
#include "tuner/study.h"

#include "tuner/template.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* ---- Places ---- */

/* A node, and the section whose settings stand below it, where that is known. */
struct place {
    const struct yaml *node;
    const struct section *section;
};

/* The place of `settings`, which stand under `key` and tell their `type` themselves. */
static struct place place_under(const char *key, const struct yaml *settings)
{
    const struct section_list *list = template_section_list(key);
    const struct yaml *type = list ? yaml_get(settings, "type") : NULL;
    const struct section *section = strcmp(key, "training") == 0 ? &schema_training : NULL;
    if (type && type->text) {
        section = section_find(list, type->text);
    }
    return (struct place){settings, section};
}

static bool is_key_of(const struct section *section, const char *key)
{
    return !section || strcmp(key, "type") == 0 || setting_find(section, key) ||
           (section == &schema_training && template_section_list(key));
}

/* Goes to the entry `key`, or to the key itself where that is the fault. */
static bool enter_key(struct place *place, const char *key)
{
    const struct yaml *map = place->node;
    for (size_t i = 0; map->keys && i < map->count; i++) {
        if (strcmp(map->keys[i]->text, key) == 0) {
            bool known = is_key_of(place->section, key);
            *place = known ? place_under(key, map->items[i]) : (struct place){map->keys[i], NULL};
            return known;
        }
    }
    return false;
}

static bool enter_index(struct place *place, size_t index)
{
    if (place->node->type != YAML_LIST || index >= place->node->count) {
        return false;
    }
    *place = (struct place){place->node->items[index], NULL};
    return true;
}

/* From a layer to its settings, which are below its name. */
static void enter_layer(struct place *place)
{
    const struct yaml *layer = place->node;
    if (layer->type == YAML_MAP && layer->count == 1) {
        place->section = section_find(&schema_layers, layer->keys[0]->text);
        place->node = layer->items[0];
    }
}

/* The node that a path such as "model[3].kernel" leads to, or as far as it leads. */
static const struct yaml *locate(const struct yaml *document, const char *where)
{
    struct place place = {document, NULL};
    bool in_list = false;
    while (where && *where) {
        bool entered;
        if (*where == '[') {
            char *end;
            entered = enter_index(&place, strtoul(where + 1, &end, 10));
            in_list = true;
            where = *end == ']' ? end + 1 : end;
        } else {
            where += *where == '.';
            size_t length = strcspn(where, ".[");
            char *key = xstrndup(where, length);
            if (in_list && strcmp(key, "type") != 0) { /* a layer's type is its name */
                enter_layer(&place);
            }
            entered = enter_key(&place, key);
            in_list = false;
            free(key);
            where += length;
        }
        if (!entered) {
            break;
        }
    }
    return place.node;
}

int study_fail_at(const struct study *study, const char *where, struct failure *why,
                  const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    char *text = xvasprintf(format, arguments);
    va_end(arguments);
    yaml_fail(study->file, locate(study->document, where), why, "%s", text);
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
    const struct yaml *node = locate(study->document, problem->where);
    char *explained = template_explain(node, values);
    char *suggested = suggest_parameter(study, node);
    yaml_fail(study->file, node, why, "%s%s%s", problem->text, explained, suggested);
    free(suggested);
    free(explained);
    failure_clear(problem);
}

/* ---- Configurations ---- */

static json_t *configure_part(const struct study *study, const char *key,
                              const struct filling *filling,
                              json_t *(*fill)(const struct filling *, const struct yaml *,
                                              struct failure *),
                              json_t *(*check)(const json_t *, struct failure *),
                              struct failure *why)
{
    struct failure problem = FAILURE_NONE;
    json_t *filled = fill(filling, yaml_get(study->document, key), why);
    json_t *checked = filled ? check(filled, &problem) : NULL;
    if (filled && !checked) {
        place_problem(study, filling->values, &problem, why);
    }
    json_decref(filled);
    return checked;
}

json_t *study_configure(const struct study *study, const json_t *values, int classes,
                        struct failure *why)
{
    const struct filling filling = {study->file, values, classes};
    json_t *training = NULL;
    json_t *model = configure_part(study, "model", &filling, template_model, schema_check_model,
                                   why);
    if (model) {
        training = configure_part(study, "training", &filling, template_training,
                                  schema_check_training, why);
    }
    if (!training) {
        json_decref(model);
        return NULL;
    }
    return json_pack("{s:o, s:o}", "model", model, "training", training);
}
