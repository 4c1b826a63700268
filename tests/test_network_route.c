/* Networks whose layers are no plain row, against tests/reference.h: the loss, its gradient
 * by central differences, predictions; named cases first, then architectures by chance. */
#include "trainer/network.h"

#include "trainer/network_parts.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "tests/numbers.h"
#include "tests/reference.h"
#include "tests/rounds.h"
#include "tests/tiny.h"

enum { CLASSES = 3, SEED = 11, TRIAL = 2, STEP_NUMBER = 5 };
/* So small that hardly any relu or max_pool turns over within it. */
static const double STEP = 1e-8;

/* A network with a batch and what the reference needs of it. */
struct bench {
    json_t *model;
    struct network *network;
    struct shape input;
    size_t count, parameters;
    float *images;
    double *x, *w;
    uint16_t *labels;
};

static struct network *build(const json_t *model, struct shape input, int threads)
{
    struct failure why = FAILURE_NONE;
    struct network *network = network_new(model, input, CLASSES, threads, &why);
    if (!network)
        fail_msg("%s: %s", why.where ? why.where : "", why.text);
    return network;
}

static double *doubles(const float *values, size_t count)
{
    double *copy = xcalloc(count + 1, sizeof *copy);
    for (size_t i = 0; i < count; i++)
        copy[i] = values[i];
    return copy;
}

/* Every parameter is moved, and some are turned over, so that biases and batch_norm's are none that
 * go unnoticed, nor batch_norm's signs. */
static struct bench bench_open(json_t *model, struct shape input, size_t count, struct rng *rng)
{
    struct bench bench = {.model = model, .input = input, .count = count};
    size_t values = count * (size_t)(input.height * input.width * input.channels);
    bench.network = build(model, input, 2);
    bench.parameters = network_parameter_count(bench.network);
    bench.images = random_floats(rng, values);
    bench.labels = xcalloc(count, sizeof *bench.labels);
    for (size_t i = 0; i < count; i++)
        bench.labels[i] = (uint16_t)rng_below(rng, CLASSES);
    network_initialize(bench.network, SEED, TRIAL);
    for (size_t i = 0; i < bench.parameters; i++) {
        float *parameter = &network_parameters(bench.network)[i];
        *parameter += 0.2f * rng_float(rng) - 0.1f;
        if (between(rng, 0, 3) == 0)
            *parameter = -*parameter;
    }
    bench.x = doubles(bench.images, values);
    bench.w = doubles(network_parameters(bench.network), bench.parameters);
    return bench;
}

static void bench_close(struct bench *bench)
{
    network_free(bench->network);
    json_decref(bench->model);
    free(bench->images);
    free(bench->labels);
    free(bench->x);
    free(bench->w);
}

static void run_network(struct bench *bench, double *loss)
{
    size_t correct;
    network_gradient(bench->network, bench->images, bench->labels, bench->count, SEED, TRIAL,
                     STEP_NUMBER, loss, &correct);
}

/* ---- the reference ---- */

static struct block run_reference(const struct bench *bench, const double *w,
                                  const double *statistics)
{
    struct reference reference = {
        .parameters = w,
        .statistics = statistics,
        .layers = network_layer_count(bench->network),
        .training = statistics == NULL,
        .seed = SEED,
        .step = STEP_NUMBER,
        .trial = TRIAL,
    };
    struct block x = {bench->count, (size_t)bench->input.height, (size_t)bench->input.width,
                      (size_t)bench->input.channels, bench->x};
    struct block logits = reference_list(&reference, bench->model, x);
    assert_ptr_equal(reference.parameters, w + bench->parameters);
    assert_int_equal(reference.layer, reference.layers);
    return logits;
}

static double find_loss(const struct bench *bench, const double *w)
{
    struct block logits = run_reference(bench, w, NULL);
    double loss = reference_loss(logits, bench->labels);
    free(logits.at);
    return loss;
}

