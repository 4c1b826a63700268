#include "trainer/learning_rate.h"

#include "common/base.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/tiny.h"

enum { EPOCH_STEPS = 4 };

static double at(const char *schedule, uint64_t steps, uint64_t step)
{
    json_t *training = json_pack("{s{sf}so}", "optimizer", "learning_rate", 0.5,
                                 "learning_rate_schedule", tiny_json(schedule));
    struct learning_rate rate = learning_rate_plan(training, steps, EPOCH_STEPS, true);
    json_decref(training);
    return learning_rate_at(&rate, step);
}

static void assert_rate(double rate, double expected)
{
    if (fabs(rate - expected) > 1e-12)
        fail_msg("the rate is %.15g, not %.15g", rate, expected);
}

static void constant_is_the_same_at_every_step(void **state)
{
    (void)state;
    for (uint64_t step = 0; step < 100; step += 7)
        assert_rate(at("{\"type\":\"constant\"}", 50, step), 0.5);
}

static void linear_rises_and_falls(void **state)
{
    (void)state;
    const char *schedule = "{\"type\":\"linear\",\"warmup\":0.2,\"final\":0.1}";
    const struct {
        uint64_t step;
        double rate;
    } cases[] = {
        {0, 0.5 / 5},      {1, 0.5 * 2 / 5}, {2, 0.5 * 3 / 5},
        {3, 0.5 * 4 / 5},  {4, 0.5},         {12, 0.5 * (1 - 0.9 * 0.5)},
        {16, 0.5 * (1 - 0.9 * 0.75)},        {19, 0.5 * (1 - 0.9 * 15 / 16)},
        {20, 0.05},        {21, 0.05},       {1000000, 0.05},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++)
        assert_rate(at(schedule, 20, cases[i].step), cases[i].rate);
}

static void linear_without_warmup_begins_at_the_peak(void **state)
{
    (void)state;
    const char *schedule = "{\"type\":\"linear\",\"warmup\":0.0,\"final\":0.0}";
    assert_rate(at(schedule, 10, 0), 0.5);
    assert_rate(at(schedule, 10, 5), 0.25);
    assert_rate(at(schedule, 10, 9), 0.05);
    assert_rate(at(schedule, 10, 10), 0.0);
}

struct expected {
    uint64_t step;
    double rate;
};

static void assert_rates(const char *schedule, const struct expected *cases, size_t count)
{
    for (size_t i = 0; i < count; i++)
        assert_rate(at(schedule, 20, cases[i].step), cases[i].rate);
}

/* The cosines of 60 and 90 degrees and so on, by hand. */
static void cosine_rises_as_linear_and_falls_in_half_a_wave(void **state)
{
    (void)state;
    static const struct expected cases[] = {
        {0, 0.5 / 9}, {7, 0.5 * 8 / 9}, {8, 0.5},       {12, 0.5 * (0.1 + 0.9 * 0.75)},
        {14, 0.5 * 0.55}, {16, 0.5 * (0.1 + 0.9 * 0.25)}, {20, 0.05}, {1000000, 0.05},
    };
    assert_rates("{\"type\":\"cosine\",\"warmup\":0.4,\"final\":0.1}", cases, ARRAY_LENGTH(cases));
}

static void one_cycle_rises_and_falls_in_half_waves(void **state)
{
    (void)state;
    static const struct expected cases[] = {
        {0, 0.5 * 0.2}, {4, 0.5 * 0.6}, {8, 0.5}, {12, 0.5 * (0.01 + 0.99 * 0.75)},
        {14, 0.5 * 0.505}, {20, 0.005}, {21, 0.005},
    };
    assert_rates("{\"type\":\"one_cycle\",\"warmup\":0.4,\"start\":0.2,\"final\":0.01}", cases,
                 ARRAY_LENGTH(cases));
}

static void step_falls_after_every_so_many_epochs(void **state)
{
    (void)state;
    static const struct expected cases[] = {
        {0, 0.5}, {7, 0.5}, {8, 0.05}, {15, 0.05}, {16, 0.005}, {31, 0.0005}, {32, 0.00005},
    };
    assert_rates("{\"type\":\"step\",\"every\":2,\"factor\":0.1}", cases, ARRAY_LENGTH(cases));
}

static void exponential_falls_at_every_step(void **state)
{
    (void)state;
    static const struct expected cases[] = {
        {0, 0.5}, {2, 0.25}, {4, 0.125}, {6, 0.0625}, {8, 0.03125}, {40, 0.5 / 1048576},
    };
    assert_rates("{\"type\":\"exponential\",\"decay\":0.25}", cases, ARRAY_LENGTH(cases));
}

static void every_step_moves_and_none_exceeds_the_peak(void **state)
{
    (void)state;
    const char *warmups[] = {"0.0", "0.01", "0.33", "0.99", "1.0"};
    const char *types[] = {"linear", "cosine", "one_cycle"};
    for (size_t w = 0; w < ARRAY_LENGTH(warmups) * ARRAY_LENGTH(types); w++) {
        char *schedule =
            xasprintf("{\"type\":\"%s\",\"warmup\":%s,\"start\":0.04,\"final\":0.0}",
                      types[w / ARRAY_LENGTH(warmups)], warmups[w % ARRAY_LENGTH(warmups)]);
        for (uint64_t steps = 1; steps < 40; steps += 3)
            for (uint64_t step = 0; step < steps; step++) {
                double rate = at(schedule, steps, step);
                assert_true(rate > 0.0 && rate <= 0.5);
            }
        free(schedule);
    }
}

/* ---- reduce_on_plateau ---- */

