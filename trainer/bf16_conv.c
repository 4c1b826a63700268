#include "trainer/bf16_conv.h"

#include "trainer/kernels.h"

#include <string.h>

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

uint16_t *bf16_take(float **scratch, size_t values)
{
    uint16_t *part = (uint16_t *)*scratch;
    *scratch += bf16_floats(values);
    return part;
}

uint16_t *bf16_take_zeros(float **scratch, size_t values)
{
    uint16_t *part = bf16_take(scratch, values);
    memset(part, 0, values * sizeof *part);
    return part;
}

/* ---- packing ---- */

void bf16_copy(const struct bf16_conv *conv, size_t count, const struct bf16_values *from,
               size_t first, uint16_t *to)
{
    if (from->rounded)
        memcpy(to, from->rounded + first, count * sizeof *to);
    else
        conv->kernels->packing->round(count, from->exact + first, to);
}

const uint16_t *bf16_rounded(const struct bf16_conv *conv, size_t count,
                             const struct bf16_values *from, size_t first, uint16_t *to)
{
    if (from->rounded)
        return from->rounded + first;
    conv->kernels->packing->round(count, from->exact + first, to);
    return to;
}

/* Rounds an image into the middle of its grid, whose padding is zero already.  Rows and columns
 * that no window reaches are left out. */
static void fill_grid(const struct bf16_conv *conv, const struct bf16_grid *grid, size_t height,
                      size_t width, size_t channels,
                      const struct bf16_values *image /* [height][width][channels] */,
                      uint16_t *to)
{
    size_t rows = least(height, grid->height - grid->top);
    size_t columns = least(width, grid->width - grid->left);
    to += (grid->top * grid->width + grid->left) * grid->channels;
    for (size_t y = 0; y < rows; y++, to += grid->width * grid->channels) {
        size_t row = y * width * channels;
        if (grid->channels == channels) {
            bf16_copy(conv, columns * channels, image, row, to);
            continue;
        }
        for (size_t x = 0; x < columns; x++)
            bf16_copy(conv, channels, image, row + x * channels, to + x * grid->channels);
    }
}

#define INLINE static inline __attribute__((always_inline))

/* Copies `count` values, and up to 7 more of either. */
INLINE void copy_loosely(size_t count, const uint16_t *from, uint16_t *to)
{
    for (size_t i = 0; i < count; i += 8)
        memcpy(to + i, from + i, 8 * sizeof *to);
}

/* Of each window, its cells.  What a row of a window has too much is overwritten by the next
 * one. */
INLINE void lay_out_windows(const struct window *window, size_t size, size_t run, size_t row,
                            const uint16_t *image, uint16_t *columns)
{
    for (size_t y = 0; y < window->output_height; y++) {
        const uint16_t *cells = image + y * window->stride * row;
        for (size_t x = 0; x < window->output_width; x++) {
            for (size_t i = 0; i < size; i++, columns += run)
                copy_loosely(run, cells + i * row, columns);
            cells += window->stride * window->channels;
        }
    }
}

/* The usual sizes on their own, for their rows are too little work for a loop. */
static void lay_out_columns(const struct window *window, const struct bf16_grid *grid,
                            const uint16_t *image,
                            uint16_t *columns /* [output_height][output_width][cells] */)
{
    size_t run = window->size * window->channels, row = grid->width * grid->channels;
    if (window->size == 3 && run == 3)
        lay_out_windows(window, 3, 3, row, image, columns);
    else if (window->size == 5 && run == 5)
        lay_out_windows(window, 5, 5, row, image, columns);
    else
        lay_out_windows(window, window->size, run, row, image, columns);
}

void bf16_fill_image(const struct bf16_conv *conv, const struct bf16_grid *grid,
                     const struct bf16_values *image, uint16_t *source, uint16_t *to)
{
    const struct window *window = &conv->window;
    bool columns = conv->source.size > 0;
    fill_grid(conv, columns ? &conv->source : grid, window->input_height, window->input_width,
              window->channels, image, columns ? source : to);
    if (columns)
        lay_out_columns(window, &conv->source, source, to);
}

/* Of packed weights, zeros where a run is longer than `cells`, a row of the window. */
static void fill_up_runs(const struct bf16_windows *windows, size_t cells, uint16_t *packed)
{
    size_t used = (cells + 1) / 2 * 2;
    uint16_t *end = packed + windows->packed;
    for (; used < windows->run && packed < end; packed += windows->run * BF16_COLUMNS)
        memset(packed + used * BF16_COLUMNS, 0,
               (windows->run - used) * BF16_COLUMNS * sizeof *packed);
}

