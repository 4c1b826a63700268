#include "common/schema_fail.h"

#include "common/text.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>

enum { NAMES_MAX = 64 };

/* ---- Values ---- */

/* A number in quotes must not look like a number. */
static char *string_text(const char *string)
{
    return xasprintf("%s`%.60s`", isdigit((unsigned char)*string) ? "the text " : "", string);
}

/* A value as it stands in a message; the caller frees it. */
static char *value_text(const json_t *value)
{
    switch (value ? json_typeof(value) : JSON_NULL) {
    case JSON_OBJECT:
        return xstrdup("a mapping");
    case JSON_ARRAY:
        return xstrdup(json_array_size(value) > 0 ? "a list" : "an empty list");
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
    case SETTING_SECTION:
    case SETTING_CHOICE:
        text_add(text, "a mapping");
        break;
    case SETTING_LIST:
        text_addf(text, "a list of %ss", setting->list->noun);
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

int schema_fail_value(const struct setting *setting, const json_t *value, const char *where,
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

int schema_fail_missing(const struct section *section, const struct setting *setting,
                        const char *where, struct failure *why)
{
    if (setting->type == SETTING_LIST) {
        return fail_at(why, where, "`%s` needs a list of %ss below it", section->name,
                       setting->list->noun);
    }
    return fail_at(why, where, "`%s` needs the setting `%s`", section->name, setting->name);
}

/* ---- Unknown names ---- */

/* "conv, max_pool, ..." */
static void add_names(struct text *text, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        text_addf(text, "%s%s", i == 0 ? "" : ", ", names[i]);
    }
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
    add_names(&known, names, count);
    fail_at(why, where, "unknown %s `%.60s`%s; there is: %s", noun, word, of, text_string(&known));
    text_free(&known);
    return -1;
}

int schema_fail_key(const struct section *section, const char *key, const char *where,
                    struct failure *why)
{
    const char *names[NAMES_MAX];
    for (size_t i = 0; i < section->setting_count; i++) {
        names[i] = section->settings[i].name;
    }
    char *of = xasprintf(" of `%s`", section->name);
    char *place = xasprintf("%s.%s", where, key);
    fail_unknown("setting", key, of, names, section->setting_count, place, why);
    free(place);
    free(of);
    return -1;
}

int schema_fail_type(const struct section_list *list, const json_t *type, const char *where,
                     struct failure *why)
{
    const char *names[NAMES_MAX];
    for (size_t i = 0; i < list->count; i++) {
        names[i] = list->sections[i].name;
    }
    if (json_is_string(type)) {
        char *place = xasprintf("%s.type", where);
        fail_unknown(list->noun, json_string_value(type), "", names, list->count, place, why);
        free(place);
        return -1;
    }
    struct text known = TEXT_EMPTY;
    add_names(&known, names, list->count);
    fail_at(why, where, "the %s needs a `type`, one of: %s", list->noun, text_string(&known));
    text_free(&known);
    return -1;
}
