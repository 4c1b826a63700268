/* Optimizers against values computed independently (tests/golden_step.py). */
#include "trainer/optimizer.h"

#include "common/base.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "tests/golden_step.h"
#include "tests/tiny.h"

enum { COUNT = 7, STEPS = 4 };

static struct optimizer *open_optimizer(const char *settings, size_t count)
{
    json_t *json = tiny_json(settings);
    struct optimizer *optimizer = optimizer_new(json, count);
    json_decref(json);
    return optimizer;
}

static void check_steps(const char *settings, size_t vectors, const double *expected)
{
    struct optimizer *optimizer = open_optimizer(settings, COUNT);
    float parameters[COUNT], gradients[COUNT];
    assert_int_equal(optimizer_vector_count(optimizer), vectors);
    for (size_t i = 0; i < COUNT; i++)
        parameters[i] = (float)tiny_number(i, 3);
    for (size_t step = 1; step <= STEPS; step++) {
        for (size_t i = 0; i < COUNT; i++)
            gradients[i] = (float)tiny_number(i, 10 + step);
        optimizer_step(optimizer, 0.1 / (double)step, step, gradients, parameters);
    }
    for (size_t i = 0; i < COUNT; i++) {
        if (fabs(parameters[i] - expected[i]) > 1e-6)
            fail_msg("parameter %zu is %.9g, not %.9g", i, parameters[i], expected[i]);
    }
    optimizer_free(optimizer);
}

static void sgd_steps_are_right(void **state)
{
    (void)state;
    check_steps("{\"type\":\"sgd\",\"momentum\":0.0}", 0, golden_sgd);
}

static void sgd_steps_with_momentum_are_right(void **state)
{
    (void)state;
    check_steps("{\"type\":\"sgd\",\"momentum\":0.8}", 1, golden_momentum);
}

/* 1e-60 is a number to the schema, and 0 to a float. */
static void an_epsilon_below_floats_does_not_divide_by_zero(void **state)
{
    (void)state;
    const char *const settings[] = {
        "{\"type\":\"rmsprop\",\"rho\":0.9,\"epsilon\":1e-60}",
        "{\"type\":\"adam\",\"beta1\":0.9,\"beta2\":0.999,\"epsilon\":1e-60}",
    };
    for (size_t i = 0; i < ARRAY_LENGTH(settings); i++) {
        struct optimizer *optimizer = open_optimizer(settings[i], 1);
        float parameter = 0.5f, gradient = 0.0f;
        optimizer_step(optimizer, 0.1, 1, &gradient, &parameter);
        assert_true(parameter == 0.5f);
        optimizer_free(optimizer);
    }
}

static void rmsprop_steps_are_right(void **state)
{
    (void)state;
    check_steps("{\"type\":\"rmsprop\",\"rho\":0.7,\"epsilon\":1e-3}", 1, golden_rmsprop);
}

static void adam_steps_are_right(void **state)
{
    (void)state;
    check_steps("{\"type\":\"adam\",\"beta1\":0.8,\"beta2\":0.95,\"epsilon\":1e-2}", 2,
                golden_adam);
}

static void nesterov_steps_are_right(void **state)
{
    (void)state;
    check_steps("{\"type\":\"sgd\",\"momentum\":0.8,\"nesterov\":true}", 1, golden_nesterov);
    check_steps("{\"type\":\"sgd\",\"momentum\":0.8,\"nesterov\":false}", 1, golden_momentum);
    check_steps("{\"type\":\"sgd\",\"momentum\":0.0,\"nesterov\":true}", 0, golden_sgd);
}

static void weight_decay_adds_to_the_gradient(void **state)
{
    (void)state;
    check_steps("{\"type\":\"sgd\",\"momentum\":0.8,\"weight_decay\":0.03}", 1,
                golden_sgd_decay);
    check_steps("{\"type\":\"rmsprop\",\"rho\":0.7,\"epsilon\":1e-3,\"weight_decay\":0.03}", 1,
                golden_rmsprop_decay);
}

/* Of the four gradients some are longer than 0.7 and some are not. */
static void a_long_gradient_is_clipped_before_the_decay(void **state)
{
    (void)state;
    check_steps("{\"type\":\"sgd\",\"momentum\":0.0,\"weight_decay\":0.03,\"clip_norm\":0.7}", 0,
                golden_sgd_clip_decay);
    check_steps("{\"type\":\"adam\",\"beta1\":0.8,\"beta2\":0.95,\"epsilon\":1e-2,"
                "\"weight_decay\":0.03,\"clip_norm\":0.7}",
                2, golden_adam_clip_decay);
}

