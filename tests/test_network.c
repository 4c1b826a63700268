#include "trainer/network.h"

#include "trainer/loss.h"
#include "trainer/network_parts.h"
#include "trainer/optimizer.h"
#include "trainer/winograd.h"
#include "trainer/bf16.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "tests/golden_step.h"
#include "tests/numbers.h"
#include "tests/summaries.h"
#include "tests/tiny.h"

static struct network *build(const char *model, struct shape input, int classes, int threads)
{
    struct failure why = FAILURE_NONE;
    json_t *json = tiny_json(model);
    struct network *network = network_new(json, input, classes, threads, &why);
    json_decref(json);
    if (!network)
        fail_msg("%s: %s", why.where ? why.where : "", why.text);
    return network;
}

static const struct shape tiny_shape = {8, 8, 1};

static uint16_t *random_labels(struct rng *rng, size_t count, size_t classes)
{
    uint16_t *labels = xcalloc(count, sizeof *labels);
    for (size_t i = 0; i < count; i++)
        labels[i] = (uint16_t)rng_below(rng, classes);
    return labels;
}

/* ---- a whole step ---- */

static const char golden_model[] =
    "[{\"type\":\"conv\",\"filters\":3,\"kernel\":3,\"stride\":1,\"padding\":\"same\","
    "\"activation\":\"relu\",\"weights\":\"he\"},"
    "{\"type\":\"max_pool\",\"size\":2,\"stride\":0,\"padding\":\"valid\"},"
    "{\"type\":\"conv\",\"filters\":2,\"kernel\":2,\"stride\":1,\"padding\":\"valid\","
    "\"activation\":\"none\",\"weights\":\"he\"},"
    "{\"type\":\"dropout\",\"rate\":0.0},{\"type\":\"flatten\"},"
    "{\"type\":\"dense\",\"units\":4,\"activation\":\"relu\",\"weights\":\"he\"},"
    "{\"type\":\"dense\",\"units\":3,\"activation\":\"none\",\"weights\":\"he\"}]";

static void assert_near(const float *values, const double *expected, size_t count, double most)
{
    for (size_t i = 0; i < count; i++) {
        if (!(fabs(values[i] - expected[i]) <= most))
            fail_msg("element %zu is %.9g, not %.9g", i, values[i], expected[i]);
    }
}

/* Three steps of Adam through every part, against tests/golden_step.py. */
static void training_steps_equal_independent_values(void **state)
{
    (void)state;
    enum { IMAGES = 37, PIXELS = 36, STEPS = 3 };
    struct network *network = build(golden_model, (struct shape){6, 6, 1}, 3, 2);
    size_t count = network_parameter_count(network);
    assert_int_equal(count, ARRAY_LENGTH(golden_parameters));
    json_t *settings = tiny_json("{\"type\":\"adam\",\"beta1\":0.9,\"beta2\":0.999,"
                                 "\"epsilon\":1e-7}");
    struct optimizer *optimizer = optimizer_new(settings, count);
    static float images[IMAGES * PIXELS];
    uint16_t labels[IMAGES];
    for (size_t i = 0; i < count; i++)
        network_parameters(network)[i] = (float)tiny_number(i, 1);
    for (size_t i = 0; i < IMAGES * PIXELS; i++)
        images[i] = (float)(tiny_number(i, 2) + 0.5);
    for (size_t i = 0; i < IMAGES; i++)
        labels[i] = (uint16_t)((i * 5 + i / 4) % 3);
    for (size_t step = 0; step < STEPS; step++) {
        double loss;
        size_t correct;
        network_gradient(network, images, labels, IMAGES, 1, 0, step, &loss, &correct);
        assert_true(fabs(loss - golden_losses[step]) < 2e-6);
        assert_int_equal(correct, golden_correct[step]);
        if (step == 0)
            assert_near(network_gradients(network), golden_gradient, count, 2e-7);
        optimizer_step(optimizer, 0.01, step + 1, network_gradients(network),
                       network_parameters(network));
    }
    assert_near(network_parameters(network), golden_parameters, count, 1e-5);
    optimizer_free(optimizer);
    json_decref(settings);
    network_free(network);
}

/* ---- threads and shards ---- */

