/* Whole networks in double precision, run straight from the model's JSON: no list, no slots,
 * no shards, a residual by recursion.  It shares nothing with the trainer but the generator
 * that dropout draws from.  For small networks: every call allocates.  To be included after
 * <cmocka.h>. */
#ifndef TESTS_REFERENCE_H
#define TESTS_REFERENCE_H

#include "common/base.h"
#include "common/rng.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Some images, or vectors: [images][height][width][channels]. */
struct block {
    size_t images, height, width, channels;
    double *at;
};

struct reference {
    const double *parameters; /* in the order of the list; moves on */
    const double *statistics; /* running values, for predictions; moves on */
    size_t layer, layers;     /* number of the next one; how many there are */
    bool training;
    uint64_t seed, step;      /* of dropout */
    uint32_t trial;
};

static inline struct block block_new(size_t images, size_t height, size_t width, size_t channels)
{
    return (struct block){images, height, width, channels,
                          xcalloc(images * height * width * channels + 1, sizeof(double))};
}

static inline size_t block_size(struct block x)
{
    return x.images * x.height * x.width * x.channels;
}

static inline struct block block_like(struct block x)
{
    return block_new(x.images, x.height, x.width, x.channels);
}

static inline const char *reference_word(const json_t *settings, const char *name)
{
    const char *word = json_string_value(json_object_get(settings, name));
    return word ? word : "";
}

static inline bool reference_is(const json_t *settings, const char *name, const char *word)
{
    return strcmp(reference_word(settings, name), word) == 0;
}

static inline size_t reference_size(const json_t *settings, const char *name)
{
    return (size_t)json_integer_value(json_object_get(settings, name));
}

static inline double reference_activate(const char *name, double x)
{
    if (strcmp(name, "relu") == 0)
        return x > 0.0 ? x : 0.0;
    if (strcmp(name, "tanh") == 0)
        return tanh(x);
    if (strcmp(name, "gelu") == 0)
        return 0.5 * x * (1.0 + erf(x / sqrt(2.0)));
    return x;
}

/* Output pixels along one axis, and the first input pixel of the one `at`. */
static inline size_t reference_places(const json_t *settings, size_t input, size_t size,
                                      size_t stride)
{
    return reference_is(settings, "padding", "same") ? (input + stride - 1) / stride
                                                     : (input - size) / stride + 1;
}

static inline long reference_start(const json_t *settings, size_t input, size_t size,
                                   size_t stride, size_t at)
{
    size_t covered = (reference_places(settings, input, size, stride) - 1) * stride + size;
    bool same = reference_is(settings, "padding", "same");
    return (long)(at * stride) - (same && covered > input ? (long)(covered - input) / 2 : 0);
}

/* The value at a pixel that may lie outside; false there. */
static inline bool reference_pixel(struct block x, size_t image, long row, long column,
                                   size_t channel, double *value)
{
    if (row < 0 || column < 0 || row >= (long)x.height || column >= (long)x.width)
        return false;
    *value = x.at[((image * x.height + (size_t)row) * x.width + (size_t)column) * x.channels +
                  channel];
    return true;
}

/* One output value of a convolution (with weights) or of a pool (without). */
static inline double reference_window(const json_t *settings, struct block x, size_t size,
                                      size_t image, long top, long left, size_t channel,
                                      const double *weights, size_t filters)
{
    double sum = 0.0, largest = -INFINITY, cells = 0.0, value;
    for (size_t k = 0; k < size * size; k++) {
        for (size_t c = 0; c < x.channels; c++) {
            if ((!weights && c != channel) ||
                !reference_pixel(x, image, top + (long)(k / size), left + (long)(k % size), c,
                                 &value))
                continue;
            sum += weights ? value * weights[(k * x.channels + c) * filters + channel] : value;
            largest = fmax(largest, value);
            cells += 1.0;
        }
    }
    if (weights)
        return sum;
    return reference_is(settings, "type", "max_pool") ? largest : sum / cells;
}