static struct learning_rate plateau(const char *schedule, bool validated)
{
    json_t *training = json_pack("{s{sf}so}", "optimizer", "learning_rate", 0.5,
                                 "learning_rate_schedule", tiny_json(schedule));
    struct learning_rate rate = learning_rate_plan(training, 100, EPOCH_STEPS, validated);
    json_decref(training);
    return rate;
}

#define PLATEAU(monitor)                                                                       \
    "{\"type\":\"reduce_on_plateau\",\"monitor\":\"" monitor "\",\"factor\":0.5,"              \
    "\"patience\":2,\"min_change\":0.125,\"final\":0.2}"

static struct epoch_metrics losses(double train_loss, double val_loss)
{
    return (struct epoch_metrics){.train_loss = train_loss, .val_loss = val_loss};
}

/* Validation losses one epoch after the other, and the rate after each. */
static const struct {
    double loss, rate;
} falling[] = {
    {4.0, 0.5},   {3.0, 0.5},   {2.9375, 0.5}, {3.0, 0.25},  /* two without much gain */
    {2.9375, 0.25},             {2.9375, 0.125},             /* two more, counted anew */
    {2.9375, 0.125},            {2.5, 0.125},                /* better than 3.0 - 0.125 */
    {2.5, 0.125}, {(double)NAN, 0.1},                        /* not under final times the peak */
    {2.5, 0.1},   {2.5, 0.1},   {2.5, 0.1},
};

static void a_plateau_reduces_the_rate_after_its_patience(void **state)
{
    (void)state;
    struct learning_rate rate = plateau(PLATEAU("val_loss"), true);
    assert_rate(learning_rate_at(&rate, 0), 0.5);
    for (size_t i = 0; i < ARRAY_LENGTH(falling); i++) {
        struct epoch_metrics metrics = losses(-(double)i, falling[i].loss);
        learning_rate_watch(&rate, &metrics);
        for (uint64_t step = 0; step < 100; step += 33)
            assert_rate(learning_rate_at(&rate, step), falling[i].rate);
    }
}

static void a_plateau_without_validation_images_is_that_of_the_training(void **state)
{
    (void)state;
    struct learning_rate rate = plateau(PLATEAU("val_loss"), false);
    for (size_t i = 0; i < ARRAY_LENGTH(falling); i++) {
        struct epoch_metrics metrics = losses(falling[i].loss, (double)NAN);
        learning_rate_watch(&rate, &metrics);
        assert_rate(learning_rate_at(&rate, 0), falling[i].rate);
    }
}

static void a_plateau_that_is_restored_goes_on_exactly(void **state)
{
    (void)state;
    struct learning_rate rate = plateau(PLATEAU("val_loss"), true);
    for (size_t i = 0; i < ARRAY_LENGTH(falling); i++) {
        json_t *kept = learning_rate_state(&rate);
        char *text = json_dumps(kept, 0);
        json_decref(kept);
        kept = tiny_json(text);
        rate = plateau(PLATEAU("val_loss"), true);
        assert_int_equal(learning_rate_restore(&rate, kept), 0);
        json_decref(kept);
        free(text);
        struct epoch_metrics metrics = losses(0.0, falling[i].loss);
        learning_rate_watch(&rate, &metrics);
        assert_rate(learning_rate_at(&rate, 0), falling[i].rate);
    }
}

static void only_a_plateau_has_a_state(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "{}", "{\"best\":1.0,\"waited\":0}", "{\"best\":1.0,\"waited\":0,\"share\":0.1}",
        "{\"best\":1.0,\"waited\":0,\"share\":1.5}", "{\"best\":1.0,\"share\":0.5}",
    };
    struct learning_rate rate = plateau(PLATEAU("val_loss"), true);
    assert_int_equal(learning_rate_restore(&rate, NULL), -1);
    for (size_t i = 0; i < ARRAY_LENGTH(wrong); i++) {
        json_t *kept = tiny_json(wrong[i]);
        assert_int_equal(learning_rate_restore(&rate, kept), -1);
        json_decref(kept);
    }
    json_t *kept = learning_rate_state(&rate);
    rate = plateau("{\"type\":\"step\",\"every\":2,\"factor\":0.1}", true);
    assert_null(learning_rate_state(&rate));
    assert_int_equal(learning_rate_restore(&rate, kept), -1);
    assert_int_equal(learning_rate_restore(&rate, NULL), 0);
    struct epoch_metrics metrics = losses(1.0, 1.0);
    for (int i = 0; i < 9; i++)
        learning_rate_watch(&rate, &metrics);
    assert_rate(learning_rate_at(&rate, 0), 0.5);
    json_decref(kept);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(constant_is_the_same_at_every_step),
        cmocka_unit_test(linear_rises_and_falls),
        cmocka_unit_test(linear_without_warmup_begins_at_the_peak),
        cmocka_unit_test(cosine_rises_as_linear_and_falls_in_half_a_wave),
        cmocka_unit_test(one_cycle_rises_and_falls_in_half_waves),
        cmocka_unit_test(step_falls_after_every_so_many_epochs),
        cmocka_unit_test(exponential_falls_at_every_step),
        cmocka_unit_test(every_step_moves_and_none_exceeds_the_peak),
        cmocka_unit_test(a_plateau_reduces_the_rate_after_its_patience),
        cmocka_unit_test(a_plateau_without_validation_images_is_that_of_the_training),
        cmocka_unit_test(a_plateau_that_is_restored_goes_on_exactly),
        cmocka_unit_test(only_a_plateau_has_a_state),
    };
    return cmocka_run_group_tests_name("learning_rate", tests, NULL, NULL);
}
