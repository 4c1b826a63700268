/* Thirty-two values in bf16 side by side, in a vector of AVX-512: for the loops of bf16_layers.c
 * and bf16_norm.c, and for nobody else. */
#ifndef TRAINER_BF16_LANES_H
#define TRAINER_BF16_LANES_H

#include "trainer/bf16_values.h"
#include "trainer/patch.h"

#include <immintrin.h>

enum { VALUES = 2 * LANES };

/* Those of them that there are, where `count` are left. */
INLINE __mmask32 first_values(size_t count)
{
    return count < VALUES ? (1u << count) - 1 : 0xffffffffu;
}

/* ---- as floats ---- */

/* The values with even and with odd numbers. */
struct wide {
    __m512 even, odd;
};

/* A bf16 is the upper half of its float. */
INLINE struct wide widened(__m512i values)
{
    return (struct wide){(__m512)_mm512_slli_epi32(values, 16),
                           (__m512)_mm512_and_si512(values, _mm512_set1_epi32((int)0xffff0000u))};
}

INLINE __m512i narrowed(struct wide wide)
{
    const __m512i lanes = _mm512_set_epi32(15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0);
    __m512i places = _mm512_or_si512(
        lanes, _mm512_slli_epi32(_mm512_add_epi32(lanes, _mm512_set1_epi32(LANES)), 16));
    return _mm512_permutexvar_epi16(places, (__m512i)_mm512_cvtne2ps_pbh(wide.odd, wide.even));
}

INLINE struct wide wide_load(const float *from, size_t count)
{
    const __m512i even =
        _mm512_set_epi32(30, 28, 26, 24, 22, 20, 18, 16, 14, 12, 10, 8, 6, 4, 2, 0);
    __mmask32 mask = first_values(count);
    __m512 low = _mm512_maskz_loadu_ps((__mmask16)mask, from);
    __m512 high = _mm512_maskz_loadu_ps((__mmask16)(mask >> LANES), from + LANES);
    __m512i odd = _mm512_add_epi32(even, _mm512_set1_epi32(1));
    return (struct wide){_mm512_permutex2var_ps(low, even, high),
                           _mm512_permutex2var_ps(low, odd, high)};
}

INLINE void wide_store(float *to, size_t count, struct wide wide)
{
    const __m512i low = _mm512_set_epi32(23, 7, 22, 6, 21, 5, 20, 4, 19, 3, 18, 2, 17, 1, 16, 0);
    __m512i high = _mm512_add_epi32(low, _mm512_set1_epi32(LANES / 2));
    __mmask32 mask = first_values(count);
    _mm512_mask_storeu_ps(to, (__mmask16)mask,
                          _mm512_permutex2var_ps(wide.even, low, wide.odd));
    _mm512_mask_storeu_ps(to + LANES, (__mmask16)(mask >> LANES),
                          _mm512_permutex2var_ps(wide.even, high, wide.odd));
}

INLINE struct wide wide_add(struct wide a, struct wide b)
{
    return (struct wide){_mm512_add_ps(a.even, b.even), _mm512_add_ps(a.odd, b.odd)};
}

INLINE struct wide wide_subtract(struct wide a, struct wide b)
{
    return (struct wide){_mm512_sub_ps(a.even, b.even), _mm512_sub_ps(a.odd, b.odd)};
}

INLINE struct wide wide_multiply(struct wide a, struct wide b)
{
    return (struct wide){_mm512_mul_ps(a.even, b.even), _mm512_mul_ps(a.odd, b.odd)};
}

INLINE struct wide wide_multiply_add(struct wide a, struct wide b, struct wide c)
{
    return (struct wide){_mm512_fmadd_ps(a.even, b.even, c.even),
                         _mm512_fmadd_ps(a.odd, b.odd, c.odd)};
}

/* ---- exact or rounded, as layers have them ---- */

INLINE __m512i read_rounded(const struct bf16_values *values, size_t at, size_t count)
{
    if (values->rounded)
        return _mm512_maskz_loadu_epi16(first_values(count), values->rounded + at);
    return narrowed(wide_load(values->exact + at, count));
}

INLINE struct wide read_wide(const struct bf16_values *values, size_t at, size_t count)
{
    if (values->rounded)
        return widened(_mm512_maskz_loadu_epi16(first_values(count), values->rounded + at));
    return wide_load(values->exact + at, count);
}

INLINE void write_rounded(const struct bf16_target *target, size_t at, size_t count, __m512i values)
{
    if (target->rounded)
        _mm512_mask_storeu_epi16(target->rounded + at, first_values(count), values);
    else
        wide_store(target->exact + at, count, widened(values));
}

INLINE void write_wide(const struct bf16_target *target, size_t at, size_t count,
                         struct wide wide)
{
    if (target->rounded)
        _mm512_mask_storeu_epi16(target->rounded + at, first_values(count), narrowed(wide));
    else
        wide_store(target->exact + at, count, wide);
}

/* ---- the windows of a pool ---- */

/* As patch_at(), where windows do not meet: it is asked for very little work. */
INLINE struct patch tile_at(const struct window *window, size_t y, size_t x)
{
    size_t size = window->size, top = y * size, left = x * size;
    size_t below = window->input_height - top, beside = window->input_width - left;
    return (struct patch){
        .first = pixel_at(window, top, left),
        .rows = below < size ? below : size,
        .columns = beside < size ? beside : size,
        .step = window->input_width * window->channels,
    };
}

#endif