static inline struct block reference_windows(struct reference *reference,
                                             const json_t *settings, struct block x)
{
    bool conv = reference_is(settings, "type", "conv");
    size_t size = reference_size(settings, conv ? "kernel" : "size");
    size_t stride = reference_size(settings, "stride") ? reference_size(settings, "stride") : size;
    size_t channels = conv ? reference_size(settings, "filters") : x.channels;
    size_t count = conv ? size * size * x.channels * channels : 0;
    const double *weights = conv ? reference->parameters : NULL;
    struct block y = block_new(x.images, reference_places(settings, x.height, size, stride),
                               reference_places(settings, x.width, size, stride), channels);
    for (size_t i = 0; i < block_size(y); i++) {
        size_t f = i % channels, column = i / channels % y.width;
        size_t row = i / channels / y.width % y.height;
        y.at[i] = reference_window(settings, x, size, i / channels / y.width / y.height,
                                   reference_start(settings, x.height, size, stride, row),
                                   reference_start(settings, x.width, size, stride, column), f,
                                   weights, channels);
        if (conv)
            y.at[i] = reference_activate(reference_word(settings, "activation"),
                                         y.at[i] + weights[count + f]);
    }
    reference->parameters += conv ? count + channels : 0;
    return y;
}

/* x W of each pixel, with W [channels][units]. */
static inline struct block reference_product(struct block x, size_t units, const double *weights)
{
    struct block y = block_new(x.images, x.height, x.width, units);
    for (size_t i = 0; i < block_size(y); i++) {
        for (size_t c = 0; c < x.channels; c++)
            y.at[i] += x.at[i / units * x.channels + c] * weights[c * units + i % units];
    }
    return y;
}

static inline struct block reference_dense(struct reference *reference, const json_t *settings,
                                           struct block x)
{
    size_t units = reference_size(settings, "units");
    struct block y = reference_product(x, units, reference->parameters);
    reference->parameters += x.channels * units;
    for (size_t i = 0; i < block_size(y); i++)
        y.at[i] = reference_activate(reference_word(settings, "activation"),
                                     y.at[i] + reference->parameters[i % units]);
    reference->parameters += units;
    return y;
}

static inline struct block reference_norm(struct reference *reference, const json_t *settings,
                                          struct block x)
{
    size_t channels = x.channels, rows = block_size(x) / channels;
    double epsilon = json_number_value(json_object_get(settings, "epsilon"));
    struct block y = block_like(x);
    for (size_t c = 0; c < channels; c++) {
        double mean = 0.0, variance = 0.0;
        for (size_t row = 0; row < rows; row++)
            mean += x.at[row * channels + c] / (double)rows;
        for (size_t row = 0; row < rows; row++)
            variance += pow(x.at[row * channels + c] - mean, 2.0) / (double)rows;
        if (!reference->training) {
            mean = reference->statistics[c];
            variance = reference->statistics[channels + c];
        }
        for (size_t i = c; i < rows * channels; i += channels)
            y.at[i] = reference->parameters[c] * (x.at[i] - mean) / sqrt(variance + epsilon) +
                      reference->parameters[channels + c];
    }
    reference->parameters += 2 * channels;
    reference->statistics += 2 * channels;
    return y;
}

static inline struct block reference_dropout(struct reference *reference, const json_t *settings,
                                             struct block x)
{
    float rate = (float)json_number_value(json_object_get(settings, "rate"));
    struct block y = block_like(x);
    struct rng rng;
    rng_init(&rng, reference->seed, reference->trial, RNG_DROPOUT,
             reference->step * reference->layers + reference->layer);
    for (size_t i = 0; i < block_size(x); i++) {
        bool keeps = rng_float(&rng) >= rate || !reference->training;
        y.at[i] = keeps ? x.at[i] / (reference->training ? 1.0 - (double)rate : 1.0) : 0.0;
    }
    return y;
}

