/* Convolution in bf16: forward and both gradients against a naive twin in double precision
 * that takes rounded images, weights and gradients, over random shapes. */
#include "trainer/bf16_conv.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/bf16_twin.h"
#include "tests/conv_sample.h"

enum { ROUNDS = 60 };

/* What the kernels make of a sample. */
struct result {
    float *output, *weight_gradient, *input_gradient;
};

static size_t tables_to_try(const struct bf16_kernels *tables[2])
{
    size_t count = tables_here(tables);
    if (count == 0)
        skip();
    return count;
}

/* Forward, into y. */
static void run_forward(const struct bf16_conv *conv, const struct sample *s,
                        const struct bf16_values *images, float *scratch,
                        const struct bf16_target *y)
{
    uint16_t *packed = xcalloc(bf16_conv_packed_size(conv), sizeof *packed);
    memset(packed, 0xff, bf16_conv_packed_size(conv) * sizeof *packed);
    bf16_conv_pack(conv, s->weights, packed);
    bf16_conv_forward(conv, s->count, images, packed, s->bias, s->relu, scratch, y);
    free(packed);
}

/* Back, as many images at a time as may be; into dW and dx. */
static void run_back(const struct bf16_conv *conv, const struct sample *s,
                     const struct bf16_values *images, const struct bf16_values *gradients,
                     float *scratch, float *weight_gradient, const struct bf16_target *dx)
{
    uint16_t *turned = xcalloc(bf16_conv_turned_size(conv), sizeof *turned);
    memset(turned, 0xff, bf16_conv_turned_size(conv) * sizeof *turned);
    bf16_conv_pack_turned(conv, s->weights, turned);
    struct bf16_conv_back back;
    bf16_conv_back_begin(&back, conv, turned, weight_gradient, scratch);
    for (size_t first = 0; first < s->count; first += conv->sums.images) {
        size_t left = s->count - first;
        struct bf16_values image = bf16_values_from(images, first * s->inputs);
        struct bf16_values gradient = bf16_values_from(gradients, first * s->outputs);
        bf16_conv_back_weights(&back, left < conv->sums.images ? left : conv->sums.images, &image,
                               &gradient);
    }
    for (size_t i = 0; i < s->count; i++) {
        struct bf16_values gradient = bf16_values_from(gradients, i * s->outputs);
        struct bf16_target to = bf16_target_from(dx, i * s->inputs);
        bf16_conv_back_input(&back, &gradient, &to);
    }
    bf16_conv_back_end(&back);
    free(turned);
}

static void run(const struct bf16_kernels *kernels, const struct sample *s, struct result *result)
{
    struct bf16_conv conv;
    bf16_conv_plan(&conv, kernels, &s->window, s->filters);
    float *scratch = dirty_floats(bf16_conv_scratch_size(&conv));
    *result = (struct result){dirty_floats(s->count * s->outputs), dirty_floats(s->weight_count),
                              dirty_floats(s->count * s->inputs)};
    const struct bf16_values images = {.exact = s->images}, gradients = {.exact = s->gradients};
    run_forward(&conv, s, &images, scratch, &(struct bf16_target){.exact = result->output});
    memset(scratch, 0xff, bf16_conv_scratch_size(&conv) * sizeof *scratch);
    run_back(&conv, s, &images, &gradients, scratch, result->weight_gradient,
             &(struct bf16_target){.exact = result->input_gradient});
    assert_true(scratch[bf16_conv_scratch_size(&conv)] == 1e30f);
    free(scratch);
}

static void result_release(struct result *result)
{
    free(result->output);
    free(result->weight_gradient);
    free(result->input_gradient);
}

/* ---- against the twin ---- */

static float *rounded_copy(const float *values, size_t count)
{
    float *copy = xcalloc(count + 1, sizeof *copy);
    for (size_t i = 0; i < count; i++)
        copy[i] = rounded(values[i]);
    return copy;
}

