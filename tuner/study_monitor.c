/* What is watched must be there: figures of validation images need some. */
#include "tuner/study_parts.h"

#include "common/schema.h"

#include <stdlib.h>
#include <string.h>

static const char validation_prefix[] = "val_";

static bool validates(const struct study *study)
{
    return json_integer_value(json_object_get(study->data, "validation")) > 0;
}

/* Whether the word is one of the trainer's metrics that only validation images give. */
static bool needs_validation(const char *word)
{
    for (size_t i = 0; schema_monitors[i]; i++) {
        if (strcmp(word, schema_monitors[i]) == 0) {
            return strncmp(word, validation_prefix, strlen(validation_prefix)) == 0;
        }
    }
    return false;
}

int study_check_objective(const struct study *study, struct failure *why)
{
    const struct yaml *objective = yaml_get(study->document, "objective");
    bool chosen = objective && yaml_get(objective, "metric");
    if (study->outside || validates(study) || !needs_validation(study->metric)) {
        return 0;
    }
    return study_fail_at(study, chosen ? "objective.metric" : "data.validation", why,
                         "trials are compared by %s, but no images are held out to validate on; "
                         "take `metric: train_%s`, or give `validation` a number above 0",
                         study->metric, study->metric + strlen(validation_prefix));
}

/* Refuses to watch images that are not there.  What may watch is what the schema's
 * table says, section by section. */
static int check_monitors(const struct section *section, const json_t *settings,
                          const char *where, struct failure *why)
{
    int failed = 0;
    for (size_t i = 0; section && !failed && i < section->setting_count; i++) {
        const struct setting *setting = &section->settings[i];
        const json_t *value = json_object_get(settings, setting->name);
        const char *word = json_string_value(value);
        char *place = xasprintf("%s.%s", where, setting->name);
        if (setting->words == schema_monitors && word && needs_validation(word)) {
            failed = fail_at(why, place,
                             "`%s` is %s, but no images are held out to validate on; take "
                             "train_%s, or give `validation` a number above 0",
                             setting->name, word, word + strlen(validation_prefix));
        } else if (json_is_object(value)) {
            const struct section *below = setting->list ? section_of(setting->list, value)
                                                        : setting->section;
            failed = check_monitors(below, value, place, why);
        }
        free(place);
    }
    return failed;
}

int study_check_monitors(const struct study *study, const json_t *training, struct failure *why)
{
    return validates(study) ? 0 : check_monitors(&schema_training, training, "training", why);
}
