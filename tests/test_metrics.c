#include "reports/metrics.h"

#include "common/base.h"
#include "common/rng.h"

#include <math.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static void fill(struct confusion *confusion, int classes, const int *counts)
{
    confusion_init(confusion, classes);
    for (int i = 0; i < classes * classes; i++)
        for (int n = 0; n < counts[i]; n++)
            confusion_add(confusion, i / classes, i % classes);
}

static void close_to(double value, double expected)
{
    if (fabs(value - expected) > 1e-12)
        fail_msg("%.17g where %.17g was expected", value, expected);
}

/* True a: 8 as a, 2 as b; true b: 1 as a, 9 as b; true c: 3 as b, 7 as c. */
static const int three[] = {8, 2, 0, 1, 9, 0, 0, 3, 7};

static void counts_stand_where_they_were_added(void **state)
{
    (void)state;
    struct confusion confusion;
    fill(&confusion, 3, three);
    assert_int_equal(confusion_at(&confusion, 0, 1), 2);
    assert_int_equal(confusion_at(&confusion, 1, 0), 1);
    assert_int_equal(confusion_at(&confusion, 2, 1), 3);
    assert_int_equal(confusion_at(&confusion, 1, 2), 0);
    confusion_release(&confusion);
}

static void scores_are_those_computed_by_hand(void **state)
{
    (void)state;
    struct confusion confusion;
    struct metrics metrics;
    fill(&confusion, 3, three);
    metrics_compute(&confusion, &metrics);
    close_to(metrics.per_class[0].precision, 8.0 / 9.0);
    close_to(metrics.per_class[0].recall, 0.8);
    close_to(metrics.per_class[0].f1, 16.0 / 19.0);
    close_to(metrics.per_class[1].precision, 9.0 / 14.0);
    close_to(metrics.per_class[1].f1, 0.75);
    close_to(metrics.per_class[2].precision, 1.0);
    close_to(metrics.per_class[2].f1, 14.0 / 17.0);
    assert_int_equal(metrics.per_class[1].support, 10);
    assert_int_equal(metrics.per_class[1].predicted, 14);
    close_to(metrics.accuracy, 0.8);
    close_to(metrics.macro.recall, 0.8);
    close_to(metrics.macro.precision, (8.0 / 9.0 + 9.0 / 14.0 + 1.0) / 3.0);
    assert_int_equal(metrics.total, 30);
    assert_int_equal(metrics.correct, 24);
    metrics_release(&metrics);
    confusion_release(&confusion);
}

static void weighted_average_weighs_by_support(void **state)
{
    (void)state;
    const int counts[] = {30, 10, 5, 5};
    struct confusion confusion;
    struct metrics metrics;
    fill(&confusion, 2, counts);
    metrics_compute(&confusion, &metrics);
    close_to(metrics.weighted.recall, (0.75 * 40 + 0.5 * 10) / 50);
    close_to(metrics.macro.recall, 0.625);
    close_to(metrics.weighted.precision, (30.0 / 35.0 * 40 + 5.0 / 15.0 * 10) / 50);
    assert_int_equal(metrics.weighted.support, 50);
    metrics_release(&metrics);
    confusion_release(&confusion);
}

static void undefined_scores_are_zero(void **state)
{
    (void)state;
    const int counts[] = {5, 0, 0, 4, 0, 0, 0, 0, 0}; /* b never predicted, c not there at all */
    struct confusion confusion;
    struct metrics metrics;
    fill(&confusion, 3, counts);
    metrics_compute(&confusion, &metrics);
    assert_true(metrics.per_class[1].precision == 0.0);
    assert_true(metrics.per_class[1].f1 == 0.0);
    assert_true(metrics.per_class[2].recall == 0.0);
    assert_true(metrics_class_seen(&metrics.per_class[1]));
    assert_false(metrics_class_seen(&metrics.per_class[2]));
    close_to(metrics.macro.recall, 0.5); /* of two classes, not of three */
    metrics_release(&metrics);
    confusion_release(&confusion);
}

static void no_image_at_all_gives_zeros(void **state)
{
    (void)state;
    struct confusion confusion;
    struct metrics metrics;
    confusion_init(&confusion, 4);
    metrics_compute(&confusion, &metrics);
    assert_true(metrics.accuracy == 0.0);
    assert_true(metrics.macro.f1 == 0.0);
    assert_true(metrics.weighted.precision == 0.0);
    metrics_release(&metrics);
    confusion_release(&confusion);
}

