/* batch_norm's loops in bf16, each against the kernel that does it in fp32, over random sizes:
 * sums as near as floats are, values as near as bf16 is. */
#include "trainer/bf16.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "tests/bf16_twin.h"

enum { ROUNDS = 150 };

static const struct bf16_layers *layers_here(void)
{
    const struct bf16_kernels *tables[2] = {0};
    if (tables_here(tables) == 0)
        skip();
    return tables[0]->layers;
}

static const struct bf16_norm *norm_here(void)
{
    return layers_here()->norm;
}

/* Some rows of values that are rounded already, with all that the kernels want to know of each
 * channel; an image of one pixel's rows where there is a window. */
struct rows {
    size_t rows, channels, count;
    float *x, *dy, *mean, *scale, *offset, *slope;
    uint16_t *halves, *dy_halves;
    struct normalized norm;
    struct bf16_values gradient; /* dy, exact or rounded */
};

static struct rows rows_new(struct rng *rng, size_t rows, size_t channels, size_t gradients)
{
    struct rows r = {.rows = rows, .channels = channels, .count = rows * channels};
    bool relu = between(rng, 0, 1), exact = between(rng, 0, 1);
    r.x = random_floats(rng, r.count);
    for (size_t i = 0; relu && i < r.count; i++)
        r.x[i] = r.x[i] > 0.0f ? r.x[i] : 0.0f;
    round_floats(r.x, r.count);
    r.dy = random_floats(rng, gradients);
    round_floats(r.dy, gradients);
    r.mean = random_floats(rng, channels);
    r.scale = random_floats(rng, channels);
    r.offset = random_floats(rng, channels);
    r.slope = random_floats(rng, channels);
    r.halves = halves_of(r.x, r.count);
    r.dy_halves = halves_of(r.dy, gradients);
    r.norm = (struct normalized){r.mean, r.scale, r.offset, r.slope, relu};
    r.gradient = (struct bf16_values){exact ? r.dy : NULL, exact ? NULL : r.dy_halves};
    return r;
}

static struct rows rows_drawn(struct rng *rng)
{
    size_t rows = between(rng, 1, 80), channels = between(rng, 1, 70);
    return rows_new(rng, rows, channels, rows * channels);
}

static void rows_release(struct rows *r)
{
    free(r->x);
    free(r->dy);
    free(r->mean);
    free(r->scale);
    free(r->offset);
    free(r->slope);
    free(r->halves);
    free(r->dy_halves);
}

static double *new_sums(size_t count)
{
    double *values = xcalloc(count + 1, sizeof *values);
    values[count] = 1e300;
    return values;
}

/* `size` is that of the numbers that were added up as floats. */
static void assert_sums(double *sums, double *expected, size_t count, double size)
{
    for (size_t i = 0; i < count; i++)
        assert_true(fabs(sums[i] - expected[i]) <= 3e-7 * size);
    assert_true(sums[count] == 1e300);
    free(sums);
    free(expected);
}

/* As near as the last of 8 bits, of numbers that may have been added up of others up to 3. */
static void assert_rounded(uint16_t *halves, float *expected, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        double value = float_of_half(halves[i]), difference = fabs(value - expected[i]);
        if (!(difference <= 0x1p-8 * fabs(expected[i]) + 1e-6))
            fail_msg("value %zu of %zu is %g, not %g", i, count, value, (double)expected[i]);
    }
    assert_int_equal(halves[count], HALF_GUARD);
    free(halves);
    free(expected);
}

static void moments_equal_the_kernel(void **state)
{
    (void)state;
    const struct bf16_norm *kernels = norm_here();
    struct rng rng = dice_of(101);
    for (int round = 0; round < ROUNDS; round++) {
        struct rows r = rows_drawn(&rng);
        for (size_t i = 0; i < r.count; i++) { /* a mean of 100 costs nothing */
            r.x[i] = rounded(r.x[i] + 100.0f);
            r.halves[i] = plain_bf16(r.x[i]);
        }
        double *sums = new_sums(r.channels), *squares = new_sums(r.channels);
        double *expected = new_sums(r.channels), *expected_squares = new_sums(r.channels);
        kernel_moments(r.rows, r.channels, r.x, expected, expected_squares);
        kernels->moments(r.rows, r.channels, r.halves, sums, squares);
        assert_sums(sums, expected, r.channels, 1e2);
        assert_sums(squares, expected_squares, r.channels, 1e4);
        rows_release(&r);
    }
}

