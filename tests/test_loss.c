#include "trainer/loss.h"

#include "common/base.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "tests/numbers.h"

static double naive_loss(const double *logits, size_t classes, size_t label)
{
    double sum = 0.0;
    for (size_t c = 0; c < classes; c++)
        sum += exp(logits[c]);
    return -log(exp(logits[label]) / sum);
}

static void loss_and_gradient_are_right(void **state)
{
    (void)state;
    struct rng rng = dice_of(31);
    for (int round = 0; round < 100; round++) {
        size_t classes = between(&rng, 1, 12);
        float *logits = random_floats(&rng, classes);
        float *gradient = dirty_floats(classes);
        double *z = xcalloc(classes, sizeof *z);
        double *expected = xcalloc(classes, sizeof *expected);
        uint16_t label = (uint16_t)rng_below(&rng, classes);
        for (size_t c = 0; c < classes; c++)
            z[c] = logits[c];
        for (size_t c = 0; c < classes; c++) {
            z[c] += 1e-6;
            expected[c] = naive_loss(z, classes, label);
            z[c] -= 2e-6;
            expected[c] = 0.25 * (expected[c] - naive_loss(z, classes, label)) / 2e-6;
            z[c] += 1e-6;
        }
        struct loss_sum sum = {.loss = 3.0, .correct = 5};
        loss_add(1, classes, logits, &label, &sum, 0.25f, gradient);
        assert_close(gradient, expected, classes);
        assert_true(fabs(sum.loss - 3.0 - naive_loss(z, classes, label)) < 1e-12);
        assert_int_equal(sum.correct, 5 + (loss_predicted(classes, logits) == label));
        free(expected);
        free(z);
        free(gradient);
        free(logits);
    }
}

static double naive_smoothed_loss(const double *logits, size_t classes, size_t label,
                                  double smoothing)
{
    double loss = (1.0 - smoothing) * naive_loss(logits, classes, label);
    for (size_t c = 0; c < classes; c++)
        loss += smoothing / (double)classes * naive_loss(logits, classes, c);
    return loss;
}

static void smoothed_loss_and_gradient_are_right(void **state)
{
    (void)state;
    static const double smoothings[] = {0.0, 0.1, 0.5, 0.99};
    struct rng rng = dice_of(32);
    for (int round = 0; round < 100; round++) {
        size_t classes = between(&rng, 1, 12);
        double smoothing = smoothings[round % 4];
        float *logits = random_floats(&rng, classes);
        float *gradient = dirty_floats(classes);
        double *z = xcalloc(classes, sizeof *z);
        double *expected = xcalloc(classes, sizeof *expected);
        uint16_t label = (uint8_t)rng_below(&rng, classes);
        for (size_t c = 0; c < classes; c++)
            z[c] = logits[c];
        for (size_t c = 0; c < classes; c++) {
            z[c] += 1e-6;
            expected[c] = naive_smoothed_loss(z, classes, label, smoothing);
            z[c] -= 2e-6;
            expected[c] -= naive_smoothed_loss(z, classes, label, smoothing);
            expected[c] *= 0.25 / 2e-6;
            z[c] += 1e-6;
        }
        struct loss_sum sum = {.loss = 3.0, .correct = 5};
        loss_add_smoothed(1, classes, logits, &label, smoothing, &sum, 0.25f, gradient);
        assert_close(gradient, expected, classes);
        assert_true(gradient[classes] == 1e30f);
        assert_true(fabs(sum.loss - 3.0 - naive_smoothed_loss(z, classes, label, smoothing)) <
                    1e-12);
        assert_int_equal(sum.correct, 5 + (loss_predicted(classes, logits) == label));
        free(expected);
        free(z);
        free(gradient);
        free(logits);
    }
}

/* A class that is out of the question costs nothing where nothing is smoothed. */
static void without_smoothing_other_logits_may_be_infinitely_low(void **state)
{
    (void)state;
    const float logits[] = {1.0f, -INFINITY};
    const uint16_t label = 0;
    struct loss_sum sum = {0};
    loss_add(1, 2, logits, &label, &sum, 1.0f, NULL);
    assert_true(sum.loss == 0.0);
}

static void large_logits_do_not_overflow(void **state)
{
    (void)state;
    const float logits[] = {1e30f, 0.0f, -1e30f, 1000.0f, 1001.0f, 1002.0f};
    const uint16_t labels[] = {0, 2};
    struct loss_sum sum = {0};
    float gradient[6], probabilities[6];
    loss_add(2, 3, logits, labels, &sum, 1.0f, gradient);
    loss_softmax(2, 3, logits, probabilities);
    assert_int_equal(sum.correct, 2);
    assert_true(fabs(sum.loss - log(1.0 + exp(-1.0) + exp(-2.0))) < 1e-9);
    assert_true(probabilities[0] == 1.0f && probabilities[1] == 0.0f && gradient[0] == 0.0f);
    assert_true(fabsf(probabilities[3] + probabilities[4] + probabilities[5] - 1.0f) < 1e-6f);
}

static void the_first_of_equal_logits_is_predicted(void **state)
{
    (void)state;
    const float logits[] = {1.0f, 2.0f, 2.0f, 0.0f};
    assert_int_equal(loss_predicted(4, logits), 1);
    assert_int_equal(loss_predicted(1, logits), 0);
}

static void a_logit_that_is_not_a_number_shows_in_the_loss(void **state)
{
    (void)state;
    for (size_t place = 0; place < 3; place++) {
        float logits[3] = {0.5f, 1.0f, 0.0f};
        const uint16_t label = 1;
        struct loss_sum sum = {0};
        logits[place] = NAN;
        loss_add(1, 3, logits, &label, &sum, 1.0f, NULL);
        assert_true(isnan(sum.loss));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(loss_and_gradient_are_right),
        cmocka_unit_test(smoothed_loss_and_gradient_are_right),
        cmocka_unit_test(without_smoothing_other_logits_may_be_infinitely_low),
        cmocka_unit_test(large_logits_do_not_overflow),
        cmocka_unit_test(the_first_of_equal_logits_is_predicted),
        cmocka_unit_test(a_logit_that_is_not_a_number_shows_in_the_loss),
    };
    return cmocka_run_group_tests_name("loss", tests, NULL, NULL);
}
