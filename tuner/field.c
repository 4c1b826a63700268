#include "tuner/field.h"

#include "common/text.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* "int, float or bool"; the caller frees it. */
static char *words_text(const char *const *words, size_t count, const char *last)
{
    struct text text = TEXT_EMPTY;
    for (size_t i = 0; i < count; i++) {
        text_addf(&text, "%s%s", i == 0 ? "" : i + 1 < count ? ", " : last, words[i]);
    }
    return text_take(&text);
}

int field_check_keys(const char *file, const struct yaml *map, const char *of,
                     const char *const *allowed, size_t count, struct failure *why)
{
    for (size_t i = 0; i < map->count; i++) {
        const char *key = map->keys[i]->text;
        bool known = false;
        for (size_t j = 0; j < count; j++) {
            known = known || strcmp(key, allowed[j]) == 0;
        }
        if (known) {
            continue;
        }
        const char *near = nearest_word(key, allowed, count);
        if (near) {
            return yaml_fail(file, map->keys[i], why,
                             "unknown key `%.60s` in %s; did you mean `%s`?", key, of, near);
        }
        char *all = words_text(allowed, count, " and ");
        yaml_fail(file, map->keys[i], why, "unknown key `%.60s` in %s; there is: %s", key, of, all);
        free(all);
        return -1;
    }
    return 0;
}

char *field_found(const struct yaml *node)
{
    if (node->type == YAML_LIST && node->count == 0) {
        return xstrdup("an empty list");
    }
    if (node->type == YAML_LIST || node->type == YAML_MAP || node->type == YAML_NULL) {
        return xstrdup(yaml_type_name(node->type));
    }
    if (node->type == YAML_STRING) {
        return xasprintf("%s`%.60s`", node->quoted ? "the text " : "", node->text);
    }
    return xasprintf("%.60s", node->text);
}

int field_fail(const char *file, const struct yaml *at, const char *name, const char *demand,
               struct failure *why)
{
    char *found = field_found(at);
    yaml_fail(file, at, why, "`%s` must be %s, not %s", name, demand, found);
    free(found);
    return -1;
}

int field_map(const char *file, const struct yaml *node, const char *name, const char *example,
              struct failure *why)
{
    char *demand;
    if (node->type == YAML_MAP) {
        return 0;
    }
    demand = xasprintf("a mapping such as %s", example);
    field_fail(file, node, name, demand, why);
    free(demand);
    return -1;
}

static bool is_number(const struct yaml *node)
{
    return node->type == YAML_INT || node->type == YAML_FLOAT;
}

/* Whether the node is a number without a fraction that 64 bits hold. */
static bool whole_number(const struct yaml *node, int64_t *value)
{
    if (node->type == YAML_INT) {
        *value = node->integer;
        return true;
    }
    bool whole = node->type == YAML_FLOAT && fabs(node->real) <= 0x1p53 &&
                 node->real == floor(node->real);
    *value = whole ? (int64_t)node->real : 0;
    return whole;
}

int field_integer(const char *file, const struct yaml *node, const char *name, int64_t low,
                  int64_t high, int64_t *value, struct failure *why)
{
    if (whole_number(node, value) && *value >= low && *value <= high) {
        return 0;
    }
    char *demand = xasprintf("an integer from %lld to %lld", (long long)low, (long long)high);
    field_fail(file, node, name, demand, why);
    free(demand);
    return -1;
}

int field_int(const char *file, const struct yaml *node, const char *name, int low, int high,
              int *value, struct failure *why)
{
    int64_t wide = 0;
    if (field_integer(file, node, name, low, high, &wide, why) != 0) {
        return -1;
    }
    *value = (int)wide;
    return 0;
}

int field_optional_int(const char *file, const struct yaml *map, const char *name, int low,
                       int high, int *value, struct failure *why)
{
    const struct yaml *node = yaml_get(map, name);
    return node ? field_int(file, node, name, low, high, value, why) : 0;
}

int field_number(const char *file, const struct yaml *node, const char *name, double *value,
                 struct failure *why)
{
    if (!is_number(node)) {
        return field_fail(file, node, name, "a number", why);
    }
    *value = node->real;
    return 0;
}

int field_bool(const char *file, const struct yaml *node, const char *name, bool *value,
               struct failure *why)
{
    if (node->type != YAML_BOOL) {
        return field_fail(file, node, name, "true or false", why);
    }
    *value = node->boolean;
    return 0;
}

int field_word(const char *file, const struct yaml *node, const char *name,
               const char *const *words, size_t count, int *index, struct failure *why)
{
    for (size_t i = 0; node->type == YAML_STRING && i < count; i++) {
        if (strcmp(node->text, words[i]) == 0) {
            *index = (int)i;
            return 0;
        }
    }
    char *demand = words_text(words, count, " or ");
    const char *near = node->type == YAML_STRING ? nearest_word(node->text, words, count) : NULL;
    if (near) {
        yaml_fail(file, node, why, "`%s` must be %s, not `%.60s`; did you mean `%s`?", name, demand,
                  node->text, near);
    } else {
        field_fail(file, node, name, demand, why);
    }
    free(demand);
    return -1;
}