/* The loss along +-1 in the parameters [first, last), against the gradient along it. */
static void check_slope(const struct bench *bench, size_t first, size_t last, struct rng *rng)
{
    const float *gradient = network_gradients(bench->network);
    double *up = xcalloc(bench->parameters, sizeof *up);
    double *down = xcalloc(bench->parameters, sizeof *down);
    double expected = 0.0, norm = 0.0;
    memcpy(up, bench->w, bench->parameters * sizeof *up);
    memcpy(down, bench->w, bench->parameters * sizeof *down);
    for (size_t i = first; i < last; i++) {
        double side = between(rng, 0, 1) ? 1.0 : -1.0;
        up[i] += side * STEP;
        down[i] -= side * STEP;
        expected += side * gradient[i];
        norm += (double)gradient[i] * gradient[i];
    }
    double slope = (find_loss(bench, up) - find_loss(bench, down)) / (2.0 * STEP);
    if (!(fabs(slope - expected) <= 2e-6 + 1e-4 * sqrt(norm))) {
        char *model = json_dumps(bench->model, JSON_COMPACT);
        fail_msg("parameters %zu to %zu: the slope is %.9g, the gradient's %.9g (norm %.3g) in %s",
                 first, last, slope, expected, sqrt(norm), model);
    }
    free(down);
    free(up);
}

static void check_gradient(struct bench *bench, struct rng *rng)
{
    double loss;
    run_network(bench, &loss);
    double expected = find_loss(bench, bench->w);
    if (!(fabs(loss - expected) <= 1e-5 * (1.0 + expected))) {
        char *model = json_dumps(bench->model, JSON_COMPACT);
        fail_msg("the loss is %.9g, not %.9g, of %s", loss, expected, model);
    }
    for (int i = 0; i < 3; i++)
        check_slope(bench, 0, bench->parameters, rng);
    size_t first = 0;
    for (size_t i = 0; i < network_layer_count(bench->network); i++) {
        struct layer_summary layer;
        network_layer(bench->network, i, &layer);
        if (layer.parameters > 0)
            check_slope(bench, first, first + layer.parameters, rng);
        first += layer.parameters;
    }
}

/* With statistics as a step of training has left them. */
static void check_prediction(struct bench *bench)
{
    size_t count = network_statistic_count(bench->network);
    double *statistics = doubles(network_statistics(bench->network), count);
    float *logits = dirty_floats(bench->count * CLASSES);
    struct block expected = run_reference(bench, bench->w, statistics);
    network_predict(bench->network, bench->images, bench->count, logits);
    for (size_t i = 0; i < bench->count * CLASSES; i++) {
        if (!(fabs(logits[i] - expected.at[i]) <= 2e-5 * (1.0 + fabs(expected.at[i])))) {
            char *model = json_dumps(bench->model, JSON_COMPACT);
            fail_msg("logit %zu is %.9g, not %.9g, of %s", i, logits[i], expected.at[i], model);
        }
    }
    assert_true(logits[bench->count * CLASSES] == 1e30f);
    free(expected.at);
    free(logits);
    free(statistics);
}

static void check_network(json_t *model, struct shape input, size_t count, struct rng *rng)
{
    struct bench bench = bench_open(model, input, count, rng);
    check_gradient(&bench, rng);
    check_prediction(&bench);
    bench_close(&bench);
}

/* ---- residuals ---- */

#define CONV(filters, stride, activation)                                                     \
    "{\"type\":\"conv\",\"filters\":" #filters ",\"kernel\":3,\"stride\":" #stride              \
    ",\"padding\":\"same\",\"activation\":\"" #activation "\",\"weights\":\"he\"}"
#define DENSE(units, activation)                                                              \
    "{\"type\":\"dense\",\"units\":" #units ",\"activation\":\"" #activation "\","              \
    "\"weights\":\"glorot\"}"
#define RESIDUAL(layers) "{\"type\":\"residual\",\"layers\":[" layers "]}"
#define NORM "{\"type\":\"batch_norm\",\"momentum\":0.9,\"epsilon\":1e-5}"
#define RELU "{\"type\":\"relu\"}"
#define POOL "{\"type\":\"max_pool\",\"size\":2,\"stride\":0,\"padding\":\"same\"}"
#define WIDE_POOL                                                                             \
    "{\"type\":\"max_pool\",\"size\":3,\"stride\":2,\"padding\":\"same\"}"
#define TILES "{\"type\":\"max_pool\",\"size\":2,\"stride\":0,\"padding\":\"valid\"}"
#define DROPOUT "{\"type\":\"dropout\",\"rate\":0.25}"
#define FLATTEN "{\"type\":\"flatten\"}"
#define END FLATTEN "," DENSE(3, none)

