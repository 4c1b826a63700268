/* exp and its like against libm's in double precision, over all that a float can be. */
#include "common/base.h"
#include "trainer/elementary.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "tests/numbers.h"

#include <float.h>

enum { ROUNDS = 200000 };

static double exact_exp(double x)
{
    return exp(x);
}

static double exact_expm1(double x)
{
    return expm1(x);
}

static double exact_tanh(double x)
{
    return tanh(x);
}

static double exact_sigmoid(double x)
{
    return 1.0 / (1.0 + exp(-x));
}

static double exact_normal_share(double x)
{
    return 0.5 * erfc(-x / sqrt(2.0));
}

static const struct {
    const char *name;
    float (*fast)(float);
    double (*exact)(double);
    float least, most; /* where it is compared, */
    double error;      /* as a share of the result; what is denormal may be 0 */
} functions[] = {
    {"exp", fast_exp, exact_exp, -100.0f, 88.0f, 3e-7},
    {"expm1", fast_expm1, exact_expm1, -100.0f, 88.0f, 4e-7},
    {"tanh", fast_tanh, exact_tanh, -50.0f, 50.0f, 6e-7},
    {"sigmoid", fast_sigmoid, exact_sigmoid, -87.0f, 200.0f, 5e-7},
    {"normal_share", fast_normal_share, exact_normal_share, -12.0f, 12.0f, 3e-5},
};

static void compare(size_t f, float x)
{
    double exact = functions[f].exact((double)x), fast = (double)functions[f].fast(x);
    if (!(fabs(fast - exact) <= functions[f].error * fabs(exact) + 1.5 * FLT_MIN))
        fail_msg("%s(%.9g) is %.9g, not %.9g", functions[f].name, (double)x, fast, exact);
}

static void they_are_as_exact_as_floats(void **state)
{
    (void)state;
    struct rng rng = dice_of(91);
    for (size_t f = 0; f < ARRAY_LENGTH(functions); f++) {
        for (int i = 0; i < ROUNDS; i++) {
            float share = (float)rng_double(&rng);
            compare(f, functions[f].least + share * (functions[f].most - functions[f].least));
            compare(f, (share - 0.5f) * 2.0f);
        }
    }
}

static void they_are_exact_near_0(void **state)
{
    (void)state;
    for (float x = 1e-30f; x < 1.0f; x *= 1.7f) {
        for (size_t f = 0; f < ARRAY_LENGTH(functions); f++) {
            compare(f, x);
            compare(f, -x);
        }
    }
    assert_true(fast_expm1(0.0f) == 0.0f);
    assert_true(fast_tanh(0.0f) == 0.0f);
    assert_true(fast_exp(0.0f) == 1.0f);
}

static void beyond_all_bounds_they_end(void **state)
{
    (void)state;
    const float far[] = {1e3f, 1e30f, FLT_MAX, INFINITY};
    for (size_t i = 0; i < ARRAY_LENGTH(far); i++) {
        assert_true(fast_exp(-far[i]) == 0.0f);
        assert_true(fast_exp(far[i]) > 1e38f);
        assert_true(fast_expm1(-far[i]) == -1.0f);
        assert_true(fast_tanh(far[i]) == 1.0f);
        assert_true(fast_tanh(-far[i]) == -1.0f);
        assert_true(fast_sigmoid(far[i]) == 1.0f);
        assert_true(fast_sigmoid(-far[i]) < 1e-37f);
        assert_true(fast_normal_share(far[i]) == 1.0f);
        assert_true(fast_normal_share(-far[i]) == 0.0f);
    }
}

static void what_is_no_number_stays_so(void **state)
{
    (void)state;
    for (size_t f = 0; f < ARRAY_LENGTH(functions); f++) {
        assert_true(isnan(functions[f].fast(NAN)));
        assert_true(isnan(functions[f].fast(-NAN)));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(they_are_as_exact_as_floats),
        cmocka_unit_test(they_are_exact_near_0),
        cmocka_unit_test(beyond_all_bounds_they_end),
        cmocka_unit_test(what_is_no_number_stays_so),
    };
    return cmocka_run_group_tests_name("elementary", tests, NULL, NULL);
}