static void check_threads(const char *model)
{
    static const size_t counts[] = {1, 16, 17, 100, 300, 700};
    struct rng rng = dice_of(41);
    float *images = random_floats(&rng, 700 * 64);
    uint16_t *labels = random_labels(&rng, 700, 4);
    for (size_t c = 0; c < ARRAY_LENGTH(counts); c++) {
        static const int threads[] = {1, 2, 3, 5};
        float *first = NULL;
        double first_loss = 0.0;
        for (size_t t = 0; t < ARRAY_LENGTH(threads); t++) {
            struct network *network = build(model, tiny_shape, 4, threads[t]);
            size_t bytes = network_parameter_count(network) * sizeof(float);
            double loss;
            size_t correct;
            network_initialize(network, 11, 2);
            network_gradient(network, images, labels, counts[c], 11, 2, 5, &loss, &correct);
            if (t == 0) {
                first = memcpy(xmalloc(bytes), network_gradients(network), bytes);
                first_loss = loss;
            }
            assert_memory_equal(first, network_gradients(network), bytes);
            assert_true(loss == first_loss);
            network_free(network);
        }
        free(first);
    }
    free(labels);
    free(images);
}

static void gradients_have_the_same_bits_for_every_number_of_threads(void **state)
{
    (void)state;
    check_threads(TINY_MODEL);
    check_threads(TINY_WIDE_MODEL);
}

/* The same network, without what is drawn for each image's place in the batch. */
static void a_batch_has_the_mean_of_its_images_gradients(void **state)
{
    (void)state;
    enum { COUNT = 300 };
    struct rng rng = dice_of(42);
    float *images = random_floats(&rng, COUNT * 36);
    uint16_t *labels = random_labels(&rng, COUNT, 3);
    struct network *network = build(golden_model, (struct shape){6, 6, 1}, 3, 2);
    size_t parameters = network_parameter_count(network);
    double *mean = xcalloc(parameters, sizeof *mean), mean_loss = 0.0, loss;
    size_t correct, all_correct = 0;
    network_initialize(network, 3, 0);
    for (size_t i = 0; i < COUNT; i++) {
        network_gradient(network, images + i * 36, labels + i, 1, 1, 0, 0, &loss, &correct);
        for (size_t p = 0; p < parameters; p++)
            mean[p] += network_gradients(network)[p] / (double)COUNT;
        mean_loss += loss / COUNT;
        all_correct += correct;
    }
    network_gradient(network, images, labels, COUNT, 1, 0, 0, &loss, &correct);
    assert_near(network_gradients(network), mean, parameters, 1e-6);
    assert_true(fabs(loss - mean_loss) < 1e-6);
    assert_int_equal(correct, all_correct);
    free(mean);
    network_free(network);
    free(labels);
    free(images);
}

static void check_predictions(const char *model)
{
    enum { COUNT = 77 };
    struct rng rng = dice_of(43);
    float *images = random_floats(&rng, COUNT * 64);
    uint16_t *labels = random_labels(&rng, COUNT, 4);
    float logits[2][COUNT * 4];
    for (int i = 0; i < 2; i++) {
        struct network *network = build(model, tiny_shape, 4, 1 + 2 * i);
        double loss;
        size_t correct;
        network_initialize(network, 11, 2);
        if (i == 1)
            network_gradient(network, images, labels, COUNT, 11, 2, 5, &loss, &correct);
        network_predict(network, images, COUNT, logits[i]);
        network_free(network);
    }
    assert_memory_equal(logits[0], logits[1], sizeof logits[0]);
    for (size_t i = 1; i < COUNT; i++)
        assert_memory_not_equal(logits[0], logits[0] + i * 4, 4 * sizeof(float));
    free(labels);
    free(images);
}

static void predictions_do_not_depend_on_threads_or_on_training(void **state)
{
    (void)state;
    check_predictions(TINY_MODEL);
    check_predictions(TINY_WIDE_MODEL);
}

