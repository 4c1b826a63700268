/* Winograd's convolution with the transforms of every instruction set that this processor
 * has, forward and both gradients, against a naive twin in double precision, over random
 * shapes. */
#include "trainer/winograd.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/conv_sample.h"
#include "tests/rounds.h"

enum { ROUNDS = 60, LEAST_ROUNDS = 20 };

/* What the transforms make of it. */
struct result {
    float *output, *weight_gradient, *input_gradient;
};

static bool plan_for(enum isa isa, const struct sample *s, struct winograd *winograd)
{
    if (!isa_available(isa))
        return false;
    winograd_plan(winograd, isa, &s->window, s->filters);
    return winograd->transforms;
}

/* ---- the transforms ---- */

/* Back by `step` images at a time. */
static void run(const struct winograd *winograd, const struct sample *s, size_t step,
                struct result *result)
{
    size_t scratch_size = winograd_scratch_size(winograd);
    float *scratch = dirty_floats(scratch_size);
    *result = (struct result){dirty_floats(s->count * s->outputs), dirty_floats(s->weight_count),
                              dirty_floats(s->count * s->inputs)};
    size_t arranged_size = winograd_arranged_size(winograd);
    float *arranged = dirty_floats(arranged_size);
    winograd_arrange(winograd, s->weights, true, arranged);
    assert_true(arranged[arranged_size] == 1e30f);
    winograd_forward(winograd, s->count, s->images, arranged, s->bias, s->relu, scratch,
                     result->output);
    struct winograd_back back;
    winograd_back_begin(&back, winograd, arranged, scratch);
    for (size_t i = 0; i < s->count; i += step)
        winograd_back_images(&back, s->count - i < step ? s->count - i : step,
                             s->images + i * s->inputs, s->gradients + i * s->outputs,
                             result->input_gradient + i * s->inputs);
    winograd_back_end(&back, result->weight_gradient);
    assert_true(scratch[scratch_size] == 1e30f);
    free(scratch);
    free(arranged);
}

static void result_release(struct result *result)
{
    free(result->output);
    free(result->weight_gradient);
    free(result->input_gradient);
}

/* `terms` products of values of up to 1 are added up in each element.  Their errors grow with the
 * root of their number; the worst of the millions here is about half of these. */
static void assert_near(enum isa isa, const char *what, size_t size, const float *values,
                        const double *expected, size_t count, size_t terms)
{
    double most = (size == 3 ? 4e-6 : 2e-5) * sqrt((double)terms);
    for (size_t i = 0; i < count; i++) {
        if (!(fabs(values[i] - expected[i]) <= most))
            fail_msg("%s: %s %zu of %zu is %.9g, not %.9g", isa_name(isa), what, i, count,
                     values[i], expected[i]);
    }
    assert_true(values[count] == 1e30f);
}

static void check_everywhere(const struct sample *s)
{
    const struct window *w = &s->window;
    size_t taps = w->size * w->size;
    for (enum isa isa = 0; isa < ISA_COUNT; isa++) {
        struct winograd winograd;
        struct result result;
        if (!plan_for(isa, s, &winograd))
            continue;
        run(&winograd, s, winograd.images, &result);
        assert_near(isa, "output", w->size, result.output, s->output, s->count * s->outputs,
                    taps * w->channels);
        assert_near(isa, "weight gradient", w->size, result.weight_gradient, s->weight_gradient,
                    s->weight_count, s->count * w->output_height * w->output_width);
        assert_near(isa, "input gradient", w->size, result.input_gradient, s->input_gradient,
                    s->count * s->inputs, taps * s->filters);
        result_release(&result);
    }
}

/* ---- samples ---- */

static void random_kernel(struct rng *rng, struct sample *s)
{
    struct window window;
    size_t filters;
    int result;
    do {
        struct shape input = {(int)between(rng, 1, 30), (int)between(rng, 1, 30),
                              (int)between(rng, 1, 70)};
        filters = between(rng, 1, 70);
        result = window_place(&window, input, between(rng, 0, 1) ? 3 : 5, 1, between(rng, 0, 1));
    } while (result < 0 || products_of(&window, filters) > PRODUCTS_MOST);
    sample_of(rng, window, filters, s);
}

/* ---- tests ---- */

static void transforms_equal_their_twin(void **state)
{
    (void)state;
    struct rng rng = dice_of(61);
    int rounds = rounds_of(ROUNDS, LEAST_ROUNDS);
    for (int round = 0; round < rounds; round++) {
        struct sample sample;
        random_kernel(&rng, &sample);
        check_everywhere(&sample);
        sample_release(&sample);
    }
}

/* Every way for a tile to hang over the edges, and every number of channels beside a vector. */
static void every_size_of_image_is_right(void **state)
{
    (void)state;
    struct rng rng = dice_of(62);
    for (int size = 1; size <= 18; size++) {
        struct window window;
        struct sample sample;
        struct shape input = {size, 19 - size, 2 * size - 1};
        assert_int_equal(window_place(&window, input, size % 2 ? 3 : 5, 1, true), 0);
        sample_of(&rng, window, (size_t)(37 - 2 * size), &sample);
        check_everywhere(&sample);
        sample_release(&sample);
    }
}

