/* Reads the `parameters` of a study file. */
#include "tuner/space.h"

#include "tuner/field.h"
#include "tuner/name.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { CHOICES_MAX = 1000 };

/* Integers that a double holds exactly. */
static const int64_t INTEGER_MOST = INT64_C(1) << 53;

/* ---- Names ---- */

/* Words with a meaning in expressions, and columns that every study's view has. */
static const char *const taken[] = {"classes", "min", "max", "trial", "bracket",
                                    "state", "epochs", "value", "rank"};

static int check_name(const char *file, const struct yaml *key, const struct space *before,
                      struct failure *why)
{
    const char *name = key->text;
    if (!name_is_valid(name)) {
        return yaml_fail(file, key, why,
                         "`%.80s` cannot name a parameter; a name is a letter, then at most %d "
                         "letters, digits and _",
                         name, NAME_LENGTH_MAX - 1);
    }
    bool refused = name_is_reserved(name);
    for (size_t i = 0; i < ARRAY_LENGTH(taken); i++) {
        refused = refused || strcasecmp(name, taken[i]) == 0;
    }
    if (refused) {
        return yaml_fail(file, key, why,
                         "`%s` is a reserved word and cannot name a parameter; try `the_%s`", name,
                         name);
    }
    for (size_t i = 0; i < before->count; i++) {
        const struct parameter *other = &before->parameters[i];
        if (strcasecmp(name, other->name) == 0) {
            return yaml_fail(file, key, why,
                             "`%s` differs from `%s` in line %d by case only; choose another name",
                             name, other->name, other->line);
        }
    }
    return 0;
}

/* ---- Ranges ---- */

static int read_bound(const char *file, const struct yaml *node, const char *name,
                      enum parameter_type type, double *value, struct failure *why)
{
    int64_t integer;
    if (type == PARAMETER_FLOAT) {
        return field_number(file, node, name, value, why);
    }
    if (node->type == YAML_FLOAT && node->real != floor(node->real)) {
        return yaml_fail(file, node, why,
                         "`%s` of an int must be an integer, not %s; fractions need type float",
                         name, node->text);
    }
    if (node->type != YAML_INT && node->type != YAML_FLOAT) {
        return field_fail(file, node, name, "an integer", why);
    }
    if (field_integer(file, node, name, -INTEGER_MOST, INTEGER_MOST, &integer, why) != 0) {
        return -1;
    }
    *value = (double)integer;
    return 0;
}

static int read_bounds(const char *file, const struct yaml *map, struct parameter *parameter,
                       struct failure *why)
{
    static const char *const names[] = {"low", "high"};
    double *bounds[] = {&parameter->low, &parameter->high};
    for (size_t i = 0; i < ARRAY_LENGTH(names); i++) {
        const struct yaml *node = yaml_get(map, names[i]);
        if (!node) {
            return yaml_fail(file, map, why, "parameter `%s` needs `%s`", parameter->name,
                             names[i]);
        }
        if (read_bound(file, node, names[i], parameter->type, bounds[i], why) != 0) {
            return -1;
        }
    }
    if (parameter->low > parameter->high) {
        return yaml_fail(file, yaml_get(map, "low"), why,
                         "the range is upside down: `low` %.15g is above `high` %.15g",
                         parameter->low, parameter->high);
    }
    return isfinite(parameter->high - parameter->low)
               ? 0
               : yaml_fail(file, yaml_get(map, "low"), why, "the range is too wide");
}

static int read_step(const char *file, const struct yaml *map, struct parameter *parameter,
                     struct failure *why)
{
    const struct yaml *node = yaml_get(map, "step");
    double width = parameter->high - parameter->low;
    parameter->step = parameter->type == PARAMETER_INT ? 1 : 0;
    if (!node) {
        return 0;
    }
    if (read_bound(file, node, "step", parameter->type, &parameter->step, why) != 0) {
        return -1;
    }
    if (!(parameter->step > 0)) {
        return field_fail(file, node, "step", "above 0", why);
    }
    if (parameter->step > width) {
        return yaml_fail(file, node, why,
                         "`step` %.15g is wider than the range from %.15g to %.15g",
                         parameter->step, parameter->low, parameter->high);
    }
    if (width / parameter->step > 1e15) {
        return yaml_fail(file, node, why,
                         "`step` %.15g is too small for the range from %.15g to %.15g",
                         parameter->step, parameter->low, parameter->high);
    }
    return 0;
}

static int read_log(const char *file, const struct yaml *map, struct parameter *parameter,
                    struct failure *why)
{
    const struct yaml *node = yaml_get(map, "log");
    if (!node) {
        return 0;
    }
    if (field_bool(file, node, "log", &parameter->log, why) != 0) {
        return -1;
    }
    if (parameter->log && parameter->low <= 0) {
        return yaml_fail(file, yaml_get(map, "low"), why,
                         "`log: true` needs `low` above 0, not %.15g", parameter->low);
    }
    if (parameter->log && parameter->type == PARAMETER_FLOAT && yaml_get(map, "step")) {
        return yaml_fail(file, node, why,
                         "`log: true` and `step` of a float exclude each other; leave one out");
    }
    return 0;
}

