/* batch_norm: the layer alone against tests/reference.h, outputs directly and gradients by
 * central differences; then what a network makes of its sums and its running values. */
#include "trainer/layer.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/numbers.h"
#include "tests/reference.h"
#include "tests/tiny.h"

enum { ROUNDS = 40 };
static const double STEP = 1e-6;

#define NORM(momentum) \
    "{\"type\":\"batch_norm\",\"momentum\":" #momentum ",\"epsilon\":1e-3}"

/* ---- the layer alone ---- */

/* One layer with a batch in a single share, so that its sums are the batch's. */
struct bench {
    json_t *settings;
    struct layer layer;
    size_t images, values; /* of all images */
    float *input, *output, *parameters, *statistics;
    float *output_gradient, *input_gradient, *parameter_gradient, *scratch;
    double *gathered, *gathered_back;
    struct pass pass;
};

static struct bench bench_open(struct shape input, bool flat, size_t images, struct rng *rng)
{
    struct bench bench = {.settings = tiny_json(NORM(0.9)), .images = images};
    struct layer *layer = &bench.layer;
    *layer = (struct layer){.index = 1, .input = input, .input_flat = flat};
    assert_int_equal(layer_prepare(layer, bench.settings, "model[1]", NULL), 0);
    bench.values = images * layer->input_size;
    bench.input = random_floats(rng, bench.values);
    bench.parameters = random_floats(rng, layer->parameter_count);
    bench.output_gradient = random_floats(rng, bench.values);
    bench.output = dirty_floats(bench.values);
    bench.input_gradient = dirty_floats(bench.values);
    bench.parameter_gradient = dirty_floats(layer->parameter_count);
    bench.statistics = dirty_floats(layer->statistic_count);
    bench.scratch = dirty_floats(layer->scratch_size);
    bench.gathered = xcalloc(layer->gathered_count, sizeof *bench.gathered);
    bench.gathered_back = xcalloc(layer->gathered_count, sizeof *bench.gathered_back);
    return bench;
}

static void bench_close(struct bench *bench)
{
    layer_release(&bench->layer);
    json_decref(bench->settings);
    free(bench->input);
    free(bench->output);
    free(bench->parameters);
    free(bench->statistics);
    free(bench->output_gradient);
    free(bench->input_gradient);
    free(bench->parameter_gradient);
    free(bench->scratch);
    free(bench->gathered);
    free(bench->gathered_back);
}

/* The images from `first` on. */
static struct pass part_of(const struct bench *bench, size_t first, size_t count)
{
    size_t at = first * bench->layer.input_size;
    return (struct pass){
        .first = first,
        .count = count,
        .batch_count = bench->images,
        .training = true,
        .input = bench->input + at,
        .output = bench->output + at,
        .parameters = bench->parameters,
        .statistics = bench->statistics,
        .gathered = bench->gathered,
        .gathered_back = bench->gathered_back,
        .scratch = bench->scratch,
        .output_gradient = bench->output_gradient + at,
        .input_gradient = bench->input_gradient + at,
        .parameter_gradient = bench->parameter_gradient,
    };
}

static void run_layer(struct bench *bench)
{
    const struct layer *layer = &bench->layer;
    struct pass pass = part_of(bench, 0, bench->images);
    layer->type->gather(layer, &pass, bench->gathered);
    layer->type->forward(layer, &pass);
    layer->type->gather_back(layer, &pass, bench->gathered_back);
    layer->type->backward(layer, &pass);
}

static struct block run_reference(const struct bench *bench, const double *x, const double *w)
{
    struct shape shape = bench->layer.input;
    struct reference reference = {.parameters = w, .training = true};
    return reference_norm(&reference, bench->settings,
                          (struct block){bench->images, (size_t)shape.height,
                                         (size_t)shape.width, (size_t)shape.channels,
                                         (double *)x});
}

/* sum of y dy */
static double objective(const struct bench *bench, const double *x, const double *w)
{
    struct block y = run_reference(bench, x, w);
    double sum = 0.0;
    for (size_t i = 0; i < bench->values; i++)
        sum += y.at[i] * bench->output_gradient[i];
    free(y.at);
    return sum;
}

static void slopes(const struct bench *bench, const double *x, const double *w, double *values,
                   size_t count, double *found)
{
    for (size_t i = 0; i < count; i++) {
        double old = values[i];
        values[i] = old + STEP;
        found[i] = objective(bench, x, w);
        values[i] = old - STEP;
        found[i] = (found[i] - objective(bench, x, w)) / (2.0 * STEP);
        values[i] = old;
    }
}

