/* What makes two studies the same: the resolved file without comments and without the
 * settings that change no result. */
#include "tuner/study_parts.h"

#include "common/text.h"
#include "tuner/template.h"

#include <stdlib.h>
#include <string.h>

/* ---- Templates ---- */

static json_t *stored_setting(const struct setting *setting, json_t *given);

static void store_settings(const struct section *section, const json_t *given, json_t *stored)
{
    for (size_t i = 0; i < section->setting_count; i++) {
        const struct setting *setting = &section->settings[i];
        json_t *value = stored_setting(setting, json_object_get(given, setting->name));
        if (value) {
            json_object_set_new(stored, setting->name, value);
        }
    }
}

/* A section whose type is an expression stays as it is written. */
static json_t *stored_choice(const struct section_list *list, json_t *given)
{
    const struct section *section = section_of(list, given);
    if (!section) {
        return json_incref(given);
    }
    json_t *stored = json_pack("{s:s}", "type", section->name);
    store_settings(section, given, stored);
    return stored;
}

static json_t *stored_list(const struct section_list *list, const json_t *given)
{
    json_t *stored = json_array();
    for (size_t i = 0; i < json_array_size(given); i++) {
        json_array_append_new(stored, stored_choice(list, json_array_get(given, i)));
    }
    return stored;
}

static json_t *stored_section(const struct section *section, const json_t *given)
{
    json_t *stored = json_object();
    store_settings(section, given, stored);
    return stored;
}

/* A setting as it is stored: expressions as text, numbers in the form of their type
 * (3 and 3.0 are the same), what is absent by its default.  NULL: there is none. */
static json_t *stored_setting(const struct setting *setting, json_t *given)
{
    if (!given) {
        bool has = setting->initial && strcmp(setting->initial, "null") != 0;
        return has ? json_loads(setting->initial, JSON_DECODE_ANY, NULL) : NULL;
    }
    switch (setting->type) {
    case SETTING_SECTION:
        return stored_section(setting->section, given);
    case SETTING_CHOICE:
        return stored_choice(setting->list, given);
    case SETTING_LIST:
        return stored_list(setting->list, given);
    default:
        break;
    }
    json_t *checked = setting_check(setting, given, "", NULL);
    return checked ? checked : json_incref(given);
}

/* What stands under `key`, which has been checked. */
static json_t *stored_part(const struct study *study, const char *key, struct failure *why)
{
    const struct filling filling = {study->file, NULL, 0};
    const struct setting *setting = setting_find(&schema_configuration, key);
    json_t *given = template_fill(&filling, setting, yaml_get(study->document, key), why);
    json_t *stored = given ? stored_setting(setting, given) : NULL;
    json_decref(given);
    return stored;
}

/* ---- The rest ---- */

/* A folder is kept as it is written, so that a study is the same wherever the tuner
 * is started. */
static json_t *stored_data(const struct study *study)
{
    json_t *data = json_copy(study->data);
    if (json_object_get(data, "folder")) {
        const struct yaml *written = yaml_get(yaml_get(study->document, "data"), "dataset");
        json_object_set_new(data, "folder", json_string(written->text));
    }
    return data;
}

static json_t *stored_parameters(const struct space *space)
{
    json_t *parameters = json_object();
    for (size_t i = 0; i < space->count; i++) {
        json_t *parameter = parameter_json(&space->parameters[i]);
        json_object_del(parameter, "name");
        json_object_set_new(parameters, space->parameters[i].name, parameter);
    }
    return parameters;
}

/* The draws of a trial depend on the order in which the parameters are declared. */
static json_t *stored_order(const struct space *space)
{
    json_t *order = json_array();
    for (size_t i = 0; i < space->count; i++) {
        json_array_append_new(order, json_string(space->parameters[i].name));
    }
    return order;
}

static void set_positive(json_t *object, const char *key, int value)
{
    if (value > 0) {
        json_object_set_new(object, key, json_integer(value));
    }
}

