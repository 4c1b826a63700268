/* The window and the kernels that move one over an image, each against a naive twin in
 * double precision, over random shapes. */
#include "trainer/kernels.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/numbers.h"

enum { ROUNDS = 150 };

static struct window random_window(struct rng *rng)
{
    struct window window;
    int result;
    do {
        struct shape input = {(int)between(rng, 1, 12), (int)between(rng, 1, 12),
                              (int)between(rng, 1, between(rng, 0, 1) ? 20 : 3)};
        result = window_place(&window, input, between(rng, 1, 5), between(rng, 1, 3),
                              between(rng, 0, 1));
    } while (result < 0);
    return window;
}

static size_t input_count(const struct window *w)
{
    return w->input_height * w->input_width * w->channels;
}

static size_t output_count(const struct window *w)
{
    return w->output_height * w->output_width * w->channels;
}

static size_t cell_count(const struct window *w)
{
    return w->output_height * w->output_width * w->size * w->size * w->channels;
}

/* Offset of the pixel that a cell of a window lies on, or -1 in the padding. */
static long naive_pixel(const struct window *w, size_t oy, size_t ox, size_t ky, size_t kx)
{
    long y = (long)(oy * w->stride + ky) - (long)w->top;
    long x = (long)(ox * w->stride + kx) - (long)w->left;
    if (y < 0 || x < 0 || y >= (long)w->input_height || x >= (long)w->input_width)
        return -1;
    return (y * (long)w->input_width + x) * (long)w->channels;
}

/* Calls `visit` for every cell: its place in the columns, in the output, its pixel. */
static void each_cell(const struct window *w,
                      void (*visit)(void *context, size_t cell, size_t output, long pixel),
                      void *context)
{
    size_t cell = 0;
    for (size_t oy = 0; oy < w->output_height; oy++)
        for (size_t ox = 0; ox < w->output_width; ox++)
            for (size_t ky = 0; ky < w->size; ky++)
                for (size_t kx = 0; kx < w->size; kx++)
                    for (size_t c = 0; c < w->channels; c++) {
                        long pixel = naive_pixel(w, oy, ox, ky, kx);
                        size_t output = (oy * w->output_width + ox) * w->channels + c;
                        visit(context, cell++, output, pixel < 0 ? -1 : pixel + (long)c);
                    }
}

struct twin {
    const float *from;   /* what the kernel read */
    double *to;          /* what it should have made */
    double *cells;       /* real cells under each window */
    long *chosen;
};

static struct twin twin_new(const float *from, size_t count, double start)
{
    struct twin twin = {from, xcalloc(count, sizeof(double)), xcalloc(count, sizeof(double)),
                        xcalloc(count, sizeof(long))};
    for (size_t i = 0; i < count; i++)
        twin.to[i] = start;
    return twin;
}

static void twin_free(struct twin *twin)
{
    free(twin->to);
    free(twin->cells);
    free(twin->chosen);
}

static void window_follows_the_formulas_of_keras(void **state)
{
    (void)state;
    const struct {
        int input;
        size_t size, stride;
        bool same;
        size_t output, before;
    } cases[] = {
        {28, 3, 1, false, 26, 0}, {28, 3, 1, true, 28, 1}, {28, 2, 1, true, 28, 0},
        {28, 5, 2, true, 14, 1},  {27, 5, 2, true, 14, 2}, {28, 4, 2, true, 14, 1},
        {7, 2, 2, false, 3, 0},   {7, 2, 2, true, 4, 0},   {5, 1, 3, true, 2, 0},
        {3, 3, 3, false, 1, 0},   {1, 5, 1, true, 1, 2},   {10, 4, 3, true, 4, 1},
        {11, 3, 2, false, 5, 0},  {6, 1, 4, true, 2, 0},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct window w;
        struct shape input = {cases[i].input, 9, 2};
        assert_int_equal(window_place(&w, input, cases[i].size, cases[i].stride, cases[i].same), 0);
        assert_int_equal(w.output_height, cases[i].output);
        assert_int_equal(w.top, cases[i].before);
    }
    struct window w;
    assert_int_equal(window_place(&w, (struct shape){4, 9, 1}, 5, 1, false), -1);
    assert_int_equal(window_place(&w, (struct shape){9, 4, 1}, 5, 1, false), -1);
    assert_int_equal(window_place(&w, (struct shape){4, 4, 1}, 5, 1, true), 0);
}

static void visit_im2col(void *context, size_t cell, size_t output, long pixel)
{
    struct twin *twin = context;
    (void)output;
    twin->to[cell] = pixel < 0 ? 0.0 : twin->from[pixel];
}