static inline struct block reference_means(struct block x)
{
    struct block y = block_new(x.images, 1, 1, x.channels);
    size_t pixels = x.height * x.width;
    for (size_t i = 0; i < block_size(x); i++)
        y.at[i / x.channels / pixels * x.channels + i % x.channels] += x.at[i] / (double)pixels;
    return y;
}

static inline struct block reference_list(struct reference *reference, const json_t *list,
                                          struct block x);

/* What is added to a residual's layers: x itself, or every stride-th pixel times a matrix. */
static inline struct block reference_shortcut(struct reference *reference, struct block x,
                                              struct block to)
{
    if (x.height == to.height && x.width == to.width && x.channels == to.channels) {
        struct block same = block_like(x);
        memcpy(same.at, x.at, block_size(x) * sizeof *x.at);
        return same;
    }
    size_t stride = 1;
    while ((x.height + stride - 1) / stride != to.height ||
           (x.width + stride - 1) / stride != to.width)
        stride++;
    struct block picked = block_new(x.images, to.height, to.width, x.channels);
    for (size_t i = 0; i < block_size(picked); i++) {
        size_t pixel = i / x.channels, column = pixel % to.width;
        size_t row = pixel / to.width % to.height;
        reference_pixel(x, pixel / to.width / to.height, (long)(row * stride),
                        (long)(column * stride), i % x.channels, &picked.at[i]);
    }
    struct block y = reference_product(picked, to.channels, reference->parameters);
    reference->parameters += x.channels * to.channels;
    reference->layer++;
    free(picked.at);
    return y;
}

static inline struct block reference_residual(struct reference *reference, const json_t *layers,
                                              struct block x)
{
    struct block y = reference_list(reference, layers, x);
    struct block shortcut = reference_shortcut(reference, x, y);
    for (size_t i = 0; i < block_size(y); i++)
        y.at[i] += shortcut.at[i];
    free(shortcut.at);
    return y;
}

static inline struct block reference_layer(struct reference *reference, const json_t *settings,
                                           struct block x)
{
    const char *type = reference_word(settings, "type");
    if (strcmp(type, "conv") == 0 || strstr(type, "_pool") == type + 3)
        return reference_windows(reference, settings, x);
    if (strcmp(type, "dense") == 0)
        return reference_dense(reference, settings, x);
    if (strcmp(type, "batch_norm") == 0)
        return reference_norm(reference, settings, x);
    if (strcmp(type, "dropout") == 0)
        return reference_dropout(reference, settings, x);
    if (strcmp(type, "global_avg_pool") == 0)
        return reference_means(x);
    if (strcmp(type, "residual") == 0)
        return reference_residual(reference, json_object_get(settings, "layers"), x);
    struct block y = block_like(x);
    for (size_t i = 0; i < block_size(x); i++)
        y.at[i] = reference_activate(type, x.at[i]);
    if (strcmp(type, "flatten") == 0) {
        y.channels *= y.height * y.width;
        y.height = y.width = 1;
    }
    return y;
}

/* The layers of `list` behind x, which stays the caller's; the caller frees what it gets. */
static inline struct block reference_list(struct reference *reference, const json_t *list,
                                          struct block x)
{
    struct block now = block_like(x);
    memcpy(now.at, x.at, block_size(x) * sizeof *x.at);
    for (size_t i = 0; i < json_array_size(list); i++) {
        struct block next = reference_layer(reference, json_array_get(list, i), now);
        free(now.at);
        now = next;
        reference->layer++; /* an `add` counts as the residual's */
    }
    return now;
}

/* The mean cross-entropy. */
static inline double reference_loss(struct block logits, const uint16_t *labels)
{
    double loss = 0.0;
    for (size_t i = 0; i < logits.images; i++) {
        const double *z = logits.at + i * logits.channels;
        double sum = 0.0;
        for (size_t c = 0; c < logits.channels; c++)
            sum += exp(z[c] - z[labels[i]]);
        loss += log(sum) / (double)logits.images;
    }
    return loss;
}

#endif
