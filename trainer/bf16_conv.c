#include "trainer/bf16_conv.h"

#include "trainer/kernels.h"

#include <string.h>

/* Windows of fewer channels are laid out as columns: with so few rows in the product for dW,
 * most of a tile would be empty. */
enum { CHANNELS_LEAST = 16 };

/* Pixels that a product for dW sums up over, about: those of an image's channels and filters
 * that are worked on at once stay in the first-level cache while all taps have their turn,
 * and are enough to outweigh fetching and storing the sums. */
enum { STRIP_PIXELS = 320 };

/* Floats of scratch: 256 MiB. */
static const size_t SCRATCH_MOST = (size_t)1 << 26;

/* Values of 64 bytes, a cache line. */
enum { LINE = 32 };

static size_t round_up(size_t count, size_t unit)
{
    return (count + unit - 1) / unit * unit;
}

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* ---- shapes ---- */

/* Laid out as columns, an image is one row of windows, and a window one pixel. */
static struct window columns_window(const struct window *window)
{
    size_t pixels = window->output_height * window->output_width;
    return (struct window){
        .input_height = 1,
        .input_width = pixels,
        .channels = window->size * window->size * window->channels,
        .size = 1,
        .stride = 1,
        .output_height = 1,
        .output_width = pixels,
    };
}

static bool by_columns(const struct bf16_conv *conv, const struct window *products)
{
    return products->size != conv->window.size || products->stride != conv->window.stride;
}

/* What is summed over for a row of the window. */
static size_t run_length(const struct bf16_conv *conv, size_t size, size_t channels)
{
    return round_up(size * channels, conv->kernels->depth);
}

/* An image in bf16 with its padding and, behind it, zeros that may be read. */
struct grid {
    size_t top, left;               /* padding before the image */
    size_t height, width, channels; /* with all padding; `channels` may be rounded up */
    size_t size;                    /* values, with what is behind it */
};

static size_t grid_size(const struct bf16_conv *conv, const struct grid *grid)
{
    return round_up(grid->height * grid->width * grid->channels +
                        BF16_ROWS * grid->channels + conv->kernels->depth, LINE);
}

/* Of an image under a window. */
static struct grid window_grid(const struct bf16_conv *conv, const struct window *window)
{
    struct grid grid = {
        .top = window->top,
        .left = window->left,
        .height = (window->output_height - 1) * window->stride + window->size,
        .width = (window->output_width - 1) * window->stride + window->size,
        .channels = window->channels,
    };
    grid.size = grid_size(conv, &grid);
    return grid;
}

static struct grid forward_grid(const struct bf16_conv *conv)
{
    return window_grid(conv, &conv->products);
}

/* Of the image that is to be laid out as columns; of none where it is not. */
static struct grid source_grid(const struct bf16_conv *conv)
{
    return by_columns(conv, &conv->products) ? window_grid(conv, &conv->window) : (struct grid){0};
}

/* Floats of columns, which dx is added up from. */
static size_t back_columns_size(const struct bf16_conv *conv)
{
    return by_columns(conv, &conv->back) ? conv->back.input_width * conv->back.channels : 0;
}

/* Of the output's gradient, with as many rows and columns around it as make each input pixel
 * the first of a window. */
static struct grid back_grid(const struct bf16_conv *conv)
{
    const struct window *window = &conv->back;
    struct grid grid = {
        .top = window->size - 1 - window->top,
        .left = window->size - 1 - window->left,
        .height = window->input_height + window->size - 1,
        .width = window->input_width + window->size - 1,
        .channels = round_up(conv->filters, 2),
    };
    grid.size = grid_size(conv, &grid);
    return grid;
}

/* How dW sums over the pixels of an image: either row by row, or right through the rows, over
 * columns of padding as well, where the output's gradient is zero. */
struct sums {
    struct grid grid;      /* of the image: of even width, so that pairs lie within rows */
    size_t runs, run;      /* pixels */
    size_t run_step;       /* from one run to the next, in the image */
    size_t row;            /* from one row to the next, in the output's gradient */
    size_t transposed_row; /* values from one channel of the transposed image to the next */
};

