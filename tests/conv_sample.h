/* Convolutions to be tried, and what a naive twin in double precision makes of them.  To be
 * included after <cmocka.h>. */
#ifndef TESTS_CONV_SAMPLE_H
#define TESTS_CONV_SAMPLE_H

#include "tests/numbers.h"
#include "trainer/window.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { PRODUCTS_MOST = 2000000 };

/* What a convolution reads, and what the twin makes of it. */
struct sample {
    struct window window;
    size_t filters, count;
    size_t inputs, outputs, weight_count; /* inputs and outputs of one image */
    bool relu;
    float *images, *weights, *bias, *gradients;
    double *output, *weight_gradient, *input_gradient;
};

/* ---- the twin ---- */

/* One output pixel: its sums, and what its gradient adds to the gradients. */
static inline void twin_pixel(struct sample *s, size_t image, size_t y, size_t x)
{
    const struct window *w = &s->window;
    size_t pixel = image * s->outputs + (y * w->output_width + x) * s->filters;
    for (size_t cell = 0; cell < w->size * w->size * w->channels; cell++) {
        size_t tap = cell / w->channels;
        long iy = (long)(y * w->stride + tap / w->size) - (long)w->top;
        long ix = (long)(x * w->stride + tap % w->size) - (long)w->left;
        if (iy < 0 || ix < 0 || iy >= (long)w->input_height || ix >= (long)w->input_width)
            continue;
        size_t from = image * s->inputs + cell % w->channels +
                      ((size_t)iy * w->input_width + (size_t)ix) * w->channels;
        for (size_t f = 0; f < s->filters; f++) {
            double weight = s->weights[cell * s->filters + f];
            double gradient = s->gradients[pixel + f];
            s->output[pixel + f] += weight * s->images[from];
            s->weight_gradient[cell * s->filters + f] += gradient * s->images[from];
            s->input_gradient[from] += gradient * weight;
        }
    }
}

/* Sets what the twin makes of the sample. */
static inline void twin(struct sample *s)
{
    s->output = xcalloc(s->count * s->outputs, sizeof(double));
    s->weight_gradient = xcalloc(s->weight_count, sizeof(double));
    s->input_gradient = xcalloc(s->count * s->inputs, sizeof(double));
    for (size_t i = 0; i < s->count * s->outputs; i++)
        s->output[i] = s->bias[i % s->filters];
    for (size_t i = 0; i < s->count; i++)
        for (size_t y = 0; y < s->window.output_height; y++)
            for (size_t x = 0; x < s->window.output_width; x++)
                twin_pixel(s, i, y, x);
    for (size_t i = 0; s->relu && i < s->count * s->outputs; i++)
        s->output[i] = fmax(s->output[i], 0.0);
}

/* ---- samples ---- */

static inline size_t products_of(const struct window *w, size_t filters)
{
    return w->output_height * w->output_width * w->size * w->size * w->channels * filters;
}

static inline void sample_of(struct rng *rng, struct window window, size_t filters,
                             struct sample *s)
{
    *s = (struct sample){.window = window, .filters = filters, .count = between(rng, 1, 3)};
    s->relu = between(rng, 0, 1);
    s->inputs = window.input_height * window.input_width * window.channels;
    s->outputs = window.output_height * window.output_width * filters;
    s->weight_count = window.size * window.size * window.channels * filters;
    s->images = random_floats(rng, s->count * s->inputs);
    s->weights = random_floats(rng, s->weight_count);
    s->bias = random_floats(rng, filters);
    s->gradients = random_floats(rng, s->count * s->outputs);
    twin(s);
}

/* Channels, filters and images of any size, but not all large at once. */
static inline void random_sample(struct rng *rng, struct sample *s)
{
    struct window window;
    size_t filters;
    int result;
    do {
        struct shape input = {(int)between(rng, 1, 40), (int)between(rng, 1, 40),
                              (int)between(rng, 1, between(rng, 0, 1) ? 70 : 3)};
        filters = between(rng, 1, 70);
        result = window_place(&window, input, between(rng, 1, 7), between(rng, 1, 3),
                              between(rng, 0, 1));
    } while (result < 0 || products_of(&window, filters) > PRODUCTS_MOST);
    sample_of(rng, window, filters, s);
}

static inline void sample_release(struct sample *s)
{
    free(s->images);
    free(s->weights);
    free(s->bias);
    free(s->gradients);
    free(s->output);
    free(s->weight_gradient);
    free(s->input_gradient);
}

/* ---- the same values elsewhere ---- */

/* A copy, one float off the boundaries that malloc() keeps to. */
static inline float *moved_floats(const float *values, size_t count)
{
    float *copy = xcalloc(count + 1, sizeof *copy);
    memcpy(copy + 1, values, count * sizeof *copy);
    return copy + 1;
}

/* The sample with such copies of what goes in; the rest is the sample's own. */
static inline struct sample sample_moved(const struct sample *s)
{
    struct sample moved = *s;
    moved.images = moved_floats(s->images, s->count * s->inputs);
    moved.weights = moved_floats(s->weights, s->weight_count);
    moved.gradients = moved_floats(s->gradients, s->count * s->outputs);
    return moved;
}

static inline void sample_moved_release(struct sample *moved)
{
    free(moved->images - 1);
    free(moved->weights - 1);
    free(moved->gradients - 1);
}

#endif
