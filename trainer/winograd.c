#include "trainer/winograd_parts.h"

#include <string.h>

/* ---- the scratch ---- */

/* Parts of the scratch begin on cache lines where it does. */
static float *take(float **scratch, size_t floats)
{
    float *part = *scratch;
    *scratch += round_up(floats, LINE);
    return part;
}

static float *take_zeros(float **scratch, size_t floats)
{
    return memset(take(scratch, floats), 0, floats * sizeof **scratch);
}

/* ---- products, at each of the points ---- */

/* A row of so many pixels, and a kernel of 1. */
static struct conv_shape row_of(size_t pixels, size_t channels, size_t filters)
{
    return (struct conv_shape){
        .height = 1,
        .width = pixels,
        .channels = channels,
        .size = 1,
        .stride = 1,
        .output_height = 1,
        .output_width = pixels,
        .filters = filters,
        .gradient_row = pixels * filters,
    };
}

/* What will be written next is fetched while the multipliers are busy: the `part`th of so many
 * parts of it. */
static void fetch(const struct stretch *stretch, size_t part, size_t parts)
{
    size_t end = stretch->count * (part + 1) / parts;
    for (size_t i = stretch->count * part / parts / LINE * LINE; i < end; i += LINE)
        __builtin_prefetch(stretch->begin + i, 1);
}

/* [tiles][from] by packed [from][to] */
static void multiply(const struct winograd *winograd, size_t tiles, size_t from, size_t to,
                     const float *values, const float *weights, const float *zeros,
                     const struct stretch *next, float *products)
{
    struct conv_shape shape = row_of(tiles, from, to);
    size_t values_step = winograd_tiles_step(winograd, from);
    size_t step = winograd_weights_step(winograd, from, to);
    size_t products_step = winograd_tiles_step(winograd, to);
    for (size_t p = 0; p < winograd->points; p++) {
        fetch(next, p, winograd->points);
        winograd->products->forward(&shape, values + p * values_step, weights + p * step, zeros,
                                    false, products + p * products_step);
    }
}

static void add_gradients(const struct winograd *winograd, size_t tiles, const float *values,
                          const float *slopes, float *sums)
{
    size_t channels = winograd->window.channels, filters = winograd->filters;
    struct conv_shape shape = row_of(tiles, channels, filters);
    size_t values_step = winograd_tiles_step(winograd, channels);
    size_t step = winograd_tiles_step(winograd, filters);
    size_t sums_step = winograd_weights_step(winograd, channels, filters);
    for (size_t p = 0; p < winograd->points; p++)
        winograd->products->gradient(&shape, values + p * values_step, slopes + p * step,
                                     sums + p * sums_step);
}

/* ---- forward ---- */

void winograd_forward(const struct winograd *winograd, size_t count, const float *images,
                      const float *arranged, const float *bias, bool relu, float *scratch,
                      float *outputs)
{
    size_t channels = winograd->window.channels, filters = winograd->filters;
    float *values = take(&scratch, winograd->points * winograd_tiles_step(winograd, channels));
    float *products = take(&scratch, winograd->points * winograd_tiles_step(winograd, filters));
    float *padded = take_zeros(&scratch, winograd->image_size);
    float *filled_bias = take_zeros(&scratch, winograd_biases(winograd));
    float *zeros = take_zeros(&scratch, winograd_biases(winograd));
    memcpy(filled_bias, bias, filters * sizeof *bias);
    for (size_t first = 0; first < count * winograd->image_tiles; first += winograd->tiles) {
        struct block block = winograd_block(winograd, first, count);
        winograd_images(winograd, &block, images, padded, values);
        struct stretch next = winograd_outputs_of(winograd, &block, outputs);
        multiply(winograd, block.count, channels, filters, values, arranged, zeros, &next,
                 products);
        winograd_outputs(winograd, &block, products, filled_bias, relu, outputs);
    }
}

/* ---- back ---- */

void winograd_back_begin(struct winograd_back *back, const struct winograd *winograd,
                         const float *arranged, float *scratch)
{
    size_t channels = winograd->window.channels, filters = winograd->filters;
    size_t points = winograd->points;
    *back = (struct winograd_back){.winograd = winograd};
    back->turned = arranged + winograd_turned_offset(winograd);
    back->sums = take_zeros(&scratch, points * winograd_weights_step(winograd, channels, filters));
    back->values = take(&scratch, points * winograd_tiles_step(winograd, channels));
    back->slopes = take(&scratch, points * winograd_tiles_step(winograd, filters));
    back->products = take(&scratch, points * winograd_tiles_step(winograd, channels));
    back->image = take_zeros(&scratch, winograd->image_size);
    back->input_gradient = take(&scratch, winograd->image_size);
    back->zeros = take_zeros(&scratch, winograd_biases(winograd));
}

void winograd_back_images(const struct winograd_back *back, size_t count, const float *images,
                          const float *output_gradients, float *input_gradients)
{
    const struct winograd *winograd = back->winograd;
    size_t channels = winograd->window.channels, filters = winograd->filters;
    for (size_t first = 0; first < count * winograd->image_tiles; first += winograd->tiles) {
        struct block block = winograd_block(winograd, first, count);
        winograd_images(winograd, &block, images, back->image, back->values);
        winograd_output_gradients(winograd, &block, output_gradients, back->slopes);
        add_gradients(winograd, block.count, back->values, back->slopes, back->sums);
        if (!input_gradients)
            continue;
        multiply(winograd, block.count, filters, channels, back->slopes, back->turned, back->zeros,
                 &(struct stretch){0}, back->products);
        winograd_input_gradients(winograd, &block, back->products, back->input_gradient,
                                 input_gradients);
    }
}

void winograd_back_end(const struct winograd_back *back, float *weight_gradient)
{
    const struct winograd *winograd = back->winograd;
    size_t channels = winograd->window.channels, filters = winograd->filters;
    size_t step = winograd_weights_step(winograd, channels, filters);
    winograd->transforms->weight_gradient(back->sums, step, channels, filters, weight_gradient);
}
