/* The way back of a convolution in bf16, but for dx, which is as y: the weights' gradient, a sum
 * over pixels. */
#include "trainer/bf16_conv.h"

#include <string.h>

/* Pixels that a product sums up over at most: enough to outweigh fetching and storing the sums,
 * and few enough for the first-level cache to keep them while the taps have their turn. */
enum { STRIP_PIXELS = 320 };

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

void bf16_conv_back_begin(struct bf16_conv_back *back, const struct bf16_conv *conv,
                          const uint16_t *turned, float *weight_gradient, float *scratch)
{
    const struct bf16_sums *sums = &conv->sums;
    *back = (struct bf16_conv_back){
        .conv = conv, .weights = turned, .weight_gradient = weight_gradient};
    back->sums = sums->turned ? (float *)bf16_take(&scratch, 2 * bf16_conv_weights(conv))
                              : weight_gradient;
    back->columns = (float *)bf16_take(&scratch, 2 * conv->back_columns);
    back->added = (float *)bf16_take(&scratch, 2 * conv->back_added);
    back->source = bf16_take_zeros(&scratch, conv->source.size);
    back->left_source = bf16_take(&scratch, sums->left_source);
    back->right_source = bf16_take(&scratch, sums->right_source);
    back->transposed = bf16_take(&scratch, sums->transposed);
    for (size_t form = 0; form < (sums->turned ? 2 : 1); form++)
        back->pairs[form] = (sums->turned ? bf16_take_zeros : bf16_take)(&scratch, sums->pairs);
    if (turned)
        back->gradient = bf16_take_zeros(&scratch, conv->backward.grid.size);
}

/* ---- the sides, with several taps ---- */

/* Of the gradient, the pixels from `pixel` on. */
static void fill_run(const struct bf16_conv_back *back, size_t count, size_t pixel,
                     const struct bf16_values *gradients)
{
    const struct bf16_conv *conv = back->conv;
    const struct bf16_sums *sums = &conv->sums;
    const struct window *window = &conv->window;
    size_t filters = conv->filters, step;
    uint16_t *to = back->left_source;
    memset(to, 0, BF16_RUN * filters * sizeof *to);
    for (size_t end = pixel + BF16_RUN; pixel < end; pixel += step, to += step * filters) {
        size_t image = pixel / sums->pixels, within = pixel % sums->pixels;
        size_t y = within / sums->row, x = within % sums->row;
        step = least(end - pixel, sums->row - x);
        if (image >= count || y >= window->output_height || x >= window->output_width)
            continue;
        size_t first = (image * window->output_height + y) * window->output_width + x;
        bf16_copy(conv, least(step, window->output_width - x) * filters, gradients,
                  first * filters, to);
    }
}

static void transpose_gradients(const struct bf16_conv_back *back, size_t count, size_t run,
                                const struct bf16_values *gradients)
{
    size_t filters = back->conv->filters;
    for (size_t pixel = 0; pixel < run; pixel += BF16_RUN) {
        fill_run(back, count, pixel, gradients);
        back->conv->kernels->packing->transpose(BF16_RUN, filters, back->left_source,
                                                back->transposed + pixel * filters);
    }
}

/* A row of an image in both forms, which begin with an even and an odd pixel. */
static void pair_row(const struct bf16_conv_back *back, const uint16_t *row, size_t pixel)
{
    const struct bf16_sums *sums = &back->conv->sums;
    const struct window *window = &back->conv->window;
    for (size_t form = 0; form < 2; form++) {
        bool halved = (pixel + form) % 2;
        back->conv->kernels->packing->pack_rounded(
            window->input_width, halved, window->channels, row,
            back->pairs[form] + (pixel + form - halved) * BF16_COLUMNS, sums->block);
    }
}

static void pair_images(const struct bf16_conv_back *back, size_t count,
                        const struct bf16_values *images)
{
    const struct bf16_conv *conv = back->conv;
    const struct window *window = &conv->window;
    size_t row = window->input_width * window->channels;
    for (size_t i = 0; i < count; i++) {
        for (size_t y = 0; y < window->input_height; y++) {
            size_t pixel = i * conv->sums.pixels + (window->top + y) * conv->sums.row;
            pair_row(back, bf16_rounded(conv, row, images, (i * window->input_height + y) * row,
                                        back->right_source), pixel + window->left);
        }
    }
}

/* ---- the sides, with a single one ---- */

