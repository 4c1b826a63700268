/* Every layer, forward and backward, against a reference in double precision that
 * shares nothing with it: outputs directly, gradients by central differences. */
#include "trainer/isa.h"
#include "trainer/layer.h"
#include "trainer/winograd.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/numbers.h"
#include "tests/rounds.h"
#include "tests/tiny.h"

/* Each kernel of a convolution with each stride takes 15. */
enum { ROUNDS = 40, LEAST_ROUNDS = 15, IMAGES = 3 };
static const double STEP = 1e-6;

/* The settings, read once: the reference runs thousands of times. */
struct rules {
    long size, stride;
    bool same, max;
    double (*activation)(double x, double slope); /* NULL: none */
    double slope;
};

static double relu(double x, double slope)
{
    (void)slope;
    return x > 0.0 ? x : 0.0;
}

static double leaky_relu(double x, double slope)
{
    return x > 0.0 ? x : slope * x;
}

static double elu(double x, double slope)
{
    (void)slope;
    return x > 0.0 ? x : exp(x) - 1.0;
}

static double hyperbolic(double x, double slope)
{
    (void)slope;
    return (exp(x) - exp(-x)) / (exp(x) + exp(-x));
}

static double sigmoid(double x, double slope)
{
    (void)slope;
    return 1.0 / (1.0 + exp(-x));
}

static double gelu(double x, double slope)
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

static double activate(const struct rules *rules, double x)
{
    return rules->activation ? rules->activation(x, rules->slope) : x;
}

static long word(const json_t *settings, const char *name)
{
    return (long)json_integer_value(json_object_get(settings, name));
}

static struct rules read_rules(const json_t *settings)
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

/* ---- the reference ---- */

/* First pixel under window `at` of one axis, by the formulas of the manual. */
static long window_start(const struct rules *rules, long input, long output, long at)
{
    long covered = (output - 1) * rules->stride + rules->size;
    return at * rules->stride -
           (rules->same && covered > input ? (covered - input) / 2 : 0);
}

static void reference_conv(const struct bench *bench, const double *x, const double *w, double *y)
{
    struct shape in = bench->layer.input, out = bench->layer.output;
    const struct rules *rules = &bench->rules;
    long size = rules->size, filters = out.channels;
    const double *bias = w + size * size * in.channels * filters;
    for (long oy = 0; oy < out.height; oy++)
        for (long ox = 0; ox < out.width; ox++)
            for (long f = 0; f < filters; f++) {
                double sum = bias[f];
                for (long k = 0; k < size * size; k++) {
                    long iy = window_start(rules, in.height, out.height, oy) + k / size;
                    long ix = window_start(rules, in.width, out.width, ox) + k % size;
                    if (iy < 0 || ix < 0 || iy >= in.height || ix >= in.width)
                        continue;
                    for (long c = 0; c < in.channels; c++)
                        sum += x[(iy * in.width + ix) * in.channels + c] *
                               w[(k * in.channels + c) * filters + f];
                }
                y[(oy * out.width + ox) * filters + f] = activate(rules, sum);
            }
}

static void reference_pool(const struct bench *bench, const double *x, const double *w, double *y)
{
    (void)w;
    struct shape in = bench->layer.input, out = bench->layer.output;
    const struct rules *rules = &bench->rules;
    long size = rules->size;
    for (long o = 0; o < out.height * out.width * out.channels; o++) {
        long c = o % out.channels, ox = o / out.channels % out.width;
        long oy = o / out.channels / out.width;
        double largest = -INFINITY, sum = 0.0, cells = 0.0;
        for (long k = 0; k < size * size; k++) {
            long iy = window_start(rules, in.height, out.height, oy) + k / size;
            long ix = window_start(rules, in.width, out.width, ox) + k % size;
            if (iy < 0 || ix < 0 || iy >= in.height || ix >= in.width)
                continue;
            double value = x[(iy * in.width + ix) * in.channels + c];
            largest = fmax(largest, value);
            sum += value;
            cells += 1.0;
        }
        y[o] = rules->max ? largest : sum / cells;
    }
}

