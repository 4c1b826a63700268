/* batch_norm in bf16: the loops of kernels_norm.c and kernels_norm_pool.c, which have the
 * reasons. */
#include "trainer/bf16_layers.h"

#if defined(__x86_64__)
#include "trainer/bf16_lanes.h"

/* Rows that are added up as floats, before their sums become doubles: values of 8 bits leave room
 * for more of them. */
enum { ROWS = 32 };

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

INLINE struct wide zeros(void)
{
    return (struct wide){_mm512_setzero_ps(), _mm512_setzero_ps()};
}

/* ---- sums ---- */

static void add_moments(size_t rows, size_t count, const float *pivot, const float *away,
                        const float *square, double *sums, double *squares)
{
    double n = (double)rows;
    for (size_t c = 0; c < count; c++) {
        double p = (double)pivot[c], a = (double)away[c];
        sums[c] += a + n * p;
        squares[c] += (double)square[c] + p * (2.0 * a + n * p);
    }
}

/* Of up to ROWS rows, in the columns of a vector. */
INLINE void moments_of(size_t rows, size_t channels, size_t count, struct wide pivot,
                       const uint16_t *x, float away[VALUES], float square[VALUES])
{
    struct wide sum = zeros(), squares = zeros();
    __mmask32 mask = first_values(count);
    for (size_t row = 0; row < rows; row++, x += channels) {
        struct wide value = wide_subtract(widened(_mm512_maskz_loadu_epi16(mask, x)), pivot);
        sum = wide_add(sum, value);
        squares = wide_multiply_add(value, value, squares);
    }
    wide_store(away, VALUES, sum);
    wide_store(square, VALUES, squares);
}

static void moments(size_t rows, size_t channels, const uint16_t *x, double *sums,
                    double *squares)
{
    for (size_t c = 0; c < channels; c += VALUES) {
        size_t count = least(channels - c, VALUES);
        struct wide pivot = widened(_mm512_maskz_loadu_epi16(first_values(count), x + c));
        float p[VALUES], away[VALUES], square[VALUES];
        wide_store(p, VALUES, pivot);
        for (size_t row = 0; row < rows; row += ROWS) {
            size_t some = least(rows - row, ROWS);
            moments_of(some, channels, count, pivot, x + row * channels + c, away, square);
            add_moments(some, count, p, away, square, sums + c, squares + c);
        }
    }
}

INLINE void products_of(size_t rows, size_t channels, size_t count, struct wide mean,
                        const uint16_t *x, const struct bf16_values *dy, size_t at,
                        float sums[VALUES], float products[VALUES])
{
    struct wide sum = zeros(), product = zeros();
    __mmask32 mask = first_values(count);
    for (size_t row = 0; row < rows; row++, at += channels) {
        struct wide value = widened(_mm512_maskz_loadu_epi16(mask, x + at));
        struct wide gradient = read_wide(dy, at, count);
        value = wide_subtract(value, mean);
        sum = wide_add(sum, gradient);
        product = wide_multiply_add(value, gradient, product);
    }
    wide_store(sums, VALUES, sum);
    wide_store(products, VALUES, product);
}

static void normalize_moments(size_t rows, size_t channels, const float *mean, const uint16_t *x,
                              const struct bf16_values *dy, double *sums, double *products)
{
    for (size_t c = 0; c < channels; c += VALUES) {
        size_t count = least(channels - c, VALUES);
        struct wide means = wide_load(mean + c, count);
        for (size_t row = 0; row < rows; row += ROWS) {
            float sum[VALUES], product[VALUES];
            products_of(least(rows - row, ROWS), channels, count, means, x, dy,
                        row * channels + c, sum, product);
            for (size_t i = 0; i < count; i++) {
                sums[c + i] += (double)sum[i];
                products[c + i] += (double)product[i];
            }
        }
    }
}

/* ---- forward ---- */

/* With means taken into the offsets: rounding to bf16 is coarser than what that costs. */
static void normalize(size_t rows, size_t channels, const float *mean, const float *scale,
                      const float *offset, const uint16_t *x, const struct bf16_target *y)
{
    for (size_t c = 0; c < channels; c += VALUES) {
        size_t count = channels - c;
        struct wide scales = wide_load(scale + c, count);
        struct wide shift = wide_subtract(wide_load(offset + c, count),
                                          wide_multiply(scales, wide_load(mean + c, count)));
        __mmask32 mask = first_values(count);
        for (size_t row = 0, at = c; row < rows; row++, at += channels) {
            struct wide value = widened(_mm512_maskz_loadu_epi16(mask, x + at));
            write_wide(y, at, count, wide_multiply_add(scales, value, shift));
        }
    }
}

/* ---- back ---- */

/* Of a vector's channels, dx = scale dy + slope x + shift. */
struct channel_norm {
    struct wide scale, slope, shift;
    bool relu;
};

INLINE struct channel_norm channel_norm(const struct normalized *norm, size_t c, size_t count)
{
    const struct wide zero = {_mm512_setzero_ps(), _mm512_setzero_ps()};
    struct wide slope = wide_subtract(zero, wide_load(norm->slope + c, count));
    struct wide away = wide_multiply(slope, wide_load(norm->mean + c, count));
    struct wide shift = wide_subtract(zero, wide_add(wide_load(norm->offset + c, count), away));
    return (struct channel_norm){wide_load(norm->scale + c, count), slope, shift, norm->relu};
}

