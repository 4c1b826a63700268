/* Training in bf16 as a whole: whether it learns as fp32 does, and is as repeatable. */
#include "trainer/bf16.h"
#include "trainer/network_parts.h"
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

/* All that passes values in bf16 on: pools behind batch_norm and behind relu, dropout. */
#define NORM_MODEL                                                                           \
    "[{\"type\":\"conv\",\"filters\":20,\"kernel\":3,\"stride\":1,\"padding\":\"same\","       \
    "\"activation\":\"none\",\"weights\":\"he\"},"                                            \
    "{\"type\":\"batch_norm\",\"momentum\":0.9,\"epsilon\":1e-3},{\"type\":\"relu\"},"          \
    "{\"type\":\"conv\",\"filters\":33,\"kernel\":3,\"stride\":1,\"padding\":\"same\","       \
    "\"activation\":\"relu\",\"weights\":\"he\"},"                                            \
    "{\"type\":\"batch_norm\",\"momentum\":0.9,\"epsilon\":1e-3},"                            \
    "{\"type\":\"max_pool\",\"size\":2,\"stride\":0,\"padding\":\"valid\"},"                    \
    "{\"type\":\"dropout\",\"rate\":0.1},"                                                    \
    "{\"type\":\"conv\",\"filters\":16,\"kernel\":2,\"stride\":1,\"padding\":\"valid\","      \
    "\"activation\":\"relu\",\"weights\":\"he\"},"                                            \
    "{\"type\":\"max_pool\",\"size\":3,\"stride\":0,\"padding\":\"valid\"},"                    \
    "{\"type\":\"flatten\"},"                                                                 \
    "{\"type\":\"dense\",\"units\":4,\"activation\":\"none\",\"weights\":\"glorot\"}]"

static const char *const models[] = {TINY_MODEL, TINY_OTHER_MODEL, TINY_RESIDUAL_MODEL,
                                     WIDE_MODEL, NORM_MODEL};
enum { NORM = 4 }; /* which of them that is */

static void needs_kernels(void)
{
    if (!bf16_kernels())
        skip();
}

/* ---- gradients ---- */

/* The gradients of one batch, copied.  `between` layers, values may be in bf16 too. */
static float *gradients_in(const char *model, enum precision precision, bool between,
                           size_t *count)
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
    for (size_t i = 0; !between && i < network->layer_count; i++)
        network->routes[i].bf16 = false;
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

/* How far apart they are, as a share of their length; releases both. */
static double share_of(float *gradients, float *others, size_t count)
{
    double difference = 0.0, length = 0.0;
    for (size_t i = 0; i < count; i++) {
        difference += pow((double)gradients[i] - (double)others[i], 2);
        length += pow((double)others[i], 2);
    }
    free(gradients);
    free(others);
    return sqrt(difference / length);
}

/* Not the same, for then nothing was rounded; and off by little, as far as maxima that are
 * chosen otherwise allow.  batch_norm makes much of that where images are few. */
static void gradients_are_near_those_of_fp32(void **state)
{
    (void)state;
    needs_kernels();
    for (size_t m = 0; m < ARRAY_LENGTH(models); m++) {
        size_t count;
        float *exact = gradients_in(models[m], PRECISION_FP32, false, &count);
        double share = share_of(gradients_in(models[m], PRECISION_BF16, true, &count), exact,
                                count);
        double most = m == NORM ? 0.4 : 0.1;
        if (!(share > 1e-4 && share < most))
            fail_msg("model %zu: gradients differ by %g of their length", m, share);
    }
}

/* Products round what they take anyway: it matters little that it is rounded before. */
static void values_between_layers_may_be_rounded(void **state)
{
    (void)state;
    needs_kernels();
    for (size_t m = 0; m < ARRAY_LENGTH(models); m++) {
        size_t count;
        float *rounded = gradients_in(models[m], PRECISION_BF16, true, &count);
        double share = share_of(rounded, gradients_in(models[m], PRECISION_BF16, false, &count),
                                count);
        if (!(share < 0.1))
            fail_msg("model %zu: gradients differ by %g of their length", m, share);
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
    const char *const learning[] = {TINY_MODEL, WIDE_MODEL, NORM_MODEL};
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
        cmocka_unit_test(values_between_layers_may_be_rounded),
        cmocka_unit_test(a_training_ends_about_where_one_in_fp32_does),
        cmocka_unit_test(every_number_of_threads_writes_the_same_bytes),
        cmocka_unit_test(going_on_equals_never_having_stopped),
    };
    return cmocka_run_group_tests_name("bf16_training", tests, NULL, NULL);
}
