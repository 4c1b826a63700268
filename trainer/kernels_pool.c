#include "trainer/kernels.h"
#include "trainer/lanes.h"

#include <string.h>

/* What one window of a pool covers. */
struct cover {
    struct span rows, columns;
};

static size_t cover_cells(const struct cover *cover)
{
    return (cover->rows.end - cover->rows.begin) * (cover->columns.end - cover->columns.begin);
}

/* Position within the image of a pixel's first channel. */
static size_t pixel_at(const struct window *window, size_t y, size_t x)
{
    return (y * window->input_width + x) * window->channels;
}

/* ---- the largest ---- */

/* What one window covers, as positions within the image. */
struct patch {
    size_t first;      /* the first pixel's first channel */
    size_t rows, step; /* and from one row to the next */
    size_t run;        /* of a row's pixels, with all their channels */
};

static inline struct patch patch_at(const struct window *window, struct span rows, size_t x)
{
    struct span columns = window_columns(window, x);
    return (struct patch){
        .first = pixel_at(window, rows.begin, columns.begin),
        .rows = rows.end - rows.begin,
        .step = window->input_width * window->channels,
        .run = (columns.end - columns.begin) * window->channels,
    };
}

/* A row of windows: the whole of it in one function, as a window is too little work for a
 * call. */
VECTOR_VERSIONS
static void max_of_row(const struct window *window, struct span rows, const float *restrict image,
                       float *restrict output, int32_t *restrict chosen)
{
    const lanes_int counting = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
    size_t channels = window->channels, whole = channels / LANES * LANES;
    for (size_t x = 0; x < window->output_width; x++, output += channels, chosen += channels) {
        struct patch patch = patch_at(window, rows, x);
        for (size_t c = 0; c < whole; c += LANES) {
            size_t row = patch.first + c, end = row + patch.rows * patch.step;
            lanes_float largest = *(const lanes_float *)(image + row);
            lanes_int where = counting + (int32_t)row;
            for (; row < end; row += patch.step) {
                for (size_t at = row; at < row + patch.run; at += channels) {
                    lanes_float value = *(const lanes_float *)(image + at);
                    lanes_int larger = value > largest;
                    largest = (lanes_float)(((lanes_int)value & larger) |
                                            ((lanes_int)largest & ~larger));
                    where = ((counting + (int32_t)at) & larger) | (where & ~larger);
                }
            }
            *(lanes_float *)(output + c) = largest;
            *(lanes_int *)(chosen + c) = where;
        }
        for (size_t c = whole; c < channels; c++) {
            size_t row = patch.first + c, end = row + patch.rows * patch.step, where = row;
            for (; row < end; row += patch.step) {
                for (size_t at = row; at < row + patch.run; at += channels)
                    where = image[at] > image[where] ? at : where;
            }
            output[c] = image[where];
            chosen[c] = (int32_t)where;
        }
    }
}

void kernel_max_pool(const struct window *window, const float *image, float *output,
                     int32_t *chosen)
{
    size_t row = window->output_width * window->channels;
    for (size_t y = 0; y < window->output_height; y++)
        max_of_row(window, window_rows(window, y), image, output + y * row, chosen + y * row);
}

/* Back for a row of windows: each adds its gradient to one of its pixels, 0 to the others. */
VECTOR_VERSIONS
static void spread_row(const struct window *window, struct span rows,
                       const int32_t *restrict chosen, const float *restrict gradient,
                       float *restrict image)
{
    const lanes_int counting = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
    size_t channels = window->channels, whole = channels / LANES * LANES;
    for (size_t x = 0; x < window->output_width; x++, gradient += channels, chosen += channels) {
        struct patch patch = patch_at(window, rows, x);
        for (size_t c = 0; c < whole; c += LANES) {
            size_t row = patch.first + c, end = row + patch.rows * patch.step;
            lanes_int where = *(const lanes_int *)(chosen + c);
            lanes_int value = *(const lanes_int *)(gradient + c);
            for (; row < end; row += patch.step) {
                for (size_t at = row; at < row + patch.run; at += channels)
                    *(lanes_float *)(image + at) +=
                        (lanes_float)(value & (where == counting + (int32_t)at));
            }
        }
        for (size_t c = whole; c < channels; c++)
            image[chosen[c]] += gradient[c];
    }
}

void kernel_max_pool_backward(const struct window *window, const int32_t *chosen,
                              const float *gradient, float *image)
{
    size_t inputs = window->input_height * window->input_width * window->channels;
    size_t row = window->output_width * window->channels;
    memset(image, 0, inputs * sizeof *image);
    for (size_t y = 0; y < window->output_height; y++)
        spread_row(window, window_rows(window, y), chosen + y * row, gradient + y * row, image);
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