/* The logits of a network that is made with TRAINER_CONV at `word`. */
static void predict_by(const char *word, const float *images, size_t count, float *logits)
{
    assert_int_equal(setenv("TRAINER_CONV", word, 1), 0);
    struct network *network = build(TINY_WIDE_MODEL, tiny_shape, 4, 1);
    network_initialize(network, 11, 2);
    network_predict(network, images, count, logits);
    network_free(network);
    assert_int_equal(unsetenv("TRAINER_CONV"), 0);
}

static void winograd_differs_from_direct_convolution_in_its_rounding(void **state)
{
    (void)state;
    enum { COUNT = 20 };
    struct rng rng = dice_of(46);
    float *images = random_floats(&rng, COUNT * 64);
    float direct[COUNT * 4], winograd[COUNT * 4];
    double expected[COUNT * 4];
    predict_by("direct", images, COUNT, direct);
    predict_by("auto", images, COUNT, winograd);
    for (size_t i = 0; i < COUNT * 4; i++)
        expected[i] = direct[i];
    assert_near(winograd, expected, COUNT * 4, 1e-5);
    assert_int_equal(memcmp(direct, winograd, sizeof direct) != 0, winograd_is_on());
    free(images);
}

/* Of 4 times 1024 x 1024 values each, in two slots. */
static void few_large_images_are_predicted_at_once(void **state)
{
    (void)state;
    enum { COUNT = 7, PIXELS = 1024 * 1024, CLASSES = 3 };
    static const char model[] =
        "[{\"type\":\"conv\",\"filters\":4,\"kernel\":1,\"stride\":1,\"padding\":\"same\","
        "\"activation\":\"relu\",\"weights\":\"he\"},"
        "{\"type\":\"avg_pool\",\"size\":64,\"stride\":0,\"padding\":\"valid\"},"
        "{\"type\":\"flatten\"},"
        "{\"type\":\"dense\",\"units\":3,\"activation\":\"none\",\"weights\":\"he\"}]";
    struct rng rng = dice_of(44);
    float *images = random_floats(&rng, (size_t)COUNT * PIXELS), logits[COUNT * CLASSES];
    struct network *network = build(model, (struct shape){1024, 1024, 1}, CLASSES, 2);
    network_initialize(network, 11, 2);
    network_predict(network, images, COUNT, logits);
    assert_int_equal(network->predicted_images, 4);
    for (size_t i = 0; i < COUNT; i++) {
        float alone[CLASSES];
        network_predict(network, images + i * PIXELS, 1, alone);
        for (size_t c = 0; c < CLASSES; c++)
            assert_float_equal(alone[c], logits[i * CLASSES + c], 1e-5);
    }
    network_free(network);
    free(images);
}

/* Two at once, then: a step's blocks are no larger where a layer's output is not kept. */
static void large_images_are_trained_on_as_they_are_predicted(void **state)
{
    (void)state;
    enum { COUNT = 3, PIXELS = 1024 * 1024, CLASSES = 3 };
    static const char model[] =
        "[{\"type\":\"conv\",\"filters\":8,\"kernel\":1,\"stride\":1,\"padding\":\"same\","
        "\"activation\":\"relu\",\"weights\":\"he\"},"
        "{\"type\":\"max_pool\",\"size\":256,\"stride\":0,\"padding\":\"valid\"},"
        "{\"type\":\"flatten\"},"
        "{\"type\":\"dense\",\"units\":3,\"activation\":\"none\",\"weights\":\"he\"}]";
    static const uint16_t labels[COUNT] = {0, 1, 2};
    struct rng rng = dice_of(45);
    float *images = random_floats(&rng, (size_t)COUNT * PIXELS), logits[COUNT * CLASSES];
    struct network *network = build(model, (struct shape){1024, 1024, 1}, CLASSES, 1);
    struct loss_sum sum = {0};
    double loss;
    size_t correct;
    network_initialize(network, 11, 2);
    network_gradient(network, images, labels, COUNT, 11, 2, 0, &loss, &correct);
    network_predict(network, images, COUNT, logits);
    assert_true(network->predicted_images < COUNT);
    loss_add(COUNT, CLASSES, logits, labels, &sum, 0.0f, NULL);
    assert_float_equal(loss, sum.loss / COUNT, 1e-6);
    network_free(network);
    free(images);
}

/* ---- what a network says of itself ---- */