static void reference_dense(const struct bench *bench, const double *x, const double *w, double *y)
{
    size_t inputs = bench->layer.input_size, units = bench->layer.output_size;
    for (size_t u = 0; u < units; u++) {
        double sum = w[inputs * units + u];
        for (size_t i = 0; i < inputs; i++)
            sum += x[i] * w[i * units + u];
        y[u] = activate(&bench->rules, sum);
    }
}

static void reference_activation(const struct bench *bench, const double *x, const double *w,
                                 double *y)
{
    (void)w;
    for (size_t i = 0; i < bench->layer.input_size; i++)
        y[i] = activate(&bench->rules, x[i]);
}

static void reference_global(const struct bench *bench, const double *x, const double *w,
                             double *y)
{
    (void)w;
    size_t channels = bench->layer.output_size, pixels = bench->layer.input_size / channels;
    for (size_t c = 0; c < channels; c++) {
        y[c] = 0.0;
        for (size_t p = 0; p < pixels; p++)
            y[c] += x[p * channels + c] / (double)pixels;
    }
}

typedef void reference(const struct bench *bench, const double *x /* one image */,
                       const double *parameters, double *y);

/* ---- a layer on the bench ---- */

static void bench_open(struct bench *bench, const char *settings, struct shape input, bool flat,
                       struct rng *rng)
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

static void bench_close(struct bench *bench)
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

static double *doubles(const float *values, size_t count)
{
    double *copy = xcalloc(count + 1, sizeof *copy);
    for (size_t i = 0; i < count; i++)
        copy[i] = values[i];
    return copy;
}

/* sum of y dy over one image: its slope along any value is that value's gradient. */
static double objective(const struct bench *bench, reference *run, size_t image, const double *x,
                        const double *w)
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

