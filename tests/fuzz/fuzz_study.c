/* The bytes are a study file: YAML, space, model, training, search.  Of an accepted one the
 * plan is made, two configurations are drawn and made into what a trainer is told. */
#include "tests/fuzz/fuzz.h"

#include "tuner/sampler.h"
#include "tuner/study_plan.h"

#include <stdlib.h>

enum { CLASSES = 10, TRIALS = 2 };

static void check_tree(const struct yaml *yaml)
{
    fuzz_expect(yaml->line > 0 && yaml->column > 0, "a value has a place");
    for (size_t i = 0; i < yaml->count; i++) {
        check_tree(yaml->items[i]);
        if (yaml->keys)
            fuzz_expect(yaml_get(yaml, yaml->keys[i]->text) == yaml->items[i],
                        "a key leads to its value");
    }
}

static void configure(const struct study *study, const json_t *values)
{
    struct failure why = FAILURE_NONE;
    json_t *configuration = study_configure(study, values, CLASSES, &why);
    fuzz_judge(configuration != NULL, &why);
    json_decref(configuration);
}

static void search(const struct study *study)
{
    struct failure why = FAILURE_NONE;
    struct plan plan;
    struct sampler *sampler = sampler_new(study->sampler, &study->space, study->seed,
                                          study->points);
    bool planned = study_plan(study, sampler_size(sampler), &plan, &why) == 0;
    fuzz_judge(planned, &why);
    for (uint32_t trial = 0; planned && trial < TRIALS; trial++) {
        json_t *values = sampler_propose(sampler, trial);
        fuzz_expect(values || trial > 0, "a space has a configuration");
        if (values && !study->outside)
            configure(study, values);
        json_decref(values);
    }
    sampler_free(sampler);
}

/* A study is the same when it is read again. */
static void check_fingerprint(const struct study *study, const uint8_t *bytes, size_t size)
{
    struct study *again = study_parse("study.yaml", (const char *)bytes, size, NULL);
    fuzz_expect(again && json_equal(again->fingerprint, study->fingerprint),
                "a study has one fingerprint");
    char *differences = study_differences(study->fingerprint, again->fingerprint);
    fuzz_expect(*differences == '\0', "a study does not differ from itself");
    free(differences);
    study_free(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct failure why = FAILURE_NONE;
    struct study *study = study_parse("study.yaml", (const char *)bytes, size, &why);
    fuzz_judge(study != NULL, &why);
    if (study) {
        check_tree(study->document);
        check_fingerprint(study, bytes, size);
        search(study);
    }
    study_free(study);
    return 0;
}
