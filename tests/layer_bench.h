/* A layer on the bench, forward and backward, against a reference in double precision that shares
 * nothing with it: outputs directly, gradients by central differences. */
#ifndef TESTS_LAYER_BENCH_H
#define TESTS_LAYER_BENCH_H

#include "trainer/layer.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/numbers.h"
#include "tests/rounds.h"
#include "tests/tiny.h"

enum { IMAGES = 3 };

/* Shapes to try.  Each kernel of a convolution with each stride takes 15. */
static inline int layer_rounds(void)
{
    return rounds_of(40, 15);
}

static const double STEP = 1e-6;

/* The settings, read once: the reference runs thousands of times. */
struct rules {
    long size, stride;
    bool same, max;
    double (*activation)(double x, double slope); /* NULL: none */
    double slope;
};

static inline double relu(double x, double slope)
{
    (void)slope;
    return x > 0.0 ? x : 0.0;
}

static inline double leaky_relu(double x, double slope)
{
    return x > 0.0 ? x : slope * x;
}

static inline double elu(double x, double slope)
{
    (void)slope;
    return x > 0.0 ? x : exp(x) - 1.0;
}

static inline double hyperbolic(double x, double slope)
{
    (void)slope;
    return (exp(x) - exp(-x)) / (exp(x) + exp(-x));
}

static inline double sigmoid(double x, double slope)
{
    (void)slope;
    return 1.0 / (1.0 + exp(-x));
}

static inline double gelu(double x, double slope)
{
    (void)slope;
    return 0.5 * x * (1.0 + erf(x / sqrt(2.0)));
}

static const struct {
    const char *name;
    double (*function)(double x, double slope);
} activations[] = {
    {"none", NULL}, {"relu", relu},         {"leaky_relu", leaky_relu}, {"elu", elu},
    {"gelu", gelu}, {"sigmoid", sigmoid},   {"tanh", hyperbolic},
};

static inline double activate(const struct rules *rules, double x)
{
    return rules->activation ? rules->activation(x, rules->slope) : x;
}

static inline long word(const json_t *settings, const char *name)
{
    return (long)json_integer_value(json_object_get(settings, name));
}

static inline struct rules read_rules(const json_t *settings)
{
    struct rules rules = {
        .size = word(settings, "kernel") + word(settings, "size"),
        .stride = word(settings, "stride"),
        .same = setting_is(settings, "padding", "same"),
        .max = setting_is(settings, "type", "max_pool"),
        .slope = 0.01,
    };
    if (rules.stride == 0)
        rules.stride = rules.size;
    if (json_object_get(settings, "slope"))
        rules.slope = setting_number(settings, "slope");
    for (size_t i = 1; i < ARRAY_LENGTH(activations); i++) {
        if (setting_is(settings, "activation", activations[i].name) ||
            setting_is(settings, "type", activations[i].name))
            rules.activation = activations[i].function;
    }
    return rules;
}

/* One layer with all that it runs on. */
struct bench {
    struct rules rules;
    struct layer layer;
    size_t inputs, outputs; /* of all images */
    float *input, *output, *parameters;
    float *output_gradient; /* kept: the layer may spoil its copy */
    float *spoiled, *input_gradient, *parameter_gradient, *scratch;
    float *arranged;
    void *kept;
    struct pass pass;
};

/* First pixel under window `at` of one axis, by the formulas of the manual. */
static inline long window_start(const struct rules *rules, long input, long output, long at)
{
    long covered = (output - 1) * rules->stride + rules->size;
    return at * rules->stride -
           (rules->same && covered > input ? (covered - input) / 2 : 0);
}

/* What a layer gives for one image, to be written as plainly as can be. */

typedef void reference(const struct bench *bench, const double *x /* one image */,
                       const double *parameters, double *y);

/* ---- a layer on the bench ---- */

static inline void bench_open(struct bench *bench, const char *settings, struct shape input,
                              bool flat, struct rng *rng)
{
    json_t *json = tiny_json(settings);
    *bench = (struct bench){.rules = read_rules(json)};
    bench->layer = (struct layer){.index = 1, .input = input, .input_flat = flat};
    struct failure why = FAILURE_NONE;
    if (layer_prepare(&bench->layer, json, "model[1]", &why) < 0)
        fail_msg("%s: %s", settings, why.text);
    json_decref(json);
    const struct layer *layer = &bench->layer;
    bench->inputs = IMAGES * layer->input_size;
    bench->outputs = IMAGES * layer->output_size;
    bench->input = random_floats(rng, bench->inputs);
    bench->parameters = random_floats(rng, layer->parameter_count);
    bench->output_gradient = random_floats(rng, bench->outputs);
    bench->output = dirty_floats(bench->outputs);
    bench->input_gradient = dirty_floats(bench->inputs);
    bench->parameter_gradient = dirty_floats(layer->parameter_count);
    bench->scratch = dirty_floats(layer->scratch_size);
    bench->arranged = dirty_floats(layer->arranged_size);
    bench->spoiled = dirty_floats(bench->outputs);
    memcpy(bench->spoiled, bench->output_gradient, bench->outputs * sizeof(float));
    bench->kept = xmalloc(IMAGES * layer->kept_size + 1);
    bench->pass = (struct pass){
        .count = IMAGES,
        .training = true,
        .input = bench->input,
        .output = bench->output,
        .kept = bench->kept,
        .parameters = bench->parameters,
        .arranged = bench->arranged,
        .scratch = bench->scratch,
        .output_gradient = bench->spoiled,
        .input_gradient = bench->input_gradient,
        .parameter_gradient = bench->parameter_gradient,
        .seed = 5,
        .step = 3,
        .trial = 2,
        .layer_count = 4,
    };
}