static json_t *stored_search(const struct study *study)
{
    json_t *search = json_pack("{s:s, s:s}", "sampler",
                               study->sampler == SAMPLER_GRID ? "grid" : "random", "scheduler",
                               study->scheduler == SCHEDULER_FULL ? "full" : "hyperband");
    set_positive(search, "trials", study->trials);
    set_positive(search, "points", study->points);
    set_positive(search, "max_epochs", study->max_epochs);
    set_positive(search, "eta", study->eta);
    return search;
}

/* What came later is absent where it is not asked for, so that older studies stay the same. */
static json_t *stored_final(const struct study *study)
{
    json_t *final = json_pack("{s:b}", "retrain", (int)study->retrain);
    if (study->retrain_on_all) {
        json_object_set_new(final, "train", json_string("all"));
    }
    return final;
}

json_t *study_fingerprint(const struct study *study, struct failure *why)
{
    char seed[32];
    snprintf(seed, sizeof seed, "%llu", (unsigned long long)study->seed);
    json_t *objective = json_pack("{s:s, s:s, s:s}", "metric", study->metric, "goal",
                                  study->maximize ? "maximize" : "minimize", "take",
                                  study->take_best ? "best" : "last");
    if (study->outside) {
        return json_pack("{s:s, s:o, s:s, s:o, s:o, s:o}", "seed", seed, "objective", objective,
                         "trainer", "none", "parameters", stored_parameters(&study->space),
                         "parameter_order", stored_order(&study->space), "search",
                         stored_search(study));
    }
    json_t *model = stored_part(study, "model", why);
    json_t *training = stored_part(study, "training", why);
    return json_pack("{s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "seed", seed,
                     "objective", objective, "data", stored_data(study), "parameters",
                     stored_parameters(&study->space), "parameter_order",
                     stored_order(&study->space), "model", model, "training", training, "search",
                     stored_search(study), "final", stored_final(study));
}

/* ---- Differences ---- */

static void add_value(struct text *text, const json_t *value)
{
    char *dump = value ? json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT | JSON_REAL_PRECISION(15))
                       : xstrdup("(none)");
    text_add(text, dump);
    free(dump);
}

static void add_differences(struct text *text, const char *path, const json_t *old,
                            const json_t *new);

static void add_object_differences(struct text *text, const char *path, const json_t *old,
                                   const json_t *new)
{
    json_t *keys = json_copy((json_t *)old);
    const char *key;
    json_t *value;
    json_object_update(keys, (json_t *)new);
    json_object_foreach(keys, key, value) {
        char *below = xasprintf("%s%s%s", path, *path ? "." : "", key);
        add_differences(text, below, json_object_get(old, key), json_object_get(new, key));
        free(below);
    }
    json_decref(keys);
}

static void add_array_differences(struct text *text, const char *path, const json_t *old,
                                  const json_t *new)
{
    for (size_t i = 0; i < json_array_size(old); i++) {
        char *below = xasprintf("%s[%zu]", path, i);
        add_differences(text, below, json_array_get(old, i), json_array_get(new, i));
        free(below);
    }
}

/* Lists of different lengths are told whole: one item more shifts all that follow. */
static void add_differences(struct text *text, const char *path, const json_t *old,
                            const json_t *new)
{
    if (json_equal(old, new)) {
        return;
    }
    if (json_is_object(old) && json_is_object(new)) {
        add_object_differences(text, path, old, new);
    } else if (json_is_array(old) && json_is_array(new) &&
               json_array_size(old) == json_array_size(new)) {
        add_array_differences(text, path, old, new);
    } else {
        text_addf(text, "%s%s: ", text->length > 0 ? "\n" : "", path);
        add_value(text, old);
        text_add(text, " -> ");
        add_value(text, new);
    }
}

char *study_differences(const json_t *old_fingerprint, const json_t *new_fingerprint)
{
    struct text text = TEXT_EMPTY;
    add_differences(&text, "", old_fingerprint, new_fingerprint);
    return text_take(&text);
}