/* A score straight from its definition, from the pairs themselves. */
static double naive_f1(const int *labels, const int *predicted, int count, int class)
{
    int both = 0, either = 0;
    for (int i = 0; i < count; i++) {
        both += labels[i] == class && predicted[i] == class;
        either += (labels[i] == class) + (predicted[i] == class);
    }
    return either == 0 ? 0.0 : 2.0 * both / either;
}

static void scores_agree_with_their_definition_on_random_predictions(void **state)
{
    (void)state;
    enum { COUNT = 400 };
    int labels[COUNT], predicted[COUNT];
    struct rng rng;
    rng_init(&rng, 7, 0, RNG_SYNTHETIC, 0);
    for (int round = 0; round < 100; round++) {
        int classes = 2 + (int)rng_below(&rng, 25);
        struct confusion confusion;
        struct metrics metrics;
        double macro = 0.0;
        confusion_init(&confusion, classes);
        for (int i = 0; i < COUNT; i++) {
            labels[i] = (int)rng_below(&rng, (uint64_t)classes);
            predicted[i] = rng_below(&rng, 3) == 0 ? (int)rng_below(&rng, (uint64_t)classes)
                                                   : labels[i];
            confusion_add(&confusion, labels[i], predicted[i]);
        }
        metrics_compute(&confusion, &metrics);
        for (int class = 0; class < classes; class ++) {
            double f1 = naive_f1(labels, predicted, COUNT, class);
            close_to(metrics.per_class[class].f1, f1);
            macro += f1 / classes;
        }
        close_to(metrics.macro.f1, macro);
        close_to(metrics.weighted.recall, metrics.accuracy);
        metrics_release(&metrics);
        confusion_release(&confusion);
    }
}

static void text_is_laid_out_in_columns(void **state)
{
    (void)state;
    const char *const names[] = {"a", "b", "c"};
    struct confusion confusion;
    struct metrics metrics;
    fill(&confusion, 3, three);
    metrics_compute(&confusion, &metrics);
    char *text = metrics_text(&metrics, 3, names);
    assert_string_equal(text, "              precision    recall  f1-score   support\n"
                              "\n"
                              "           a     0.8889    0.8000    0.8421        10\n"
                              "           b     0.6429    0.9000    0.7500        10\n"
                              "           c     1.0000    0.7000    0.8235        10\n"
                              "\n"
                              "    accuracy                         0.8000        30\n"
                              "   macro avg     0.8439    0.8000    0.8052        30\n"
                              "weighted avg     0.8439    0.8000    0.8052        30\n");
    free(text);
    metrics_release(&metrics);
    confusion_release(&confusion);
}

/* Published: Newcombe, Statistics in Medicine 17 (1998), table I, method 3. */
static void wilson_interval_has_its_published_values(void **state)
{
    (void)state;
    static const struct {
        int64_t successes, total;
        double low, high;
    } published[] = {{81, 263, 0.2553, 0.3662},
                     {15, 148, 0.0624, 0.1605},
                     {0, 20, 0.0000, 0.1611},
                     {1, 29, 0.0061, 0.1718}};
    for (size_t i = 0; i < ARRAY_LENGTH(published); i++) {
        double low, high;
        wilson_interval(published[i].successes, published[i].total, &low, &high);
        assert_true(fabs(low - published[i].low) < 0.00005);
        assert_true(fabs(high - published[i].high) < 0.00005);
    }
}

static void wilson_interval_stays_within_zero_and_one(void **state)
{
    (void)state;
    double low, high;
    wilson_interval(0, 10, &low, &high);
    assert_true(low == 0.0 && high > 0.0 && high < 1.0);
    wilson_interval(10, 10, &low, &high);
    assert_true(high == 1.0 && low > 0.0 && low < 1.0);
    wilson_interval(0, 0, &low, &high);
    assert_true(low == 0.0 && high == 1.0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_stand_where_they_were_added),
        cmocka_unit_test(scores_are_those_computed_by_hand),
        cmocka_unit_test(weighted_average_weighs_by_support),
        cmocka_unit_test(undefined_scores_are_zero),
        cmocka_unit_test(no_image_at_all_gives_zeros),
        cmocka_unit_test(scores_agree_with_their_definition_on_random_predictions),
        cmocka_unit_test(text_is_laid_out_in_columns),
        cmocka_unit_test(wilson_interval_has_its_published_values),
        cmocka_unit_test(wilson_interval_stays_within_zero_and_one),
    };
    return cmocka_run_group_tests_name("metrics", tests, NULL, NULL);
}