static struct sums plan_sums(const struct bf16_conv *conv)
{
    const struct window *window = &conv->products;
    size_t depth = conv->kernels->depth;
    struct sums sums = {.grid = forward_grid(conv)};
    sums.grid.width = round_up(sums.grid.width, 2);
    size_t row = round_up(window->output_width, depth);
    size_t through = round_up(window->output_height * sums.grid.width, depth);
    if (through <= window->output_height * row) {
        sums.run = depth;
        sums.runs = through / depth;
        sums.run_step = depth;
        sums.row = sums.grid.width;
    } else {
        sums.run = row;
        sums.runs = window->output_height;
        sums.run_step = sums.grid.width;
        sums.row = row;
    }
    size_t last_tap = (window->size - 1) * (sums.grid.width + 1);
    size_t pixels = last_tap + (sums.runs - 1) * sums.run_step + sums.run;
    /* An odd number of cache lines, for else channels would crowd into few sets of a cache. */
    sums.transposed_row = round_up(pixels, LINE) | LINE;
    sums.grid.size = round_up(sums.transposed_row * sums.grid.channels + LINE, LINE);
    return sums;
}

/* ---- the scratch ---- */

static size_t block_count(size_t columns)
{
    return round_up(columns, BF16_COLUMNS) / BF16_COLUMNS;
}

/* Of one block of columns of the weights, as y or dx needs them. */
static size_t weight_block(const struct bf16_conv *conv, size_t size, size_t channels)
{
    return size * run_length(conv, size, channels) * BF16_COLUMNS;
}

static size_t forward_weights_size(const struct bf16_conv *conv)
{
    const struct window *window = &conv->products;
    return block_count(conv->filters) * weight_block(conv, window->size, window->channels);
}

static size_t back_weights_size(const struct bf16_conv *conv)
{
    return block_count(conv->back.channels) *
           weight_block(conv, conv->back.size, back_grid(conv).channels);
}

static size_t pairs_size(const struct bf16_conv *conv, const struct sums *sums)
{
    return block_count(conv->filters) * sums->runs * sums->run * BF16_COLUMNS;
}

static size_t transposed_size(const struct bf16_conv *conv, const struct sums *sums)
{
    return round_up(conv->products.channels, BF16_ROWS) * sums->transposed_row;
}

/* Parts of the scratch begin on cache lines where it does. */
static uint16_t *take(float **scratch, size_t values)
{
    uint16_t *part = (uint16_t *)*scratch;
    *scratch += round_up(values, LINE) / 2;
    return part;
}

/* The same, zero. */
static uint16_t *take_zeros(float **scratch, size_t values)
{
    uint16_t *part = take(scratch, values);
    memset(part, 0, values * sizeof *part);
    return part;
}

static size_t taken(size_t values)
{
    return round_up(values, LINE) / 2;
}

size_t bf16_conv_scratch_size(const struct bf16_conv *conv)
{
    struct sums sums = plan_sums(conv);
    size_t source = taken(source_grid(conv).size);
    size_t forward = source + taken(forward_weights_size(conv)) + taken(forward_grid(conv).size);
    size_t back = source + taken(2 * back_columns_size(conv)) + taken(sums.grid.size) +
                  taken(transposed_size(conv, &sums)) + taken(pairs_size(conv, &sums)) +
                  taken(back_grid(conv).size) + taken(back_weights_size(conv));
    return forward > back ? forward : back;
}

void bf16_conv_plan(struct bf16_conv *conv, const struct bf16_kernels *kernels,
                    const struct window *window, size_t filters)
{
    bool plain = window->size == 1 && window->stride == 1;
    bool columns = !plain && (window->stride > 1 || window->channels < CHANNELS_LEAST);
    *conv = (struct bf16_conv){.kernels = kernels, .window = *window, .filters = filters};
    conv->products = columns ? columns_window(window) : *window;
    conv->back = window->stride > 1 ? columns_window(window) : *window;
    if (kernels && bf16_conv_scratch_size(conv) > SCRATCH_MOST)
        conv->kernels = NULL;
}

/* ---- packing ---- */