static void moments_of_gradients_equal_the_kernel(void **state)
{
    (void)state;
    const struct bf16_norm *kernels = norm_here();
    struct rng rng = dice_of(102);
    for (int round = 0; round < ROUNDS; round++) {
        struct rows r = rows_drawn(&rng);
        double *sums = new_sums(r.channels), *products = new_sums(r.channels);
        double *expected = new_sums(r.channels), *expected_products = new_sums(r.channels);
        kernel_normalize_moments(r.rows, r.channels, r.mean, r.x, r.dy, expected,
                                 expected_products);
        kernels->normalize_moments(r.rows, r.channels, r.mean, r.halves, &r.gradient, sums,
                                   products);
        assert_sums(sums, expected, r.channels, 1e2);
        assert_sums(products, expected_products, r.channels, 1e2);
        rows_release(&r);
    }
}

static void normalize_and_its_way_back_equal_the_kernels(void **state)
{
    (void)state;
    const struct bf16_norm *kernels = norm_here();
    struct rng rng = dice_of(103);
    for (int round = 0; round < ROUNDS; round++) {
        struct rows r = rows_drawn(&rng);
        float *expected = dirty_floats(r.count), *expected_back = dirty_floats(r.count);
        float *exact = dirty_floats(r.count);
        uint16_t *y = dirty_halves(r.count), *dx = dirty_halves(r.count);
        kernel_normalize(r.rows, r.channels, r.mean, r.scale, r.offset, r.x, expected);
        kernels->normalize(r.rows, r.channels, r.mean, r.scale, r.offset, r.halves,
                           &(struct bf16_target){.exact = exact});
        for (size_t i = 0; i < r.count; i++)
            assert_true(fabsf(exact[i] - expected[i]) <= 1e-6f);
        assert_true(exact[r.count] == 1e30f);
        kernels->normalize(r.rows, r.channels, r.mean, r.scale, r.offset, r.halves,
                           &(struct bf16_target){.rounded = y});
        assert_rounded(y, expected, r.count);
        kernel_normalize_backward(r.rows, r.channels, &r.norm, r.x, r.dy, expected_back);
        kernels->normalize_backward(r.rows, r.channels, &r.norm, r.halves, &r.gradient, dx);
        assert_rounded(dx, expected_back, r.count);
        free(exact);
        rows_release(&r);
    }
}

/* With pixels that no window meets, and windows that reach over the edge. */
static void the_way_back_through_a_pool_equals_the_kernel(void **state)
{
    (void)state;
    const struct bf16_norm *kernels = norm_here();
    struct rng rng = dice_of(104);
    for (int round = 0; round < ROUNDS; round++) {
        struct window w;
        struct shape shape = {(int)between(&rng, 3, 9), (int)between(&rng, 3, 9),
                              (int)between(&rng, 1, 70)};
        size_t size = between(&rng, 1, 3);
        assert_int_equal(window_place(&w, shape, size, size, between(&rng, 0, 1)), 0);
        if (!bf16_pools(&w))
            continue;
        size_t outputs = w.output_height * w.output_width * w.channels;
        struct rows r = rows_new(&rng, w.input_height * w.input_width, w.channels, outputs);
        float *picked = dirty_floats(outputs), *expected = dirty_floats(r.count);
        int32_t *positions = xcalloc(outputs, sizeof *positions);
        uint16_t *chosen = dirty_halves(outputs), *dx = dirty_halves(r.count);
        kernel_max_pool(&w, r.scale, r.x, picked, positions);
        layers_here()->max_pool(&w, r.scale, r.halves, &(struct bf16_target){.exact = picked},
                                chosen);
        kernel_normalize_pool_backward(&w, &r.norm, positions, r.dy, r.x, expected);
        kernels->normalize_pool_backward(&w, &r.norm, chosen, &r.gradient, r.halves, dx);
        assert_rounded(dx, expected, r.count);
        free(picked);
        free(positions);
        free(chosen);
        rows_release(&r);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(moments_equal_the_kernel),
        cmocka_unit_test(moments_of_gradients_equal_the_kernel),
        cmocka_unit_test(normalize_and_its_way_back_equal_the_kernels),
        cmocka_unit_test(the_way_back_through_a_pool_equals_the_kernel),
    };
    return cmocka_run_group_tests_name("bf16_norm", tests, NULL, NULL);
}
