#include "trainer/kernels.h"

#include <string.h>

/* A row of the window is one run of floats in the image.  Runs shorter than this,
 * as in the first layer, are laid out cell by cell for a whole row of windows
 * instead: 3 floats at a time cost more in loops than in floats. */
enum { SHORT_RUN = 16 };

static void zero(float *values, size_t count)
{
    memset(values, 0, count * sizeof *values);
}

static void copy(float *to, const float *from, size_t count)
{
    memcpy(to, from, count * sizeof *to);
}

/* ---- window by window ---- */

/* One row of one window: from the padding, the image, the padding. */
static void copy_run(const struct window *window, const float *image_row, struct span columns,
                     float *run /* [size][channels] */)
{
    size_t channels = window->channels;
    size_t covered = columns.end - columns.begin;
    size_t behind = window->size - columns.skipped - covered;
    zero(run, columns.skipped * channels);
    copy(run + columns.skipped * channels, image_row + columns.begin * channels,
         covered * channels);
    zero(run + (columns.skipped + covered) * channels, behind * channels);
}

static void lay_out_window(const struct window *window, const float *image, struct span rows,
                           struct span columns, float *cells /* [size][size][channels] */)
{
    size_t run = window->size * window->channels;
    size_t image_row = window->input_width * window->channels;
    size_t covered = rows.end - rows.begin;
    zero(cells, rows.skipped * run);
    cells += rows.skipped * run;
    for (size_t y = rows.begin; y < rows.end; y++, cells += run)
        copy_run(window, image + y * image_row, columns, cells);
    zero(cells, (window->size - rows.skipped - covered) * run);
}

static void lay_out_by_window(const struct window *window, const float *image, float *columns)
{
    size_t cells = window->size * window->size * window->channels;
    for (size_t y = 0; y < window->output_height; y++) {
        struct span rows = window_rows(window, y);
        for (size_t x = 0; x < window->output_width; x++, columns += cells)
            lay_out_window(window, image, rows, window_columns(window, x), columns);
    }
}

/* ---- cell by cell ---- */

/* One cell of all windows of a row; the windows [first, end) have it in the image. */
static void lay_out_cell(size_t windows, size_t first, size_t end, size_t cells,
                         const float *pixel /* of window `first` */, size_t step, float *column)
{
    for (size_t x = 0; x < first; x++)
        column[x * cells] = 0.0f;
    for (size_t x = first; x < end; x++)
        column[x * cells] = pixel[(x - first) * step];
    for (size_t x = end; x < windows; x++)
        column[x * cells] = 0.0f;
}

/* The windows of a row, [first, end), whose cell at `offset` lies in the image. */
static void windows_inside(const struct window *window, size_t offset, size_t *first, size_t *end)
{
    size_t stride = window->stride;
    size_t limit = window->input_width + window->left;
    *first = offset < window->left ? (window->left - offset + stride - 1) / stride : 0;
    *end = offset < limit ? (limit - offset + stride - 1) / stride : 0;
    if (*end > window->output_width)
        *end = window->output_width;
    if (*first > *end)
        *first = *end;
}

static void lay_out_row_of_cells(const struct window *window, const float *image_row,
                                 float *columns /* [output_width][cells], at the window's row */)
{
    size_t channels = window->channels;
    size_t cells = window->size * window->size * channels;
    for (size_t offset = 0; offset < window->size; offset++) {
        size_t first, end;
        windows_inside(window, offset, &first, &end);
        for (size_t c = 0; c < channels; c++, columns++) {
            const float *pixel = image_row;
            if (first < end)
                pixel += (first * window->stride + offset - window->left) * channels + c;
            lay_out_cell(window->output_width, first, end, cells, pixel,
                         window->stride * channels, columns);
        }
    }
}

static void zero_row_of_cells(const struct window *window, float *columns)
{
    size_t run = window->size * window->channels;
    for (size_t x = 0; x < window->output_width; x++)
        zero(columns + x * window->size * run, run);
}

static void lay_out_by_cell(const struct window *window, const float *image, float *columns)
{
    size_t run = window->size * window->channels;
    size_t image_row = window->input_width * window->channels;
    for (size_t y = 0; y < window->output_height; y++) {
        struct span rows = window_rows(window, y);
        for (size_t row = 0; row < window->size; row++) {
            size_t image_y = rows.begin + row - rows.skipped;
            if (row < rows.skipped || image_y >= rows.end)
                zero_row_of_cells(window, columns + row * run);
            else
                lay_out_row_of_cells(window, image + image_y * image_row, columns + row * run);
        }
        columns += window->output_width * window->size * run;
    }
}

void kernel_im2col(const struct window *window, const float *image, float *columns)
{
    if (window->size * window->channels < SHORT_RUN)
        lay_out_by_cell(window, image, columns);
    else
        lay_out_by_window(window, image, columns);
}

/* ---- back ---- */

/* Adds `rows` runs of `count` floats, which lie `from_step` and `to_step` apart. */
VECTOR_VERSIONS
static void add_runs(size_t rows, size_t count, const float *restrict from, size_t from_step,
                     float *restrict to, size_t to_step)
{
    for (size_t row = 0; row < rows; row++, from += from_step, to += to_step) {
        for (size_t i = 0; i < count; i++)
            to[i] += from[i];
    }
}

void kernel_col2im(const struct window *window, const float *columns, float *image)
{
    size_t channels = window->channels;
    size_t run = window->size * channels;
    size_t image_row = window->input_width * channels;
    zero(image, window->input_height * image_row);
    for (size_t y = 0; y < window->output_height; y++) {
        struct span rows = window_rows(window, y);
        for (size_t x = 0; x < window->output_width; x++, columns += window->size * run) {
            struct span across = window_columns(window, x);
            add_runs(rows.end - rows.begin, (across.end - across.begin) * channels,
                     columns + rows.skipped * run + across.skipped * channels, run,
                     image + rows.begin * image_row + across.begin * channels, image_row);
        }
    }
}
