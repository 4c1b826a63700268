/* The kernels of batch_norm, each against a naive twin in double precision, over random
 * sizes. */
#include "trainer/kernels.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "tests/numbers.h"

enum { ROUNDS = 150 };

/* Some rows of random values, with all that the kernels want to know of each channel. */
struct rows {
    size_t rows, channels, count;
    float *x, *dy, *mean, *scale, *offset, *slope;
};

static struct rows rows_new(struct rng *rng)
{
    struct rows r = {.rows = between(rng, 1, 30), .channels = between(rng, 1, 70)};
    r.count = r.rows * r.channels;
    r.x = random_floats(rng, r.count);
    r.dy = random_floats(rng, r.count);
    r.mean = random_floats(rng, r.channels);
    r.scale = random_floats(rng, r.channels);
    r.offset = random_floats(rng, r.channels);
    r.slope = random_floats(rng, r.channels);
    return r;
}

static void rows_release(struct rows *r)
{
    free(r->x);
    free(r->dy);
    free(r->mean);
    free(r->scale);
    free(r->offset);
    free(r->slope);
}

/* `size` is that of the numbers that were added up: eight of them at a time as floats. */
static void assert_sums(const double *sums, const double *expected, size_t count, double size)
{
    for (size_t i = 0; i < count; i++)
        assert_true(fabs(sums[i] - expected[i]) <= 3e-7 * size);
    assert_true(sums[count] == 1e300);
}

/* Sums to be added to, with a guard behind them. */
static double *new_sums(size_t count)
{
    double *values = xcalloc(count + 1, sizeof *values);
    values[count] = 1e300;
    return values;
}

static void moments_equal_their_twin(void **state)
{
    (void)state;
    struct rng rng = dice_of(61);
    for (int round = 0; round < ROUNDS; round++) {
        struct rows r = rows_new(&rng);
        double *sums = new_sums(r.channels), *squares = new_sums(r.channels);
        double *expected = xcalloc(r.channels, sizeof *expected);
        double *expected_squares = xcalloc(r.channels, sizeof *expected_squares);
        for (size_t i = 0; i < r.count; i++) {
            r.x[i] += 100.0f;
            expected[i % r.channels] += r.x[i];
            expected_squares[i % r.channels] += (double)r.x[i] * r.x[i];
        }
        kernel_moments(r.rows, r.channels, r.x, sums, squares);
        assert_sums(sums, expected, r.channels, 1e2); /* a mean of 100 costs nothing */
        assert_sums(squares, expected_squares, r.channels, 1e4);
        free(expected_squares);
        free(expected);
        free(squares);
        free(sums);
        rows_release(&r);
    }
}

static void moments_of_gradients_equal_their_twin(void **state)
{
    (void)state;
    struct rng rng = dice_of(62);
    for (int round = 0; round < ROUNDS; round++) {
        struct rows r = rows_new(&rng);
        double *sums = new_sums(r.channels), *products = new_sums(r.channels);
        double *expected = xcalloc(r.channels, sizeof *expected);
        double *expected_products = xcalloc(r.channels, sizeof *expected_products);
        for (size_t i = 0; i < r.count; i++) {
            size_t c = i % r.channels;
            expected[c] += r.dy[i];
            expected_products[c] += (double)r.dy[i] * (double)(r.x[i] - r.mean[c]);
        }
        kernel_normalize_moments(r.rows, r.channels, r.mean, r.x, r.dy, sums, products);
        assert_sums(sums, expected, r.channels, 1e2);
        assert_sums(products, expected_products, r.channels, 1e2);
        free(expected_products);
        free(expected);
        free(products);
        free(sums);
        rows_release(&r);
    }
}

static void normalize_and_its_way_back_equal_their_twins(void **state)
{
    (void)state;
    struct rng rng = dice_of(63);
    for (int round = 0; round < ROUNDS; round++) {
        struct rows r = rows_new(&rng);
        bool relu = round % 2;
        for (size_t i = 0; relu && i < r.count; i++)
            r.x[i] = r.x[i] > 0.0f ? r.x[i] : 0.0f;
        float *y = dirty_floats(r.count), *dx = dirty_floats(r.count);
        double *expected = xcalloc(r.count, sizeof *expected);
        double *expected_dx = xcalloc(r.count, sizeof *expected_dx);
        for (size_t i = 0; i < r.count; i++) {
            size_t c = i % r.channels;
            double centered = (double)r.x[i] - r.mean[c];
            expected[i] = r.scale[c] * centered + r.offset[c];
            expected_dx[i] = (double)r.scale[c] * r.dy[i] - r.offset[c] - r.slope[c] * centered;
            if (relu && !(r.x[i] > 0.0f))
                expected_dx[i] = 0.0;
        }
        kernel_normalize(r.rows, r.channels, r.mean, r.scale, r.offset, r.x, y);
        struct normalized norm = {r.mean, r.scale, r.offset, r.slope, relu};
        kernel_normalize_backward(r.rows, r.channels, &norm, r.x, r.dy, dx);
        assert_close(y, expected, r.count);
        assert_close(dx, expected_dx, r.count);
        assert_true(y[r.count] == 1e30f && dx[r.count] == 1e30f);
        free(expected_dx);
        free(expected);
        free(dx);
        free(y);
        rows_release(&r);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(moments_equal_their_twin),
        cmocka_unit_test(moments_of_gradients_equal_their_twin),
        cmocka_unit_test(normalize_and_its_way_back_equal_their_twins),
    };
    return cmocka_run_group_tests_name("kernels_norm", tests, NULL, NULL);
}