static void check_layer(struct bench *bench)
{
    size_t parameters = bench->layer.parameter_count;
    double *x = xcalloc(bench->values, sizeof *x), *w = xcalloc(parameters, sizeof *w);
    double *dx = xcalloc(bench->values, sizeof *dx), *dw = xcalloc(parameters, sizeof *dw);
    for (size_t i = 0; i < bench->values; i++)
        x[i] = bench->input[i];
    for (size_t i = 0; i < parameters; i++)
        w[i] = bench->parameters[i];
    run_layer(bench);
    struct block y = run_reference(bench, x, w);
    assert_close(bench->output, y.at, bench->values);
    slopes(bench, x, w, x, bench->values, dx);
    slopes(bench, x, w, w, parameters, dw);
    assert_close(bench->input_gradient, dx, bench->values);
    assert_close(bench->parameter_gradient, dw, parameters);
    assert_true(bench->output[bench->values] == 1e30f);
    assert_true(bench->input_gradient[bench->values] == 1e30f);
    assert_true(bench->parameter_gradient[parameters] == 1e30f);
    free(y.at);
    free(dw);
    free(dx);
    free(w);
    free(x);
}

static void outputs_and_gradients_are_right(void **state)
{
    (void)state;
    struct rng rng = dice_of(81);
    for (int round = 0; round < ROUNDS; round++) {
        bool flat = round % 2;
        int side = flat ? 1 : (int)between(&rng, 1, 4), channels = (int)between(&rng, 1, 9);
        size_t images = between(&rng, flat ? 4 : 1, 7); /* of one image, too */
        struct bench bench = bench_open((struct shape){side, side, channels}, flat, images, &rng);
        if (images * (size_t)(side * side) > 3) /* else the variance may be next to none */
            check_layer(&bench);
        bench_close(&bench);
    }
}

/* In float, the mean of x^2 would have lost all digits of the variance here. */
static void a_mean_far_from_0_costs_no_digits(void **state)
{
    (void)state;
    struct rng rng = dice_of(82);
    struct bench bench = bench_open((struct shape){3, 4, 5}, false, 4, &rng);
    for (size_t i = 0; i < bench.values; i++)
        bench.input[i] += 1000.0f;
    run_layer(&bench);
    for (size_t c = 0; c < 5; c++) {
        double sum = 0.0, squares = 0.0, gamma = bench.parameters[c];
        for (size_t i = c; i < bench.values; i += 5) {
            double value = (bench.output[i] - bench.parameters[5 + c]) / gamma;
            sum += value / 48.0;
            squares += value * value / 48.0;
        }
        assert_true(fabs(sum) < 1e-3);
        assert_true(fabs(squares - 1.0) < 0.01); /* epsilon takes a little */
    }
    bench_close(&bench);
}

/* One vector, or one value again and again: the variance is 0. */
static void what_does_not_vary_becomes_beta_and_passes_nothing_back(void **state)
{
    (void)state;
    struct rng rng = dice_of(83);
    struct bench bench = bench_open((struct shape){1, 1, 6}, true, 1, &rng);
    run_layer(&bench);
    assert_memory_equal(bench.output, bench.parameters + 6, 6 * sizeof(float));
    for (size_t i = 0; i < 6; i++) {
        assert_true(fabs(bench.input_gradient[i]) < 1e-5);
        assert_true(bench.parameter_gradient[i] == 0.0f);
        assert_true(bench.parameter_gradient[6 + i] == bench.output_gradient[i]);
    }
    bench_close(&bench);
}

static void what_is_not_a_number_shows(void **state)
{
    (void)state;
    struct rng rng = dice_of(84);
    struct bench bench = bench_open((struct shape){2, 2, 2}, false, 3, &rng);
    bench.input[0] = NAN;
    run_layer(&bench);
    for (size_t i = 0; i < bench.values; i++)
        assert_true(isnan(bench.output[i]) == (i % 2 == 0));
    bench_close(&bench);
}

