#include "trainer/kernels.h"
#include "trainer/patch.h"

#include <math.h>
#include <string.h>

/* What one window of a pool covers. */
struct cover {
    struct span rows, columns;
};

static size_t cover_cells(const struct cover *cover)
{
    return (cover->rows.end - cover->rows.begin) * (cover->columns.end - cover->columns.begin);
}

/* ---- the largest ---- */

/* Sixteen channels at a time; turned over, the smallest is the largest. */
INLINE void max_of_patch(const struct patch *patch, size_t rows, size_t columns, size_t channels,
                         const float *restrict direction, const float *restrict image,
                         float *restrict output, int32_t *restrict chosen)
{
    const lanes_int none = {0};
    for (size_t c = 0; c + LANES <= channels; c += LANES) {
        size_t row = patch->first + c;
        lanes_int turn = none;
        if (direction)
            turn = *(const lanes_int *)(direction + c) & INT32_MIN;
        lanes_float largest = (lanes_float)(*(const lanes_int *)(image + row) ^ turn);
        lanes_int where = counting + (int32_t)row;
        for (size_t y = 0; y < rows; y++, row += patch->step) {
            for (size_t x = 0; x < columns; x++) {
                size_t at = row + x * channels;
                lanes_float value = (lanes_float)(*(const lanes_int *)(image + at) ^ turn);
                lanes_int larger = value > largest;
                largest = (lanes_float)(((lanes_int)value & larger) |
                                        ((lanes_int)largest & ~larger));
                where = ((counting + (int32_t)at) & larger) | (where & ~larger);
            }
        }
        *(lanes_int *)(output + c) = (lanes_int)largest ^ turn;
        *(lanes_int *)(chosen + c) = where;
    }
}

static inline void max_of_channel(const struct patch *patch, size_t channel, size_t channels,
                                  bool smallest, const float *image, float *output,
                                  int32_t *chosen)
{
    size_t where = patch->first + channel;
    for (size_t y = 0; y < patch->rows; y++) {
        for (size_t x = 0; x < patch->columns; x++) {
            size_t at = patch->first + channel + y * patch->step + x * channels;
            bool better = smallest ? image[at] < image[where] : image[at] > image[where];
            where = better ? at : where;
        }
    }
    *output = image[where];
    *chosen = (int32_t)where;
}

/* A row of windows: the whole of it in one function, as a window is too little work for a
 * call. */
VECTOR_VERSIONS
static void max_of_row(const struct window *window, struct span rows,
                       const float *restrict direction, const float *restrict image,
                       float *restrict output, int32_t *restrict chosen)
{
    size_t channels = window->channels;
    for (size_t x = 0; x < window->output_width; x++, output += channels, chosen += channels) {
        struct patch patch = patch_at(window, rows, x);
        if (is_two_by_two(&patch))
            max_of_patch(&patch, 2, 2, channels, direction, image, output, chosen);
        else
            max_of_patch(&patch, patch.rows, patch.columns, channels, direction, image, output,
                         chosen);
        for (size_t c = channels / LANES * LANES; c < channels; c++)
            max_of_channel(&patch, c, channels, direction && signbit(direction[c]), image,
                           output + c, chosen + c);
    }
}

void kernel_max_pool(const struct window *window, const float *direction, const float *image,
                     float *output, int32_t *chosen)
{
    size_t row = window->output_width * window->channels;
    for (size_t y = 0; y < window->output_height; y++)
        max_of_row(window, window_rows(window, y), direction, image, output + y * row,
                   chosen + y * row);
}

/* The gradient of a window goes to one of its pixels, 0 to the others; as tiles they are set, and
 * else added to. */
INLINE void spread_over_patch(const struct patch *patch, size_t rows, size_t columns,
                              size_t channels, bool tiles, const int32_t *restrict chosen,
                              const float *restrict output, const float *restrict gradient,
                              float *restrict image)
{
    for (size_t c = 0; c + LANES <= channels; c += LANES) {
        size_t row = patch->first + c;
        lanes_int where = *(const lanes_int *)(chosen + c);
        lanes_int value = *(const lanes_int *)(gradient + c);
        if (output)
            value &= *(const lanes_float *)(output + c) > 0.0f;
        for (size_t y = 0; y < rows; y++, row += patch->step) {
            for (size_t x = 0; x < columns; x++) {
                lanes_float *pixel = (lanes_float *)(image + row + x * channels);
                lanes_int here = where == counting + (int32_t)(row + x * channels);
                if (tiles)
                    *pixel = (lanes_float)(value & here);
                else
                    *pixel += (lanes_float)(value & here);
            }
        }
    }
}

static inline void spread_over_channel(const struct patch *patch, size_t channel, size_t channels,
                                       bool tiles, int32_t chosen, float gradient, float *image)
{
    for (size_t y = 0; tiles && y < patch->rows; y++) {
        for (size_t x = 0; x < patch->columns; x++)
            image[patch->first + channel + y * patch->step + x * channels] = 0.0f;
    }
    image[chosen] += gradient;
}

