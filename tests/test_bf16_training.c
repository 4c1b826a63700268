/* Training in bf16 as a whole: whether it learns as fp32 does, and is as repeatable. */
#include "trainer/bf16.h"
#include "trainer/train.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "tests/tiny_training.h"

#define ADAM_IN(precision)                                                                   \
    "{\"precision\":\"" precision "\",\"optimizer\":{\"type\":\"adam\",\"learning_rate\":0.01," \
    "\"beta1\":0.9,\"beta2\":0.999,\"epsilon\":1e-7},\"learning_rate_schedule\":"              \
    "{\"type\":\"constant\"},\"batch_size\":20}"

/* Layers whose channels fill vectors and tiles, and more. */
#define WIDE_MODEL                                                                           \
    "[{\"type\":\"conv\",\"filters\":20,\"kernel\":3,\"stride\":1,\"padding\":\"same\","       \
    "\"activation\":\"relu\",\"weights\":\"he\"},"                                            \
    "{\"type\":\"conv\",\"filters\":33,\"kernel\":3,\"stride\":1,\"padding\":\"valid\","       \
    "\"activation\":\"gelu\",\"weights\":\"he\"},"                                            \
    "{\"type\":\"max_pool\",\"size\":2,\"stride\":0,\"padding\":\"valid\"},"                   \
    "{\"type\":\"conv\",\"filters\":16,\"kernel\":1,\"stride\":1,\"padding\":\"valid\","       \
    "\"activation\":\"relu\",\"weights\":\"he\"},"                                            \
    "{\"type\":\"flatten\"},"                                                                 \
    "{\"type\":\"dense\",\"units\":40,\"activation\":\"relu\",\"weights\":\"he\"},"            \
    "{\"type\":\"dense\",\"units\":4,\"activation\":\"none\",\"weights\":\"glorot\"}]"

static const char *const models[] = {TINY_MODEL, TINY_OTHER_MODEL, TINY_RESIDUAL_MODEL,
                                     WIDE_MODEL};

static void needs_kernels(void)
{
    if (!bf16_kernels())
        skip();
}

/* ---- gradients ---- */

/* The gradients of one batch, copied. */
static float *gradients_in(const char *model, enum precision precision, size_t *count)
{
    enum { IMAGES = 40 };
    json_t *json = tiny_json(model);
    struct network *network = network_new(json, (struct shape){8, 8, 1}, 4, 2, NULL);
    float images[IMAGES * 64];
    uint16_t labels[IMAGES];
    for (size_t i = 0; i < IMAGES * 64; i++)
        images[i] = (float)tiny_number(i, 3);
    for (size_t i = 0; i < IMAGES; i++)
        labels[i] = (uint16_t)(i % 4);
    double loss;
    size_t correct;
    network_initialize(network, 5, 0);
    network_set_precision(network, precision);
    network_gradient(network, images, labels, IMAGES, 1, 0, 0, &loss, &correct);
    *count = network_parameter_count(network);
    float *copy = xreallocarray(NULL, *count, sizeof *copy);
    memcpy(copy, network_gradients(network), *count * sizeof *copy);
    network_free(network);
    json_decref(json);
    return copy;
}

/* Not the same, for then nothing was rounded; and off by little, as far as maxima that are
 * chosen otherwise allow. */
static void gradients_are_near_those_of_fp32(void **state)
{
    (void)state;
    needs_kernels();
    for (size_t m = 0; m < ARRAY_LENGTH(models); m++) {
        size_t count;
        float *exact = gradients_in(models[m], PRECISION_FP32, &count);
        float *rounded = gradients_in(models[m], PRECISION_BF16, &count);
        double difference = 0.0, length = 0.0;
        for (size_t i = 0; i < count; i++) {
            difference += pow((double)rounded[i] - (double)exact[i], 2);
            length += pow((double)exact[i], 2);
        }
        double share = sqrt(difference / length);
        if (!(share > 1e-4 && share < 0.1))
            fail_msg("model %zu: gradients differ by %g of their length", m, share);
        free(exact);
        free(rounded);
    }
}

/* ---- trainings ---- */

static struct epoch_metrics trained(const char *model, const char *settings)
{
    struct bench bench = bench_open(model, settings, 0, 1);
    struct epoch_metrics metrics = train_epochs(bench.training, 8);
    bench_close(&bench);
    return metrics;
}

static void a_training_ends_about_where_one_in_fp32_does(void **state)
{
    (void)state;
    needs_kernels();
    const char *const learning[] = {TINY_MODEL, WIDE_MODEL};
    for (size_t m = 0; m < ARRAY_LENGTH(learning); m++) {
        struct epoch_metrics exact = trained(learning[m], ADAM_IN("fp32"));
        struct epoch_metrics rounded = trained(learning[m], ADAM_IN("bf16"));
        assert_true(exact.train_loss != rounded.train_loss);
        assert_true(exact.val_loss < 0.1 && rounded.val_loss < 0.1);
        assert_true(fabs(exact.train_loss - rounded.train_loss) < 0.1);
        assert_true(rounded.val_accuracy > 0.95);
    }
}

static void every_number_of_threads_writes_the_same_bytes(void **state)
{
    (void)state;
    needs_kernels();
    for (size_t m = 0; m < ARRAY_LENGTH(models); m++)
        check_threads(models[m], ADAM_IN("bf16"));
}

static void going_on_equals_never_having_stopped(void **state)
{
    (void)state;
    needs_kernels();
    char *half = tiny_path("half.ckpt"), *parts = tiny_path("parts.ckpt");
    char *whole = tiny_path("whole.ckpt");
    struct bench bench = bench_open(WIDE_MODEL, ADAM_IN("bf16"), 4, 1);
    train_epochs(bench.training, 2);
    save(bench.training, half);
    struct epoch_metrics at_once = train_epochs(bench.training, 2);
    save(bench.training, whole);
    bench_close(&bench);

    bench = bench_open(WIDE_MODEL, ADAM_IN("bf16"), 4, 1);
    restore(bench.training, half);
    assert_same_metrics(at_once, train_epochs(bench.training, 2));
    save(bench.training, parts);
    bench_close(&bench);
    assert_same_files(whole, parts);
    free(whole);
    free(parts);
    free(half);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gradients_are_near_those_of_fp32),
        cmocka_unit_test(a_training_ends_about_where_one_in_fp32_does),
        cmocka_unit_test(every_number_of_threads_writes_the_same_bytes),
        cmocka_unit_test(going_on_equals_never_having_stopped),
    };
    return cmocka_run_group_tests_name("bf16_training", tests, NULL, NULL);
}
