/* What layers do to values in bf16, each against the kernel that does it in fp32, over random
 * sizes; what comes in and goes out exact or rounded, as it may. */
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

/* ---- values that go in and come out ---- */

/* Values that are rounded already, in both forms; what is drawn says which is used. */
struct input {
    float *floats;
    uint16_t *halves;
    struct bf16_values values;
};

static struct input input_new(struct rng *rng, size_t count)
{
    struct input input = {.floats = random_floats(rng, count)};
    round_floats(input.floats, count);
    input.halves = halves_of(input.floats, count);
    bool exact = between(rng, 0, 1);
    input.values = (struct bf16_values){exact ? input.floats : NULL, exact ? NULL : input.halves};
    return input;
}

static void input_release(struct input *input)
{
    free(input->floats);
    free(input->halves);
}

struct output {
    float *floats;
    uint16_t *halves;
    struct bf16_target target;
};

static struct output output_new(struct rng *rng, size_t count)
{
    struct output output = {dirty_floats(count), dirty_halves(count), {0}};
    if (between(rng, 0, 1))
        output.target.exact = output.floats;
    else
        output.target.rounded = output.halves;
    return output;
}

/* The same values, and none behind them. */
static void assert_output(struct output *output, const float *expected, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        float value = output->target.exact ? output->floats[i] : float_of_half(output->halves[i]);
        if (!(value == expected[i]) && !(isnan(value) && isnan(expected[i])))
            fail_msg("value %zu of %zu is %g, not %g", i, count, (double)value,
                     (double)expected[i]);
    }
    assert_true(output->floats[count] == 1e30f && output->halves[count] == HALF_GUARD);
    free(output->floats);
    free(output->halves);
}

static void assert_halves(const uint16_t *halves, const float *expected, size_t count)
{
    for (size_t i = 0; i < count; i++)
        assert_true(float_of_half(halves[i]) == expected[i]);
    assert_int_equal(halves[count], HALF_GUARD);
}

/* ---- value by value ---- */

static void relu_and_its_way_back_equal_the_kernels(void **state)
{
    (void)state;
    const struct bf16_layers *layers = layers_here();
    struct rng rng = dice_of(91);
    for (int round = 0; round < ROUNDS; round++) {
        size_t count = between(&rng, 1, 200);
        struct input x = input_new(&rng, count), gradient = input_new(&rng, count);
        struct output y = output_new(&rng, count);
        float *expected = dirty_floats(count), *back = dirty_floats(count);
        uint16_t *dx = dirty_halves(count);
        kernel_relu(count, x.floats, expected);
        layers->relu(count, x.halves, &y.target);
        assert_output(&y, expected, count);
        bool stopped = between(&rng, 0, 2) == 0;
        kernel_relu_backward(count, x.floats, gradient.floats, back);
        layers->relu_backward(count, stopped ? NULL : &x.values, &gradient.values, dx);
        assert_halves(dx, stopped ? gradient.floats : back, count);
        free(expected);
        free(back);
        free(dx);
        input_release(&x);
        input_release(&gradient);
    }
}

static void relu_keeps_what_is_not_a_number(void **state)
{
    (void)state;
    static const uint16_t values[] = {0x7fc0, 0xffc0, 0x7f80, 0xff80, 0x8000, 0x0000, 0xbf80};
    static const float expected[] = {NAN, NAN, INFINITY, 0, 0, 0, 0};
    float results[7];
    layers_here()->relu(7, values, &(struct bf16_target){.exact = results});
    for (size_t i = 0; i < 7; i++)
        assert_true(isnan(expected[i]) ? isnan(results[i]) : results[i] == expected[i]);
}

static void drop_equals_the_kernel(void **state)
{
    (void)state;
    const struct bf16_layers *layers = layers_here();
    struct rng rng = dice_of(92);
    for (int round = 0; round < ROUNDS; round++) {
        size_t count = between(&rng, 1, 200);
        uint8_t *kept = xcalloc(count, 1);
        for (size_t i = 0; i < count; i++)
            kept[i] = (uint8_t)between(&rng, 0, 1);
        float scale = 1.0f + rng_float(&rng), *expected = dirty_floats(count);
        struct input x = input_new(&rng, count);
        struct output y = output_new(&rng, count);
        kernel_drop(count, kept, scale, x.floats, expected);
        round_floats(expected, count);
        layers->drop(count, kept, scale, &x.values, &y.target);
        assert_output(&y, expected, count);
        free(expected);
        free(kept);
        input_release(&x);
    }
}

