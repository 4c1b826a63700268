#include "trainer/bf16_conv.h"

#include "trainer/kernels.h"

#include <string.h>

/* Pixels that a product for dW sums up over, about: those of an image's channels and filters
 * that are worked on at once stay in the first-level cache while all taps have their turn,
 * and are enough to outweigh fetching and storing the sums. */
enum { STRIP_PIXELS = 320 };

/* Values of 64 bytes, a cache line. */
enum { LINE = 32 };

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Parts of the scratch begin on cache lines where it does. */
static uint16_t *take(float **scratch, size_t values)
{
    uint16_t *part = (uint16_t *)*scratch;
    *scratch += (values + LINE - 1) / LINE * LINE / 2;
    return part;
}

/* The same, zero. */
static uint16_t *take_zeros(float **scratch, size_t values)
{
    uint16_t *part = take(scratch, values);
    memset(part, 0, values * sizeof *part);
    return part;
}

/* ---- packing ---- */

/* Rounds an image into the middle of its grid, whose padding is zero already.  Rows and columns
 * that no window reaches are left out. */
static void fill_grid(const struct bf16_conv *conv, const struct bf16_grid *grid, size_t height,
                      size_t width, size_t channels,
                      const float *image /* [height][width][channels] */, uint16_t *to)
{
    const struct bf16_packing *packing = conv->kernels->packing;
    size_t rows = least(height, grid->height - grid->top);
    size_t columns = least(width, grid->width - grid->left);
    to += (grid->top * grid->width + grid->left) * grid->channels;
    for (size_t y = 0; y < rows; y++, to += grid->width * grid->channels) {
        const float *row = image + y * width * channels;
        if (grid->channels == channels) {
            packing->round(columns * channels, row, to);
            continue;
        }
        for (size_t x = 0; x < columns; x++)
            packing->round(channels, row + x * channels, to + x * grid->channels);
    }
}

/* Copies `count` values, and up to 7 more of either. */
static inline void copy_loosely(size_t count, const uint16_t *from, uint16_t *to)
{
    for (size_t i = 0; i < count; i += 8)
        memcpy(to + i, from + i, 8 * sizeof *to);
}

/* Of each window, its cells.  What a row of a window has too much is overwritten by the next
 * one. */
static void lay_out_columns(const struct window *window, const struct bf16_grid *grid,
                            const uint16_t *image,
                            uint16_t *columns /* [output_height][output_width][cells] */)
{
    size_t run = window->size * window->channels, row = grid->width * grid->channels;
    for (size_t y = 0; y < window->output_height; y++) {
        const uint16_t *cells = image + y * window->stride * row;
        for (size_t x = 0; x < window->output_width; x++) {
            for (size_t i = 0; i < window->size; i++, columns += run)
                copy_loosely(run, cells + i * row, columns);
            cells += window->stride * window->channels;
        }
    }
}

/* The image as the products see it, in its grid. */
static void fill_image(const struct bf16_conv *conv, const struct bf16_grid *grid,
                       const float *image, uint16_t *source, uint16_t *to)
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

/* The weights for y: of each row of the window, its cells. */
static void pack_weights(const struct bf16_conv *conv, const float *weights, uint16_t *packed)
{
    const struct bf16_windows *windows = &conv->forward;
    size_t cells = windows->size * windows->grid.channels;
    for (size_t row = 0; row < windows->size; row++)
        conv->kernels->packing->pack(cells, conv->filters, weights + row * cells * conv->filters,
                                     packed + row * windows->run * BF16_COLUMNS, windows->block);
    fill_up_runs(windows, cells, packed);
}

/* The weights for dx: turned by half a circle, with channels and filters swapped. */
static void pack_turned_weights(const struct bf16_conv *conv, const float *weights,
                                uint16_t *packed)
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
                             bool relu, float *c)
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

void bf16_conv_forward(const struct bf16_conv *conv, size_t count, const float *images,
                       const float *weights, const float *bias, bool relu, float *scratch,
                       float *outputs)
{
    const struct window *window = &conv->window;
    const struct bf16_windows *windows = &conv->forward;
    uint16_t *source = take_zeros(&scratch, conv->source.size);
    uint16_t *packed = take(&scratch, windows->packed);
    uint16_t *image = take_zeros(&scratch, windows->grid.size);
    size_t input_size = window->input_height * window->input_width * window->channels;
    size_t output_size = window->output_height * window->output_width * conv->filters;
    pack_weights(conv, weights, packed);
    for (size_t i = 0; i < count; i++) {
        fill_image(conv, &windows->grid, images + i * input_size, source, image);
        multiply_windows(conv, windows, image, packed, bias, relu, outputs + i * output_size);
    }
}

