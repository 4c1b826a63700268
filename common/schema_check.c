/* Checks JSON against the tables of schema.c and fills in the defaults. */
#include "common/schema.h"

#include "common/text.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { LAYERS_MAX = 1024, NAMES_MAX = 64 };

/* ---- Messages ---- */

/* A number in quotes must not look like a number. */
static char *string_text(const char *string)
{
    return xasprintf("%s`%.60s`", isdigit((unsigned char)*string) ? "the text " : "", string);
}

/* A value as it stands in a message; the caller frees it. */
static char *value_text(const json_t *value)
{
    switch (json_typeof(value)) {
    case JSON_OBJECT:
        return xstrdup("a mapping");
    case JSON_ARRAY:
        return xstrdup("a list");
    case JSON_STRING:
        return string_text(json_string_value(value));
    case JSON_INTEGER:
        return xasprintf("%" JSON_INTEGER_FORMAT, json_integer_value(value));
    case JSON_REAL:
        return xasprintf("%.10g", json_real_value(value));
    case JSON_TRUE:
        return xstrdup("true");
    case JSON_FALSE:
        return xstrdup("false");
    case JSON_NULL:
        break;
    }
    return xstrdup("nothing");
}

static void add_words(struct text *text, const char *const *words)
{
    for (size_t i = 0; words[i]; i++) {
        const char *between = i == 0 ? "" : words[i + 1] ? ", " : " or ";
        text_addf(text, "%s%s", between, words[i]);
    }
}

/* What a setting takes: "an integer from 1 to 31". */
static void add_demand(struct text *text, const struct setting *setting)
{
    switch (setting->type) {
    case SETTING_INT:
        text_addf(text, "an integer from %.0f to %.0f", setting->low, setting->high);
        break;
    case SETTING_FLOAT:
        text_addf(text, "a number %s %.10g and %s %.10g",
                  setting->above_low ? "above" : "of at least", setting->low,
                  setting->below_high ? "below" : "at most", setting->high);
        break;
    case SETTING_BOOL:
        text_add(text, "true or false");
        break;
    case SETTING_WORD:
        add_words(text, setting->words);
        break;
    }
}

static size_t word_count(const char *const *words)
{
    size_t count = 0;
    while (words[count]) {
        count++;
    }
    return count;
}

static bool is_fraction(const json_t *value)
{
    return json_is_real(value) && json_real_value(value) != floor(json_real_value(value));
}

static int fail_setting(const struct setting *setting, const json_t *value, const char *where,
                        struct failure *why)
{
    struct text demand = TEXT_EMPTY;
    const char *near = NULL;
    char *found = value_text(value);
    add_demand(&demand, setting);
    if (setting->type == SETTING_WORD && json_is_string(value)) {
        near = nearest_word(json_string_value(value), setting->words, word_count(setting->words));
    }
    if (near) {
        fail_at(why, where, "`%s` must be %s, not %s; did you mean `%s`?", setting->name,
                text_string(&demand), found, near);
    } else if (setting->type == SETTING_INT && is_fraction(value)) {
        fail_at(why, where, "`%s` must be %s, not the fraction %s; `//` divides without one",
                setting->name, text_string(&demand), found);
    } else {
        fail_at(why, where, "`%s` must be %s, not %s", setting->name, text_string(&demand), found);
    }
    text_free(&demand);
    free(found);
    return -1;
}

/* "unknown NOUN `word`OF; ..." with the nearest of `names`, else with all of them. */
static int fail_unknown(const char *noun, const char *word, const char *of,
                        const char *const *names, size_t count, const char *where,
                        struct failure *why)
{
    const char *near = nearest_word(word, names, count);
    if (near) {
        return fail_at(why, where, "unknown %s `%.60s`%s; did you mean `%s`?", noun, word, of,
                       near);
    }
    struct text known = TEXT_EMPTY;
    text_add(&known, count == 0 ? "none" : "");
    for (size_t i = 0; i < count; i++) {
        text_addf(&known, "%s%s", i == 0 ? "" : ", ", names[i]);
    }
    fail_at(why, where, "unknown %s `%.60s`%s; there is: %s", noun, word, of, text_string(&known));
    text_free(&known);
    return -1;
}

/* ---- Settings ---- */

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

json_t *setting_check(const struct setting *setting, json_t *value, const char *where,
                      struct failure *why)
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
    fail_setting(setting, value, where, why);
    return NULL;
}

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
    json_t *value;
    if (given) {
        char *place = xasprintf("%s.%s", where, setting->name);
        value = setting_check(setting, given, place, why);
        free(place);
        return value ? json_object_set_new(result, setting->name, value) : -1;
    }
    if (!setting->initial) {
        return fail_at(why, where, "`%s` needs the setting `%s`", section->name, setting->name);
    }
    if (strcmp(setting->initial, "null") == 0) {
        return 0;
    }
    return json_object_set_new(result, setting->name, setting_initial(setting));
}

