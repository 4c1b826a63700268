/* The kernels that go element by element, and the products of matrices, each against
 * a naive twin in double precision, over random sizes. */
#include "trainer/gemm.h"
#include "trainer/kernels.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/numbers.h"

enum { ROUNDS = 150 };

/* ---- element by element ---- */

static void pixels_become_0_to_1(void **state)
{
    (void)state;
    uint8_t bytes[256];
    float values[257] = {[256] = 1e30f};
    for (size_t i = 0; i < 256; i++)
        bytes[i] = (uint8_t)i;
    kernel_pixels(256, bytes, values);
    for (size_t i = 0; i < 256; i++)
        assert_true(values[i] == (float)(uint8_t)i / 255.0f);
    assert_true(values[0] == 0.0f && values[255] == 1.0f && values[256] == 1e30f);
}

static void bias_equals_its_twin(void **state)
{
    (void)state;
    struct rng rng = dice_of(7);
    for (int round = 0; round < ROUNDS; round++) {
        size_t rows = between(&rng, 1, 20), width = between(&rng, 1, 70);
        bool relu = between(&rng, 0, 1);
        float *values = random_floats(&rng, rows * width);
        float *bias = random_floats(&rng, width);
        double *expected = xcalloc(rows * width, sizeof *expected);
        for (size_t i = 0; i < rows * width; i++) {
            expected[i] = (double)values[i] + bias[i % width];
            if (relu && expected[i] < 0.0)
                expected[i] = 0.0;
        }
        kernel_bias(rows, width, bias, relu, values);
        assert_close(values, expected, rows * width);
        assert_true(values[rows * width] == 0.0f);
        free(expected);
        free(bias);
        free(values);
    }
}

static void bias_backward_equals_its_twin(void **state)
{
    (void)state;
    struct rng rng = dice_of(8);
    for (int round = 0; round < ROUNDS; round++) {
        size_t rows = between(&rng, 1, 20), width = between(&rng, 1, 70);
        bool relu = between(&rng, 0, 1);
        float *output = random_floats(&rng, rows * width);
        float *gradient = random_floats(&rng, rows * width);
        float *sum = random_floats(&rng, width);
        double *expected = xcalloc(rows * width, sizeof *expected);
        double *expected_sum = xcalloc(width, sizeof *expected_sum);
        for (size_t i = 0; relu && i < rows * width; i++)
            output[i] = output[i] < 0.0f ? 0.0f : output[i];
        for (size_t i = 0; i < width; i++)
            expected_sum[i] = sum[i];
        for (size_t i = 0; i < rows * width; i++) {
            expected[i] = relu && output[i] <= 0.0f ? 0.0 : gradient[i];
            expected_sum[i % width] += expected[i];
        }
        kernel_bias_backward(rows, width, output, relu, gradient, sum);
        assert_close(gradient, expected, rows * width);
        assert_close(sum, expected_sum, width);
        free(expected_sum);
        free(expected);
        free(sum);
        free(gradient);
        free(output);
    }
}

static void relu_equals_its_twin(void **state)
{
    (void)state;
    struct rng rng = dice_of(9);
    for (int round = 0; round < ROUNDS; round++) {
        size_t count = between(&rng, 1, 300);
        float *input = random_floats(&rng, count), *output = dirty_floats(count);
        float *gradient = random_floats(&rng, count), *back = dirty_floats(count);
        input[0] = 0.0f;
        kernel_relu(count, input, output);
        kernel_relu_backward(count, output, gradient, back);
        for (size_t i = 0; i < count; i++) {
            assert_true(output[i] == (input[i] > 0.0f ? input[i] : 0.0f));
            assert_true(back[i] == (input[i] > 0.0f ? gradient[i] : 0.0f));
        }
        assert_true(output[count] == 1e30f && back[count] == 1e30f);
        free(back);
        free(gradient);
        free(output);
        free(input);
    }
}

static void what_is_not_a_number_stays_so(void **state)
{
    (void)state;
    float values[40], output[40], zero[1] = {0.0f};
    for (size_t i = 0; i < 40; i++)
        values[i] = NAN;
    kernel_relu(40, values, output);
    kernel_bias(40, 1, zero, true, values);
    for (size_t i = 0; i < 40; i++)
        assert_true(isnan(output[i]) && isnan(values[i]));
}

static void what_is_kept_is_at_least_the_rate(void **state)
{
    (void)state;
    struct rng rng = dice_of(15);
    for (int round = 0; round < ROUNDS; round++) {
        size_t count = between(&rng, 1, 300);
        float *numbers = random_floats(&rng, count);
        uint8_t *kept = xcalloc(count + 1, 1);
        kernel_keep(count, numbers, numbers[0], kept);
        for (size_t i = 0; i < count; i++)
            assert_int_equal(kept[i], numbers[i] >= numbers[0]);
        assert_int_equal(kept[count], 0);
        free(kept);
        free(numbers);
    }
}

static void drop_equals_its_twin(void **state)
{
    (void)state;
    struct rng rng = dice_of(10);
    for (int round = 0; round < ROUNDS; round++) {
        size_t count = between(&rng, 1, 300);
        float *input = random_floats(&rng, count), *output = dirty_floats(count);
        uint8_t *kept = xcalloc(count, 1);
        for (size_t i = 0; i < count; i++)
            kept[i] = (uint8_t)between(&rng, 0, 1);
        kernel_drop(count, kept, 1.25f, input, output);
        for (size_t i = 0; i < count; i++)
            assert_true(output[i] == (kept[i] ? input[i] * 1.25f : 0.0f));
        assert_true(output[count] == 1e30f);
        free(kept);
        free(output);
        free(input);
    }
}