/* Back for a row of windows. */
VECTOR_VERSIONS
static void spread_row(const struct window *window, struct span rows, bool tiles,
                       const int32_t *restrict chosen, const float *restrict output,
                       const float *restrict gradient, float *restrict image)
{
    size_t channels = window->channels;
    for (size_t x = 0; x < window->output_width; x++) {
        struct patch patch = patch_at(window, rows, x);
        if (tiles && is_two_by_two(&patch))
            spread_over_patch(&patch, 2, 2, channels, true, chosen, output, gradient, image);
        else
            spread_over_patch(&patch, patch.rows, patch.columns, channels, tiles, chosen, output,
                              gradient, image);
        for (size_t c = channels / LANES * LANES; c < channels; c++)
            spread_over_channel(&patch, c, channels, tiles, chosen[c],
                                !output || output[c] > 0.0f ? gradient[c] : 0.0f, image);
        chosen += channels;
        gradient += channels;
        output = output ? output + channels : NULL;
    }
}

/* Sets what no tile covers to 0, in the rows from `begin` to before `end`, from a column on. */
static void clear_rows(const struct window *window, size_t begin, size_t end, size_t column,
                       float *image)
{
    size_t left = window->input_width - column;
    for (size_t y = begin; left > 0 && y < end; y++)
        memset(image + pixel_at(window, y, column), 0, left * window->channels * sizeof *image);
}

void kernel_max_pool_backward(const struct window *window, const int32_t *chosen,
                              const float *output, const float *gradient, float *image)
{
    size_t row = window->output_width * window->channels;
    size_t last_row = window->output_height - 1, last_column = window->output_width - 1;
    bool tiles = are_tiles(window);
    size_t height = tiles ? window_rows(window, last_row).end : 0;
    clear_rows(window, 0, height, window_columns(window, last_column).end, image);
    clear_rows(window, height, window->input_height, 0, image);
    for (size_t y = 0; y < window->output_height; y++)
        spread_row(window, window_rows(window, y), tiles, chosen + y * row,
                   output ? output + y * row : NULL, gradient + y * row, image);
}

/* ---- the mean ---- */

VECTOR_VERSIONS
static void mean_of_window(const struct window *window, const struct cover *cover,
                           const float *restrict image, float *restrict mean)
{
    size_t channels = window->channels;
    float cells = (float)cover_cells(cover);
    for (size_t c = 0; c < channels; c++)
        mean[c] = 0.0f;
    for (size_t y = cover->rows.begin; y < cover->rows.end; y++) {
        for (size_t x = cover->columns.begin; x < cover->columns.end; x++) {
            const float *pixel = image + pixel_at(window, y, x);
            for (size_t c = 0; c < channels; c++)
                mean[c] += pixel[c];
        }
    }
    for (size_t c = 0; c < channels; c++)
        mean[c] /= cells;
}

VECTOR_VERSIONS
static void spread_over_window(const struct window *window, const struct cover *cover,
                               const float *restrict gradient, float *restrict image)
{
    size_t channels = window->channels;
    float cells = (float)cover_cells(cover);
    for (size_t y = cover->rows.begin; y < cover->rows.end; y++) {
        for (size_t x = cover->columns.begin; x < cover->columns.end; x++) {
            float *pixel = image + pixel_at(window, y, x);
            for (size_t c = 0; c < channels; c++)
                pixel[c] += gradient[c] / cells;
        }
    }
}

void kernel_avg_pool(const struct window *window, const float *image, float *output)
{
    for (size_t y = 0; y < window->output_height; y++) {
        struct cover cover = {.rows = window_rows(window, y)};
        for (size_t x = 0; x < window->output_width; x++, output += window->channels) {
            cover.columns = window_columns(window, x);
            mean_of_window(window, &cover, image, output);
        }
    }
}

void kernel_avg_pool_backward(const struct window *window, const float *gradient, float *image)
{
    size_t inputs = window->input_height * window->input_width * window->channels;
    memset(image, 0, inputs * sizeof *image);
    for (size_t y = 0; y < window->output_height; y++) {
        struct cover cover = {.rows = window_rows(window, y)};
        for (size_t x = 0; x < window->output_width; x++, gradient += window->channels) {
            cover.columns = window_columns(window, x);
            spread_over_window(window, &cover, gradient, image);
        }
    }
}

VECTOR_VERSIONS
void kernel_channel_means(size_t pixels, size_t channels, const float *restrict image,
                          float *restrict means)
{
    for (size_t c = 0; c < channels; c++)
        means[c] = 0.0f;
    for (size_t pixel = 0; pixel < pixels; pixel++, image += channels) {
        for (size_t c = 0; c < channels; c++)
            means[c] += image[c];
    }
    for (size_t c = 0; c < channels; c++)
        means[c] /= (float)pixels;
}

VECTOR_VERSIONS
void kernel_channel_means_backward(size_t pixels, size_t channels, const float *restrict gradient,
                                   float *restrict image)
{
    for (size_t pixel = 0; pixel < pixels; pixel++, image += channels) {
        for (size_t c = 0; c < channels; c++)
            image[c] = gradient[c] / (float)pixels;
    }
}