/* Pixels that are no image's are 0 on both sides, for what is not a number must not be there. */
static void transpose_images(const struct bf16_conv_back *back, size_t count, size_t run,
                             const struct bf16_values *images)
{
    const struct bf16_conv *conv = back->conv;
    const struct bf16_sums *sums = &conv->sums;
    size_t inputs = bf16_conv_inputs(conv);
    size_t outputs = conv->window.output_height * conv->window.output_width;
    uint16_t *to = back->left_source;
    for (size_t i = 0; i < count; i++, to += sums->pixels * sums->left) {
        struct bf16_values image = bf16_values_from(images, i * inputs);
        bf16_fill_image(conv, &sums->grid, &image, back->source, to);
        size_t next = i + 1 < count ? sums->pixels : run - i * sums->pixels;
        memset(to + outputs * sums->left, 0, (next - outputs) * sums->left * sizeof *to);
    }
    conv->kernels->packing->transpose(run, sums->left, back->left_source, back->transposed);
}

static void pair_gradients(const struct bf16_conv_back *back, size_t count, size_t run,
                           const struct bf16_values *gradients)
{
    const struct bf16_conv *conv = back->conv;
    const struct bf16_sums *sums = &conv->sums;
    size_t outputs = bf16_conv_outputs(conv), used = count * sums->pixels;
    for (size_t i = 0; i < count; i++)
        conv->kernels->packing->pack_rounded(
            outputs / conv->filters, false, conv->filters,
            bf16_rounded(conv, outputs, gradients, i * outputs, back->right_source),
            back->pairs[0] + i * sums->pixels * BF16_COLUMNS, sums->block);
    for (size_t begin = 0; begin < sums->pairs; begin += sums->block)
        memset(back->pairs[0] + begin + used * BF16_COLUMNS, 0,
               (run - used) * BF16_COLUMNS * sizeof(uint16_t));
}

/* ---- products ---- */

/* The pixels [begin, end), for a tap of the window. */
static void multiply_tap(const struct bf16_conv_back *back, size_t begin, size_t end, size_t tap)
{
    const struct bf16_conv *conv = back->conv;
    const struct bf16_sums *sums = &conv->sums;
    size_t size = conv->products.size;
    size_t shift = begin + tap / size * sums->row + tap % size, odd = shift % 2;
    conv->kernels->multiply(&(struct bf16_product){
        .a = back->transposed + begin * sums->left,
        .bands = 1,
        .width = sums->left,
        .pitch = sums->left,
        .a_row = BF16_RUN,
        .a_run = sums->left * BF16_RUN,
        .runs = (end - begin) / BF16_RUN,
        .run = BF16_RUN,
        .b = back->pairs[odd] + (shift + odd) * BF16_COLUMNS,
        .b_block = sums->block,
        .columns = sums->right,
        .add = back->begun,
        .c.exact = back->sums + tap * sums->left * sums->right,
        .c_row = sums->right,
    });
}

/* For all taps: first those that read the one form of pairs, then those that read the other. */
static void multiply_strip(const struct bf16_conv_back *back, size_t begin, size_t end)
{
    size_t size = back->conv->products.size;
    for (size_t odd = 0; odd < 2; odd++)
        for (size_t row = 0; row < size; row++)
            for (size_t column = odd; column < size; column += 2)
                multiply_tap(back, begin, end, row * size + column);
}

void bf16_conv_back_weights(struct bf16_conv_back *back, size_t count,
                            const struct bf16_values *images,
                            const struct bf16_values *output_gradients)
{
    const struct bf16_conv *conv = back->conv;
    const struct bf16_sums *sums = &conv->sums;
    size_t last = sums->turned ? conv->window.output_height * sums->row : sums->pixels;
    size_t used = (count - 1) * sums->pixels + last;
    size_t run = (used + BF16_RUN - 1) / BF16_RUN * BF16_RUN;
    if (sums->turned) {
        transpose_gradients(back, count, run, output_gradients);
        pair_images(back, count, images);
    } else {
        transpose_images(back, count, run, images);
        pair_gradients(back, count, run, output_gradients);
    }
    conv->kernels->begin();
    for (size_t begin = 0; begin < run; begin += STRIP_PIXELS) {
        multiply_strip(back, begin, least(begin + STRIP_PIXELS, run));
        back->begun = true;
    }
    conv->kernels->end();
}

void bf16_conv_back_end(const struct bf16_conv_back *back)
{
    const struct bf16_conv *conv = back->conv;
    const struct bf16_sums *sums = &conv->sums;
    size_t taps = conv->products.size * conv->products.size, tap_size = sums->left * sums->right;
    for (size_t tap = 0; sums->turned && tap < taps; tap++)
        conv->kernels->packing->transpose_floats(sums->left, sums->right,
                                                 back->sums + tap * tap_size,
                                                 back->weight_gradient + tap * tap_size);
}