/* Refuses the key `key`, telling which ones there are: the settings and `others`. */
static int fail_key(const struct section *section, const char *const *others, const char *key,
                    const char *where, struct failure *why)
{
    const char *names[NAMES_MAX];
    size_t count = 0;
    for (size_t i = 0; i < section->setting_count; i++) {
        names[count++] = section->settings[i].name;
    }
    for (size_t i = 0; others[i]; i++) {
        names[count++] = others[i];
    }
    char *of = xasprintf(" of `%s`", section->name);
    char *place = xasprintf("%s.%s", where, key);
    fail_unknown("setting", key, of, names, count, place, why);
    free(place);
    free(of);
    return -1;
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

/* ---- Sections ---- */

static void fail_type(const struct section_list *list, const char *where, struct failure *why)
{
    struct text known = TEXT_EMPTY;
    for (size_t i = 0; i < list->count; i++) {
        text_addf(&known, "%s%s", i == 0 ? "" : ", ", list->sections[i].name);
    }
    fail_at(why, where, "the %s needs a `type`, one of: %s", list->noun, text_string(&known));
    text_free(&known);
}

static const struct section *section_of(const struct section_list *list, const json_t *object,
                                        const char *where, struct failure *why)
{
    const char *names[NAMES_MAX];
    const char *type = json_string_value(json_object_get(object, "type"));
    if (!type) {
        fail_type(list, where, why);
        return NULL;
    }
    const struct section *section = section_find(list, type);
    if (!section) {
        for (size_t i = 0; i < list->count; i++) {
            names[i] = list->sections[i].name;
        }
        char *place = xasprintf("%s.type", where);
        fail_unknown(list->noun, type, "", names, list->count, place, why);
        free(place);
    }
    return section;
}

json_t *section_check(const struct section_list *list, const json_t *object, const char *where,
                      struct failure *why)
{
    static const char *const no_others[] = {NULL};
    const struct section *section = section_of(list, object, where, why);
    const char *key;
    json_t *value;
    if (!section) {
        return NULL;
    }
    json_object_foreach((json_t *)object, key, value) {
        if (strcmp(key, "type") != 0 && !setting_find(section, key)) {
            fail_key(section, no_others, key, where, why);
            return NULL;
        }
    }
    json_t *result = json_object();
    json_object_set_new(result, "type", json_string(section->name));
    if (fill_settings(section, object, where, result, why) != 0) {
        json_decref(result);
        return NULL;
    }
    return result;
}

/* ---- The whole ---- */

json_t *schema_check_model(const json_t *model, struct failure *why)
{
    size_t count = json_array_size(model);
    if (!json_is_array(model) || count == 0 || count > LAYERS_MAX) {
        fail_at(why, "model", "`model` must be a list of 1 to %d layers", LAYERS_MAX);
        return NULL;
    }
    json_t *result = json_array();
    for (size_t i = 0; i < count; i++) {
        char *where = xasprintf("model[%zu]", i);
        json_t *layer = section_check(&schema_layers, json_array_get(model, i), where, why);
        free(where);
        if (!layer) {
            json_decref(result);
            return NULL;
        }
        json_array_append_new(result, layer);
    }
    return result;
}

/* Puts the checked section that stands under `training.<key>` into `result`. */
static int fill_section(const struct section_list *list, const json_t *training, const char *key,
                        const char *where, json_t *result, struct failure *why)
{
    json_t *given = json_object_get(training, key);
    json_t *section = section_check(list, given, where, why);
    return section ? json_object_set_new(result, key, section) : -1;
}

static int check_training_keys(const json_t *training, struct failure *why)
{
    static const char *const sections[] = {"optimizer", "learning_rate_schedule", NULL};
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)training, key, value) {
        bool is_section = strcmp(key, sections[0]) == 0 || strcmp(key, sections[1]) == 0;
        if (!is_section && !setting_find(&schema_training, key)) {
            return fail_key(&schema_training, sections, key, "training", why);
        }
    }
    return 0;
}

static int fill_training(const json_t *training, json_t *result, struct failure *why)
{
    if (!json_is_object(training)) {
        return fail_at(why, "training", "`training` must be a mapping");
    }
    if (check_training_keys(training, why) != 0) {
        return -1;
    }
    if (!json_object_get(training, "optimizer")) {
        return fail_at(why, "training", "`training` needs the setting `optimizer`");
    }
    if (fill_section(&schema_optimizers, training, "optimizer", "training.optimizer", result,
                     why) != 0) {
        return -1;
    }
    if (!json_object_get(training, "learning_rate_schedule")) {
        json_object_set_new(result, "learning_rate_schedule",
                            json_pack("{s:s}", "type", "constant"));
    } else if (fill_section(&schema_learning_rate_schedules, training, "learning_rate_schedule",
                            "training.learning_rate_schedule", result, why) != 0) {
        return -1;
    }
    return fill_settings(&schema_training, training, "training", result, why);
}

json_t *schema_check_training(const json_t *training, struct failure *why)
{
    json_t *result = json_object();
    if (fill_training(training, result, why) != 0) {
        json_decref(result);
        return NULL;
    }
    return result;
}