void bf16_conv_pack(const struct bf16_conv *conv, const float *weights, uint16_t *packed)
{
    const struct bf16_windows *windows = &conv->forward;
    size_t cells = windows->size * windows->grid.channels;
    for (size_t row = 0; row < windows->size; row++)
        conv->kernels->packing->pack(cells, conv->filters, weights + row * cells * conv->filters,
                                     packed + row * windows->run * BF16_COLUMNS, windows->block);
    fill_up_runs(windows, cells, packed);
}

void bf16_conv_pack_turned(const struct bf16_conv *conv, const float *weights, uint16_t *packed)
{
    const struct bf16_windows *windows = &conv->backward;
    size_t filters = windows->grid.channels;
    for (size_t row = windows->size; row-- > 0;) {
        for (size_t column = windows->size; column-- > 0;) {
            size_t k = row * windows->run + column * filters;
            conv->kernels->packing->pack_transposed(conv->filters, windows->columns, weights,
                                                    packed + k * BF16_COLUMNS, windows->block);
            weights += windows->columns * conv->filters;
        }
    }
    fill_up_runs(windows, windows->size * filters, packed);
}

/* ---- y and dx ---- */

static void multiply_windows(const struct bf16_conv *conv, const struct bf16_windows *windows,
                             const uint16_t *image, const uint16_t *packed, const float *bias,
                             bool relu, struct bf16_target c)
{
    const struct bf16_grid *grid = &windows->grid;
    conv->kernels->multiply(&(struct bf16_product){
        .a = image,
        .bands = windows->bands,
        .width = windows->width,
        .pitch = grid->width,
        .a_row = grid->channels,
        .a_run = grid->width * grid->channels,
        .runs = windows->size,
        .run = windows->run,
        .b = packed,
        .b_block = windows->block,
        .columns = windows->columns,
        .bias = bias,
        .relu = relu,
        .c = c,
        .c_row = windows->columns,
    });
}

/* Columns fill theirs but for its end. */
static uint16_t *take_grid(const struct bf16_conv *conv, float **scratch)
{
    const struct bf16_grid *grid = &conv->forward.grid;
    if (conv->source.size == 0)
        return bf16_take_zeros(scratch, grid->size);
    uint16_t *part = bf16_take(scratch, grid->size);
    size_t filled = grid->height * grid->width * grid->channels;
    memset(part + filled, 0, (grid->size - filled) * sizeof *part);
    return part;
}

void bf16_conv_forward(const struct bf16_conv *conv, size_t count,
                       const struct bf16_values *images, const uint16_t *packed,
                       const float *bias, bool relu, float *scratch,
                       const struct bf16_target *outputs)
{
    const struct bf16_windows *windows = &conv->forward;
    uint16_t *source = bf16_take_zeros(&scratch, conv->source.size);
    uint16_t *grid = take_grid(conv, &scratch);
    size_t input_size = bf16_conv_inputs(conv);
    size_t output_size = bf16_conv_outputs(conv);
    conv->kernels->begin();
    for (size_t i = 0; i < count; i++) {
        struct bf16_values image = bf16_values_from(images, i * input_size);
        bf16_fill_image(conv, &windows->grid, &image, source, grid);
        multiply_windows(conv, windows, grid, packed, bias, relu,
                         bf16_target_from(outputs, i * output_size));
    }
    conv->kernels->end();
}

/* The image that the columns are added up to. */
static void add_columns(const struct bf16_conv_back *back, const struct bf16_target *image)
{
    const struct bf16_conv *conv = back->conv;
    float *exact = image->exact ? image->exact : back->added;
    kernel_col2im(&conv->window, back->columns, exact);
    if (image->rounded)
        conv->kernels->packing->round(bf16_conv_inputs(conv), exact, image->rounded);
}

void bf16_conv_back_input(const struct bf16_conv_back *back,
                          const struct bf16_values *output_gradient,
                          const struct bf16_target *input_gradient)
{
    const struct bf16_conv *conv = back->conv;
    struct bf16_target columns = {.exact = back->columns};
    bool apart = conv->back_columns > 0;
    fill_grid(conv, &conv->backward.grid, conv->back.output_height, conv->back.output_width,
              conv->filters, output_gradient, back->gradient);
    conv->kernels->begin();
    multiply_windows(conv, &conv->backward, back->gradient, back->weights, NULL, false,
                     apart ? columns : *input_gradient);
    conv->kernels->end();
    if (apart)
        add_columns(back, input_gradient);
}