/* However the batch is shared out, its images see the same sums and add the same. */
static void shares_add_up_to_the_batch(void **state)
{
    (void)state;
    enum { IMAGES = 5, FIRST = 2 };
    struct rng rng = dice_of(85);
    struct bench bench = bench_open((struct shape){3, 3, 4}, false, IMAGES, &rng);
    const struct layer *layer = &bench.layer;
    run_layer(&bench);
    struct pass parts[] = {part_of(&bench, 0, FIRST), part_of(&bench, FIRST, IMAGES - FIRST)};
    double shares[2][8] = {{0}}, back[2][8] = {{0}};
    float gradients[2][8];
    float *whole = memcpy(xmalloc(bench.values * sizeof(float)), bench.input_gradient,
                          bench.values * sizeof(float));
    for (size_t i = 0; i < 2; i++) {
        parts[i].parameter_gradient = gradients[i];
        layer->type->gather(layer, &parts[i], shares[i]);
        layer->type->gather_back(layer, &parts[i], back[i]);
        layer->type->backward(layer, &parts[i]);
    }
    for (size_t i = 0; i < 8; i++) {
        assert_true(fabs(shares[0][i] + shares[1][i] - bench.gathered[i]) < 1e-5);
        assert_true(fabs(back[0][i] + back[1][i] - bench.gathered_back[i]) < 1e-5);
        assert_true(gradients[0][i] + gradients[1][i] == bench.parameter_gradient[i]);
    }
    assert_memory_equal(whole, bench.input_gradient, bench.values * sizeof(float));
    free(whole);
    bench_close(&bench);
}

/* ---- in a network ---- */

static struct network *build(const char *model, struct shape input, int classes, int threads)
{
    struct failure why = FAILURE_NONE;
    json_t *json = tiny_json(model);
    struct network *network = network_new(json, input, classes, threads, &why);
    json_decref(json);
    if (!network)
        fail_msg("%s: %s", why.where ? why.where : "", why.text);
    network_initialize(network, 3, 1);
    return network;
}

static uint16_t *random_labels(struct rng *rng, size_t count, size_t classes)
{
    uint16_t *labels = xcalloc(count, sizeof *labels);
    for (size_t i = 0; i < count; i++)
        labels[i] = (uint16_t)rng_below(rng, classes);
    return labels;
}

/* A step of plain gradient descent. */
static void train(struct network *network, const float *images, const uint16_t *labels,
                  size_t count, uint64_t step)
{
    double loss;
    size_t correct;
    network_gradient(network, images, labels, count, 3, 1, step, &loss, &correct);
    for (size_t i = 0; i < network_parameter_count(network); i++)
        network_parameters(network)[i] -= 0.1f * network_gradients(network)[i];
}

static const char two_norms[] =
    "[" NORM(0.9) ",{\"type\":\"conv\",\"filters\":5,\"kernel\":3,\"stride\":1,"
    "\"padding\":\"same\",\"activation\":\"none\",\"weights\":\"he\"}," NORM(0.75) ","
    "{\"type\":\"relu\"},{\"type\":\"flatten\"},"
    "{\"type\":\"dense\",\"units\":3,\"activation\":\"none\",\"weights\":\"he\"}]";

static void running_values_follow_the_batches(void **state)
{
    (void)state;
    enum { IMAGES = 35, PIXELS = 12, CHANNELS = 2, STEPS = 4 };
    struct rng rng = dice_of(86);
    struct network *network = build(two_norms, (struct shape){3, 4, CHANNELS}, 3, 2);
    double expected[2 * CHANNELS] = {0.0, 0.0, 1.0, 1.0};
    assert_int_equal(network_statistic_count(network), 2 * 2 + 2 * 5);
    assert_close(network_statistics(network), expected, 2 * CHANNELS);
    for (uint64_t step = 0; step < STEPS; step++) {
        float *images = random_floats(&rng, IMAGES * PIXELS * CHANNELS);
        uint16_t *labels = random_labels(&rng, IMAGES, 3);
        train(network, images, labels, IMAGES, step);
        for (size_t c = 0; c < CHANNELS; c++) {
            double mean = 0.0, variance = 0.0, rows = IMAGES * PIXELS;
            for (size_t i = c; i < IMAGES * PIXELS * CHANNELS; i += CHANNELS)
                mean += images[i] / rows;
            for (size_t i = c; i < IMAGES * PIXELS * CHANNELS; i += CHANNELS)
                variance += pow(images[i] - mean, 2.0) / rows;
            expected[c] = 0.9 * expected[c] + 0.1 * mean;
            expected[CHANNELS + c] = 0.9 * expected[CHANNELS + c] + 0.1 * variance;
        }
        assert_close(network_statistics(network), expected, 2 * CHANNELS);
        free(labels);
        free(images);
    }
    network_initialize(network, 3, 1);
    assert_true(network_statistics(network)[0] == 0.0f);
    assert_true(network_statistics(network)[2] == 1.0f);
    assert_true(network_statistics(network)[4] == 0.0f);
    assert_true(network_statistics(network)[9] == 1.0f);
    network_free(network);
}

