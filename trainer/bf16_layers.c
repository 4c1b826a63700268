/* What layers do to values that are rounded.  As whole numbers with a sign, positive ones have
 * their order already: relu's outputs are compared so. */
#include "trainer/bf16_kernels.h"
#include "trainer/patch.h"

#if defined(__x86_64__)
#include <immintrin.h>
#include <string.h>

enum { VALUES = 2 * LANES }; /* rounded ones in a vector */

static inline __mmask32 first_values(size_t count)
{
    return count < VALUES ? (1u << count) - 1 : 0xffffffffu;
}

/* ---- bias ---- */

/* A vector's sums: of the values with even and with odd numbers. */
struct sums {
    __m512 even, odd;
};

/* The upper half of a float is the float, but for what was rounded off. */
INLINE struct sums widened(__m512i values)
{
    return (struct sums){(__m512)_mm512_slli_epi32(values, 16),
                         (__m512)_mm512_and_si512(values, _mm512_set1_epi32((int)0xffff0000u))};
}

INLINE struct sums added(struct sums a, struct sums b)
{
    return (struct sums){_mm512_add_ps(a.even, b.even), _mm512_add_ps(a.odd, b.odd)};
}

/* A row's gradient, stopped by relu. */
INLINE __m512i stopped(__mmask32 mask, const uint16_t *output, uint16_t *gradient)
{
    __m512i values = _mm512_maskz_loadu_epi16(mask, gradient);
    if (!output)
        return values;
    __m512i outputs = _mm512_maskz_loadu_epi16(mask, output);
    __mmask32 open = _mm512_cmpgt_epi16_mask(outputs, _mm512_setzero_si512());
    values = _mm512_maskz_mov_epi16(open, values);
    _mm512_mask_storeu_epi16(gradient, mask, values);
    return values;
}

static void add_interleaved(struct sums sums, size_t count, float *to)
{
    float even[LANES], odd[LANES];
    _mm512_storeu_ps(even, sums.even);
    _mm512_storeu_ps(odd, sums.odd);
    for (size_t i = 0; i < count && i < VALUES; i++)
        to[i] += (i % 2 ? odd : even)[i / 2];
}

/* Four rows are added up on their own first, so that the sums do not wait for each other. */
INLINE struct sums four_rows(__mmask32 mask, size_t width, const uint16_t *output,
                             uint16_t *gradient)
{
    struct sums part[4];
    for (size_t i = 0; i < 4; i++)
        part[i] = widened(stopped(mask, output ? output + i * width : NULL,
                                  gradient + i * width));
    return added(added(part[0], part[1]), added(part[2], part[3]));
}

INLINE void bias_columns(size_t rows, size_t width, size_t column, const uint16_t *output,
                         uint16_t *gradient, float *bias_gradient)
{
    __mmask32 mask = first_values(width - column);
    struct sums sums = {_mm512_setzero_ps(), _mm512_setzero_ps()};
    size_t row = 0, at = column;
    for (; row + 4 <= rows; row += 4, at += 4 * width)
        sums = added(sums, four_rows(mask, width, output ? output + at : NULL, gradient + at));
    for (; row < rows; row++, at += width)
        sums = added(sums, widened(stopped(mask, output ? output + at : NULL, gradient + at)));
    add_interleaved(sums, width - column, bias_gradient + column);
}

static void bias_backward(size_t rows, size_t width, const uint16_t *output, uint16_t *gradient,
                          float *bias_gradient)
{
    for (size_t column = 0; column < width; column += VALUES) {
        if (output)
            bias_columns(rows, width, column, output, gradient, bias_gradient);
        else
            bias_columns(rows, width, column, NULL, gradient, bias_gradient);
    }
}

/* ---- max_pool ---- */

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

/* Whole numbers in the order of the values. */
INLINE __m512i in_order(__m512i values)
{
    __m512i negative = _mm512_srai_epi16(values, 15);
    return _mm512_xor_si512(values, _mm512_srli_epi16(negative, 1));
}

INLINE void write_values(const struct bf16_target *target, size_t at, size_t count, __m512i values)
{
    if (target->rounded) {
        _mm512_mask_storeu_epi16(target->rounded + at, first_values(count), values);
        return;
    }
    __m512i low = _mm512_cvtepu16_epi32(_mm512_castsi512_si256(values));
    __m512i high = _mm512_cvtepu16_epi32(_mm512_extracti64x4_epi64(values, 1));
    __mmask32 mask = first_values(count);
    _mm512_mask_storeu_epi32(target->exact + at, (__mmask16)mask, _mm512_slli_epi32(low, 16));
    _mm512_mask_storeu_epi32(target->exact + at + LANES, (__mmask16)(mask >> LANES),
                             _mm512_slli_epi32(high, 16));
}