/* 37 images: three shards, of which the last is not full. */
static void residuals_equal_the_reference(void **state)
{
    (void)state;
    static const char *const models[] = {
        /* the input itself goes around, with nothing to train before it, or with */
        "[" RESIDUAL(CONV(2, 1, tanh)) "," END "]",
        "[" CONV(4, 1, relu) "," RESIDUAL(CONV(4, 1, relu) "," CONV(4, 1, none)) "," RELU "," END
        "]",
        /* a projection: other channels, a stride, both; a pool's stride */
        "[" CONV(2, 1, none) "," RESIDUAL(CONV(5, 1, relu)) "," END "]",
        "[" CONV(2, 1, none) "," RESIDUAL(CONV(2, 2, relu)) "," END "]",
        "[" CONV(2, 1, none) "," RESIDUAL(CONV(4, 1, gelu) "," POOL "," CONV(3, 2, tanh)) "," END
        "]",
        "[" RESIDUAL(POOL) "," END "]",
        /* two in a row, one within the other, one that begins with another */
        "[" RESIDUAL(CONV(4, 2, relu)) "," RESIDUAL(CONV(4, 1, relu)) "," END "]",
        "[" CONV(3, 1, none) "," RESIDUAL(CONV(4, 1, relu) "," RESIDUAL(CONV(4, 1, gelu) ","
        CONV(4, 1, none)) "," CONV(3, 1, none)) "," END "]",
        "[" CONV(3, 1, none) "," RESIDUAL(RESIDUAL(RESIDUAL(RESIDUAL(CONV(3, 1, tanh))
        "," CONV(4, 1, none)))) "," END "]",
        "[" CONV(3, 1, none) "," RESIDUAL(RESIDUAL(CONV(4, 2, tanh)) "," RELU) "," END "]",
        /* with what depends on the batch and on chance */
        "[" CONV(3, 1, none) "," NORM "," RELU "," RESIDUAL(CONV(4, 2, none) "," NORM "," RELU
        "," DROPOUT "," CONV(4, 1, none) "," NORM) "," RELU "," DROPOUT "," END "]",
        "[" NORM "," RESIDUAL(NORM) "," END "]",
        /* vectors; layers that do nothing but hand on */
        "[" FLATTEN "," DENSE(6, tanh) "," RESIDUAL(DENSE(6, gelu) "," DROPOUT) ","
        RESIDUAL(DENSE(5, relu) "," NORM "," DENSE(4, none)) "," DENSE(3, none) "]",
        "[" FLATTEN "," DENSE(6, tanh) "," RESIDUAL(FLATTEN) "," RESIDUAL(FLATTEN ","
        RESIDUAL(FLATTEN) "," FLATTEN) "," DENSE(3, none) "]",
        "[" FLATTEN "," RESIDUAL(DENSE(3, none)) "]",
        /* none at all: relu's gradient is stopped by what follows, outputs are not kept, and
         * gradients handed on by blocks, or by shards where a layer has many parameters */
        "[" CONV(12, 1, relu) "," POOL "," CONV(12, 1, relu) "," POOL "," DROPOUT "," END "]",
        "[" CONV(12, 1, relu) "," NORM "," POOL "," CONV(12, 1, none) "," NORM "," RELU "," END
        "]",
        "[" CONV(4, 1, relu) "," NORM "," DROPOUT "," CONV(12, 2, relu) "," CONV(12, 1, gelu) ","
        CONV(12, 1, relu) "," NORM "," POOL "," END "]",
        /* batch_norm does the pool behind it: of few channels and of many, in tiles that leave a
         * row and in windows that meet, on images, at the end, behind a layer with its own shards;
         * not where a shortcut reads what is not pooled */
        "[" CONV(17, 1, relu) "," NORM "," TILES "," CONV(17, 1, none) "," NORM "," TILES "," END
        "]",
        "[" CONV(17, 1, relu) "," NORM "," WIDE_POOL "," DROPOUT "," NORM "," POOL "," END "]",
        "[" NORM "," WIDE_POOL "," RESIDUAL(NORM "," POOL "," CONV(3, 1, none)) "," END "]",
        "[" CONV(3, 1, none) "," NORM "," RESIDUAL(TILES "," NORM "," TILES) "," END "]",
        "[" CONV(3, 1, none) "," NORM "," RESIDUAL(RESIDUAL(POOL)) "," NORM "," POOL "," END "]",
    };
    struct rng rng = dice_of(71);
    for (size_t i = 0; i < ARRAY_LENGTH(models); i++)
        check_network(tiny_json(models[i]), (struct shape){5, 6, 2}, 37, &rng);
}