void bf16_conv_back_begin(struct bf16_conv_back *back, const struct bf16_conv *conv,
                          const float *weights, float *weight_gradient, float *scratch)
{
    *back = (struct bf16_conv_back){.conv = conv, .weight_gradient = weight_gradient};
    back->source = take_zeros(&scratch, conv->source.size);
    back->columns = (float *)take(&scratch, 2 * conv->back_columns);
    back->image = take_zeros(&scratch, conv->sums.grid.size);
    back->transposed = take(&scratch, conv->sums.transposed);
    back->pairs = take_zeros(&scratch, conv->sums.pairs);
    if (!weights)
        return;
    back->gradient = take_zeros(&scratch, conv->backward.grid.size);
    back->weights = take(&scratch, conv->backward.packed);
    pack_turned_weights(conv, weights, back->weights);
}

void bf16_conv_back_input(const struct bf16_conv_back *back, const float *output_gradient,
                          float *input_gradient)
{
    const struct bf16_conv *conv = back->conv;
    bool columns = conv->back_columns > 0;
    fill_grid(conv, &conv->backward.grid, conv->back.output_height, conv->back.output_width,
              conv->filters, output_gradient, back->gradient);
    multiply_windows(conv, &conv->backward, back->gradient, back->weights, NULL, false,
                     columns ? back->columns : input_gradient);
    if (columns)
        kernel_col2im(&conv->window, back->columns, input_gradient);
}

/* ---- dW ---- */

/* The transposed image, and the output's gradient in pairs of pixels. */
static void fill_sums(const struct bf16_conv_back *back, const float *image,
                      const float *output_gradient)
{
    const struct bf16_conv *conv = back->conv;
    const struct bf16_sums *sums = &conv->sums;
    const struct bf16_packing *packing = conv->kernels->packing;
    size_t width = conv->products.output_width;
    fill_image(conv, &sums->grid, image, back->source, back->image);
    packing->transpose(sums->transposed_row, sums->grid.channels, back->image, back->transposed,
                       sums->transposed_row);
    for (size_t y = 0; y < conv->products.output_height; y++)
        packing->pack(width, conv->filters, output_gradient + y * width * conv->filters,
                      back->pairs + y * sums->row * BF16_COLUMNS, sums->block);
}

/* The runs [begin, end), for all taps of the window. */
static void multiply_strip(const struct bf16_conv_back *back, size_t begin, size_t end)
{
    const struct bf16_conv *conv = back->conv;
    const struct bf16_sums *sums = &conv->sums;
    size_t size = conv->products.size, channels = conv->products.channels;
    const uint16_t *a = back->transposed + begin * sums->run_step;
    for (size_t tap = 0; tap < size * size; tap++)
        conv->kernels->multiply(&(struct bf16_product){
            .a = a + tap / size * sums->grid.width + tap % size,
            .bands = 1,
            .width = channels,
            .pitch = channels,
            .a_row = sums->transposed_row,
            .a_run = sums->run_step,
            .runs = end - begin,
            .run = sums->run,
            .b = back->pairs + begin * sums->run * BF16_COLUMNS,
            .b_block = sums->block,
            .columns = conv->filters,
            .add = back->begun,
            .c = back->weight_gradient + tap * channels * conv->filters,
            .c_row = conv->filters,
        });
}

void bf16_conv_back_weights(struct bf16_conv_back *back, const float *image,
                            const float *output_gradient)
{
    const struct bf16_sums *sums = &back->conv->sums;
    size_t strips = (sums->runs * sums->run + STRIP_PIXELS - 1) / STRIP_PIXELS;
    strips = least(strips, sums->runs);
    fill_sums(back, image, output_gradient);
    for (size_t strip = 0; strip < strips; strip++) {
        multiply_strip(back, sums->runs * strip / strips, sums->runs * (strip + 1) / strips);
        back->begun = true;
    }
}
