/* Rounding to bf16, written down plainly; and the tables of products that can be tried here,
 * the emulated tiles among them (trainer/tiles.h).  To be included after <cmocka.h>. */
#ifndef TESTS_BF16_TWIN_H
#define TESTS_BF16_TWIN_H

#include "tests/numbers.h"

#define EMULATE_TILES
#include "trainer/bf16_tiles.c"

#include <math.h>
#include <string.h>

static inline float float_of(uint32_t bits)
{
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* The nearest bf16; from the middle, the even one.  Behind the largest is infinity. */
static inline uint16_t plain_bf16(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    if (isnan(value))
        return (uint16_t)(bits >> 16 | 0x40);
    if (fpclassify(value) == FP_SUBNORMAL)
        return (uint16_t)(bits >> 16 & 0x8000);
    uint32_t lower = bits & 0xffff, upper = bits >> 16;
    bool up = lower > 0x8000 || (lower == 0x8000 && upper % 2 == 1);
    return (uint16_t)(upper + up);
}

static inline float rounded(float value)
{
    return float_of((uint32_t)plain_bf16(value) << 16);
}

/* Without the instructions that pack, there is nothing to be tried. */
static inline size_t tables_here(const struct bf16_kernels *tables[3])
{
    size_t count = 0;
#if defined(__x86_64__)
    if (!__builtin_cpu_supports("avx512bf16"))
        return 0;
    tables[count++] = &bf16_dots;
    tables[count++] = &bf16_emulated_tiles;
    if (bf16_tiles_granted())
        tables[count++] = &bf16_tiles;
#else
    (void)tables;
#endif
    return count;
}

#endif