/* Rounds an image into the middle of its grid, whose padding is zero already.  Rows and columns
 * that no window reaches are left out. */
static void fill_grid(const struct bf16_conv *conv, const struct grid *grid, size_t height,
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
static void lay_out_columns(const struct window *window, const struct grid *grid,
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
static void fill_image(const struct bf16_conv *conv, const struct grid *grid, const float *image,
                       uint16_t *source, uint16_t *to)
{
    const struct window *window = &conv->window;
    if (!by_columns(conv, &conv->products)) {
        fill_grid(conv, grid, window->input_height, window->input_width, window->channels, image,
                  to);
        return;
    }
    struct grid plain = source_grid(conv);
    fill_grid(conv, &plain, window->input_height, window->input_width, window->channels, image,
              source);
    lay_out_columns(window, &plain, source, to);
}

/* Of the packed weights of a window, zeros where a run is longer than `cells`, a row of it. */
static void fill_up_runs(size_t size, size_t cells, size_t run, size_t columns, uint16_t *packed)
{
    size_t used = round_up(cells, 2);
    for (size_t i = 0; used < run && i < block_count(columns) * size; i++)
        memset(packed + (i * run + used) * BF16_COLUMNS, 0,
               (run - used) * BF16_COLUMNS * sizeof *packed);
}

/* The weights for y: of each row of the window, its cells. */
static void pack_weights(const struct bf16_conv *conv, const float *weights, uint16_t *packed)
{
    const struct window *window = &conv->products;
    size_t cells = window->size * window->channels;
    size_t run = run_length(conv, window->size, window->channels);
    for (size_t row = 0; row < window->size; row++)
        conv->kernels->packing->pack(cells, conv->filters, weights + row * cells * conv->filters,
                                     packed + row * run * BF16_COLUMNS,
                                     weight_block(conv, window->size, window->channels));
    fill_up_runs(window->size, cells, run, conv->filters, packed);
}

/* The weights for dx: turned by half a circle, with channels and filters swapped. */
static void pack_turned_weights(const struct bf16_conv *conv, const float *weights,
                                uint16_t *packed)
{
    const struct window *window = &conv->back;
    size_t size = window->size, filters = round_up(conv->filters, 2);
    size_t run = run_length(conv, size, filters);
    for (size_t row = size; row-- > 0;) {
        for (size_t column = size; column-- > 0;) {
            conv->kernels->packing->pack_transposed(
                conv->filters, window->channels, weights,
                packed + (row * run + column * filters) * BF16_COLUMNS,
                weight_block(conv, size, filters));
            weights += window->channels * conv->filters;
        }
    }
    fill_up_runs(size, size * filters, run, window->channels, packed);
}

/* ---- forward ---- */

void bf16_conv_forward(const struct bf16_conv *conv, size_t count, const float *images,
                       const float *weights, const float *bias, bool relu, float *scratch,
                       float *outputs)
{
    const struct window *window = &conv->products;
    struct grid grid = forward_grid(conv);
    uint16_t *source = take_zeros(&scratch, source_grid(conv).size);
    uint16_t *packed = take(&scratch, forward_weights_size(conv));
    uint16_t *image = take_zeros(&scratch, grid.size);
    pack_weights(conv, weights, packed);
    struct bf16_product product = {
        .a = image,
        .bands = window->output_height,
        .width = window->output_width,
        .pitch = grid.width,
        .a_row = grid.channels,
        .a_run = grid.width * grid.channels,
        .runs = window->size,
        .run = run_length(conv, window->size, grid.channels),
        .b = packed,
        .b_block = weight_block(conv, window->size, grid.channels),
        .columns = conv->filters,
        .bias = bias,
        .relu = relu,
        .c_row = conv->filters,
    };
    size_t input_size =
        conv->window.input_height * conv->window.input_width * conv->window.channels;
    for (size_t i = 0; i < count; i++) {
        fill_image(conv, &grid, images + i * input_size, source, image);
        product.c = outputs + i * window->output_height * window->output_width * conv->filters;
        conv->kernels->multiply(&product);
    }
}

/* ---- back ---- */

void bf16_conv_back_begin(struct bf16_conv_back *back, const struct bf16_conv *conv,
                          const float *weights, float *weight_gradient, float *scratch)
{
    struct sums sums = plan_sums(conv);
    *back = (struct bf16_conv_back){.conv = conv, .weight_gradient = weight_gradient};
    back->source = take_zeros(&scratch, source_grid(conv).size);
    back->columns = (float *)take(&scratch, 2 * back_columns_size(conv));
    back->image = take_zeros(&scratch, sums.grid.size);
    back->transposed = take(&scratch, transposed_size(conv, &sums));
    back->pairs = take_zeros(&scratch, pairs_size(conv, &sums));
    if (!weights)
        return;
    back->gradient = take_zeros(&scratch, back_grid(conv).size);
    back->weights = take(&scratch, back_weights_size(conv));
    pack_turned_weights(conv, weights, back->weights);
}

/* The runs [begin, begin + product->runs), for all taps of the window. */
static void multiply_strip(struct bf16_conv_back *back, const struct sums *sums, size_t begin,
                           struct bf16_product *product)
{
    const struct bf16_conv *conv = back->conv;
    size_t size = conv->products.size;
    product->b = back->pairs + begin * sums->run * BF16_COLUMNS;
    product->add = back->begun;
    for (size_t tap = 0; tap < size * size; tap++) {
        product->a = back->transposed + begin * sums->run_step + tap / size * sums->grid.width +
                     tap % size;
        product->c = back->weight_gradient + tap * conv->products.channels * conv->filters;
        conv->kernels->multiply(product);
    }
    back->begun = true;
}

void bf16_conv_back_weights(struct bf16_conv_back *back, const float *image,
                            const float *output_gradient)
{
    const struct bf16_conv *conv = back->conv;
    const struct bf16_packing *packing = conv->kernels->packing;
    const struct window *window = &conv->products;
    struct sums sums = plan_sums(conv);
    size_t block = sums.runs * sums.run * BF16_COLUMNS;
    fill_image(conv, &sums.grid, image, back->source, back->image);
    packing->transpose(sums.transposed_row, window->channels, back->image, back->transposed,
                       sums.transposed_row);
    for (size_t y = 0; y < window->output_height; y++)
        packing->pack(window->output_width, conv->filters,
                      output_gradient + y * window->output_width * conv->filters,
                      back->pairs + y * sums.row * BF16_COLUMNS, block);
    struct bf16_product product = {
        .bands = 1,
        .width = window->channels,
        .pitch = window->channels,
        .a_row = sums.transposed_row,
        .a_run = sums.run_step,
        .run = sums.run,
        .b_block = block,
        .columns = conv->filters,
        .c_row = conv->filters,
    };
    size_t strips = (sums.runs * sums.run + STRIP_PIXELS - 1) / STRIP_PIXELS;
    strips = least(strips, sums.runs);
    for (size_t strip = 0; strip < strips; strip++) {
        size_t begin = sums.runs * strip / strips;
        product.runs = sums.runs * (strip + 1) / strips - begin;
        multiply_strip(back, &sums, begin, &product);
    }
}

void bf16_conv_back_input(const struct bf16_conv_back *back, const float *output_gradient,
                          float *input_gradient)
{
    const struct bf16_conv *conv = back->conv;
    const struct window *window = &conv->back;
    bool columns = by_columns(conv, window);
    struct grid grid = back_grid(conv);
    fill_grid(conv, &grid, window->output_height, window->output_width, conv->filters,
              output_gradient, back->gradient);
    conv->kernels->multiply(&(struct bf16_product){
        .a = back->gradient,
        .bands = window->input_height,
        .width = window->input_width,
        .pitch = grid.width,
        .a_row = grid.channels,
        .a_run = grid.width * grid.channels,
        .runs = window->size,
        .run = run_length(conv, window->size, grid.channels),
        .b = back->weights,
        .b_block = weight_block(conv, window->size, grid.channels),
        .columns = window->channels,
        .c = columns ? back->columns : input_gradient,
        .c_row = window->channels,
    });
    if (columns)
        kernel_col2im(&conv->window, back->columns, input_gradient);
}