static double slope(const struct bench *bench, reference *run, size_t first, size_t last,
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

static void check_gradients(const struct bench *bench, reference *run)
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

static void check_outputs(const struct bench *bench, reference *run)
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
static void check_layer(const char *settings, struct shape input, bool flat, struct rng *rng,
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

static const char *padding_of(struct rng *rng)
{
    return between(rng, 0, 1) ? "same" : "valid";
}

static const char *activation_of(int round)
{
    return activations[(size_t)round % ARRAY_LENGTH(activations)].name;
}

static struct shape random_shape(struct rng *rng, size_t least)
{
    static const int channels[] = {1, 3, 2, 5};
    return (struct shape){(int)between(rng, least, 7), (int)between(rng, least, 7),
                          channels[between(rng, 0, 3)]};
}

static void check_conv_gradients(uint64_t dice)
{
    struct rng rng = dice_of(dice);
    int rounds = rounds_of(ROUNDS, LEAST_ROUNDS);
    for (int round = 0; round < rounds; round++) {
        size_t kernel = (size_t)round % 5 + 1, stride = (size_t)round / 5 % 3 + 1;
        char *settings = xasprintf(
            "{\"type\":\"conv\",\"filters\":%zu,\"kernel\":%zu,\"stride\":%zu,"
            "\"padding\":\"%s\",\"activation\":\"%s\",\"weights\":\"he\"}",
            between(&rng, 1, 5), kernel, stride, padding_of(&rng), activation_of(round));
        check_layer(settings, random_shape(&rng, kernel), false, &rng, reference_conv);
        free(settings);
    }
}

/* With the kernels of every instruction set that this processor has, and with none. */
static void conv_gradients_are_right(void **state)
{
    (void)state;
    for (enum isa isa = 0; isa < ISA_COUNT; isa++) {
        if (!isa_available(isa))
            continue;
        assert_int_equal(setenv("TRAINER_ISA", isa_name(isa), 1), 0);
        check_conv_gradients(21);
    }
    assert_int_equal(unsetenv("TRAINER_ISA"), 0);
}

/* Channels enough for vectors, so that the input's gradient does not go by im2col. */
static void conv_of_many_channels_is_right(void **state)
{
    (void)state;
    struct rng rng = dice_of(24);
    for (int round = 0; round < 4; round++) {
        char *settings = xasprintf(
            "{\"type\":\"conv\",\"filters\":%d,\"kernel\":%d,\"stride\":%d,"
            "\"padding\":\"%s\",\"activation\":\"relu\",\"weights\":\"he\"}",
            7 + round, 2 + round / 2, 1 + round / 3, round % 2 ? "same" : "valid");
        check_layer(settings, (struct shape){7, 8, 14}, false, &rng, reference_conv);
        free(settings);
    }
}

/* Channels enough for Winograd's transforms, which must be in use where there are any. */
static void conv_by_winograd_is_right(void **state)
{
    (void)state;
    static const char settings[] = "{\"type\":\"conv\",\"filters\":16,\"kernel\":3,\"stride\":1,"
                                   "\"padding\":\"same\",\"activation\":\"gelu\","
                                   "\"weights\":\"he\"}";
    struct rng rng = dice_of(25);
    struct bench bench;
    bench_open(&bench, settings, (struct shape){4, 4, 16}, false, &rng);
    assert_int_equal(bench.layer.arranged_size > 0, winograd_is_on());
    bench_close(&bench);
    check_layer(settings, (struct shape){4, 4, 16}, false, &rng, reference_conv);
}

/* So many columns that the three images are worked off in two pieces, what gelu keeps
 * of them too. */
static void conv_in_pieces_is_right(void **state)
{
    (void)state;
    struct rng rng = dice_of(22);
    static const char *const words[] = {"none", "gelu"};
    assert_int_equal(setenv("TRAINER_ISA", "portable", 1), 0);
    for (size_t i = 0; i < ARRAY_LENGTH(words); i++) {
        char *settings = xasprintf("{\"type\":\"conv\",\"filters\":1,\"kernel\":9,\"stride\":1,"
                                   "\"padding\":\"same\",\"activation\":\"%s\","
                                   "\"weights\":\"he\"}",
                                   words[i]);
        check_layer(settings, (struct shape){24, 24, 1}, false, &rng, reference_conv);
        free(settings);
    }
    assert_int_equal(unsetenv("TRAINER_ISA"), 0);
}

static void pool_gradients_are_right(void **state)
{
    (void)state;
    struct rng rng = dice_of(23);
    int rounds = rounds_of(ROUNDS, LEAST_ROUNDS);
    for (int round = 0; round < rounds; round++) {
        size_t size = (size_t)round % 5 + 1;
        const char *padding = padding_of(&rng);
        struct shape input = random_shape(&rng, size);
        size_t stride = between(&rng, 0, 3);
        for (int mean = 0; mean < 2; mean++) {
            char *settings = xasprintf(
                "{\"type\":\"%s\",\"size\":%zu,\"stride\":%zu,\"padding\":\"%s\"}",
                mean ? "avg_pool" : "max_pool", size, stride, padding);
            check_layer(settings, input, false, &rng, reference_pool);
            free(settings);
        }
    }
}

static void dense_gradients_are_right(void **state)
{
    (void)state;
    struct rng rng = dice_of(24);
    int rounds = rounds_of(ROUNDS, LEAST_ROUNDS);
    for (int round = 0; round < rounds; round++) {
        char *settings = xasprintf(
            "{\"type\":\"dense\",\"units\":%zu,\"activation\":\"%s\",\"weights\":\"glorot\"}",
            between(&rng, 1, 12), activation_of(round));
        check_layer(settings, (struct shape){1, 1, (int)between(&rng, 1, 30)}, true, &rng,
                    reference_dense);
        free(settings);
    }
}

static void activation_gradients_are_right(void **state)
{
    (void)state;
    struct rng rng = dice_of(25);
    int rounds = rounds_of(ROUNDS, LEAST_ROUNDS);
    for (size_t i = 1; i < ARRAY_LENGTH(activations); i++) {
        char *settings = xasprintf("{\"type\":\"%s\"}", activations[i].name);
        for (int round = 0; round < rounds; round++)
            check_layer(settings, random_shape(&rng, 1), round % 2, &rng, reference_activation);
        free(settings);
    }
    static const char *const slopes[] = {"0.0", "0.3", "1.0"};
    for (size_t i = 0; i < ARRAY_LENGTH(slopes); i++) {
        char *settings = xasprintf("{\"type\":\"leaky_relu\",\"slope\":%s}", slopes[i]);
        check_layer(settings, random_shape(&rng, 3), false, &rng, reference_activation);
        free(settings);
    }
}

/* Far from 0 every function is its limit, and what is not a number shows. */
static void activations_hold_out_far_from_0(void **state)
{
    (void)state;
    struct rng rng = dice_of(30);
    static const float far[] = {-1e4f, -20.0f, 20.0f, 1e4f, NAN};
    for (size_t i = 1; i < ARRAY_LENGTH(activations); i++) {
        char *settings = xasprintf("{\"type\":\"%s\"}", activations[i].name);
        struct bench bench;
        bench_open(&bench, settings, (struct shape){1, 1, ARRAY_LENGTH(far)}, true, &rng);
        memcpy(bench.input, far, sizeof far);
        bench.layer.type->forward(&bench.layer, &bench.pass);
        bench.layer.type->backward(&bench.layer, &bench.pass);
        bool bounded = strcmp(activations[i].name, "tanh") == 0 ||
                       strcmp(activations[i].name, "sigmoid") == 0;
        double low = strcmp(activations[i].name, "leaky_relu") == 0 ? -100.0
                     : activations[i].function == elu || activations[i].function == hyperbolic
                         ? -1.0
                         : 0.0;
        double expected[] = {low, low == -100.0 ? -0.2 : low, bounded ? 1.0 : 20.0,
                             bounded ? 1.0 : 1e4};
        assert_close(bench.output, expected, 4);
        assert_true(isnan(bench.output[4]));
        for (size_t k = 0; k < 4; k++)
            assert_true(isfinite(bench.input_gradient[k]));
        bench_close(&bench);
        free(settings);
    }
}

static void global_avg_pool_gradients_are_right(void **state)
{
    (void)state;
    struct rng rng = dice_of(35);
    int rounds = rounds_of(ROUNDS, LEAST_ROUNDS);
    for (int round = 0; round < rounds; round++)
        check_layer("{\"type\":\"global_avg_pool\"}", random_shape(&rng, 1), false, &rng,
                    reference_global);
}

static void global_avg_pool_gives_a_vector_of_an_image_only(void **state)
{
    (void)state;
    struct rng rng = dice_of(36);
    struct bench bench;
    bench_open(&bench, "{\"type\":\"global_avg_pool\"}", (struct shape){4, 6, 3}, false, &rng);
    assert_true(bench.layer.output_flat);
    assert_int_equal(bench.layer.output_size, 3);
    json_t *json = tiny_json("{\"type\":\"global_avg_pool\"}");
    struct layer refused = {.index = 2, .input = bench.layer.output, .input_flat = true};
    struct failure why = FAILURE_NONE;
    assert_int_equal(layer_prepare(&refused, json, "model[2]", &why), -1);
    assert_string_equal(why.where, "model[2]");
    failure_clear(&why);
    json_decref(json);
    bench_close(&bench);
}

/* ---- dropout ---- */

static void dropout_keeps_a_share_and_scales_it(void **state)
{
    (void)state;
    struct rng rng = dice_of(26);
    struct bench bench;
    bench_open(&bench, "{\"type\":\"dropout\",\"rate\":0.25}", (struct shape){20, 20, 5}, false,
               &rng);
    bench.layer.type->forward(&bench.layer, &bench.pass);
    bench.layer.type->backward(&bench.layer, &bench.pass);
    float scale = 1.0f / (1.0f - 0.25f);
    size_t kept = 0;
    for (size_t i = 0; i < bench.outputs; i++) {
        bool keeps = bench.output[i] != 0.0f;
        assert_true(!keeps || bench.output[i] == bench.input[i] * scale);
        assert_true(bench.input_gradient[i] == (keeps ? bench.output_gradient[i] * scale : 0.0f));
        kept += keeps;
    }
    double share = (double)kept / (double)bench.outputs;
    assert_true(share > 0.73 && share < 0.77); /* 6000 draws: the deviation is 0.0056 */
    bench_close(&bench);
}

static void dropout_does_not_depend_on_the_split(void **state)
{
    (void)state;
    struct rng rng = dice_of(27);
    struct bench bench;
    bench_open(&bench, "{\"type\":\"dropout\",\"rate\":0.5}", (struct shape){3, 3, 7}, false, &rng);
    size_t size = bench.layer.output_size;
    bench.layer.type->forward(&bench.layer, &bench.pass);
    for (size_t i = 0; i < IMAGES; i++) {
        float *alone = dirty_floats(size);
        struct pass pass = bench.pass;
        pass.first = i;
        pass.count = 1;
        pass.input += i * size;
        pass.output = alone;
        bench.layer.type->forward(&bench.layer, &pass);
        assert_memory_equal(alone, bench.output + i * size, size * sizeof(float));
        free(alone);
    }
    bench_close(&bench);
}

static bool drops_alike(struct bench *bench, const float *output)
{
    bench->layer.type->forward(&bench->layer, &bench->pass);
    return memcmp(output, bench->output, bench->outputs * sizeof(float)) == 0;
}

static void dropout_depends_on_seed_trial_step_and_layer(void **state)
{
    (void)state;
    struct rng rng = dice_of(28);
    struct bench bench;
    bench_open(&bench, "{\"type\":\"dropout\",\"rate\":0.5}", (struct shape){5, 5, 4}, false, &rng);
    bench.layer.type->forward(&bench.layer, &bench.pass);
    float *output = memcpy(xmalloc(bench.outputs * sizeof(float)), bench.output,
                           bench.outputs * sizeof(float));
    assert_true(drops_alike(&bench, output));
    const struct pass pass = bench.pass;
    bench.pass.seed++;
    assert_false(drops_alike(&bench, output));
    bench.pass = pass;
    bench.pass.trial++;
    assert_false(drops_alike(&bench, output));
    bench.pass = pass;
    bench.pass.step++;
    assert_false(drops_alike(&bench, output));
    bench.pass = pass;
    bench.layer.index++;
    assert_false(drops_alike(&bench, output));
    free(output);
    bench_close(&bench);
}

static void dropout_does_nothing_outside_training(void **state)
{
    (void)state;
    struct rng rng = dice_of(29);
    struct bench bench;
    bench_open(&bench, "{\"type\":\"dropout\",\"rate\":0.9}", (struct shape){3, 3, 2}, false, &rng);
    bench.pass.training = false;
    bench.layer.type->forward(&bench.layer, &bench.pass);
    assert_memory_equal(bench.output, bench.input, bench.outputs * sizeof(float));
    bench_close(&bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(conv_gradients_are_right),
        cmocka_unit_test(conv_of_many_channels_is_right),
        cmocka_unit_test(conv_by_winograd_is_right),
        cmocka_unit_test(conv_in_pieces_is_right),
        cmocka_unit_test(pool_gradients_are_right),
        cmocka_unit_test(dense_gradients_are_right),
        cmocka_unit_test(activation_gradients_are_right),
        cmocka_unit_test(activations_hold_out_far_from_0),
        cmocka_unit_test(global_avg_pool_gradients_are_right),
        cmocka_unit_test(global_avg_pool_gives_a_vector_of_an_image_only),
        cmocka_unit_test(dropout_keeps_a_share_and_scales_it),
        cmocka_unit_test(dropout_does_not_depend_on_the_split),
        cmocka_unit_test(dropout_depends_on_seed_trial_step_and_layer),
        cmocka_unit_test(dropout_does_nothing_outside_training),
    };
    return cmocka_run_group_tests_name("layers", tests, NULL, NULL);
}
