#include "tuner/template.h"

#include "common/text.h"
#include "tuner/expression.h"
#include "tuner/field.h"

#include <stdlib.h>
#include <string.h>

bool template_is_expression(const struct yaml *node)
{
    return node->type == YAML_STRING &&
           (node->quoted ? expression_refers(node->text) : expression_is(node->text));
}

/* The place of a byte inside a scalar.  Expressions stand on one line. */
static struct yaml place_in(const struct yaml *node, size_t offset)
{
    return (struct yaml){.line = node->line, .column = node->column + node->quoted + (int)offset};
}

/* ---- Explaining ---- */

struct explanation {
    const json_t *values;
    json_t *told; /* names, so that none is told twice */
    struct text *text;
};

static void explain_name(void *context, const char *name, size_t offset)
{
    struct explanation *explanation = context;
    const json_t *value = json_object_get(explanation->values, name);
    (void)offset;
    if (!value || json_object_get(explanation->told, name)) {
        return;
    }
    char *dump = json_dumps(value, JSON_ENCODE_ANY | JSON_REAL_PRECISION(10));
    text_addf(explanation->text, "%s%s = %s",
              json_object_size(explanation->told) == 0 ? " with " : ", ", name, dump);
    json_object_set_new(explanation->told, name, json_true());
    free(dump);
}

char *template_explain(const struct yaml *node, const json_t *values)
{
    struct text text = TEXT_EMPTY;
    size_t offset;
    if (!template_is_expression(node)) {
        return xstrdup("");
    }
    text_addf(&text, " (`%.80s`", node->text);
    struct explanation explanation = {values, json_object(), &text};
    expression_names(node->text, explain_name, &explanation, &offset, NULL);
    json_decref(explanation.told);
    text_add_char(&text, ')');
    return text_take(&text);
}

/* ---- Values ---- */

static json_t *expression_json(const struct filling *filling, const struct yaml *node,
                               struct failure *why)
{
    struct failure problem = FAILURE_NONE;
    size_t offset = 0;
    if (!filling->values) {
        return json_string(node->text);
    }
    json_t *value = expression_evaluate(node->text, filling->values, filling->classes, &offset,
                                        &problem);
    if (!value) {
        struct yaml place = place_in(node, offset);
        char *explained = template_explain(node, filling->values);
        yaml_fail(filling->file, &place, why, "%s%s", problem.text, explained);
        free(explained);
        failure_clear(&problem);
    }
    return value;
}

/* A value that is no mapping and no list. */
static json_t *scalar_json(const struct filling *filling, const struct yaml *node,
                           struct failure *why)
{
    switch (node->type) {
    case YAML_BOOL:
        return json_boolean(node->boolean);
    case YAML_INT:
        return json_integer(node->integer);
    case YAML_FLOAT:
        return json_real(node->real);
    case YAML_STRING:
        return template_is_expression(node) ? expression_json(filling, node, why)
                                            : json_string(node->text);
    default:
        return json_null();
    }
}

/* ---- Sections ---- */

static bool is_scalar(const struct yaml *node)
{
    return node->type != YAML_MAP && node->type != YAML_LIST && node->type != YAML_NULL;
}

/* Puts the entries of a mapping, settings of `section` where that is known, into `object`. */
static int add_entries(const struct filling *filling, const struct section *section,
                       const struct yaml *map, json_t *object, struct failure *why)
{
    for (size_t i = 0; i < map->count; i++) {
        const char *key = map->keys[i]->text;
        const struct setting *setting = section ? setting_find(section, key) : NULL;
        json_t *value = template_fill(filling, setting, map->items[i], why);
        if (!value) {
            return -1;
        }
        json_object_set_new(object, key, value);
    }
    return 0;
}

static json_t *map_json(const struct filling *filling, const struct section *section,
                        const struct yaml *map, struct failure *why)
{
    json_t *object = json_object();
    if (add_entries(filling, section, map, object, why) != 0) {
        json_decref(object);
        return NULL;
    }
    return object;
}

/* {name: the value of the node} */
static json_t *single_json(const struct filling *filling, const char *name,
                           const struct setting *setting, const struct yaml *node,
                           struct failure *why)
{
    json_t *value = template_fill(filling, setting, node, why);
    json_t *object = value ? json_object() : NULL;
    if (object) {
        json_object_set_new(object, name, value);
    }
    return object;
}

/* {type: adam, ...}; or `adam`, where its defaults will do. */
static json_t *choice_json(const struct filling *filling, const struct section_list *list,
                           const struct yaml *node, struct failure *why)
{
    if (node->type == YAML_STRING) {
        return single_json(filling, "type", NULL, node, why);
    }
    const struct yaml *type = yaml_get(node, "type");
    return map_json(filling, type && type->text ? section_find(list, type->text) : NULL, node, why);
}

/* ---- Lists ---- */

