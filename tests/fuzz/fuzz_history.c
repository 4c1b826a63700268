/* The bytes are a CSV file of trials that is to be imported. */
#include "tests/fuzz/history.h"
#include "tuner/history.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct failure why = FAILURE_NONE;
    json_t *history = history_read_csv(fuzz_file(bytes, size), "value", &why);
    fuzz_judge(history != NULL, &why);
    if (history)
        fuzz_check_history(history);
    json_decref(history);
    return 0;
}
