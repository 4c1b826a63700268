/* Convolution by the kernels of our own: those of every instruction set that this processor
 * has, forward and both gradients, against a naive twin in double precision, over random
 * shapes. */
#include "trainer/conv.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/conv_sample.h"
#include "tests/rounds.h"

enum { ROUNDS = 120, LEAST_ROUNDS = 30 };

/* What the kernels make of it. */
struct result {
    float *output, *weight_gradient, *input_gradient;
};

/* ---- the kernels ---- */

static void run(const struct conv_kernels *kernels, const struct sample *s, struct result *result)
{
    struct conv conv;
    conv_plan(&conv, kernels, &s->window, s->filters);
    float *scratch = dirty_floats(conv_scratch_size(&conv));
    *result = (struct result){dirty_floats(s->count * s->outputs), dirty_floats(s->weight_count),
                              dirty_floats(s->count * s->inputs)};
    conv_forward(&conv, s->count, s->images, s->weights, s->bias, s->relu, scratch,
                 result->output);
    struct conv_back back;
    conv_back_begin(&back, &conv, scratch);
    conv_back_weights_are(&back, s->weights);
    for (size_t i = 0; i < s->count; i++) {
        const float *gradient = s->gradients + i * s->outputs;
        conv_back_weights(&back, s->images + i * s->inputs, gradient);
        conv_back_input(&back, gradient, result->input_gradient + i * s->inputs);
    }
    conv_back_end(&back, result->weight_gradient);
    assert_true(scratch[conv_scratch_size(&conv)] == 1e30f);
    free(scratch);
}

static void result_release(struct result *result)
{
    free(result->output);
    free(result->weight_gradient);
    free(result->input_gradient);
}

/* `terms` values of up to 1 are added up in each element, in single precision. */
static void assert_near(const char *isa, const char *what, const float *values,
                        const double *expected, size_t count, size_t terms)
{
    double most = 1e-5 + 1e-7 * (double)terms;
    for (size_t i = 0; i < count; i++) {
        if (!(fabs(values[i] - expected[i]) <= most))
            fail_msg("%s: %s %zu of %zu is %.9g, not %.9g", isa, what, i, count, values[i],
                     expected[i]);
    }
    assert_true(values[count] == 1e30f);
}

static void check(const struct conv_kernels *kernels, const struct sample *s)
{
    const struct window *w = &s->window;
    size_t taps = w->size * w->size;
    struct result result;
    run(kernels, s, &result);
    assert_near(kernels->isa, "output", result.output, s->output, s->count * s->outputs,
                taps * w->channels);
    assert_near(kernels->isa, "weight gradient", result.weight_gradient, s->weight_gradient,
                s->weight_count, s->count * w->output_height * w->output_width);
    assert_near(kernels->isa, "input gradient", result.input_gradient, s->input_gradient,
                s->count * s->inputs, taps * s->filters);
    result_release(&result);
}

/* Kernels that this processor can run, by instruction set; NULL for the others. */
static const struct conv_kernels *kernels_here(enum isa isa)
{
    return isa_available(isa) ? conv_kernels_of(isa) : NULL;
}

static void check_everywhere(const struct sample *s)
{
    for (enum isa isa = 0; isa < ISA_COUNT; isa++) {
        if (kernels_here(isa))
            check(kernels_here(isa), s);
    }
}

/* ---- tests ---- */

static void kernels_equal_their_twin(void **state)
{
    (void)state;
    struct rng rng = dice_of(51);
    int rounds = rounds_of(ROUNDS, LEAST_ROUNDS);
    for (int round = 0; round < rounds; round++) {
        struct sample sample;
        random_sample(&rng, &sample);
        check_everywhere(&sample);
        sample_release(&sample);
    }
}

/* Every number of pixels in a row and of filters: all sizes of block, alone and in pieces. */
static void every_size_of_block_is_right(void **state)
{
    (void)state;
    struct rng rng = dice_of(52);
    for (int size = 1; size <= 36; size++) {
        struct window window;
        struct sample sample;
        assert_int_equal(window_place(&window, (struct shape){3, size, size}, 3, 1, true), 0);
        sample_of(&rng, window, (size_t)(37 - size), &sample);
        check_everywhere(&sample);
        sample_release(&sample);
    }
}

static void alignment_changes_no_bit(void **state)
{
    (void)state;
    struct rng rng = dice_of(53);
    for (int round = 0; round < 10; round++) {
        struct sample sample;
        random_sample(&rng, &sample);
        struct sample shifted = sample_moved(&sample);
        for (enum isa isa = 0; isa < ISA_COUNT; isa++) {
            struct result a, b;
            if (!kernels_here(isa))
                continue;
            run(kernels_here(isa), &sample, &a);
            run(kernels_here(isa), &shifted, &b);
            assert_memory_equal(a.output, b.output,
                                sample.count * sample.outputs * sizeof(float));
            assert_memory_equal(a.weight_gradient, b.weight_gradient,
                                sample.weight_count * sizeof(float));
            assert_memory_equal(a.input_gradient, b.input_gradient,
                                sample.count * sample.inputs * sizeof(float));
            result_release(&a);
            result_release(&b);
        }
        sample_moved_release(&shifted);
        sample_release(&sample);
    }
}

static void what_is_not_a_number_goes_through_relu(void **state)
{
    (void)state;
    struct rng rng = dice_of(54);
    struct window window;
    struct sample sample;
    assert_int_equal(window_place(&window, (struct shape){5, 5, 2}, 3, 1, true), 0);
    sample_of(&rng, window, 20, &sample);
    sample.relu = true;
    sample.images[(2 * 5 + 2) * 2] = NAN;
    for (enum isa isa = 0; isa < ISA_COUNT; isa++) {
        struct result result;
        if (!kernels_here(isa))
            continue;
        run(kernels_here(isa), &sample, &result);
        for (size_t y = 0; y < 5; y++)
            for (size_t x = 0; x < 5; x++)
                for (size_t f = 0; f < 20; f++)
                    assert_true((isnan(result.output[(y * 5 + x) * 20 + f]) != 0) ==
                                (y >= 1 && y <= 3 && x >= 1 && x <= 3));
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
        cmocka_unit_test(what_is_not_a_number_goes_through_relu),
    };
    return cmocka_run_group_tests_name("conv", tests, NULL, NULL);
}
