/* Dense products in bf16 against a naive twin in double precision that takes rounded inputs,
 * weights and gradients. */
#include "trainer/bf16_dense.h"

#include "common/base.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/bf16_twin.h"

/* What goes in. */
struct sample {
    size_t count, inputs, units;
    bool relu;
    float *x, *weights, *bias, *gradient;
};

static void draw_sample(struct rng *rng, size_t images_most, struct sample *s)
{
    s->count = between(rng, 1, images_most);
    s->inputs = between(rng, 1, 120);
    s->units = between(rng, 1, 80);
    s->relu = between(rng, 0, 1);
    s->x = random_floats(rng, s->count * s->inputs);
    s->weights = random_floats(rng, s->inputs * s->units);
    s->bias = random_floats(rng, s->units);
    s->gradient = random_floats(rng, s->count * s->units);
}

static void sample_release(struct sample *s)
{
    free(s->x);
    free(s->weights);
    free(s->bias);
    free(s->gradient);
}

/* The sum of a[i] b[i], both rounded, with what lies between them. */
static double dot(size_t count, const float *a, size_t a_step, const float *b, size_t b_step)
{
    double sum = 0.0;
    for (size_t i = 0; i < count; i++)
        sum += (double)rounded(a[i * a_step]) * (double)rounded(b[i * b_step]);
    return sum;
}

static void assert_near(const char *name, const char *what, float value, double expected)
{
    if (!(fabs(value - expected) <= 3e-5))
        fail_msg("%s: %s is %.9g, not %.9g", name, what, value, expected);
}

static void check_forward(const char *name, const struct sample *s, const float *y)
{
    for (size_t i = 0; i < s->count * s->units; i++) {
        size_t unit = i % s->units;
        double sum = s->bias[unit] + dot(s->inputs, s->x + i / s->units * s->inputs, 1,
                                         s->weights + unit, s->units);
        assert_near(name, "an output", y[i], s->relu ? fmax(sum, 0.0) : sum);
    }
}

static void check_backward(const char *name, const struct sample *s,
                           const float *weight_gradient, const float *x_gradient)
{
    for (size_t i = 0; i < s->inputs * s->units; i++)
        assert_near(name, "a weight's gradient", weight_gradient[i],
                    dot(s->count, s->x + i / s->units, s->inputs, s->gradient + i % s->units,
                        s->units));
    for (size_t i = 0; i < s->count * s->inputs; i++)
        assert_near(name, "an input's gradient", x_gradient[i],
                    dot(s->units, s->gradient + i / s->inputs * s->units, 1,
                        s->weights + i % s->inputs * s->units, 1));
}

static void check(const struct bf16_kernels *kernels, const struct sample *s)
{
    struct bf16_dense dense;
    bf16_dense_plan(&dense, kernels, s->inputs, s->units);
    size_t scratch_size = bf16_dense_scratch_size(&dense);
    float *scratch = dirty_floats(scratch_size), *y = dirty_floats(s->count * s->units);
    float *weights = dirty_floats(s->inputs * s->units), *x = dirty_floats(s->count * s->inputs);
    uint16_t *packed = xcalloc(bf16_dense_packed_size(&dense), sizeof *packed);
    uint16_t *turned = xcalloc(bf16_dense_turned_size(&dense), sizeof *turned);
    bf16_dense_pack(&dense, s->weights, packed);
    bf16_dense_pack_turned(&dense, s->weights, turned);
    const struct bf16_values inputs = {.exact = s->x};
    bf16_dense_forward(&dense, s->count, &inputs, packed, s->bias, s->relu, scratch, y);
    check_forward(kernels->name, s, y);
    memset(scratch, 0xff, scratch_size * sizeof *scratch);
    bf16_dense_backward(&dense, s->count, &inputs, turned, s->gradient, scratch, weights,
                        &(struct bf16_target){.exact = x});
    check_backward(kernels->name, s, weights, x);
    assert_true(scratch[scratch_size] == 1e30f && y[s->count * s->units] == 1e30f);
    assert_true(weights[s->inputs * s->units] == 1e30f && x[s->count * s->inputs] == 1e30f);
    free(packed);
    free(turned);
    free(scratch);
    free(y);
    free(weights);
    free(x);
}

static void products_equal_their_twin(void **state)
{
    (void)state;
    const struct bf16_kernels *tables[2] = {0};
    size_t count = tables_here(tables);
    if (count == 0)
        skip();
    struct rng rng = dice_of(81);
    for (int round = 0; round < 30; round++) {
        struct sample sample;
        draw_sample(&rng, round % 3 ? 70 : 200, &sample);
        for (size_t i = 0; i < count; i++)
            check(tables[i], &sample);
        sample_release(&sample);
    }
}

/* With so many inputs of a single unit, packing would take gigabytes: fp32 is for these. */
static void what_would_take_too_much_memory_is_not_for_bf16(void **state)
{
    (void)state;
    const struct bf16_kernels *tables[2] = {0};
    if (tables_here(tables) == 0)
        skip();
    struct bf16_dense dense;
    bf16_dense_plan(&dense, tables[0], (size_t)1 << 26, 1);
    assert_null(dense.kernels);
    bf16_dense_plan(&dense, tables[0], 1 << 12, 1 << 10);
    assert_non_null(dense.kernels);
    bf16_dense_plan(&dense, NULL, 16, 16);
    assert_null(dense.kernels);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(products_equal_their_twin),
        cmocka_unit_test(what_would_take_too_much_memory_is_not_for_bf16),
    };
    return cmocka_run_group_tests_name("bf16_dense", tests, NULL, NULL);
}