static void summary_names_shapes_and_counts(void **state)
{
    (void)state;
    static const struct layer_summary expected[] = {
        {"conv2d_1", "conv", {8, 8, 6}, false, 60, 2.0 * 64 * 9 * 6},
        {"max_pool_1", "max_pool", {4, 4, 6}, false, 0, 96.0 * 4},
        {"conv2d_2", "conv", {3, 3, 4}, false, 100, 2.0 * 9 * 24 * 4},
        {"relu_1", "relu", {3, 3, 4}, false, 0, 36.0},
        {"avg_pool_1", "avg_pool", {3, 3, 4}, false, 0, 36.0 * 4},
        {"flatten_1", "flatten", {1, 1, 36}, true, 0, 0.0},
        {"dropout_1", "dropout", {1, 1, 36}, true, 0, 0.0},
        {"dense_1", "dense", {1, 1, 8}, true, 296, 2.0 * 36 * 8},
        {"dense_2", "dense", {1, 1, 4}, true, 36, 2.0 * 8 * 4},
    };
    struct network *network = build(TINY_MODEL, tiny_shape, 4, 1);
    assert_summaries(network, ARRAY_LENGTH(expected), expected);
    assert_int_equal(network_parameter_count(network), 60 + 100 + 296 + 36);
    assert_int_equal(network_classes(network), 4);
    assert_int_equal(network_input(network).width, 8);
    network_free(network);
}

/* ---- initial weights ---- */

static void check_spread(const float *values, size_t count, double deviation, double most)
{
    double sum = 0.0, squares = 0.0;
    for (size_t i = 0; i < count; i++) {
        sum += values[i];
        squares += (double)values[i] * values[i];
        assert_true(fabs(values[i]) <= most);
    }
    assert_true(fabs(sum / (double)count) < 0.05 * deviation);
    assert_true(fabs(sqrt(squares / (double)count) / deviation - 1.0) < 0.05);
}

static void initial_weights_have_the_right_spread(void **state)
{
    (void)state;
    struct network *network = build(
        "[{\"type\":\"conv\",\"filters\":40,\"kernel\":5,\"stride\":1,\"padding\":\"valid\","
        "\"activation\":\"relu\",\"weights\":\"he\"},{\"type\":\"flatten\"},"
        "{\"type\":\"dense\",\"units\":30,\"activation\":\"none\",\"weights\":\"glorot\"}]",
        (struct shape){9, 9, 6}, 30, 1);
    network_initialize(network, 1, 0);
    const float *weights = network_parameters(network);
    check_spread(weights, 150 * 40, sqrt(2.0 / 150), 1.0);
    for (size_t i = 0; i < 40; i++)
        assert_true(weights[150 * 40 + i] == 0.0f);
    double limit = sqrt(6.0 / (1000 + 30));
    check_spread(weights + 151 * 40, 1000 * 30, limit / sqrt(3.0), limit);
    network_free(network);
}

static void initial_weights_follow_from_seed_and_trial(void **state)
{
    (void)state;
    struct network *network = build(TINY_MODEL, tiny_shape, 4, 1);
    size_t bytes = network_parameter_count(network) * sizeof(float);
    network_initialize(network, 5, 6);
    float *first = memcpy(xmalloc(bytes), network_parameters(network), bytes);
    network_initialize(network, 5, 7);
    assert_memory_not_equal(first, network_parameters(network), bytes);
    network_initialize(network, 6, 6);
    assert_memory_not_equal(first, network_parameters(network), bytes);
    network_initialize(network, 5, 6);
    assert_memory_equal(first, network_parameters(network), bytes);
    free(first);
    network_free(network);
}

/* ---- what does not fit ---- */

#define CONV(filters, kernel)                                                              \
    "{\"type\":\"conv\",\"filters\":" #filters ",\"kernel\":" #kernel                      \
    ",\"stride\":1,\"padding\":\"valid\",\"activation\":\"none\",\"weights\":\"he\"}"
#define SAME_CONV(filters, kernel)                                                         \
    "{\"type\":\"conv\",\"filters\":" #filters ",\"kernel\":" #kernel                      \
    ",\"stride\":1,\"padding\":\"same\",\"activation\":\"none\",\"weights\":\"he\"}"
