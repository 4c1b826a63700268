/* Checks JSON against the tables of schema.c and fills in the defaults. */
#include "common/schema_fail.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { LAYERS_MAX = 1024, DEPTH_MAX = 4 };

/* ---- Plain values ---- */

static bool in_range(const struct setting *setting, double value)
{
    bool low = setting->above_low ? value > setting->low : value >= setting->low;
    bool high = setting->below_high ? value < setting->high : value <= setting->high;
    return low && high;
}

static bool is_word(const struct setting *setting, const char *word)
{
    for (size_t i = 0; setting->words[i]; i++) {
        if (strcmp(setting->words[i], word) == 0) {
            return true;
        }
    }
    return false;
}

/* The number, the switch or the word that the value is; NULL when it does not fit. */
static json_t *plain_value(const struct setting *setting, json_t *value)
{
    double number = json_number_value(value);
    bool fits = json_is_number(value) && in_range(setting, number);
    if (setting->type == SETTING_INT && fits && number == floor(number)) {
        return json_integer((json_int_t)number);
    }
    if (setting->type == SETTING_FLOAT && fits) {
        return json_real(number);
    }
    if (setting->type == SETTING_BOOL && json_is_boolean(value)) {
        return json_incref(value);
    }
    if (setting->type == SETTING_WORD && json_is_string(value) &&
        is_word(setting, json_string_value(value))) {
        return json_incref(value);
    }
    return NULL;
}

/* ---- Sections ---- */

/* A default comes from our own table: what does not parse there cannot be released. */
static json_t *setting_initial(const struct setting *setting)
{
    return json_loads(setting->initial, JSON_DECODE_ANY, NULL);
}

/* Puts the setting, as given or by its default, into `result`. */
static int fill_setting(const struct section *section, const struct setting *setting,
                        const json_t *object, const char *where, json_t *result,
                        struct failure *why)
{
    json_t *given = json_object_get(object, setting->name);
    if (given) {
        char *place = xasprintf("%s.%s", where, setting->name);
        json_t *value = setting_check(setting, given, place, why);
        free(place);
        return value ? json_object_set_new(result, setting->name, value) : -1;
    }
    if (!setting->initial) {
        return schema_fail_missing(section, setting, where, why);
    }
    if (strcmp(setting->initial, "null") == 0) {
        return 0;
    }
    return json_object_set_new(result, setting->name, setting_initial(setting));
}

static int fill_settings(const struct section *section, const json_t *object, const char *where,
                         json_t *result, struct failure *why)
{
    for (size_t i = 0; i < section->setting_count; i++) {
        if (fill_setting(section, &section->settings[i], object, where, result, why) != 0) {
            return -1;
        }
    }
    return 0;
}

/* The settings of `section` that `object` gives and those that it does not; `type`, where
 * it is not NULL, stands among them and comes first. */
static json_t *section_complete(const struct section *section, const char *type,
                                const json_t *object, const char *where, struct failure *why)
{
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)object, key, value) {
        if (!(type && strcmp(key, "type") == 0) && !setting_find(section, key)) {
            schema_fail_key(section, key, where, why);
            return NULL;
        }
    }
    json_t *result = json_object();
    if (type) {
        json_object_set_new(result, "type", json_string(type));
    }
    if (fill_settings(section, object, where, result, why) != 0) {
        json_decref(result);
        return NULL;
    }
    return result;
}

/* {"type": name, setting: value, ...} */
static json_t *choice_complete(const struct section_list *list, const json_t *object,
                               const char *where, struct failure *why)
{
    const struct section *section = section_of(list, object);
    if (!section) {
        schema_fail_type(list, json_object_get(object, "type"), where, why);
        return NULL;
    }
    return section_complete(section, section->name, object, where, why);
}

static json_t *list_complete(const struct section_list *list, const json_t *array,
                             const char *where, struct failure *why)
{
    json_t *result = json_array();
    for (size_t i = 0; i < json_array_size(array); i++) {
        char *place = xasprintf("%s[%zu]", where, i);
        json_t *item = choice_complete(list, json_array_get(array, i), place, why);
        free(place);
        if (!item) {
            json_decref(result);
            return NULL;
        }
        json_array_append_new(result, item);
    }
    return result;
}

json_t *setting_check(const struct setting *setting, json_t *value, const char *where,
                      struct failure *why)
{
    json_t *result = NULL;
    if (setting->type == SETTING_CHOICE) {
        return choice_complete(setting->list, value, where, why);
    }
    if (setting->type == SETTING_SECTION && json_is_object(value)) {
        return section_complete(setting->section, NULL, value, where, why);
    }
    if (setting->type == SETTING_LIST && json_array_size(value) > 0) {
        return list_complete(setting->list, value, where, why);
    }
    result = plain_value(setting, value);
    if (!result) {
        schema_fail_value(setting, value, where, why);
    }
    return result;
}

/* ---- The whole ---- */

static int measure_layers(const json_t *layers, const char *where, int depth, size_t *count,
                          struct failure *why);

/* Measures what stands below one layer. */
static int measure_below(const json_t *layer, const char *where, int depth, size_t *count,
                         struct failure *why)
{
    const struct section *section = section_of(&schema_layers, layer);
    int failed = 0;
    for (size_t i = 0; section && !failed && i < section->setting_count; i++) {
        const struct setting *setting = &section->settings[i];
        if (setting->type == SETTING_LIST) {
            char *place = xasprintf("%s.%s", where, setting->name);
            failed = measure_layers(json_object_get(layer, setting->name), place, depth + 1,
                                    count, why);
            free(place);
        }
    }
    return failed;
}

/* Bounds the number and the depth of layers before anything walks down there. */
static int measure_layers(const json_t *layers, const char *where, int depth, size_t *count,
                          struct failure *why)
{
    if (depth > DEPTH_MAX) {
        return fail_at(why, where, "layers within layers go %d deep at most", DEPTH_MAX);
    }
    *count += json_array_size(layers);
    if (*count > LAYERS_MAX) {
        return fail_at(why, where, "a model has %d layers at most, those within others counted too",
                       LAYERS_MAX);
    }
    int failed = 0;
    for (size_t i = 0; !failed && i < json_array_size(layers); i++) {
        char *place = xasprintf("%s[%zu]", where, i);
        failed = measure_below(json_array_get(layers, i), place, depth, count, why);
        free(place);
    }
    return failed;
}

static json_t *check_part(const char *name, const json_t *value, struct failure *why)
{
    return setting_check(setting_find(&schema_configuration, name), (json_t *)value, name, why);
}

json_t *schema_check_model(const json_t *model, struct failure *why)
{
    size_t count = 0;
    if (measure_layers(model, "model", 0, &count, why) != 0) {
        return NULL;
    }
    return check_part("model", model, why);
}

json_t *schema_check_training(const json_t *training, struct failure *why)
{
    return check_part("training", training, why);
}