/* What dx is without dy, */
INLINE struct wide rest_of(const struct channel_norm *norm, __m512i x)
{
    return wide_multiply_add(norm->slope, widened(x), norm->shift);
}

/* and the whole of it, rounded. */
INLINE __m512i back_of(const struct channel_norm *norm, __m512i x, struct wide dx)
{
    if (!norm->relu)
        return narrowed(dx);
    return _mm512_maskz_mov_epi16(_mm512_cmpgt_epi16_mask(x, _mm512_setzero_si512()),
                                  narrowed(dx));
}

static void normalize_backward(size_t rows, size_t channels, const struct normalized *norm,
                               const uint16_t *x, const struct bf16_values *dy, uint16_t *dx)
{
    for (size_t c = 0; c < channels; c += VALUES) {
        size_t count = channels - c;
        const struct channel_norm its = channel_norm(norm, c, count);
        __mmask32 mask = first_values(count);
        for (size_t row = 0, at = c; row < rows; row++, at += channels) {
            __m512i value = _mm512_maskz_loadu_epi16(mask, x + at);
            struct wide back = wide_multiply_add(its.scale, read_wide(dy, at, count),
                                                 rest_of(&its, value));
            _mm512_mask_storeu_epi16(dx + at, mask, back_of(&its, value, back));
        }
    }
}

INLINE void back_over_patch(const struct patch *patch, size_t rows, size_t columns,
                            size_t channels, size_t c, const struct channel_norm *norm,
                            const uint16_t *chosen, const struct bf16_values *dy, size_t at,
                            const uint16_t *image, uint16_t *dx)
{
    size_t count = channels - c;
    __mmask32 mask = first_values(count);
    __m512i which = _mm512_maskz_loadu_epi16(mask, chosen + at);
    __m512i which_even = _mm512_and_si512(which, _mm512_set1_epi32(0xffff));
    __m512i which_odd = _mm512_srli_epi32(which, 16);
    struct wide scaled = wide_multiply(norm->scale, read_wide(dy, at, count));
    for (size_t y = 0; y < rows; y++) {
        for (size_t x = 0; x < columns; x++) {
            size_t pixel = patch->first + y * patch->step + x * channels + c;
            __m512i here = _mm512_set1_epi32((int)(y * columns + x));
            __mmask16 even = _mm512_cmpeq_epi32_mask(which_even, here);
            __mmask16 odd = _mm512_cmpeq_epi32_mask(which_odd, here);
            __builtin_prefetch(image + pixel + rows * patch->step);
            __m512i value = _mm512_maskz_loadu_epi16(mask, image + pixel);
            struct wide back = rest_of(norm, value);
            back.even = _mm512_mask_add_ps(back.even, even, back.even, scaled.even);
            back.odd = _mm512_mask_add_ps(back.odd, odd, back.odd, scaled.odd);
            _mm512_mask_storeu_epi16(dx + pixel, mask, back_of(norm, value, back));
        }
    }
}

/* Pixels in a row that no window meets. */
static void back_over_rest(size_t pixels, size_t channels, const struct normalized *norm,
                           const uint16_t *image, uint16_t *dx)
{
    for (size_t c = 0; c < channels; c += VALUES) {
        const struct channel_norm its = channel_norm(norm, c, channels - c);
        __mmask32 mask = first_values(channels - c);
        for (size_t pixel = 0, at = c; pixel < pixels; pixel++, at += channels) {
            __m512i value = _mm512_maskz_loadu_epi16(mask, image + at);
            _mm512_mask_storeu_epi16(dx + at, mask, back_of(&its, value, rest_of(&its, value)));
        }
    }
}

static void back_beside_windows(const struct window *window, const struct normalized *norm,
                                const uint16_t *image, uint16_t *dx)
{
    size_t height = least(window->output_height * window->size, window->input_height);
    size_t width = least(window->output_width * window->size, window->input_width);
    size_t below = pixel_at(window, height, 0);
    for (size_t y = 0; width < window->input_width && y < height; y++) {
        size_t at = pixel_at(window, y, width);
        back_over_rest(window->input_width - width, window->channels, norm, image + at, dx + at);
    }
    back_over_rest((window->input_height - height) * window->input_width, window->channels, norm,
                   image + below, dx + below);
}

static void normalize_pool_backward(const struct window *window, const struct normalized *norm,
                                    const uint16_t *chosen, const struct bf16_values *dy,
                                    const uint16_t *image, uint16_t *dx)
{
    size_t channels = window->channels;
    back_beside_windows(window, norm, image, dx);
    for (size_t c = 0; c < channels; c += VALUES) {
        const struct channel_norm its = channel_norm(norm, c, channels - c);
        size_t at = c;
        for (size_t y = 0; y < window->output_height; y++) {
            for (size_t x = 0; x < window->output_width; x++, at += channels) {
                struct patch patch = tile_at(window, y, x);
                if (is_two_by_two(&patch))
                    back_over_patch(&patch, 2, 2, channels, c, &its, chosen, dy, at, image, dx);
                else
                    back_over_patch(&patch, patch.rows, patch.columns, channels, c, &its, chosen,
                                    dy, at, image, dx);
            }
        }
    }
}

const struct bf16_norm bf16_norm = {
    .moments = moments,
    .normalize = normalize,
    .normalize_moments = normalize_moments,
    .normalize_backward = normalize_backward,
    .normalize_pool_backward = normalize_pool_backward,
};
#endif