#define POOL(size) \
    "{\"type\":\"max_pool\",\"size\":" #size ",\"stride\":0,\"padding\":\"valid\"}"
#define DENSE(units) \
    "{\"type\":\"dense\",\"units\":" #units ",\"activation\":\"none\",\"weights\":\"he\"}"
#define FLATTEN "{\"type\":\"flatten\"}"

static void check_refused(const char *model, struct shape input, int classes, const char *where,
                          const char *text)
{
    struct failure why = FAILURE_NONE;
    json_t *json = tiny_json(model);
    assert_null(network_new(json, input, classes, 1, &why));
    assert_int_equal(why.code, EXIT_BAD_INPUT);
    if (where)
        assert_string_equal(why.where, where);
    if (!strstr(why.text, text))
        fail_msg("'%s' does not say '%s'", why.text, text);
    failure_clear(&why);
    assert_null(network_new(json, input, classes, 1, NULL));
    json_decref(json);
}

static void what_does_not_fit_is_refused_at_its_place(void **state)
{
    (void)state;
    const struct shape s = {8, 8, 1};
    check_refused("[]", s, 4, "model", "at least one layer");
    check_refused("[" CONV(2, 9) "]", s, 4, "model[0]", "kernel of 9x9 does not fit");
    check_refused("[" POOL(4) "," POOL(3) "]", s, 4, "model[1]",
                  "3x3 does not fit an image of 2x2");
    check_refused("[" DENSE(4) "]", s, 4, "model[0]", "put flatten before it");
    check_refused("[" FLATTEN "," CONV(2, 1) "]", s, 4, "model[1]", "conv needs an image");
    check_refused("[" FLATTEN "," POOL(1) "]", s, 4, "model[1]", "max_pool needs an image");
    check_refused("[" FLATTEN "," DENSE(5) "]", s, 4, "model[1]",
                  "gives 5 values, but the data have 4 classes");
    check_refused("[" CONV(4, 3) "]", s, 4, "model[0]", "gives an image of 6x6x4");
    check_refused("[{\"type\":\"magic\"}]", s, 4, "model[0]", "unknown layer 'magic'");
    check_refused("[17]", s, 4, "model[0]", "unknown layer ''");
}

static void flatten_fits_what_is_flat_and_single_pixels_need_none(void **state)
{
    (void)state;
    network_free(build("[" FLATTEN "," FLATTEN "," DENSE(4) "," FLATTEN "]", tiny_shape, 4, 1));
    network_free(build("[" CONV(4, 8) "]", tiny_shape, 4, 1));
}

/* Refused by arithmetic, before any memory is asked for. */
static void absurd_sizes_are_refused(void **state)
{
    (void)state;
    const struct shape huge = {16384, 16384, 1};
    check_refused("[" FLATTEN "," DENSE(4) "]", (struct shape){65536, 65536, 1}, 4, NULL,
                  "cannot be trained on");
    check_refused("[" FLATTEN "," DENSE(4) "]", (struct shape){0, 8, 1}, 4, NULL,
                  "cannot be trained on");
    check_refused("[" FLATTEN "," DENSE(4) "]", (struct shape){8, -8, 1}, 4, NULL,
                  "cannot be trained on");
    check_refused("[" FLATTEN "," DENSE(4) "]", (struct shape){2147483647, 2147483647, 2147483647},
                  4, NULL, "cannot be trained on");
    check_refused("[" FLATTEN "," DENSE(4) "]", tiny_shape, 0, NULL, "0 classes");
    check_refused("[" SAME_CONV(4096, 31) "]", huge, 4, "model[0]", "output values per image");
    check_refused("[" SAME_CONV(1, 31) "]", huge, 4, "model[0]", "floats of working memory");
    check_refused("[" FLATTEN "," DENSE(65536) "]", huge, 4, "model[1]", "parameters");
    check_refused("[" FLATTEN "," DENSE(65536) "," DENSE(1000) "," DENSE(25) "]", tiny_shape, 4,
                  "model[2]", "up to this layer the network has");
    check_refused("[{\"type\":\"relu\"},{\"type\":\"relu\"}]", huge, 4, "model[1]",
                  "values per image");
}