static void im2col_equals_its_twin(void **state)
{
    (void)state;
    struct rng rng = dice_of(1);
    for (int round = 0; round < ROUNDS; round++) {
        struct window w = random_window(&rng);
        float *image = random_floats(&rng, input_count(&w));
        float *columns = dirty_floats(cell_count(&w));
        struct twin twin = twin_new(image, cell_count(&w), 0.0);
        kernel_im2col(&w, image, columns);
        each_cell(&w, visit_im2col, &twin);
        for (size_t i = 0; i < cell_count(&w); i++)
            assert_true(columns[i] == (float)twin.to[i]);
        assert_true(columns[cell_count(&w)] == 1e30f);
        twin_free(&twin);
        free(columns);
        free(image);
    }
}

static void visit_col2im(void *context, size_t cell, size_t output, long pixel)
{
    struct twin *twin = context;
    (void)output;
    if (pixel >= 0)
        twin->to[pixel] += twin->from[cell];
}

static void col2im_equals_its_twin(void **state)
{
    (void)state;
    struct rng rng = dice_of(2);
    for (int round = 0; round < ROUNDS; round++) {
        struct window w = random_window(&rng);
        float *columns = random_floats(&rng, cell_count(&w));
        float *image = dirty_floats(input_count(&w));
        struct twin twin = twin_new(columns, input_count(&w), 0.0);
        kernel_col2im(&w, columns, image);
        each_cell(&w, visit_col2im, &twin);
        assert_close(image, twin.to, input_count(&w));
        assert_true(image[input_count(&w)] == 1e30f);
        twin_free(&twin);
        free(columns);
        free(image);
    }
}

static void visit_max(void *context, size_t cell, size_t output, long pixel)
{
    struct twin *twin = context;
    (void)cell;
    if (pixel >= 0 && twin->from[pixel] > twin->to[output]) {
        twin->to[output] = twin->from[pixel];
        twin->chosen[output] = pixel;
    }
}

/* The twin of a pool that takes the smallest in some channels: such an image is turned over. */
static void turn_channels(size_t count, size_t channels, const float *direction, float *values)
{
    for (size_t i = 0; direction && i < count; i++)
        values[i] = signbit(direction[i % channels]) ? -values[i] : values[i];
}

/* Values of a coarse grid, so that there are equals to choose among. */
static void max_pool_equals_its_twin(void **state)
{
    (void)state;
    struct rng rng = dice_of(3);
    for (int round = 0; round < ROUNDS; round++) {
        struct window w = random_window(&rng);
        float *image = random_floats(&rng, input_count(&w));
        for (size_t i = 0; i < input_count(&w); i++)
            image[i] = round % 2 ? image[i] : floorf(image[i] * 3.0f) - 10.0f;
        float *output = dirty_floats(output_count(&w));
        float *signs = random_floats(&rng, w.channels), *direction = round / 2 % 2 ? signs : NULL;
        int32_t *chosen = xcalloc(output_count(&w), sizeof *chosen);
        struct twin twin = twin_new(image, output_count(&w), -INFINITY);
        kernel_max_pool(&w, direction, image, output, chosen);
        turn_channels(input_count(&w), w.channels, direction, image);
        turn_channels(output_count(&w), w.channels, direction, output);
        each_cell(&w, visit_max, &twin);
        for (size_t i = 0; i < output_count(&w); i++) {
            assert_true(output[i] == (float)twin.to[i]);
            assert_int_equal(chosen[i], twin.chosen[i]);
        }
        assert_true(output[output_count(&w)] == 1e30f);
        twin_free(&twin);
        free(signs);
        free(chosen);
        free(output);
        free(image);
    }
}

/* Every second window is of 2 x 2 side by side, as most are; half of both as if behind relu. */
static void max_pool_backward_equals_its_twin(void **state)
{
    (void)state;
    struct rng rng = dice_of(4);
    for (int round = 0; round < 2 * ROUNDS; round++) {
        struct window w = random_window(&rng);
        struct shape shape = {(int)w.input_height, (int)w.input_width, (int)w.channels};
        bool tiles = round % 2, relu = round / 2 % 2;
        if (tiles && window_place(&w, shape, 2, 2, round / 4 % 2) < 0)
            continue;
        float *image = random_floats(&rng, input_count(&w));
        float *gradient = random_floats(&rng, output_count(&w));
        float *back = dirty_floats(input_count(&w));
        float *output = dirty_floats(output_count(&w));
        int32_t *chosen = xcalloc(output_count(&w), sizeof *chosen);
        struct twin twin = twin_new(image, output_count(&w), -INFINITY);
        double *expected = xcalloc(input_count(&w), sizeof *expected);
        kernel_max_pool(&w, NULL, image, output, chosen);
        kernel_max_pool_backward(&w, chosen, relu ? output : NULL, gradient, back);
        each_cell(&w, visit_max, &twin);
        for (size_t i = 0; i < output_count(&w); i++)
            expected[twin.chosen[i]] += relu && !(output[i] > 0.0f) ? 0.0f : gradient[i];
        assert_close(back, expected, input_count(&w));
        assert_true(back[input_count(&w)] == 1e30f);
        twin_free(&twin);
        free(expected);
        free(chosen);
        free(output);
        free(back);
        free(gradient);
        free(image);
    }
}