/* ---- architectures by chance ---- */

static json_t *random_list(struct rng *rng, bool flat, int depth, size_t most);

static const char *random_word(struct rng *rng, const char *const words[], size_t count)
{
    return words[rng_below(rng, count)];
}

static const char *random_activation(struct rng *rng)
{
    static const char *const words[] = {"none", "relu", "tanh", "gelu"};
    return random_word(rng, words, ARRAY_LENGTH(words));
}

static json_t *random_image_layer(struct rng *rng)
{
    static const char *const pools[] = {"max_pool", "avg_pool"};
    if (between(rng, 0, 2) > 0)
        return json_pack("{s:s, s:i, s:i, s:i, s:s, s:s, s:s}", "type", "conv", "filters",
                         (int)between(rng, 1, 5), "kernel", (int)between(rng, 1, 3), "stride",
                         (int)between(rng, 1, 3), "padding", "same", "activation",
                         random_activation(rng), "weights", "he");
    return json_pack("{s:s, s:i, s:i, s:s}", "type",
                     random_word(rng, pools, ARRAY_LENGTH(pools)), "size",
                     (int)between(rng, 1, 3), "stride", (int)between(rng, 0, 2), "padding", "same");
}

static json_t *random_layer(struct rng *rng, bool flat, int depth)
{
    static const char *const words[] = {"relu", "tanh", "gelu"};
    switch (between(rng, 0, depth < 3 ? 7 : 5)) {
    case 0:
        return json_pack("{s:s, s:f, s:f}", "type", "batch_norm", "momentum",
                         rng_double(rng), "epsilon", 1e-2);
    case 1:
        return json_pack("{s:s, s:f}", "type", "dropout", "rate", 0.5 * rng_double(rng));
    case 2:
        return json_pack("{s:s}", "type", random_word(rng, words, ARRAY_LENGTH(words)));
    case 3:
    case 4:
    case 5:
        if (!flat)
            return random_image_layer(rng);
        return json_pack("{s:s, s:i, s:s, s:s}", "type", "dense", "units",
                         (int)between(rng, 1, 6), "activation", random_activation(rng), "weights",
                         "glorot");
    default:
        return json_pack("{s:s, s:o}", "type", "residual", "layers",
                         random_list(rng, flat, depth + 1, 3));
    }
}

/* Any padding is `same`: then every stride has a shortcut that fits. */
static json_t *random_list(struct rng *rng, bool flat, int depth, size_t most)
{
    json_t *list = json_array();
    for (size_t left = between(rng, 1, most); left > 0; left--)
        json_array_append_new(list, random_layer(rng, flat, depth));
    return list;
}

static json_t *random_model(struct rng *rng)
{
    json_t *model = random_list(rng, false, 0, 4);
    json_array_append_new(model, json_pack("{s:s}", "type",
                                           between(rng, 0, 1) ? "flatten" : "global_avg_pool"));
    json_t *behind = random_list(rng, true, 0, 3);
    json_array_extend(model, behind);
    json_decref(behind);
    json_array_append_new(model, tiny_json(DENSE(3, none)));
    return model;
}

static struct shape random_shape(struct rng *rng)
{
    return (struct shape){(int)between(rng, 1, 7), (int)between(rng, 1, 7),
                          (int)between(rng, 1, 3)};
}

static void random_networks_equal_the_reference(void **state)
{
    (void)state;
    uint64_t rounds = (uint64_t)rounds_of(120, 30);
    for (uint64_t round = 0; round < rounds; round++) {
        struct rng rng = dice_of(1000 + round);
        json_t *model = random_model(&rng);
        struct shape input = random_shape(&rng);
        check_network(model, input, between(&rng, 8, 40), &rng);
    }
}