static void add_equals_its_twin(void **state)
{
    (void)state;
    struct rng rng = dice_of(11);
    for (int round = 0; round < ROUNDS; round++) {
        size_t count = between(&rng, 1, 300);
        float *vector = random_floats(&rng, count), *sum = random_floats(&rng, count);
        float *other = dirty_floats(count);
        double *expected = xcalloc(count, sizeof *expected);
        for (size_t i = 0; i < count; i++)
            expected[i] = (double)sum[i] + vector[i];
        kernel_sum(count, sum, vector, other);
        kernel_add(count, vector, sum);
        assert_close(sum, expected, count);
        assert_close(other, expected, count);
        assert_true(sum[count] == 0.0f && other[count] == 1e30f);
        free(other);
        free(expected);
        free(sum);
        free(vector);
    }
}

static void scaling_and_squares_equal_their_twins(void **state)
{
    (void)state;
    struct rng rng = dice_of(14);
    for (int round = 0; round < ROUNDS; round++) {
        size_t count = between(&rng, 1, 300);
        float *vector = random_floats(&rng, count), *sum = random_floats(&rng, count);
        double *expected = xcalloc(count, sizeof *expected), squares = 0.0;
        for (size_t i = 0; i < count; i++) {
            expected[i] = 0.3 * ((double)sum[i] + 0.7 * vector[i]);
            squares += (double)vector[i] * vector[i];
        }
        kernel_add_scaled(count, 0.7f, vector, sum);
        kernel_scale(count, 0.3f, sum);
        assert_close(sum, expected, count);
        assert_true(sum[count] == 0.0f);
        assert_true(fabs(kernel_sum_of_squares(count, vector) - squares) < 1e-12 * squares);
        free(expected);
        free(sum);
        free(vector);
    }
}

static void channel_means_equal_their_twin(void **state)
{
    (void)state;
    struct rng rng = dice_of(13);
    for (int round = 0; round < ROUNDS; round++) {
        size_t pixels = between(&rng, 1, 60), channels = between(&rng, 1, 40);
        float *image = random_floats(&rng, pixels * channels), *means = dirty_floats(channels);
        double *expected = xcalloc(channels, sizeof *expected);
        for (size_t i = 0; i < pixels * channels; i++)
            expected[i % channels] += (double)image[i] / (double)pixels;
        kernel_channel_means(pixels, channels, image, means);
        assert_close(means, expected, channels);
        kernel_channel_means_backward(pixels, channels, means, image);
        for (size_t i = 0; i < pixels * channels; i++)
            assert_true(image[i] == means[i % channels] / (float)pixels);
        assert_true(means[channels] == 1e30f && image[pixels * channels] == 0.0f);
        free(expected);
        free(means);
        free(image);
    }
}

/* ---- products of matrices ---- */

static void gemm_equals_its_twin(void **state)
{
    (void)state;
    gemm_prepare();
    struct rng rng = dice_of(12);
    for (int round = 0; round < ROUNDS; round++) {
        size_t m = between(&rng, 1, 40), n = between(&rng, 1, 40), k = between(&rng, 1, 60);
        float *a = random_floats(&rng, m * k), *b = random_floats(&rng, k * n);
        float *c = random_floats(&rng, m * n);
        double *expected = xcalloc(m * n, sizeof *expected);
        int kind = round % 4; /* plain, b transposed, a transposed, the same added to c */
        for (size_t i = 0; i < m * n; i++)
            expected[i] = kind == 3 ? c[i] : 0.0;
        for (size_t i = 0; i < m; i++)
            for (size_t j = 0; j < n; j++)
                for (size_t p = 0; p < k; p++)
                    expected[i * n + j] += (double)(kind < 2 ? a[i * k + p] : a[p * m + i]) *
                                           (kind == 1 ? b[j * k + p] : b[p * n + j]);
        if (kind == 0)
            gemm(m, n, k, a, b, c);
        else if (kind == 1)
            gemm_transposed_b(m, n, k, a, b, c);
        else
            gemm_transposed_a(m, n, k, a, b, kind == 3 ? 1.0f : 0.0f, c);
        assert_close(c, expected, m * n);
        free(expected);
        free(c);
        free(b);
        free(a);
    }
}

static void gemm_overwrites_what_is_not_a_number(void **state)
{
    (void)state;
    float a[1] = {2.0f}, b[1] = {3.0f}, c[1] = {NAN};
    gemm(1, 1, 1, a, b, c);
    assert_true(c[0] == 6.0f);
    c[0] = NAN;
    gemm_transposed_a(1, 1, 1, a, b, 0.0f, c);
    assert_true(c[0] == 6.0f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pixels_become_0_to_1),
        cmocka_unit_test(bias_equals_its_twin),
        cmocka_unit_test(bias_backward_equals_its_twin),
        cmocka_unit_test(relu_equals_its_twin),
        cmocka_unit_test(what_is_not_a_number_stays_so),
        cmocka_unit_test(what_is_kept_is_at_least_the_rate),
        cmocka_unit_test(drop_equals_its_twin),
        cmocka_unit_test(add_equals_its_twin),
        cmocka_unit_test(scaling_and_squares_equal_their_twins),
        cmocka_unit_test(channel_means_equal_their_twin),
        cmocka_unit_test(gemm_equals_its_twin),
        cmocka_unit_test(gemm_overwrites_what_is_not_a_number),
    };
    return cmocka_run_group_tests_name("kernels", tests, NULL, NULL);
}
