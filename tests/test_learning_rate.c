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
    };
    return cmocka_run_group_tests_name("learning_rate", tests, NULL, NULL);
}