static void memory_of_a_batch_is_counted(void **state)
{
    (void)state;
    struct network *network = build(TINY_MODEL, tiny_shape, 4, 1);
    /* Not what only the next layer reads: both convolutions' outputs and the average pool's. */
    size_t values = 96 + 36 + 36 + 8 + 4 + 2 * 384;
    size_t kept = 96 * 4 + 36, handed = 2 * 384 * 4;
    size_t scratch = (network->scratch_size + network->arranged_size) * 4;
    assert_int_equal(network_batch_bytes(network, 10),
                     10 * (values * 4 + kept + handed) + scratch);
    assert_int_equal(network_batch_bytes(network, 40),
                     40 * (values * 4 + kept) + 16 * handed + 2 * 492 * 4 + scratch);
    network_free(network);
    network = build(TINY_WIDE_MODEL, tiny_shape, 4, 1);
    size_t arranged = network->arranged_size, all = network_batch_bytes(network, 10);
    assert_int_equal(arranged > 0, winograd_is_on() || bf16_kernels());
    network->arranged_size = 0;
    assert_int_equal(all - network_batch_bytes(network, 10), arranged * 4);
    network->arranged_size = arranged;
    network_free(network);
}

/* Layers that compute nothing and write down in which precision they should have. */
static enum precision asked_forward, asked_backward;

static void note_forward(const struct layer *layer, const struct pass *pass)
{
    (void)layer;
    asked_forward = pass->precision;
}

static void note_backward(const struct layer *layer, const struct pass *pass)
{
    (void)layer;
    asked_backward = pass->precision;
}

static void steps_have_the_precision_and_predictions_are_fp32(void **state)
{
    (void)state;
    static const struct layer_type spy = {.forward = note_forward, .backward = note_backward};
    static const enum precision precisions[] = {PRECISION_FP32, PRECISION_BF16, PRECISION_FP32};
    json_t *model = tiny_json("[{\"type\":\"flatten\"},{\"type\":\"dense\",\"units\":3,"
                              "\"activation\":\"none\",\"weights\":\"he\"}]");
    struct network *network = network_new(model, (struct shape){2, 2, 1}, 3, 1, NULL);
    float images[2 * 4] = {0}, logits[2 * 3];
    uint16_t labels[2] = {0, 1};
    double loss;
    size_t correct;
    network_initialize(network, 1, 0);
    network->layers[1].type = &spy;
    for (size_t i = 0; i < ARRAY_LENGTH(precisions); i++) {
        if (i > 0) /* fp32 before anything is said */
            network_set_precision(network, precisions[i]);
        asked_forward = asked_backward = PRECISION_COUNT;
        network_gradient(network, images, labels, 2, 1, 0, 0, &loss, &correct);
        assert_int_equal(asked_forward, precisions[i]);
        assert_int_equal(asked_backward, precisions[i]);
        network_predict(network, images, 2, logits);
        assert_int_equal(asked_forward, PRECISION_FP32);
    }
    network_free(network);
    json_decref(model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(training_steps_equal_independent_values),
        cmocka_unit_test(gradients_have_the_same_bits_for_every_number_of_threads),
        cmocka_unit_test(a_batch_has_the_mean_of_its_images_gradients),
        cmocka_unit_test(predictions_do_not_depend_on_threads_or_on_training),
        cmocka_unit_test(winograd_differs_from_direct_convolution_in_its_rounding),
        cmocka_unit_test(few_large_images_are_predicted_at_once),
        cmocka_unit_test(large_images_are_trained_on_as_they_are_predicted),
        cmocka_unit_test(summary_names_shapes_and_counts),
        cmocka_unit_test(initial_weights_have_the_right_spread),
        cmocka_unit_test(initial_weights_follow_from_seed_and_trial),
        cmocka_unit_test(what_does_not_fit_is_refused_at_its_place),
        cmocka_unit_test(flatten_fits_what_is_flat_and_single_pixels_need_none),
        cmocka_unit_test(absurd_sizes_are_refused),
        cmocka_unit_test(memory_of_a_batch_is_counted),
        cmocka_unit_test(steps_have_the_precision_and_predictions_are_fp32),
    };
    return cmocka_run_group_tests_name("network", tests, NULL, NULL);
}
