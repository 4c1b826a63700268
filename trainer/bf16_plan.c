/* The shapes of a convolution in bf16: what lies where, and how much of it. */
#include "trainer/bf16_conv.h"

/* Windows of fewer channels are laid out as columns: with so few rows in the product for dW,
 * most of a tile would be empty. */
enum { CHANNELS_LEAST = 16 };

/* Floats of scratch: 256 MiB. */
static const size_t SCRATCH_MOST = (size_t)1 << 26;

/* Values of 64 bytes, a cache line. */
enum { LINE = 32 };

static size_t round_up(size_t count, size_t unit)
{
    return (count + unit - 1) / unit * unit;
}

static size_t block_count(size_t columns)
{
    return round_up(columns, BF16_COLUMNS) / BF16_COLUMNS;
}

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

/* ---- grids ---- */

static size_t grid_size(const struct bf16_grid *grid)
{
    return round_up(grid->height * grid->width * grid->channels + BF16_ROWS * grid->channels +
                        BF16_DEPTH_MOST, LINE);
}

/* Of an image under a window. */
static struct bf16_grid image_grid(const struct window *window)
{
    struct bf16_grid grid = {
        .top = window->top,
        .left = window->left,
        .height = (window->output_height - 1) * window->stride + window->size,
        .width = (window->output_width - 1) * window->stride + window->size,
        .channels = window->channels,
    };
    grid.size = grid_size(&grid);
    return grid;
}

/* Of the output's gradient, with as many rows and columns around it as make each input pixel
 * the first of a window. */
static struct bf16_grid gradient_grid(const struct window *window, size_t filters)
{
    struct bf16_grid grid = {
        .top = window->size - 1 - window->top,
        .left = window->size - 1 - window->left,
        .height = window->input_height + window->size - 1,
        .width = window->input_width + window->size - 1,
        .channels = round_up(filters, 2),
    };
    grid.size = grid_size(&grid);
    return grid;
}

/* ---- products ---- */

static struct bf16_windows plan_windows(struct bf16_grid grid, size_t size, size_t columns,
                                        size_t depth)
{
    struct bf16_windows windows = {
        .grid = grid,
        .bands = grid.height - size + 1,
        .width = grid.width - size + 1,
        .size = size,
        .run = round_up(size * grid.channels, depth),
        .columns = columns,
    };
    windows.block = size * windows.run * BF16_COLUMNS;
    windows.packed = block_count(columns) * windows.block;
    return windows;
}

static struct bf16_sums plan_sums(const struct window *window, size_t filters, size_t depth)
{
    struct bf16_sums sums = {.grid = image_grid(window)};
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
    sums.transposed = round_up(window->channels, BF16_ROWS) * sums.transposed_row;
    sums.grid.size = round_up(sums.transposed_row * sums.grid.channels + LINE, LINE);
    sums.block = sums.runs * sums.run * BF16_COLUMNS;
    sums.pairs = block_count(filters) * sums.block;
    return sums;
}

void bf16_conv_plan(struct bf16_conv *conv, const struct bf16_kernels *kernels,
                    const struct window *window, size_t filters)
{
    bool plain = window->size == 1 && window->stride == 1;
    bool columns = !plain && (window->stride > 1 || window->channels < CHANNELS_LEAST);
    bool columns_back = window->stride > 1;
    *conv = (struct bf16_conv){.window = *window, .filters = filters};
    conv->products = columns ? columns_window(window) : *window;
    conv->back = columns_back ? columns_window(window) : *window;
    if (!kernels)
        return;
    if (columns)
        conv->source = image_grid(window);
    if (columns_back)
        conv->back_columns = conv->back.input_width * conv->back.channels;
    conv->forward = plan_windows(image_grid(&conv->products), conv->products.size, filters,
                                 kernels->depth);
    conv->backward = plan_windows(gradient_grid(&conv->back, filters), conv->back.size,
                                  conv->back.channels, kernels->depth);
    conv->sums = plan_sums(&conv->products, filters, kernels->depth);
    if (bf16_conv_scratch_size(conv) <= SCRATCH_MOST)
        conv->kernels = kernels;
}

/* Floats that so many values take, up to a cache line. */
static size_t taken(size_t values)
{
    return round_up(values, LINE) / 2;
}

size_t bf16_conv_scratch_size(const struct bf16_conv *conv)
{
    size_t source = taken(conv->source.size);
    size_t forward = source + taken(conv->forward.packed) + taken(conv->forward.grid.size);
    size_t back = source + taken(2 * conv->back_columns) + taken(conv->sums.grid.size) +
                  taken(conv->sums.transposed) + taken(conv->sums.pairs) +
                  taken(conv->backward.grid.size) + taken(conv->backward.packed);
    return forward > back ? forward : back;
}
