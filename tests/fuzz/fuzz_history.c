/* The bytes are a CSV file of trials that is to be imported. */
#include "tests/fuzz/fuzz.h"

#include "tuner/history.h"

#include <string.h>

static void check_trials(const json_t *history)
{
    const json_t *parameters = json_object_get(history, "parameters");
    const json_t *trials = json_object_get(history, "trials");
    fuzz_expect(json_array_size(trials) > 0 && json_is_array(parameters), "there are trials");
    for (size_t i = 0; i < json_array_size(trials); i++) {
        const json_t *trial = json_array_get(trials, i);
        const char *state = json_string_value(json_object_get(trial, "state"));
        fuzz_expect(json_is_integer(json_object_get(trial, "trial")) && state,
                    "a trial has a number and a state");
        fuzz_expect(strcmp(state, "completed") != 0 ||
                    json_is_real(json_object_get(trial, "value")),
                    "what is completed has a value");
        fuzz_expect(json_object_size(json_object_get(trial, "parameters")) <=
                    json_array_size(parameters), "a trial has no other parameters");
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct failure why = FAILURE_NONE;
    json_t *history = history_read_csv(fuzz_file(bytes, size), "value", &why);
    fuzz_judge(history != NULL, &why);
    if (history)
        check_trials(history);
    json_decref(history);
    return 0;
}
