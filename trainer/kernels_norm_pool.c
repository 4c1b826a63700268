#include "trainer/kernels.h"
#include "trainer/patch.h"

/* As tiles, a window's pixels are set; else what dy gives is added to them.
 *
 * The image was written long ago and comes from a far cache, in as many streams as a window has
 * rows, which processors foresee badly: asking for the windows below in time took a fifth
 * off what batch_norm costs. */
INLINE void back_over_patch(const struct patch *patch, size_t rows, size_t columns,
                            size_t channels, bool tiles, const struct normalized *norm,
                            const int32_t *restrict chosen, const float *restrict dy,
                            const float *restrict image, float *restrict dx)
{
    for (size_t c = 0; c + LANES <= channels; c += LANES) {
        lanes_int where = *(const lanes_int *)(chosen + c);
        lanes_float mean = *(const lanes_float *)(norm->mean + c);
        lanes_float offset = *(const lanes_float *)(norm->offset + c);
        lanes_float slope = *(const lanes_float *)(norm->slope + c);
        lanes_float scaled = *(const lanes_float *)(norm->scale + c) *
                             *(const lanes_float *)(dy + c);
        for (size_t y = 0; y < rows; y++) {
            for (size_t x = 0; x < columns; x++) {
                size_t at = patch->first + y * patch->step + x * channels + c;
                lanes_float value = *(const lanes_float *)(image + at);
                __builtin_prefetch(image + at + rows * patch->step);
                lanes_int here = where == counting + (int32_t)at;
                lanes_float back = (lanes_float)((lanes_int)scaled & here);
                if (tiles)
                    back -= offset + slope * (value - mean);
                if (norm->relu)
                    back = (lanes_float)((lanes_int)back & (value > 0.0f));
                if (!tiles)
                    back += *(const lanes_float *)(dx + at);
                *(lanes_float *)(dx + at) = back;
            }
        }
    }
}

/* What dx is less for having no dy. */
INLINE float rest_of(const struct normalized *norm, size_t c, float x)
{
    float rest = norm->offset[c] + norm->slope[c] * (x - norm->mean[c]);
    return norm->relu && !(x > 0.0f) ? 0.0f : rest;
}

static inline void back_over_channel(const struct patch *patch, size_t c, size_t channels,
                                     bool tiles, const struct normalized *norm, int32_t chosen,
                                     float dy, const float *image, float *dx)
{
    for (size_t y = 0; tiles && y < patch->rows; y++) {
        for (size_t x = 0; x < patch->columns; x++) {
            size_t at = patch->first + y * patch->step + x * channels + c;
            dx[at] = -rest_of(norm, c, image[at]);
        }
    }
    if (!norm->relu || image[chosen] > 0.0f)
        dx[chosen] += norm->scale[c] * dy;
}

/* A row of windows. */
VECTOR_VERSIONS
static void back_over_row(const struct window *window, struct span rows, bool tiles,
                          const struct normalized *norm, const int32_t *restrict chosen,
                          const float *restrict dy, const float *restrict image,
                          float *restrict dx)
{
    size_t channels = window->channels;
    for (size_t x = 0; x < window->output_width; x++, chosen += channels, dy += channels) {
        struct patch patch = patch_at(window, rows, x);
        if (tiles && is_two_by_two(&patch))
            back_over_patch(&patch, 2, 2, channels, true, norm, chosen, dy, image, dx);
        else
            back_over_patch(&patch, patch.rows, patch.columns, channels, tiles, norm, chosen, dy,
                            image, dx);
        for (size_t c = channels / LANES * LANES; c < channels; c++)
            back_over_channel(&patch, c, channels, tiles, norm, chosen[c], dy[c], image, dx);
    }
}

/* What gets nothing of dy, or has yet to get it: pixels in a row. */
VECTOR_VERSIONS
static void back_over_rest(size_t pixels, size_t channels, const struct normalized *norm,
                           const float *restrict image, float *restrict dx)
{
    for (; pixels > 0; pixels--, image += channels, dx += channels) {
        for (size_t c = 0; c < channels; c++)
            dx[c] = -rest_of(norm, c, image[c]);
    }
}

void kernel_normalize_pool_backward(const struct window *window, const struct normalized *norm,
                                    const int32_t *chosen, const float *dy, const float *image,
                                    float *dx)
{
    size_t channels = window->channels, row = window->output_width * channels;
    bool tiles = are_tiles(window);
    size_t covered = tiles ? window_rows(window, window->output_height - 1).end : 0;
    size_t column = window_columns(window, window->output_width - 1).end;
    size_t below = pixel_at(window, covered, 0);
    for (size_t y = 0; column < window->input_width && y < covered; y++) {
        size_t at = pixel_at(window, y, column);
        back_over_rest(window->input_width - column, channels, norm, image + at, dx + at);
    }
    back_over_rest((window->input_height - covered) * window->input_width, channels, norm,
                   image + below, dx + below);
    for (size_t y = 0; y < window->output_height; y++)
        back_over_row(window, window_rows(window, y), tiles, norm, chosen + y * row, dy + y * row,
                      image, dx);
}
