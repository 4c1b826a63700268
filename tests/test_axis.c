#include "reports/axis.h"

#include "common/base.h"

#include <math.h>
#include <setjmp.h>
#include <string.h>
#include <cmocka.h>

static void labels_are(const struct axis *axis, const char *const *expected, int count)
{
    char label[AXIS_LABEL_SIZE];
    assert_int_equal(axis->ticks, count);
    for (int i = 0; i < count; i++) {
        axis_label(axis, i, label);
        assert_string_equal(label, expected[i]);
    }
}

static void ticks_are_round_numbers_around_the_data(void **state)
{
    (void)state;
    const char *const accuracy[] = {"0.85", "0.90", "0.95", "1.00"};
    const char *const loss[] = {"0.0", "0.5", "1.0", "1.5", "2.0", "2.5"};
    struct axis axis = axis_round(0.8612, 0.9987, 5);
    labels_are(&axis, accuracy, 4);
    axis = axis_round(0.0, 2.31, 5);
    labels_are(&axis, loss, 6);
}

static void bounds_on_ticks_stay(void **state)
{
    (void)state;
    struct axis axis = axis_round(0.9, 1.0, 5);
    assert_true(fabs(axis.low - 0.9) < 1e-12 && fabs(axis.high - 1.0) < 1e-12);
    assert_int_equal(axis.ticks, 6);
}

static void equal_or_infinite_bounds_still_give_an_axis(void **state)
{
    (void)state;
    static const double bounds[][2] = {{0.5, 0.5}, {0, 0}, {1e300, 1e300}, {NAN, 1},
                                       {-INFINITY, INFINITY}, {0, 1e-320}, {-3, -3}};
    for (size_t i = 0; i < ARRAY_LENGTH(bounds); i++) {
        struct axis axis = axis_round(bounds[i][0], bounds[i][1], 5);
        assert_true(axis.low < axis.high);
        assert_true(isfinite(axis_place(&axis, axis_tick(&axis, axis.ticks - 1), 0, 100)));
        assert_in_range(axis.ticks, 2, 20);
    }
}

static void ticks_cover_any_range(void **state)
{
    (void)state;
    for (double high = 1e-6; high < 1e9; high *= 1.7)
        for (double low = 0.0; low < high; low += high / 3.1) {
            struct axis axis = axis_round(low, high, 5);
            assert_true(axis.low <= low + 1e-5 * axis.step);
            assert_true(axis.high >= high - 1e-5 * axis.step);
            assert_in_range(axis.ticks, 2, 8);
        }
}

static void epochs_have_whole_ticks_within_their_range(void **state)
{
    (void)state;
    const char *const nine[] = {"1", "2", "3", "4", "5", "6", "7", "8", "9"};
    const char *const many[] = {"5", "10", "15", "20", "25"};
    const char *const one[] = {"1"};
    struct axis axis = axis_counted(9, 9);
    labels_are(&axis, nine, 9);
    axis = axis_counted(27, 9);
    labels_are(&axis, many, 5);
    axis = axis_counted(1, 9);
    labels_are(&axis, one, 1);
    assert_true(axis.low < 1 && axis.high > 1);
}

static void values_are_placed_in_proportion_and_upside_down_too(void **state)
{
    (void)state;
    struct axis axis = axis_round(0.0, 1.0, 5);
    assert_true(fabs(axis_place(&axis, 0.25, 100, 200) - 125) < 1e-9);
    assert_true(fabs(axis_place(&axis, 0.25, 200, 100) - 175) < 1e-9);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ticks_are_round_numbers_around_the_data),
        cmocka_unit_test(bounds_on_ticks_stay),
        cmocka_unit_test(equal_or_infinite_bounds_still_give_an_axis),
        cmocka_unit_test(ticks_cover_any_range),
        cmocka_unit_test(epochs_have_whole_ticks_within_their_range),
        cmocka_unit_test(values_are_placed_in_proportion_and_upside_down_too),
    };
    return cmocka_run_group_tests_name("axis", tests, NULL, NULL);
}