/* The sample as its kernels see it; released like another. */
static struct sample rounded_sample(const struct sample *s)
{
    struct sample copy = *s;
    copy.images = rounded_copy(s->images, s->count * s->inputs);
    copy.weights = rounded_copy(s->weights, s->weight_count);
    copy.gradients = rounded_copy(s->gradients, s->count * s->outputs);
    copy.bias = xcalloc(s->filters, sizeof *copy.bias);
    memcpy(copy.bias, s->bias, s->filters * sizeof *copy.bias);
    twin(&copy);
    return copy;
}

/* `terms` values of up to 1 are added up in each element, in single precision. */
static void assert_near(const struct bf16_kernels *kernels, const char *what,
                        const struct sample *s, const float *values, const double *expected,
                        size_t count, size_t terms)
{
    double most = 1e-5 + 1e-7 * (double)terms;
    for (size_t i = 0; i < count; i++) {
        if (!(fabs(values[i] - expected[i]) <= most))
            fail_msg("%s: %s %zu of %zu is %.9g, not %.9g (%zux%zux%zu, %zux%zu, stride %zu, %zu "
                     "filters)", kernels->name, what, i, count, values[i], expected[i],
                     s->window.input_height, s->window.input_width, s->window.channels,
                     s->window.size, s->window.size, s->window.stride, s->filters);
    }
    assert_true(values[count] == 1e30f);
}

static void check(const struct bf16_kernels *kernels, const struct sample *s,
                  const struct sample *expected)
{
    const struct window *w = &s->window;
    size_t taps = w->size * w->size;
    struct result result;
    run(kernels, s, &result);
    assert_near(kernels, "output", s, result.output, expected->output, s->count * s->outputs,
                taps * w->channels);
    assert_near(kernels, "weight gradient", s, result.weight_gradient, expected->weight_gradient,
                s->weight_count, s->count * w->output_height * w->output_width);
    assert_near(kernels, "input gradient", s, result.input_gradient, expected->input_gradient,
                s->count * s->inputs, taps * s->filters);
    result_release(&result);
}

static void check_everywhere(const struct sample *s)
{
    const struct bf16_kernels *tables[2] = {0};
    size_t count = tables_to_try(tables);
    struct sample expected = rounded_sample(s);
    for (size_t i = 0; i < count; i++)
        check(tables[i], s, &expected);
    sample_release(&expected);
}

static void kernels_equal_their_twin(void **state)
{
    (void)state;
    const struct bf16_kernels *tables[2] = {0};
    tables_to_try(tables);
    struct rng rng = dice_of(71);
    for (int round = 0; round < ROUNDS; round++) {
        struct sample sample;
        random_sample(&rng, &sample);
        check_everywhere(&sample);
        sample_release(&sample);
    }
}

/* Every width of a row, and number of channels and filters: tiles and blocks alone and in
 * pieces. */
static void every_size_of_block_is_right(void **state)
{
    (void)state;
    const struct bf16_kernels *tables[2] = {0};
    tables_to_try(tables);
    struct rng rng = dice_of(72);
    for (int size = 1; size <= 36; size++) {
        struct window window;
        struct sample sample;
        assert_int_equal(window_place(&window, (struct shape){3, size, size}, 3, 1, true), 0);
        sample_of(&rng, window, (size_t)(37 - size), &sample);
        check_everywhere(&sample);
        sample_release(&sample);
    }
}

/* ---- what must not matter ---- */

static void assert_same_bits(const struct sample *s, const struct result *a,
                             const struct result *b)
{
    assert_memory_equal(a->output, b->output, s->count * s->outputs * sizeof(float));
    assert_memory_equal(a->weight_gradient, b->weight_gradient, s->weight_count * sizeof(float));
    assert_memory_equal(a->input_gradient, b->input_gradient,
                        s->count * s->inputs * sizeof(float));
}

static void alignment_changes_no_bit(void **state)
{
    (void)state;
    const struct bf16_kernels *tables[2] = {0};
    size_t count = tables_to_try(tables);
    struct rng rng = dice_of(73);
    for (int round = 0; round < 6; round++) {
        struct sample sample;
        random_sample(&rng, &sample);
        struct sample shifted = sample_moved(&sample);
        for (size_t i = 0; i < count; i++) {
            struct result a, b;
            run(tables[i], &sample, &a);
            run(tables[i], &shifted, &b);
            assert_same_bits(&sample, &a, &b);
            result_release(&a);
            result_release(&b);
        }
        sample_moved_release(&shifted);
        sample_release(&sample);
    }
}