static void steps_have_the_same_bits_for_every_number_of_threads(void **state)
{
    (void)state;
    static const size_t counts[] = {1, 16, 17, 100, 300};
    static const int threads[] = {1, 2, 3, 5};
    struct rng rng = dice_of(87);
    float *images = random_floats(&rng, 300 * 24);
    uint16_t *labels = random_labels(&rng, 300, 3);
    for (size_t c = 0; c < ARRAY_LENGTH(counts); c++) {
        struct network *networks[ARRAY_LENGTH(threads)];
        for (size_t t = 0; t < ARRAY_LENGTH(threads); t++) {
            networks[t] = build(two_norms, (struct shape){3, 4, 2}, 3, threads[t]);
            for (uint64_t step = 0; step < 2; step++)
                train(networks[t], images, labels, counts[c], step);
            assert_memory_equal(network_parameters(networks[0]), network_parameters(networks[t]),
                                network_parameter_count(networks[0]) * sizeof(float));
            assert_memory_equal(network_statistics(networks[0]), network_statistics(networks[t]),
                                network_statistic_count(networks[0]) * sizeof(float));
        }
        for (size_t t = 0; t < ARRAY_LENGTH(threads); t++)
            network_free(networks[t]);
    }
    free(labels);
    free(images);
}

/* Parameters and statistics are all that a network has to remember. */
static void going_on_equals_never_having_stopped(void **state)
{
    (void)state;
    enum { IMAGES = 30 };
    struct rng rng = dice_of(88);
    float *images = random_floats(&rng, IMAGES * 24);
    uint16_t *labels = random_labels(&rng, IMAGES, 3);
    struct network *whole = build(two_norms, (struct shape){3, 4, 2}, 3, 1);
    struct network *later = build(two_norms, (struct shape){3, 4, 2}, 3, 1);
    float logits[2][IMAGES * 3];
    for (uint64_t step = 0; step < 6; step++) {
        if (step == 3) {
            memcpy(network_parameters(later), network_parameters(whole),
                   network_parameter_count(whole) * sizeof(float));
            memcpy(network_statistics(later), network_statistics(whole),
                   network_statistic_count(whole) * sizeof(float));
        }
        train(whole, images, labels, IMAGES, step);
        if (step >= 3)
            train(later, images, labels, IMAGES, step);
    }
    network_predict(whole, images, IMAGES, logits[0]);
    network_predict(later, images, IMAGES, logits[1]);
    assert_memory_equal(logits[0], logits[1], sizeof logits[0]);
    network_free(later);
    network_free(whole);
    free(labels);
    free(images);
}

/* The running values decide, not who is predicted beside. */
static void a_prediction_does_not_depend_on_the_others_in_its_batch(void **state)
{
    (void)state;
    enum { IMAGES = 40, SIZE = 36 };
    struct rng rng = dice_of(89);
    float *images = random_floats(&rng, IMAGES * SIZE);
    uint16_t *labels = random_labels(&rng, IMAGES, 4);
    struct network *network =
        build("[" NORM(0.5) ",{\"type\":\"relu\"},{\"type\":\"global_avg_pool\"}]",
              (struct shape){3, 3, 4}, 4, 2);
    float together[IMAGES * 4], alone[4];
    for (uint64_t step = 0; step < 3; step++)
        train(network, images, labels, IMAGES, step);
    network_predict(network, images, IMAGES, together);
    for (size_t i = 0; i < IMAGES; i++) {
        network_predict(network, images + i * SIZE, 1, alone);
        assert_memory_equal(alone, together + 4 * i, sizeof alone);
    }
    network_free(network);
    free(labels);
    free(images);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(outputs_and_gradients_are_right),
        cmocka_unit_test(a_mean_far_from_0_costs_no_digits),
        cmocka_unit_test(what_does_not_vary_becomes_beta_and_passes_nothing_back),
        cmocka_unit_test(what_is_not_a_number_shows),
        cmocka_unit_test(shares_add_up_to_the_batch),
        cmocka_unit_test(running_values_follow_the_batches),
        cmocka_unit_test(steps_have_the_same_bits_for_every_number_of_threads),
        cmocka_unit_test(going_on_equals_never_having_stopped),
        cmocka_unit_test(a_prediction_does_not_depend_on_the_others_in_its_batch),
    };
    return cmocka_run_group_tests_name("layer_batch_norm", tests, NULL, NULL);
}
