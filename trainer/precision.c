#include "trainer/precision.h"

#include <string.h>

static const char *const names[PRECISION_COUNT] = {
    [PRECISION_FP32] = "fp32",
    [PRECISION_BF16] = "bf16",
};

const char *precision_name(enum precision precision)
{
    return names[precision];
}

enum precision precision_find(const char *name)
{
    enum precision precision = 0;
    while (precision < PRECISION_COUNT && (!name || strcmp(name, names[precision]) != 0))
        precision++;
    return precision;
}

int precision_resolve(const char *word, const char *bf16, enum precision *precision,
                      struct failure *why)
{
    bool automatic = word && strcmp(word, "auto") == 0;
    bool fast = bf16 && strcmp(bf16, "amx") == 0;
    *precision = PRECISION_FP32;
    if (!word || (automatic && !fast))
        return 0;
    *precision = automatic ? PRECISION_BF16 : precision_find(word);
    if (*precision == PRECISION_BF16 && !bf16)
        return fail_at(why, "training.precision",
                       "`precision` is bf16, for which this processor has no instructions that "
                       "are used here (AMX, AVX-512 BF16; TRAINER_ISA may switch them off); take "
                       "fp32, or auto, which is bf16 only where that is faster");
    return 0;
}