/* What was rounded before gives the same bits as what is rounded on the way; and what is rounded
 * behind, those of what is rounded later. */
static void check_rounded(const struct bf16_kernels *kernels, const struct sample *s)
{
    struct result exact;
    struct bf16_conv conv;
    run(kernels, s, &exact);
    bf16_conv_plan(&conv, kernels, &s->window, s->filters);
    float *scratch = dirty_floats(bf16_conv_scratch_size(&conv));
    float *weight_gradient = dirty_floats(s->weight_count);
    uint16_t *images = halves_of(s->images, s->count * s->inputs);
    uint16_t *gradients = halves_of(s->gradients, s->count * s->outputs);
    uint16_t *y = dirty_halves(s->count * s->outputs), *dx = dirty_halves(s->count * s->inputs);
    const struct bf16_values x = {.rounded = images}, dy = {.rounded = gradients};
    run_forward(&conv, s, &x, scratch, &(struct bf16_target){.rounded = y});
    run_back(&conv, s, &x, &dy, scratch, weight_gradient, &(struct bf16_target){.rounded = dx});
    assert_memory_equal(weight_gradient, exact.weight_gradient, s->weight_count * sizeof(float));
    for (size_t i = 0; i < s->count * s->outputs; i++)
        assert_int_equal(y[i], plain_bf16(exact.output[i]));
    for (size_t i = 0; i < s->count * s->inputs; i++)
        assert_int_equal(dx[i], plain_bf16(exact.input_gradient[i]));
    assert_int_equal(y[s->count * s->outputs], HALF_GUARD);
    assert_int_equal(dx[s->count * s->inputs], HALF_GUARD);
    free(scratch);
    free(weight_gradient);
    free(images);
    free(gradients);
    free(y);
    free(dx);
    result_release(&exact);
}

static void values_may_be_rounded_before_and_behind(void **state)
{
    (void)state;
    const struct bf16_kernels *tables[2] = {0};
    size_t count = tables_to_try(tables);
    struct rng rng = dice_of(75);
    for (int round = 0; round < ROUNDS; round++) {
        struct sample sample;
        random_sample(&rng, &sample);
        for (size_t i = 0; i < count; i++)
            check_rounded(tables[i], &sample);
        sample_release(&sample);
    }
}

static void what_is_not_a_number_stays_so(void **state)
{
    (void)state;
    const struct bf16_kernels *tables[2] = {0};
    size_t count = tables_to_try(tables);
    struct rng rng = dice_of(74);
    struct window window;
    struct sample sample;
    assert_int_equal(window_place(&window, (struct shape){5, 5, 2}, 3, 1, true), 0);
    sample_of(&rng, window, 20, &sample);
    sample.relu = true;
    sample.images[(2 * 5 + 2) * 2] = NAN;
    for (size_t i = 0; i < count; i++) {
        struct result result;
        run(tables[i], &sample, &result);
        for (size_t y = 1; y <= 3; y++)
            for (size_t x = 1; x <= 3; x++)
                for (size_t f = 0; f < 20; f++)
                    assert_true(isnan(result.output[(y * 5 + x) * 20 + f]));
        for (size_t f = 0; f < 20; f++)
            assert_true(isnan(result.weight_gradient[4 * 2 * 20 + f]));
        result_release(&result);
    }
    sample_release(&sample);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kernels_equal_their_twin),
        cmocka_unit_test(every_size_of_block_is_right),
        cmocka_unit_test(alignment_changes_no_bit),
        cmocka_unit_test(values_may_be_rounded_before_and_behind),
        cmocka_unit_test(what_is_not_a_number_stays_so),
    };
    return cmocka_run_group_tests_name("bf16_conv", tests, NULL, NULL);
}