static void random_networks_have_the_same_bits_for_every_number_of_threads(void **state)
{
    (void)state;
    static const size_t counts[] = {1, 33, 100, 300};
    uint64_t rounds = (uint64_t)rounds_of(30, 8);
    for (uint64_t round = 0; round < rounds; round++) {
        struct rng rng = dice_of(2000 + round);
        json_t *model = random_model(&rng);
        struct bench bench = bench_open(model, random_shape(&rng),
                                        counts[round % ARRAY_LENGTH(counts)], &rng);
        size_t bytes = bench.parameters * sizeof(float);
        size_t statistics = network_statistic_count(bench.network) * sizeof(float);
        double loss, other_loss;
        run_network(&bench, &loss);
        for (int threads = 1; threads <= 3; threads += 2) {
            struct bench other = bench;
            other.network = build(model, bench.input, threads);
            network_initialize(other.network, SEED, TRIAL);
            memcpy(network_parameters(other.network), network_parameters(bench.network), bytes);
            run_network(&other, &other_loss);
            assert_true(loss == other_loss || (isnan(loss) && isnan(other_loss)));
            assert_memory_equal(network_gradients(bench.network),
                                network_gradients(other.network), bytes);
            assert_memory_equal(network_statistics(bench.network),
                                network_statistics(other.network), statistics);
            network_free(other.network);
        }
        bench_close(&bench);
    }
}

/* A network has no memory of what it ran before, and its memory fits every batch. */
static void larger_and_smaller_batches_do_not_disturb_each_other(void **state)
{
    (void)state;
    uint64_t rounds = (uint64_t)rounds_of(20, 5);
    for (uint64_t round = 0; round < rounds; round++) {
        struct rng rng = dice_of(3000 + round);
        struct bench bench = bench_open(random_model(&rng), random_shape(&rng), 40, &rng);
        size_t bytes = bench.parameters * sizeof(float);
        double loss[2];
        bench.count = 9;
        run_network(&bench, &loss[0]);
        float *first = memcpy(xmalloc(bytes), network_gradients(bench.network), bytes);
        bench.count = 40;
        run_network(&bench, &loss[1]);
        check_prediction(&bench);
        bench.count = 9;
        run_network(&bench, &loss[1]);
        assert_true(loss[0] == loss[1]);
        assert_memory_equal(first, network_gradients(bench.network), bytes);
        free(first);
        bench_close(&bench);
    }
}

/* Slots are used again: two gradients in flight at a time, and one more for each shortcut
 * that is open; and two for what layers hand on. */
static void memory_grows_with_open_shortcuts_only(void **state)
{
    (void)state;
    static const struct {
        const char *model;
        size_t outputs, slots; /* values that are kept, slots of the widest */
    } cases[] = {
        {"[" CONV(2, 1, none) "," CONV(2, 1, none) "," END "]", 60 + 60 + 3, 2},
        {"[" CONV(2, 1, none) "," RESIDUAL(CONV(2, 1, none)) "," END "]", 3 * 60 + 3, 3},
        {"[" CONV(2, 1, none) "," RESIDUAL(CONV(2, 1, none)) "," RESIDUAL(CONV(2, 1, none)) "," END
         "]", 5 * 60 + 3, 3},
        {"[" CONV(2, 1, none) "," RESIDUAL(CONV(2, 1, none) "," RESIDUAL(CONV(2, 1, none))) "," END
         "]", 5 * 60 + 3, 4},
        {"[" RESIDUAL(CONV(2, 1, none)) "," END "]", 2 * 60 + 3, 2},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        json_t *model = tiny_json(cases[i].model);
        struct network *network = build(model, (struct shape){5, 6, 2}, 1);
        assert_int_equal(network_batch_bytes(network, 10),
                         10 * 4 * (cases[i].outputs + (cases[i].slots + 2) * 60) +
                             (network->scratch_size + network->arranged_size) * 4);
        network_free(network);
        json_decref(model);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(residuals_equal_the_reference),
        cmocka_unit_test(random_networks_equal_the_reference),
        cmocka_unit_test(random_networks_have_the_same_bits_for_every_number_of_threads),
        cmocka_unit_test(larger_and_smaller_batches_do_not_disturb_each_other),
        cmocka_unit_test(memory_grows_with_open_shortcuts_only),
    };
    return cmocka_run_group_tests_name("network_route", tests, NULL, NULL);
}
