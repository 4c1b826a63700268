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

static json_t *node_json(const struct filling *filling, const struct yaml *node,
                         struct failure *why);

/* Puts the entries of a mapping into `object`. */
static int add_entries(const struct filling *filling, const struct yaml *map, json_t *object,
                       struct failure *why)
{
    for (size_t i = 0; i < map->count; i++) {
        json_t *value = node_json(filling, map->items[i], why);
        if (!value) {
            return -1;
        }
        json_object_set_new(object, map->keys[i]->text, value);
    }
    return 0;
}

static int add_items(const struct filling *filling, const struct yaml *list, json_t *array,
                     struct failure *why)
{
    for (size_t i = 0; i < list->count; i++) {
        json_t *value = node_json(filling, list->items[i], why);
        if (!value) {
            return -1;
        }
        json_array_append_new(array, value);
    }
    return 0;
}

static json_t *collection_json(const struct filling *filling, const struct yaml *node,
                               struct failure *why)
{
    bool is_list = node->type == YAML_LIST;
    json_t *result = is_list ? json_array() : json_object();
    int failed = is_list ? add_items(filling, node, result, why)
                         : add_entries(filling, node, result, why);
    if (failed) {
        json_decref(result);
        return NULL;
    }
    return result;
}

static json_t *node_json(const struct filling *filling, const struct yaml *node,
                         struct failure *why)
{
    switch (node->type) {
    case YAML_NULL:
        return json_null();
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
        return collection_json(filling, node, why);
    }
}

/* ---- Sections ---- */

/* Both ways to write a section that has no settings, or whose defaults will do. */
static json_t *section_of_word(const struct filling *filling, const struct yaml *word,
                               struct failure *why)
{
    json_t *type = node_json(filling, word, why);
    json_t *section = type ? json_object() : NULL;
    if (section) {
        json_object_set_new(section, "type", type);
    }
    return section;
}

/* Puts `conv: {...}`, `max_pool: 2` or `flatten:` into `layer`. */
static int add_settings(const struct filling *filling, const struct yaml *key,
                        const struct yaml *settings, json_t *layer, struct failure *why)
{
    const struct section *section = section_find(&schema_layers, key->text);
    if (settings->type == YAML_NULL) {
        return 0;
    }
    if (settings->type == YAML_MAP) {
        return yaml_get(settings, "type")
                   ? yaml_fail(filling->file, settings, why,
                               "`%.60s` is the layer's type already; remove `type`", key->text)
                   : add_entries(filling, settings, layer, why);
    }
    if (section && (!section->shorthand || settings->type == YAML_LIST)) {
        return field_fail(filling->file, settings, key->text, "a mapping of settings", why);
    }
    json_t *value = node_json(filling, settings, why);
    return value ? json_object_set_new(layer, section ? section->shorthand : "value", value) : -1;
}

static json_t *layer_json(const struct filling *filling, const struct yaml *node,
                          struct failure *why)
{
    if (node->type == YAML_STRING) {
        return section_of_word(filling, node, why);
    }
    if (node->type != YAML_MAP || node->count == 0) {
        field_fail(filling->file, node, "model", "a list of layers such as `conv: {...}`", why);
        return NULL;
    }
    if (node->count > 1) {
        yaml_fail(filling->file, node->keys[1], why,
                  "`%.60s` stands beside the layer `%.60s`; a setting is indented below its layer, "
                  "a layer of its own begins with `-`",
                  node->keys[1]->text, node->keys[0]->text);
        return NULL;
    }
    json_t *layer = json_pack("{s:s}", "type", node->keys[0]->text);
    if (add_settings(filling, node->keys[0], node->items[0], layer, why) != 0) {
        json_decref(layer);
        return NULL;
    }
    return layer;
}

json_t *template_model(const struct filling *filling, const struct yaml *model,
                       struct failure *why)
{
    if (model->type != YAML_LIST) {
        field_fail(filling->file, model, "model", "a list of layers", why);
        return NULL;
    }
    json_t *layers = json_array();
    for (size_t i = 0; i < model->count; i++) {
        json_t *layer = layer_json(filling, model->items[i], why);
        if (!layer) {
            json_decref(layers);
            return NULL;
        }
        json_array_append_new(layers, layer);
    }
    return layers;
}

const struct section_list *template_section_list(const char *key)
{
    if (strcmp(key, "optimizer") == 0) {
        return &schema_optimizers;
    }
    return strcmp(key, "learning_rate_schedule") == 0 ? &schema_learning_rate_schedules : NULL;
}

json_t *template_training(const struct filling *filling, const struct yaml *training,
                          struct failure *why)
{
    if (field_map(filling->file, training, "training", why) != 0) {
        return NULL;
    }
    json_t *result = json_object();
    for (size_t i = 0; i < training->count; i++) {
        const char *key = training->keys[i]->text;
        const struct yaml *node = training->items[i];
        bool is_word = template_section_list(key) && node->type == YAML_STRING;
        json_t *value = is_word ? section_of_word(filling, node, why)
                                : node_json(filling, node, why);
        if (!value) {
            json_decref(result);
            return NULL;
        }
        json_object_set_new(result, key, value);
    }
    return result;
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
