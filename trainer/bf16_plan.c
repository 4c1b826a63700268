/* The shapes of a convolution in bf16: what lies where, and how much of it. */
#include "trainer/bf16_conv.h"

/* Windows of fewer channels are laid out as columns: with so few rows in the product for dW,
 * most of a tile would be empty. */
enum { CHANNELS_LEAST = 16 };

/* Floats of scratch, and of packed weights: 256 MiB each. */
static const size_t FLOATS_MOST = (size_t)1 << 26;

/* Pixels that dW is summed up over at once, of some images where one has fewer. */
enum { IMAGES_PIXELS = 1024 };

/* Values of 64 bytes, a cache line. */
enum { LINE = 32 };

static size_t round_up(size_t count, size_t unit)
{
    return (count + unit - 1) / unit * unit;
}

static size_t most(size_t a, size_t b)
{
    return a > b ? a : b;
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

/* With several taps, images share the padding between them. */
static void plan_taps(const struct window *window, size_t filters, struct bf16_sums *sums)
{
    struct bf16_grid grid = image_grid(window);
    size_t bottom = grid.height - window->top - window->input_height;
    size_t between = window->top > bottom ? window->top : bottom;
    sums->row = round_up(grid.width, 2);
    sums->pixels = (window->input_height + between) * sums->row;
    sums->left = filters;
    sums->right = window->channels;
    sums->left_source = BF16_RUN * filters + LINE;
    sums->right_source = window->input_width * window->channels;
}

/* With a single one, an image is the outputs' pixels, without padding. */
static void plan_tap(const struct window *window, size_t filters, struct bf16_sums *sums)
{
    size_t outputs = window->output_height * window->output_width;
    sums->grid = image_grid(window);
    sums->row = sums->pixels = round_up(outputs, 2);
    sums->left = window->channels;
    sums->right = filters;
    sums->right_source = outputs * filters;
}

static struct bf16_sums plan_sums(const struct window *window, size_t filters)
{
    struct bf16_sums sums = {.turned = window->size > 1};
    (sums.turned ? plan_taps : plan_tap)(window, filters, &sums);
    sums.images = sums.pixels < IMAGES_PIXELS ? IMAGES_PIXELS / sums.pixels : 1;
    sums.run = round_up(sums.images * sums.pixels, BF16_RUN);
    if (!sums.turned)
        sums.left_source = sums.run * sums.left + LINE;
    sums.transposed = sums.run * sums.left + BF16_ROWS * BF16_RUN;
    size_t last_shift = (window->size - 1) * (sums.row + 1);
    sums.block = round_up(sums.run + last_shift + 2, 2) * BF16_COLUMNS;
    sums.pairs = block_count(sums.right) * sums.block;
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
    if (columns_back) {
        conv->back_columns = conv->back.input_width * conv->back.channels;
        conv->back_added = bf16_conv_inputs(conv);
    }
    conv->forward = plan_windows(image_grid(&conv->products), conv->products.size, filters,
                                 kernels->depth);
    conv->backward = plan_windows(gradient_grid(&conv->back, filters), conv->back.size,
                                  conv->back.channels, kernels->depth);
    conv->sums = plan_sums(&conv->products, filters);
    if (bf16_conv_scratch_size(conv) <= FLOATS_MOST && conv->forward.packed <= FLOATS_MOST &&
        conv->backward.packed <= FLOATS_MOST)
        conv->kernels = kernels;
}

size_t bf16_conv_scratch_size(const struct bf16_conv *conv)
{
    size_t source = bf16_floats(conv->source.size);
    size_t forward = source + bf16_floats(conv->forward.grid.size);
    const struct bf16_sums *sums = &conv->sums;
    size_t pairs = (sums->turned ? 2 : 1) * bf16_floats(sums->pairs);
    size_t sides = bf16_floats(sums->left_source) + bf16_floats(sums->right_source) +
                   bf16_floats(sums->transposed) + pairs;
    size_t transpose = sums->turned ? bf16_floats(2 * bf16_conv_weights(conv)) : 0;
    size_t added = bf16_floats(2 * conv->back_columns) + bf16_floats(2 * conv->back_added);
    size_t back = source + transpose + added + sides + bf16_floats(conv->backward.grid.size);
    return most(forward, back);
}

size_t bf16_conv_packed_size(const struct bf16_conv *conv)
{
    return conv->forward.packed;
}

size_t bf16_conv_turned_size(const struct bf16_conv *conv)
{
    return conv->backward.packed;
}
