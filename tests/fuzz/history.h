/* What must hold of any study that was read to be imported (db/store_import.h). */
#ifndef TESTS_FUZZ_HISTORY_H
#define TESTS_FUZZ_HISTORY_H

#include "tests/fuzz/fuzz.h"

#include <string.h>

static inline void fuzz_check_trial(const json_t *trial, size_t parameters)
{
    const char *state = json_string_value(json_object_get(trial, "state"));
    const json_t *points = json_object_get(trial, "curve");
    fuzz_expect(json_is_integer(json_object_get(trial, "trial")) && state,
                "a trial has a number and a state");
    fuzz_expect(strcmp(state, "completed") != 0 || json_is_real(json_object_get(trial, "value")),
                "what is completed has a value");
    fuzz_expect(json_object_size(json_object_get(trial, "parameters")) <= parameters,
                "a trial has no other parameters");
    for (size_t i = 0; i < json_array_size(points); i++)
        fuzz_expect(json_integer_value(json_object_get(json_array_get(points, i), "epoch")) > 0,
                    "epochs count from 1");
}

static inline void fuzz_check_history(const json_t *history)
{
    const json_t *parameters = json_object_get(history, "parameters");
    const json_t *trials = json_object_get(history, "trials");
    fuzz_expect(json_array_size(trials) > 0 && json_is_array(parameters), "there are trials");
    for (size_t i = 0; i < json_array_size(trials); i++)
        fuzz_check_trial(json_array_get(trials, i), json_array_size(parameters));
}

#endif