static void nothing_is_clipped_or_decayed_by_0(void **state)
{
    (void)state;
    check_steps("{\"type\":\"sgd\",\"momentum\":0.0,\"weight_decay\":0.0,\"clip_norm\":0.0}", 0,
                golden_sgd);
}

static void a_gradient_that_is_not_a_number_is_not_hidden_by_clipping(void **state)
{
    (void)state;
    struct optimizer *optimizer =
        open_optimizer("{\"type\":\"sgd\",\"momentum\":0.0,\"clip_norm\":1.0}", 3);
    const float bad[] = {NAN, INFINITY};
    for (size_t i = 0; i < ARRAY_LENGTH(bad); i++) {
        float parameters[3] = {0.1f, 0.2f, 0.3f}, gradients[3] = {0.5f, bad[i], 0.5f};
        optimizer_step(optimizer, 0.1, 1, gradients, parameters);
        assert_true(isnan(parameters[1]));
    }
    optimizer_free(optimizer);
}

static void adamw_steps_are_right(void **state)
{
    (void)state;
    check_steps("{\"type\":\"adamw\",\"beta1\":0.8,\"beta2\":0.95,\"epsilon\":1e-2,"
                "\"weight_decay\":0.03}",
                2, golden_adamw);
    check_steps("{\"type\":\"adamw\",\"beta1\":0.8,\"beta2\":0.95,\"epsilon\":1e-2,"
                "\"weight_decay\":0.0}",
                2, golden_adam);
}

/* Long vectors take other instructions than short ones. */
static void every_place_of_a_long_vector_steps_alike(void **state)
{
    (void)state;
    static const char *const settings[] = {
        "{\"type\":\"sgd\",\"momentum\":0.0}",
        "{\"type\":\"sgd\",\"momentum\":0.9}",
        "{\"type\":\"rmsprop\",\"rho\":0.9,\"epsilon\":1e-7}",
        "{\"type\":\"adam\",\"beta1\":0.9,\"beta2\":0.999,\"epsilon\":1e-7}",
        "{\"type\":\"sgd\",\"momentum\":0.9,\"nesterov\":true,\"weight_decay\":1e-3,"
        "\"clip_norm\":0.1}",
        "{\"type\":\"adamw\",\"beta1\":0.9,\"beta2\":0.999,\"epsilon\":1e-7,"
        "\"weight_decay\":0.1}",
    };
    for (size_t s = 0; s < ARRAY_LENGTH(settings); s++) {
        struct optimizer *optimizer = open_optimizer(settings[s], 101);
        float parameters[101], gradients[101];
        for (size_t i = 0; i < 101; i++)
            parameters[i] = 0.3f;
        for (size_t step = 1; step < 4; step++) {
            for (size_t i = 0; i < 101; i++)
                gradients[i] = -0.017f;
            optimizer_step(optimizer, 0.01, step, gradients, parameters);
        }
        assert_true(parameters[0] > 0.3f);
        for (size_t i = 1; i < 101; i++)
            assert_true(parameters[i] == parameters[0]);
        optimizer_free(optimizer);
    }
}

static void state_begins_as_zero(void **state)
{
    (void)state;
    struct optimizer *optimizer = open_optimizer("{\"type\":\"adam\",\"beta1\":0.9,"
                                                 "\"beta2\":0.999,\"epsilon\":1e-7}",
                                                 COUNT);
    for (size_t v = 0; v < 2; v++)
        for (size_t i = 0; i < COUNT; i++)
            assert_true(optimizer_vector(optimizer, v)[i] == 0.0f);
    optimizer_free(optimizer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sgd_steps_are_right),
        cmocka_unit_test(sgd_steps_with_momentum_are_right),
        cmocka_unit_test(rmsprop_steps_are_right),
        cmocka_unit_test(an_epsilon_below_floats_does_not_divide_by_zero),
        cmocka_unit_test(adam_steps_are_right),
        cmocka_unit_test(nesterov_steps_are_right),
        cmocka_unit_test(weight_decay_adds_to_the_gradient),
        cmocka_unit_test(a_long_gradient_is_clipped_before_the_decay),
        cmocka_unit_test(nothing_is_clipped_or_decayed_by_0),
        cmocka_unit_test(a_gradient_that_is_not_a_number_is_not_hidden_by_clipping),
        cmocka_unit_test(adamw_steps_are_right),
        cmocka_unit_test(every_place_of_a_long_vector_steps_alike),
        cmocka_unit_test(state_begins_as_zero),
    };
    return cmocka_run_group_tests_name("optimizer", tests, NULL, NULL);
}