static inline void bench_close(struct bench *bench)
{
    layer_release(&bench->layer);
    free(bench->input);
    free(bench->output);
    free(bench->parameters);
    free(bench->output_gradient);
    free(bench->spoiled);
    free(bench->input_gradient);
    free(bench->parameter_gradient);
    free(bench->scratch);
    free(bench->arranged);
    free(bench->kept);
}

static inline double *doubles(const float *values, size_t count)
{
    double *copy = xcalloc(count + 1, sizeof *copy);
    for (size_t i = 0; i < count; i++)
        copy[i] = values[i];
    return copy;
}

/* sum of y dy over one image: its slope along any value is that value's gradient. */
static inline double objective(const struct bench *bench, reference *run, size_t image,
                               const double *x, const double *w)
{
    size_t size = bench->layer.output_size;
    double *y = xcalloc(size, sizeof *y);
    double sum = 0.0;
    run(bench, x + image * bench->layer.input_size, w, y);
    for (size_t i = 0; i < size; i++)
        sum += y[i] * bench->output_gradient[image * size + i];
    free(y);
    return sum;
}

static inline double slope(const struct bench *bench, reference *run, size_t first, size_t last,
                           const double *x, const double *w, double *value)
{
    double old = *value, difference = 0.0;
    *value = old + STEP;
    for (size_t image = first; image < last; image++)
        difference += objective(bench, run, image, x, w);
    *value = old - STEP;
    for (size_t image = first; image < last; image++)
        difference -= objective(bench, run, image, x, w);
    *value = old;
    return difference / (2.0 * STEP);
}

static inline void check_gradients(const struct bench *bench, reference *run)
{
    size_t parameters = bench->layer.parameter_count;
    double *x = doubles(bench->input, bench->inputs);
    double *w = doubles(bench->parameters, parameters);
    double *dx = xcalloc(bench->inputs, sizeof *dx), *dw = xcalloc(parameters + 1, sizeof *dw);
    for (size_t i = 0; i < bench->inputs; i++) {
        size_t image = i / bench->layer.input_size;
        dx[i] = slope(bench, run, image, image + 1, x, w, &x[i]);
    }
    for (size_t i = 0; i < parameters; i++)
        dw[i] = slope(bench, run, 0, IMAGES, x, w, &w[i]);
    assert_close(bench->input_gradient, dx, bench->inputs);
    assert_close(bench->parameter_gradient, dw, parameters);
    assert_true(bench->input_gradient[bench->inputs] == 1e30f);
    assert_true(bench->parameter_gradient[parameters] == 1e30f);
    free(dw);
    free(dx);
    free(w);
    free(x);
}

static inline void check_outputs(const struct bench *bench, reference *run)
{
    const struct layer *layer = &bench->layer;
    double *x = doubles(bench->input, bench->inputs);
    double *w = doubles(bench->parameters, layer->parameter_count);
    double *y = xcalloc(bench->outputs, sizeof *y);
    for (size_t i = 0; i < IMAGES; i++)
        run(bench, x + i * layer->input_size, w, y + i * layer->output_size);
    assert_close(bench->output, y, bench->outputs);
    assert_true(bench->output[bench->outputs] == 1e30f);
    free(y);
    free(w);
    free(x);
}

/* Also without the gradient of the input, which the first layer is not asked for. */
static inline void check_layer(const char *settings, struct shape input, bool flat, struct rng *rng,
                               reference *run)
{
    struct bench bench;
    bench_open(&bench, settings, input, flat, rng);
    if (bench.layer.type->arrange)
        bench.layer.type->arrange(&bench.layer, &bench.pass);
    assert_true(bench.arranged[bench.layer.arranged_size] == 1e30f);
    bench.layer.type->forward(&bench.layer, &bench.pass);
    check_outputs(&bench, run);
    bench.layer.type->backward(&bench.layer, &bench.pass);
    check_gradients(&bench, run);

    size_t bytes = bench.layer.parameter_count * sizeof(float);
    float *once = memcpy(xmalloc(bytes + 1), bench.parameter_gradient, bytes);
    memcpy(bench.spoiled, bench.output_gradient, bench.outputs * sizeof(float));
    bench.pass.input_gradient = NULL;
    bench.layer.type->backward(&bench.layer, &bench.pass);
    assert_memory_equal(once, bench.parameter_gradient, bytes);
    free(once);
    bench_close(&bench);
}

static inline const char *padding_of(struct rng *rng)
{
    return between(rng, 0, 1) ? "same" : "valid";
}

static inline const char *activation_of(int round)
{
    return activations[(size_t)round % ARRAY_LENGTH(activations)].name;
}

static inline struct shape random_shape(struct rng *rng, size_t least)
{
    static const int channels[] = {1, 3, 2, 5};
    return (struct shape){(int)between(rng, least, 7), (int)between(rng, least, 7),
                          channels[between(rng, 0, 3)]};
}

#endif
