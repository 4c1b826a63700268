#include "trainer/kernels.h"

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

VECTOR_VERSIONS
static void take_larger(size_t channels, const float *restrict pixel, int32_t position,
                        float *restrict largest, int32_t *restrict chosen)
{
    for (size_t c = 0; c < channels; c++) {
        bool larger = pixel[c] > largest[c];
        largest[c] = larger ? pixel[c] : largest[c];
        chosen[c] = larger ? position + (int32_t)c : chosen[c];
    }
}

static void max_of_window(const struct window *window, const struct cover *cover,
                          const float *image, float *largest, int32_t *chosen)
{
    size_t first = pixel_at(window, cover->rows.begin, cover->columns.begin);
    memcpy(largest, image + first, window->channels * sizeof *largest);
    for (size_t c = 0; c < window->channels; c++)
        chosen[c] = (int32_t)(first + c);

    for (size_t y = cover->rows.begin; y < cover->rows.end; y++) {
        for (size_t x = cover->columns.begin; x < cover->columns.end; x++) {
            size_t at = pixel_at(window, y, x);
            take_larger(window->channels, image + at, (int32_t)at, largest, chosen);
        }
    }
}

void kernel_max_pool(const struct window *window, const float *image, float *output,
                     int32_t *chosen)
{
    for (size_t y = 0; y < window->output_height; y++) {
        struct cover cover = {.rows = window_rows(window, y)};
        for (size_t x = 0; x < window->output_width; x++) {
            cover.columns = window_columns(window, x);
            max_of_window(window, &cover, image, output, chosen);
            output += window->channels;
            chosen += window->channels;
        }
    }
}

void kernel_max_pool_backward(const struct window *window, const int32_t *chosen,
                              const float *gradient, float *image)
{
    size_t inputs = window->input_height * window->input_width * window->channels;
    size_t outputs = window->output_height * window->output_width * window->channels;
    memset(image, 0, inputs * sizeof *image);
    for (size_t i = 0; i < outputs; i++)
        image[chosen[i]] += gradient[i];
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