/* What stands beside the name in `- conv: {...}`, `- max_pool: 2`, `- residual: [...]`. */
static int add_settings(const struct filling *filling, const struct section *section,
                        const struct yaml *key, const struct yaml *node, json_t *item,
                        struct failure *why)
{
    const char *shorthand = section ? section->shorthand : "value";
    const struct setting *setting = section && shorthand ? setting_find(section, shorthand) : NULL;
    bool is_list = setting && setting->type == SETTING_LIST;
    bool is_map = node->type == YAML_MAP;
    if (is_list && (is_map ? !yaml_get(node, shorthand) : node->count == 0)) {
        return field_fail(filling->file, node, key->text,
                          "a list of layers, each beginning with `-`", why);
    }
    if (node->type == YAML_NULL) {
        return 0;
    }
    if (is_map && yaml_get(node, "type")) {
        return yaml_fail(filling->file, node, why,
                         "`%.60s` is the layer's type already; remove `type`", key->text);
    }
    if (is_map) {
        return add_entries(filling, section, node, item, why);
    }
    if (section && (!shorthand || (node->type == YAML_LIST && !is_list))) {
        return field_fail(filling->file, node, key->text, "a mapping of settings", why);
    }
    json_t *value = template_fill(filling, setting, node, why);
    return value ? json_object_set_new(item, shorthand, value) : -1;
}

static json_t *item_json(const struct filling *filling, const struct setting *setting,
                         const struct yaml *node, struct failure *why)
{
    if (node->type == YAML_STRING) {
        return choice_json(filling, setting->list, node, why);
    }
    if (node->type != YAML_MAP || node->count == 0) {
        field_fail(filling->file, node, setting->name, "a list of layers such as `conv: {...}`",
                   why);
        return NULL;
    }
    const struct yaml *key = node->keys[0];
    if (node->count > 1) {
        yaml_fail(filling->file, node->keys[1], why,
                  "`%.60s` stands beside the layer `%.60s`; a setting is indented below its layer, "
                  "a layer of its own begins with `-`",
                  node->keys[1]->text, key->text);
        return NULL;
    }
    json_t *item = json_pack("{s:s}", "type", key->text);
    if (add_settings(filling, section_find(setting->list, key->text), key, node->items[0], item,
                     why) != 0) {
        json_decref(item);
        return NULL;
    }
    return item;
}

/* A list of layers where `setting` is one, else of any values. */
static json_t *list_json(const struct filling *filling, const struct setting *setting,
                         const struct yaml *list, struct failure *why)
{
    json_t *array = json_array();
    for (size_t i = 0; i < list->count; i++) {
        json_t *item = setting ? item_json(filling, setting, list->items[i], why)
                               : template_fill(filling, NULL, list->items[i], why);
        if (!item) {
            json_decref(array);
            return NULL;
        }
        json_array_append_new(array, item);
    }
    return array;
}

json_t *template_fill(const struct filling *filling, const struct setting *setting,
                      const struct yaml *node, struct failure *why)
{
    const struct section *section = setting ? setting->section : NULL;
    bool is_list = setting && setting->type == SETTING_LIST;
    bool is_choice = setting && setting->type == SETTING_CHOICE;
    if (node->type == YAML_LIST) {
        return list_json(filling, is_list ? setting : NULL, node, why);
    }
    if (is_choice && (node->type == YAML_STRING || node->type == YAML_MAP)) {
        return choice_json(filling, setting->list, node, why);
    }
    if (node->type == YAML_MAP) {
        return map_json(filling, section, node, why);
    }
    if (section && section->shorthand && is_scalar(node)) {
        return single_json(filling, section->shorthand, setting_find(section, section->shorthand),
                           node, why);
    }
    return scalar_json(filling, node, why);
}

/* ---- Names ---- */

struct visitor {
    const struct yaml *node;
    template_visit *visit;
    void *context;
    struct failure *why;
    int status;
};

static void visit_name(void *context, const char *name, size_t offset)
{
    struct visitor *visitor = context;
    struct yaml place = place_in(visitor->node, offset);
    if (visitor->status == 0) {
        visitor->status = visitor->visit(visitor->context, name, &place, visitor->why);
    }
}

static int names_of_expression(const char *file, const struct yaml *node, template_visit *visit,
                               void *context, struct failure *why)
{
    struct visitor visitor = {node, visit, context, why, 0};
    struct failure problem = FAILURE_NONE;
    size_t offset = 0;
    if (expression_names(node->text, visit_name, &visitor, &offset, &problem) != 0) {
        struct yaml place = place_in(node, offset);
        yaml_fail(file, &place, why, "%s", problem.text);
        failure_clear(&problem);
        return -1;
    }
    return visitor.status;
}

int template_names(const char *file, const struct yaml *node, template_visit *visit, void *context,
                   struct failure *why)
{
    if (template_is_expression(node)) {
        return names_of_expression(file, node, visit, context, why);
    }
    for (size_t i = 0; i < node->count; i++) {
        if (template_names(file, node->items[i], visit, context, why) != 0) {
            return -1;
        }
    }
    return 0;
}