static int read_range(const char *file, const struct yaml *map, struct parameter *parameter,
                      struct failure *why)
{
    static const char *const allowed[] = {"type", "low", "high", "step", "log"};
    const char *of = parameter->type == PARAMETER_INT ? "an int parameter" : "a float parameter";
    if (field_check_keys(file, map, of, allowed, ARRAY_LENGTH(allowed), why) != 0 ||
        read_bounds(file, map, parameter, why) != 0 || read_step(file, map, parameter, why) != 0) {
        return -1;
    }
    return read_log(file, map, parameter, why);
}

/* ---- Choices ---- */

/* A scalar as JSON; NULL for what cannot be a choice. */
static json_t *choice_json(const struct yaml *node)
{
    switch (node->type) {
    case YAML_BOOL:
        return json_boolean(node->boolean);
    case YAML_INT:
        return json_integer(node->integer);
    case YAML_FLOAT:
        return json_real(node->real);
    case YAML_STRING:
        return json_string(node->text);
    default:
        return NULL;
    }
}

/* 1 and 1.0 are the same number. */
static bool same_choice(const json_t *a, const json_t *b)
{
    if (json_is_number(a) && json_is_number(b)) {
        return json_number_value(a) == json_number_value(b);
    }
    return json_equal(a, b);
}

static int add_choice(const char *file, const struct yaml *node, struct parameter *parameter,
                      struct failure *why)
{
    json_t *choice = choice_json(node);
    if (!choice) {
        return yaml_fail(file, node, why,
                         "a choice must be a number, a text, true or false, not %s",
                         yaml_type_name(node->type));
    }
    for (size_t i = 0; i < json_array_size(parameter->choices); i++) {
        if (same_choice(choice, json_array_get(parameter->choices, i))) {
            json_decref(choice);
            return yaml_fail(file, node, why, "`%.60s` is among the choices already", node->text);
        }
    }
    json_array_append_new(parameter->choices, choice);
    return 0;
}

static int read_choices(const char *file, const struct yaml *map, struct parameter *parameter,
                        struct failure *why)
{
    static const char *const allowed[] = {"type", "choices"};
    if (field_check_keys(file, map, "a categorical parameter", allowed, ARRAY_LENGTH(allowed),
                         why) != 0) {
        return -1;
    }
    const struct yaml *choices = yaml_get(map, "choices");
    if (!choices) {
        return yaml_fail(file, map, why, "parameter `%s` needs `choices`", parameter->name);
    }
    if (choices->type != YAML_LIST || choices->count == 0) {
        return choices->type == YAML_LIST
                   ? yaml_fail(file, choices, why, "`choices` is empty; give at least one")
                   : field_fail(file, choices, "choices", "a list", why);
    }
    if (choices->count > CHOICES_MAX) {
        return yaml_fail(file, choices, why, "%zu choices; there may be %d at most", choices->count,
                         CHOICES_MAX);
    }
    parameter->choices = json_array();
    for (size_t i = 0; i < choices->count; i++) {
        if (add_choice(file, choices->items[i], parameter, why) != 0) {
            return -1;
        }
    }
    return 0;
}

/* ---- Parameters ---- */

static int read_parameter(const char *file, const struct yaml *map, struct parameter *parameter,
                          struct failure *why)
{
    static const char *const types[] = {"int", "float", "categorical", "bool"};
    static const char *const bool_keys[] = {"type"};
    int type;
    if (map->type != YAML_MAP) {
        return field_fail(file, map, parameter->name,
                          "a mapping such as {type: int, low: 1, high: 8}", why);
    }
    const struct yaml *node = yaml_get(map, "type");
    if (!node) {
        return yaml_fail(file, map, why,
                         "parameter `%s` needs a `type`: int, float, categorical or bool",
                         parameter->name);
    }
    if (field_word(file, node, "type", types, ARRAY_LENGTH(types), &type, why) != 0) {
        return -1;
    }
    parameter->type = (enum parameter_type)type;
    switch (parameter->type) {
    case PARAMETER_CATEGORICAL:
        return read_choices(file, map, parameter, why);
    case PARAMETER_BOOL:
        return field_check_keys(file, map, "a bool parameter", bool_keys, 1, why);
    default:
        return read_range(file, map, parameter, why);
    }
}

int space_read(const char *file, const struct yaml *parameters, struct space *space,
               struct failure *why)
{
    static const char example[] = "{rate: {type: float, low: 0, high: 1}}";
    *space = (struct space){NULL, 0};
    if (field_map(file, parameters, "parameters", example, why) != 0) {
        return -1;
    }
    if (parameters->count == 0) {
        return yaml_fail(file, parameters, why, "`parameters` is empty; give at least one");
    }
    space->parameters = xcalloc(parameters->count, sizeof *space->parameters);
    for (size_t i = 0; i < parameters->count; i++) {
        const struct yaml *key = parameters->keys[i];
        int failed = check_name(file, key, space, why);
        struct parameter *parameter = &space->parameters[space->count++];
        parameter->name = xstrdup(key->text);
        parameter->line = key->line;
        parameter->column = key->column;
        if (failed || read_parameter(file, parameters->items[i], parameter, why) != 0) {
            space_release(space);
            return -1;
        }
    }
    return 0;
}
