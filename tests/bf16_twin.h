/* Rounding to bf16, written down plainly; and the tables of products that can be tried here.
 * To be included after <cmocka.h>. */
#ifndef TESTS_BF16_TWIN_H
#define TESTS_BF16_TWIN_H

#include "tests/numbers.h"
#include "tests/tile_emulator.h"
#include "trainer/bf16_kernels.h"

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

/* Rounded, with a guard behind them that no kernel may touch. */
enum { HALF_GUARD = 12345 };

static inline uint16_t *halves_of(const float *values, size_t count)
{
    uint16_t *halves = xcalloc(count + 1, sizeof *halves);
    for (size_t i = 0; i < count; i++)
        halves[i] = plain_bf16(values[i]);
    halves[count] = HALF_GUARD;
    return halves;
}

static inline uint16_t *dirty_halves(size_t count)
{
    uint16_t *halves = xcalloc(count + 1, sizeof *halves);
    for (size_t i = 0; i <= count; i++)
        halves[i] = HALF_GUARD;
    return halves;
}

static inline float float_of_half(uint16_t half)
{
    return float_of((uint32_t)half << 16);
}

/* So that what is rounded later is the same. */
static inline void round_floats(float *values, size_t count)
{
    for (size_t i = 0; i < count; i++)
        values[i] = rounded(values[i]);
}

static inline bool tiles_are_real(void)
{
#if defined(__x86_64__)
    return bf16_tiles_granted();
#else
    return false;
#endif
}

/* The tables, and how many; none where the instructions that pack are missing. */
static inline size_t tables_here(const struct bf16_kernels *tables[2])
{
#if defined(__x86_64__)
    if (!__builtin_cpu_supports("avx512bf16"))
        return 0;
    if (!tiles_are_real())
        emulate_tiles();
    tables[0] = &bf16_dots;
    tables[1] = &bf16_tiles;
    return 2;
#else
    (void)tables;
    return 0;
#endif
}

/* Whether products were done by tiles, real ones or emulated. */
static inline bool tiles_were_tried(void)
{
#if defined(__x86_64__)
    return tile_products > 0 || tiles_are_real();
#else
    return false;
#endif
}

#endif