static void neither_alignment_nor_company_changes_a_bit(void **state)
{
    (void)state;
    struct rng rng = dice_of(63);
    for (int round = 0; round < 10; round++) {
        struct sample sample;
        random_kernel(&rng, &sample);
        struct sample shifted = sample_moved(&sample);
        for (enum isa isa = 0; isa < ISA_COUNT; isa++) {
            struct winograd winograd;
            struct result a, b;
            if (!plan_for(isa, &sample, &winograd))
                continue;
            run(&winograd, &sample, sample.count, &a);
            winograd.tiles = winograd.tiles / 2 + 1;
            run(&winograd, &shifted, 1, &b);
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

/* Root mean square of the errors, relative to that of the values. */
static double error_of(const float *values, const double *expected, size_t count)
{
    double errors = 0.0, squares = 0.0;
    for (size_t i = 0; i < count; i++) {
        errors += (values[i] - expected[i]) * (values[i] - expected[i]);
        squares += expected[i] * expected[i];
    }
    return sqrt(errors / squares);
}

/* What docs/performance.md says of them. */
static void errors_are_as_documented(void **state)
{
    (void)state;
    static const double most[][3] = {{8e-7, 8e-7, 8e-7}, {3e-6, 3e-6, 3e-6}};
    struct rng rng = dice_of(64);
    for (size_t i = 0; i < 2; i++) {
        struct window window;
        struct sample sample;
        assert_int_equal(window_place(&window, (struct shape){12, 12, 32}, 3 + 2 * i, 1, true), 0);
        sample_of(&rng, window, 32, &sample);
        for (enum isa isa = 0; isa < ISA_COUNT; isa++) {
            struct winograd winograd;
            struct result result;
            if (!plan_for(isa, &sample, &winograd))
                continue;
            run(&winograd, &sample, sample.count, &result);
            const double errors[] = {
                error_of(result.output, sample.output, sample.count * sample.outputs),
                error_of(result.input_gradient, sample.input_gradient,
                         sample.count * sample.inputs),
                error_of(result.weight_gradient, sample.weight_gradient, sample.weight_count),
            };
            for (size_t e = 0; e < ARRAY_LENGTH(errors); e++) {
                if (!(errors[e] <= most[i][e]))
                    fail_msg("%s: kernel %zu, error %zu is %.3g", isa_name(isa), 3 + 2 * i, e,
                             errors[e]);
            }
            result_release(&result);
        }
        sample_release(&sample);
    }
}

/* ---- where it is used ---- */

static bool pays(int side, int channels, size_t size, size_t stride, size_t filters)
{
    struct window window;
    struct winograd winograd;
    assert_int_equal(window_place(&window, (struct shape){side, side, channels}, size, stride,
                                  true), 0);
    winograd_plan(&winograd, isa_chosen(), &window, filters);
    return winograd_pays(&winograd);
}

static void it_is_used_where_it_pays(void **state)
{
    (void)state;
    bool on = winograd_is_on();
    assert_int_equal(pays(28, 32, 5, 1, 32), on);
    assert_int_equal(pays(14, 32, 3, 1, 64), on);
    assert_int_equal(pays(4, 64, 3, 1, 64), on);
    assert_false(pays(28, 1, 5, 1, 32));       /* few channels: all transforms */
    assert_false(pays(5, 32, 3, 1, 32));       /* four tiles for 25 pixels */
    assert_false(pays(28, 32, 3, 2, 32));      /* no transforms for strides, */
    assert_false(pays(28, 32, 4, 1, 32));      /* nor for other sizes */
    assert_false(pays(28, 32, 7, 1, 32));
    assert_false(pays(28, 1024, 3, 1, 1024));  /* 300 MB of transformed weights */
}

static void TRAINER_CONV_switches_it_off(void **state)
{
    (void)state;
    static const char *const words[] = {"", "auto", "direct", "fft"};
    bool on = winograd_is_on();
    for (size_t i = 0; i < ARRAY_LENGTH(words); i++) {
        struct failure why = FAILURE_NONE;
        assert_int_equal(setenv("TRAINER_CONV", words[i], 1), 0);
        assert_int_equal(winograd_check(&why), i < 3 ? 0 : -1);
        assert_int_equal(winograd_is_on(), on && i != 2);
        if (i == 3)
            assert_string_equal(why.text, "TRAINER_CONV is 'fft', but may be auto or direct");
        failure_clear(&why);
    }
    assert_int_equal(unsetenv("TRAINER_CONV"), 0);
    assert_int_equal(setenv("TRAINER_ISA", "portable", 1), 0);
    assert_false(winograd_is_on());
    assert_int_equal(unsetenv("TRAINER_ISA"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(transforms_equal_their_twin),
        cmocka_unit_test(every_size_of_image_is_right),
        cmocka_unit_test(neither_alignment_nor_company_changes_a_bit),
        cmocka_unit_test(errors_are_as_documented),
        cmocka_unit_test(it_is_used_where_it_pays),
        cmocka_unit_test(TRAINER_CONV_switches_it_off),
    };
    return cmocka_run_group_tests_name("winograd", tests, NULL, NULL);
}