static void bias_gradients_equal_the_kernel(void **state)
{
    (void)state;
    const struct bf16_layers *layers = layers_here();
    struct rng rng = dice_of(93);
    for (int round = 0; round < ROUNDS; round++) {
        size_t rows = between(&rng, 1, 50), width = between(&rng, 1, 80), count = rows * width;
        bool relu = between(&rng, 0, 1);
        struct input output = input_new(&rng, count), gradient = input_new(&rng, count);
        float *sums = dirty_floats(width), *expected = dirty_floats(width);
        for (size_t i = 0; i < width; i++)
            sums[i] = expected[i] = (float)i;
        kernel_bias_backward(rows, width, output.floats, relu, gradient.floats, expected);
        layers->bias_backward(rows, width, relu ? output.halves : NULL, gradient.halves, sums);
        assert_halves(gradient.halves, gradient.floats, count);
        for (size_t i = 0; i < width; i++)
            assert_true(fabsf(sums[i] - expected[i]) <= 1e-5f * (float)(rows + width));
        assert_true(sums[width] == 1e30f);
        free(sums);
        free(expected);
        input_release(&output);
        input_release(&gradient);
    }
}

/* ---- max_pool ---- */

static struct window tiles_drawn(struct rng *rng)
{
    struct window window;
    struct shape shape = {(int)between(rng, 1, 12), (int)between(rng, 1, 12),
                          (int)between(rng, 1, 70)};
    size_t size = between(rng, 0, 1) ? 2 : between(rng, 1, 4);
    while (window_place(&window, shape, size, size, between(rng, 0, 1)) < 0 ||
           !bf16_pools(&window))
        size--;
    return window;
}

/* Which pixel of its window a position is, counted where the window meets the image. */
static size_t place_within(const struct window *w, size_t y, size_t x, size_t position)
{
    struct span rows = window_rows(w, y), columns = window_columns(w, x);
    size_t pixel = position / w->channels;
    return (pixel / w->input_width - rows.begin) * (columns.end - columns.begin) +
           pixel % w->input_width - columns.begin;
}

static void pools_equal_the_kernel(void **state)
{
    (void)state;
    const struct bf16_layers *layers = layers_here();
    struct rng rng = dice_of(94);
    for (int round = 0; round < ROUNDS; round++) {
        struct window w = tiles_drawn(&rng);
        size_t inputs = w.input_height * w.input_width * w.channels;
        size_t row = w.output_width * w.channels, outputs = w.output_height * row;
        struct input image = input_new(&rng, inputs), turn = input_new(&rng, w.channels);
        struct output output = output_new(&rng, outputs);
        const float *direction = between(&rng, 0, 1) ? turn.floats : NULL;
        float *expected = dirty_floats(outputs);
        int32_t *positions = xcalloc(outputs, sizeof *positions);
        uint16_t *chosen = dirty_halves(outputs);
        kernel_max_pool(&w, direction, image.floats, expected, positions);
        layers->max_pool(&w, direction, image.halves, &output.target, chosen);
        assert_output(&output, expected, outputs);
        for (size_t i = 0; i < outputs; i++)
            assert_int_equal(chosen[i], place_within(&w, i / row, i % row / w.channels,
                                                     (size_t)positions[i]));
        assert_int_equal(chosen[outputs], HALF_GUARD);
        free(expected);
        free(positions);
        free(chosen);
        input_release(&image);
        input_release(&turn);
    }
}

static void pools_go_back_as_the_kernel_does(void **state)
{
    (void)state;
    const struct bf16_layers *layers = layers_here();
    struct rng rng = dice_of(95);
    for (int round = 0; round < ROUNDS; round++) {
        struct window w = tiles_drawn(&rng);
        size_t inputs = w.input_height * w.input_width * w.channels;
        size_t outputs = w.output_height * w.output_width * w.channels;
        struct input image = input_new(&rng, inputs), gradient = input_new(&rng, outputs);
        bool stops = between(&rng, 0, 1), exact = between(&rng, 0, 1);
        float *output = dirty_floats(outputs), *expected = dirty_floats(inputs);
        int32_t *positions = xcalloc(outputs, sizeof *positions);
        uint16_t *halves = dirty_halves(outputs), *chosen = dirty_halves(outputs);
        uint16_t *back = dirty_halves(inputs);
        kernel_max_pool(&w, NULL, image.floats, output, positions);
        layers->max_pool(&w, NULL, image.halves, &(struct bf16_target){.rounded = halves}, chosen);
        kernel_max_pool_backward(&w, positions, stops ? output : NULL, gradient.floats, expected);
        const struct bf16_values values = {exact ? output : NULL, exact ? NULL : halves};
        layers->max_pool_backward(&w, chosen, stops ? &values : NULL, &gradient.values, back);
        assert_halves(back, expected, inputs);
        free(output);
        free(expected);
        free(positions);
        free(halves);
        free(chosen);
        free(back);
        input_release(&image);
        input_release(&gradient);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(relu_and_its_way_back_equal_the_kernels),
        cmocka_unit_test(relu_keeps_what_is_not_a_number),
        cmocka_unit_test(drop_equals_the_kernel),
        cmocka_unit_test(bias_gradients_equal_the_kernel),
        cmocka_unit_test(pools_equal_the_kernel),
        cmocka_unit_test(pools_go_back_as_the_kernel_does),
    };
    return cmocka_run_group_tests_name("bf16_layers", tests, NULL, NULL);
}