INLINE __m512i read_values(const struct bf16_values *values, size_t at, size_t count)
{
    __mmask32 mask = first_values(count);
    if (values->rounded)
        return _mm512_maskz_loadu_epi16(mask, values->rounded + at);
    __m512 low = _mm512_maskz_loadu_ps((__mmask16)mask, values->exact + at);
    __m512 high = _mm512_maskz_loadu_ps((__mmask16)(mask >> LANES), values->exact + at + LANES);
    return (__m512i)_mm512_cvtne2ps_pbh(high, low);
}

INLINE void max_of_patch(const struct patch *patch, size_t rows, size_t columns, size_t channels,
                         const uint16_t *image, const struct bf16_target *output, size_t at,
                         uint16_t *chosen)
{
    for (size_t c = 0; c < channels; c += VALUES) {
        __mmask32 mask = first_values(channels - c);
        const uint16_t *row = image + patch->first + c;
        __m512i largest = _mm512_maskz_loadu_epi16(mask, row), key = in_order(largest);
        __m512i which = _mm512_setzero_si512();
        for (size_t y = 0; y < rows; y++, row += patch->step) {
            for (size_t x = 0; x < columns; x++) {
                __m512i value = _mm512_maskz_loadu_epi16(mask, row + x * channels);
                __m512i its_key = in_order(value);
                __mmask32 larger = _mm512_cmpgt_epi16_mask(its_key, key);
                __m512i here = _mm512_set1_epi16((short)(y * columns + x));
                largest = _mm512_mask_mov_epi16(largest, larger, value);
                key = _mm512_mask_mov_epi16(key, larger, its_key);
                which = _mm512_mask_mov_epi16(which, larger, here);
            }
        }
        write_values(output, at + c, channels - c, largest);
        _mm512_mask_storeu_epi16(chosen + at + c, mask, which);
    }
}

static void max_pool(const struct window *window, const uint16_t *image,
                     const struct bf16_target *output, uint16_t *chosen)
{
    size_t channels = window->channels, at = 0;
    for (size_t y = 0; y < window->output_height; y++) {
        for (size_t x = 0; x < window->output_width; x++, at += channels) {
            struct patch patch = tile_at(window, y, x);
            if (is_two_by_two(&patch))
                max_of_patch(&patch, 2, 2, channels, image, output, at, chosen);
            else
                max_of_patch(&patch, patch.rows, patch.columns, channels, image, output, at,
                             chosen);
        }
    }
}

INLINE void spread_over_patch(const struct patch *patch, size_t rows, size_t columns,
                              size_t channels, const uint16_t *chosen,
                              const struct bf16_values *output,
                              const struct bf16_values *gradient, size_t at, uint16_t *image)
{
    for (size_t c = 0; c < channels; c += VALUES) {
        size_t count = channels - c;
        __mmask32 mask = first_values(count), open = mask;
        if (output)
            open = _mm512_cmpgt_epi16_mask(read_values(output, at + c, count),
                                           _mm512_setzero_si512());
        __m512i value = _mm512_maskz_mov_epi16(open, read_values(gradient, at + c, count));
        __m512i which = _mm512_maskz_loadu_epi16(mask, chosen + at + c);
        uint16_t *row = image + patch->first + c;
        for (size_t y = 0; y < rows; y++, row += patch->step) {
            for (size_t x = 0; x < columns; x++) {
                __m512i here = _mm512_set1_epi16((short)(y * columns + x));
                __mmask32 chooses = _mm512_cmpeq_epi16_mask(which, here);
                _mm512_mask_storeu_epi16(row + x * channels, mask,
                                         _mm512_maskz_mov_epi16(chooses, value));
            }
        }
    }
}

/* What the windows leave, to the right and below, has no gradient. */
static void clear_rest(const struct window *window, uint16_t *image)
{
    if (window->output_height * window->size < window->input_height ||
        window->output_width * window->size < window->input_width)
        memset(image, 0, window->input_height * window->input_width * window->channels *
                             sizeof *image);
}

static void max_pool_backward(const struct window *window, const uint16_t *chosen,
                              const struct bf16_values *output,
                              const struct bf16_values *gradient, uint16_t *image)
{
    size_t channels = window->channels, at = 0;
    clear_rest(window, image);
    for (size_t y = 0; y < window->output_height; y++) {
        for (size_t x = 0; x < window->output_width; x++, at += channels) {
            struct patch patch = tile_at(window, y, x);
            if (is_two_by_two(&patch))
                spread_over_patch(&patch, 2, 2, channels, chosen, output, gradient, at, image);
            else
                spread_over_patch(&patch, patch.rows, patch.columns, channels, chosen, output,
                                  gradient, at, image);
        }
    }
}

const struct bf16_layers bf16_layers = {
    .bias_backward = bias_backward,
    .max_pool = max_pool,
    .max_pool_backward = max_pool_backward,
};
#endif
