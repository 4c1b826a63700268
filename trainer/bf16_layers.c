/* Values are compared as whole numbers with a sign, of which positive ones have the values' order
 * already. */
#include "trainer/bf16_layers.h"

#if defined(__x86_64__)
#include "trainer/bf16_lanes.h"

#include <string.h>

INLINE __mmask32 above_zero(__m512i values)
{
    return _mm512_cmpgt_epi16_mask(values, _mm512_setzero_si512());
}

/* ---- bias ---- */

/* A row's gradient, stopped by relu. */
INLINE __m512i stopped(__mmask32 mask, const uint16_t *output, uint16_t *gradient)
{
    __m512i values = _mm512_maskz_loadu_epi16(mask, gradient);
    if (!output)
        return values;
    __m512i outputs = _mm512_maskz_loadu_epi16(mask, output);
    __mmask32 open = above_zero(outputs);
    values = _mm512_maskz_mov_epi16(open, values);
    _mm512_mask_storeu_epi16(gradient, mask, values);
    return values;
}

/* Four rows are added up on their own first, so that the sums do not wait for each other. */
INLINE struct wide four_rows(__mmask32 mask, size_t width, const uint16_t *output,
                             uint16_t *gradient)
{
    struct wide part[4];
    for (size_t i = 0; i < 4; i++)
        part[i] = widened(stopped(mask, output ? output + i * width : NULL,
                                  gradient + i * width));
    return wide_add(wide_add(part[0], part[1]), wide_add(part[2], part[3]));
}

INLINE void bias_columns(size_t rows, size_t width, size_t column, const uint16_t *output,
                         uint16_t *gradient, float *bias_gradient)
{
    __mmask32 mask = first_values(width - column);
    struct wide sums = {_mm512_setzero_ps(), _mm512_setzero_ps()};
    size_t row = 0, at = column;
    for (; row + 4 <= rows; row += 4, at += 4 * width)
        sums = wide_add(sums, four_rows(mask, width, output ? output + at : NULL, gradient + at));
    for (; row < rows; row++, at += width)
        sums = wide_add(sums, widened(stopped(mask, output ? output + at : NULL, gradient + at)));
    float *to = bias_gradient + column;
    wide_store(to, width - column, wide_add(sums, wide_load(to, width - column)));
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

/* Whole numbers in the order of the values; of such a one, the value. */
INLINE __m512i in_order(__m512i values)
{
    const int x_xor_y_and_z = 0x78; /* where x is 0xf0, y 0xcc, z 0xaa */
    return _mm512_ternarylogic_epi32(values, _mm512_srai_epi16(values, 15),
                                     _mm512_set1_epi16(0x7fff), x_xor_y_and_z);
}

/* The signs that turn this order, where `direction` has one. */
INLINE __m512i turn_of(const float *direction, size_t count)
{
    if (!direction)
        return _mm512_setzero_si512();
    return _mm512_and_si512(narrowed(wide_load(direction, count)),
                            _mm512_set1_epi16((short)0x8000));
}

INLINE void max_of_patch(const struct patch *patch, size_t rows, size_t columns, size_t channels,
                         const float *direction, const uint16_t *image,
                         const struct bf16_target *output, size_t at, uint16_t *chosen)
{
    for (size_t c = 0; c < channels; c += VALUES) {
        __mmask32 mask = first_values(channels - c);
        const uint16_t *row = image + patch->first + c;
        __m512i turn = turn_of(direction ? direction + c : NULL, channels - c);
        __m512i largest = in_order(_mm512_xor_si512(_mm512_maskz_loadu_epi16(mask, row), turn));
        __m512i which = _mm512_setzero_si512();
        for (size_t y = 0; y < rows; y++, row += patch->step) {
            for (size_t x = 0; x < columns; x++) {
                __m512i value = _mm512_maskz_loadu_epi16(mask, row + x * channels);
                value = in_order(_mm512_xor_si512(value, turn));
                __mmask32 larger = _mm512_cmpgt_epi16_mask(value, largest);
                __m512i here = _mm512_set1_epi16((short)(y * columns + x));
                which = _mm512_mask_mov_epi16(which, larger, here);
                largest = _mm512_max_epi16(largest, value);
            }
        }
        write_rounded(output, at + c, channels - c, _mm512_xor_si512(in_order(largest), turn));
        _mm512_mask_storeu_epi16(chosen + at + c, mask, which);
    }
}

INLINE void pool_rows(const struct window *window, const float *direction, const uint16_t *image,
                      const struct bf16_target *output, uint16_t *chosen)
{
    size_t channels = window->channels, at = 0;
    for (size_t y = 0; y < window->output_height; y++) {
        for (size_t x = 0; x < window->output_width; x++, at += channels) {
            struct patch patch = tile_at(window, y, x);
            if (is_two_by_two(&patch))
                max_of_patch(&patch, 2, 2, channels, direction, image, output, at, chosen);
            else
                max_of_patch(&patch, patch.rows, patch.columns, channels, direction, image,
                             output, at, chosen);
        }
    }
}

static void max_pool(const struct window *window, const float *direction, const uint16_t *image,
                     const struct bf16_target *output, uint16_t *chosen)
{
    if (direction)
        pool_rows(window, direction, image, output, chosen);
    else
        pool_rows(window, NULL, image, output, chosen);
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
            open = above_zero(read_rounded(output, at + c, count));
        __m512i value = _mm512_maskz_mov_epi16(open, read_rounded(gradient, at + c, count));
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

/* ---- relu ---- */

static void relu(size_t count, const uint16_t *input, const struct bf16_target *output)
{
    for (size_t i = 0; i < count; i += VALUES) {
        __m512i value = _mm512_maskz_loadu_epi16(first_values(count - i), input + i);
        __mmask32 keeps = above_zero(value);
        __m512i magnitude = _mm512_and_si512(value, _mm512_set1_epi16(0x7fff));
        keeps |= _mm512_cmpgt_epi16_mask(magnitude, _mm512_set1_epi16(0x7f80)); /* not a number */
        write_rounded(output, i, count - i, _mm512_maskz_mov_epi16(keeps, value));
    }
}

static void relu_backward(size_t count, const struct bf16_values *output,
                          const struct bf16_values *output_gradient, uint16_t *input_gradient)
{
    for (size_t i = 0; i < count; i += VALUES) {
        __mmask32 open = output ? above_zero(read_rounded(output, i, count - i))
                                : first_values(count - i);
        __m512i gradient = read_rounded(output_gradient, i, count - i);
        _mm512_mask_storeu_epi16(input_gradient + i, first_values(count - i),
                                 _mm512_maskz_mov_epi16(open, gradient));
    }
}

/* ---- dropout ---- */

static void drop(size_t count, const uint8_t *kept, float scale, const struct bf16_values *input,
                 const struct bf16_target *output)
{
    const __m512 factor = _mm512_set1_ps(scale);
    for (size_t i = 0; i < count; i += VALUES) {
        __m256i bytes = _mm256_maskz_loadu_epi8(first_values(count - i), kept + i);
        __mmask32 keeps = _mm256_test_epi8_mask(bytes, bytes);
        struct wide values = wide_multiply(read_wide(input, i, count - i),
                                           (struct wide){factor, factor});
        write_rounded(output, i, count - i, _mm512_maskz_mov_epi16(keeps, narrowed(values)));
    }
}

const struct bf16_layers bf16_layers = {
    .bias_backward = bias_backward,
    .max_pool = max_pool,
    .max_pool_backward = max_pool_backward,
    .relu = relu,
    .relu_backward = relu_backward,
    .drop = drop,
    .norm = &bf16_norm,
};
#endif
