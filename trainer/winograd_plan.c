#include "trainer/winograd_parts.h"

#include <stdlib.h>
#include <string.h>

/* ---- whether ---- */

static const char *word_said(void)
{
    const char *word = getenv("TRAINER_CONV");
    return word && *word ? word : "auto";
}

int winograd_check(struct failure *why)
{
    const char *word = word_said();
    if (strcmp(word, "auto") != 0 && strcmp(word, "direct") != 0)
        return fail_usage(why, "TRAINER_CONV is '%s', but may be auto or direct", word);
    return 0;
}

static const struct winograd_kernels *kernels_of(enum isa isa)
{
    switch (isa) {
#if defined(__x86_64__)
    case ISA_AVX2:
        return &winograd_avx2;
    case ISA_AVX512:
        return &winograd_avx512;
#elif defined(__aarch64__)
    case ISA_NEON:
        return &winograd_neon;
#endif
    default:
        return NULL;
    }
}

bool winograd_is_on(void)
{
    return kernels_of(isa_chosen()) && strcmp(word_said(), "direct") != 0;
}

/* To transform a value takes as long as so many multiply-adds, loads and stores and all: 16 to 28
 * were measured, with 16 to 128 channels and filters. */
enum { TRANSFORM_COST = 20 };

/* Floats of arranged weights and scratch.  A layer so large that it would take more has better
 * uses for its memory. */
static const size_t MEMORY_MOST = (size_t)1 << 25;

bool winograd_pays(const struct winograd *winograd)
{
    if (!winograd->transforms)
        return false;
    const struct window *window = &winograd->window;
    size_t lanes = winograd->products->lanes;
    size_t channels = window->channels, filled_filters = round_up(winograd->filters, lanes);
    size_t filled = round_up(channels, lanes) + filled_filters;
    size_t direct = window->output_height * window->output_width * window->size * window->size *
                    channels * filled_filters;
    size_t products = channels * filled_filters + TRANSFORM_COST * filled;
    return winograd->image_tiles * winograd->points * products < direct &&
           winograd_arranged_size(winograd) + winograd_scratch_size(winograd) <= MEMORY_MOST;
}

/* ---- the plan ---- */

/* What is made of a block of tiles should stay in a second-level cache of 1 MB, but be enough to
 * be worth the way of the weights through it. */
enum { BLOCK_BYTES = 512 << 10, TILES_LEAST = 32 };

static void plan_blocks(struct winograd *winograd)
{
    size_t of_image = winograd->image_tiles;
    size_t values = winograd->points * (winograd->window.channels + winograd->filters);
    size_t tiles = most(TILES_LEAST, BLOCK_BYTES / (values * sizeof(float)));
    winograd->images = (tiles + of_image - 1) / of_image;
    if (winograd->images > 1) {
        winograd->tiles = winograd->images * of_image;
        return;
    }
    size_t blocks = (of_image + tiles - 1) / tiles;
    winograd->tiles = (of_image + blocks - 1) / blocks;
}

static void plan_tiles(struct winograd *winograd)
{
    const struct window *window = &winograd->window;
    size_t beyond = window->size - 1, side = beyond + WINOGRAD_OUTPUTS;
    winograd->points = side * side;
    size_t rows = round_up(window->output_height, WINOGRAD_OUTPUTS);
    size_t columns = round_up(window->output_width, WINOGRAD_OUTPUTS);
    winograd->tile_columns = columns / WINOGRAD_OUTPUTS;
    winograd->image_tiles = rows / WINOGRAD_OUTPUTS * winograd->tile_columns;
    winograd->image_pixel = round_up(window->channels, winograd->products->lanes);
    winograd->image_row = (columns + beyond) * winograd->image_pixel;
    winograd->image_size = (rows + beyond) * winograd->image_row;
}

void winograd_plan(struct winograd *winograd, enum isa isa, const struct window *window,
                   size_t filters)
{
    const struct winograd_kernels *kernels = kernels_of(isa);
    *winograd = (struct winograd){.window = *window, .filters = filters};
    if (!kernels || window->stride != 1 || (window->size != 3 && window->size != 5))
        return;
    winograd->transforms = window->size == 3 ? &kernels->of_3 : &kernels->of_5;
    winograd->products = conv_kernels_of(isa);
    plan_tiles(winograd);
    plan_blocks(winograd);
}

/* ---- sizes ---- */

/* An odd number of cache lines, so that the points of a tile are spread over the whole of the
 * first-level cache. */
static size_t step_of(size_t floats)
{
    return round_up(floats, 2 * LINE) + LINE;
}

size_t winograd_tiles_step(const struct winograd *winograd, size_t channels)
{
    return step_of(winograd->tiles * channels + winograd->products->group);
}

size_t winograd_weights_step(const struct winograd *winograd, size_t rows, size_t columns)
{
    return step_of(rows * round_up(columns, winograd->products->lanes));
}

size_t winograd_biases(const struct winograd *winograd)
{
    return round_up(most(winograd->window.channels, winograd->filters), winograd->products->lanes);
}

size_t winograd_scratch_size(const struct winograd *winograd)
{
    size_t channels = winograd->window.channels, filters = winograd->filters;
    size_t steps = winograd_weights_step(winograd, channels, filters) +
                   2 * winograd_tiles_step(winograd, channels) +
                   winograd_tiles_step(winograd, filters);
    return winograd->points * steps + 2 * round_up(winograd->image_size, LINE) +
           2 * round_up(winograd_biases(winograd), LINE);
}

/* ---- weights ---- */

size_t winograd_turned_offset(const struct winograd *winograd)
{
    return winograd->points *
           winograd_weights_step(winograd, winograd->window.channels, winograd->filters);
}

static size_t weight_count(const struct winograd *winograd)
{
    const struct window *window = &winograd->window;
    return window->size * window->size * window->channels * winograd->filters;
}

/* Behind U and U^T there are the weights that U^T is made of. */
size_t winograd_arranged_size(const struct winograd *winograd)
{
    return winograd_turned_offset(winograd) +
           winograd->points * winograd_weights_step(winograd, winograd->filters,
                                                    winograd->window.channels) +
           weight_count(winograd);
}

/* [taps][channels][filters] -> [taps][filters][channels] */
static void swap(const struct winograd *winograd, const float *weights, float *swapped)
{
    const struct window *window = &winograd->window;
    size_t channels = window->channels, filters = winograd->filters;
    for (size_t tap = 0; tap < window->size * window->size; tap++) {
        for (size_t f = 0; f < filters; f++) {
            for (size_t c = 0; c < channels; c++)
                *swapped++ = weights[(tap * channels + c) * filters + f];
        }
    }
}

void winograd_arrange(const struct winograd *winograd, const float *weights, bool back,
                      float *arranged)
{
    size_t channels = winograd->window.channels, filters = winograd->filters;
    size_t turned_step = winograd_weights_step(winograd, filters, channels);
    float *turned = arranged + winograd_turned_offset(winograd);
    winograd->transforms->weights(weights, channels, filters, arranged,
                                  winograd_weights_step(winograd, channels, filters));
    if (!back)
        return;
    float *swapped = turned + winograd->points * turned_step;
    swap(winograd, weights, swapped);
    winograd->transforms->weights(swapped, filters, channels, turned, turned_step);
}