/* What the two kernels that it is made of give, one after the other. */
static void normalize_pool_backward_equals_its_parts(void **state)
{
    (void)state;
    struct rng rng = dice_of(14);
    for (int round = 0; round < 2 * ROUNDS; round++) {
        struct window w = random_window(&rng);
        struct shape shape = {(int)w.input_height, (int)w.input_width, (int)w.channels};
        if (round % 2 && window_place(&w, shape, 2, 2, round / 4 % 2) < 0)
            continue;
        size_t pixels = w.input_height * w.input_width, inputs = input_count(&w);
        float *rows[4], *image = random_floats(&rng, inputs);
        for (size_t i = 0; i < 4; i++)
            rows[i] = random_floats(&rng, w.channels);
        float *gradient = random_floats(&rng, output_count(&w));
        float *output = dirty_floats(output_count(&w)), *spread = dirty_floats(inputs);
        float *back = dirty_floats(inputs), *parts = dirty_floats(inputs);
        int32_t *chosen = xcalloc(output_count(&w), sizeof *chosen);
        struct normalized norm = {rows[0], rows[1], rows[2], rows[3], round / 2 % 2};
        kernel_max_pool(&w, rows[1], image, output, chosen);
        kernel_max_pool_backward(&w, chosen, NULL, gradient, spread);
        kernel_normalize_backward(pixels, w.channels, &norm, image, spread, parts);
        kernel_normalize_pool_backward(&w, &norm, chosen, gradient, image, back);
        for (size_t i = 0; i < inputs; i++)
            assert_true(fabsf(back[i] - parts[i]) <= 1e-5f * (1.0f + fabsf(parts[i])));
        assert_true(back[inputs] == 1e30f);
        for (size_t i = 0; i < 4; i++)
            free(rows[i]);
        free(chosen);
        free(parts);
        free(back);
        free(spread);
        free(output);
        free(gradient);
        free(image);
    }
}

static void visit_sum(void *context, size_t cell, size_t output, long pixel)
{
    struct twin *twin = context;
    (void)cell;
    if (pixel >= 0) {
        twin->to[output] += twin->from[pixel];
        twin->cells[output] += 1.0;
    }
}

static void avg_pool_equals_its_twin(void **state)
{
    (void)state;
    struct rng rng = dice_of(5);
    for (int round = 0; round < ROUNDS; round++) {
        struct window w = random_window(&rng);
        float *image = random_floats(&rng, input_count(&w));
        float *output = dirty_floats(output_count(&w));
        struct twin twin = twin_new(image, output_count(&w), 0.0);
        kernel_avg_pool(&w, image, output);
        each_cell(&w, visit_sum, &twin);
        for (size_t i = 0; i < output_count(&w); i++)
            twin.to[i] /= twin.cells[i];
        assert_close(output, twin.to, output_count(&w));
        assert_true(output[output_count(&w)] == 1e30f);
        twin_free(&twin);
        free(output);
        free(image);
    }
}

struct spread {
    const float *gradient;
    const double *cells;
    double *to;
};

static void visit_spread(void *context, size_t cell, size_t output, long pixel)
{
    struct spread *spread = context;
    (void)cell;
    if (pixel >= 0)
        spread->to[pixel] += spread->gradient[output] / spread->cells[output];
}

static void avg_pool_backward_equals_its_twin(void **state)
{
    (void)state;
    struct rng rng = dice_of(6);
    for (int round = 0; round < ROUNDS; round++) {
        struct window w = random_window(&rng);
        float *image = random_floats(&rng, input_count(&w));
        float *gradient = random_floats(&rng, output_count(&w));
        float *back = dirty_floats(input_count(&w));
        struct twin twin = twin_new(image, output_count(&w), 0.0);
        double *expected = xcalloc(input_count(&w), sizeof *expected);
        kernel_avg_pool_backward(&w, gradient, back);
        each_cell(&w, visit_sum, &twin);
        struct spread spread = {gradient, twin.cells, expected};
        each_cell(&w, visit_spread, &spread);
        assert_close(back, expected, input_count(&w));
        assert_true(back[input_count(&w)] == 1e30f);
        twin_free(&twin);
        free(expected);
        free(back);
        free(gradient);
        free(image);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(window_follows_the_formulas_of_keras),
        cmocka_unit_test(im2col_equals_its_twin),
        cmocka_unit_test(col2im_equals_its_twin),
        cmocka_unit_test(max_pool_equals_its_twin),
        cmocka_unit_test(max_pool_backward_equals_its_twin),
        cmocka_unit_test(normalize_pool_backward_equals_its_parts),
        cmocka_unit_test(avg_pool_equals_its_twin),
        cmocka_unit_test(avg_pool_backward_equals_its_twin),
    };
    return cmocka_run_group_tests_name("window", tests, NULL, NULL);
}
