/* The bytes are an array of NumPy's. */
#include "tests/fuzz/fuzz.h"

#include "trainer/npy.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct failure why = FAILURE_NONE;
    struct npy npy = {0};
    bool accepted = npy_parse("array", bytes, size, &npy, &why) == 0;
    fuzz_judge(accepted, &why);
    if (!accepted)
        return 0;
    size_t count = 1;
    for (size_t i = 0; i < npy.dimensions; i++)
        count *= npy.shape[i];
    fuzz_expect(npy.dimensions > 0 && count == npy.count, "the shape has all values");
    for (size_t i = 0; i < npy.count; i++)
        fuzz_expect(npy_value(&npy, i) >= -1, "a value is a number from 0 or none");
    return 0;
}
