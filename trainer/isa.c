#include "trainer/isa.h"

#include <stdlib.h>
#include <string.h>

static const char *const names[ISA_COUNT] = {
    [ISA_PORTABLE] = "portable",
    [ISA_NEON] = "neon",
    [ISA_AVX2] = "avx2",
    [ISA_AVX512] = "avx512",
};

const char *isa_name(enum isa isa)
{
    return names[isa];
}

bool isa_available(enum isa isa)
{
    switch (isa) {
    case ISA_PORTABLE:
        return true;
#if defined(__x86_64__)
    case ISA_AVX2:
        return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    case ISA_AVX512:
        return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
               __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl");
#elif defined(__aarch64__)
    case ISA_NEON:
        return true;
#endif
    default:
        return false;
    }
}

enum isa isa_best(void)
{
    enum isa isa = ISA_COUNT - 1;
    while (!isa_available(isa))
        isa--;
    return isa;
}

/* What TRAINER_ISA says; NULL for `auto` or nothing. */
static const char *word_said(void)
{
    const char *word = getenv("TRAINER_ISA");
    return word && *word && strcmp(word, "auto") != 0 ? word : NULL;
}

/* The set that TRAINER_ISA names, or ISA_COUNT for a word that is none's. */
static enum isa wanted(void)
{
    const char *word = word_said();
    if (!word)
        return isa_best();
    enum isa isa = 0;
    while (isa < ISA_COUNT && strcmp(word, names[isa]) != 0)
        isa++;
    return isa;
}

enum isa isa_chosen(void)
{
    enum isa isa = wanted();
    return isa < ISA_COUNT && isa_available(isa) ? isa : ISA_PORTABLE;
}

bool isa_is_automatic(void)
{
    return !word_said();
}

int isa_check(struct failure *why)
{
    enum isa isa = wanted();
    if (isa == ISA_COUNT)
        return fail_usage(why, "TRAINER_ISA is '%s', but may be auto, portable, avx2, avx512 or "
                               "neon", getenv("TRAINER_ISA"));
    if (!isa_available(isa))
        return fail_usage(why, "TRAINER_ISA is '%s', which this processor does not have; "
                               "set it to auto or portable", names[isa]);
    return 0;
}
