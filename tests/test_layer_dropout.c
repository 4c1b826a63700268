/* The layer dropout. */
#include "tests/layer_bench.h"

static void dropout_keeps_a_share_and_scales_it(void **state)
{
    (void)state;
    struct rng rng = dice_of(26);
    struct bench bench;
    bench_open(&bench, "{\"type\":\"dropout\",\"rate\":0.25}", (struct shape){20, 20, 5}, false,
               &rng);
    bench.layer.type->forward(&bench.layer, &bench.pass);
    bench.layer.type->backward(&bench.layer, &bench.pass);
    float scale = 1.0f / (1.0f - 0.25f);
    size_t kept = 0;
    for (size_t i = 0; i < bench.outputs; i++) {
        bool keeps = bench.output[i] != 0.0f;
        assert_true(!keeps || bench.output[i] == bench.input[i] * scale);
        assert_true(bench.input_gradient[i] == (keeps ? bench.output_gradient[i] * scale : 0.0f));
        kept += keeps;
    }
    double share = (double)kept / (double)bench.outputs;
    assert_true(share > 0.73 && share < 0.77); /* 6000 draws: the deviation is 0.0056 */
    bench_close(&bench);
}

static void dropout_does_not_depend_on_the_split(void **state)
{
    (void)state;
    struct rng rng = dice_of(27);
    struct bench bench;
    bench_open(&bench, "{\"type\":\"dropout\",\"rate\":0.5}", (struct shape){3, 3, 7}, false, &rng);
    size_t size = bench.layer.output_size;
    bench.layer.type->forward(&bench.layer, &bench.pass);
    for (size_t i = 0; i < IMAGES; i++) {
        float *alone = dirty_floats(size);
        struct pass pass = bench.pass;
        pass.first = i;
        pass.count = 1;
        pass.input += i * size;
        pass.output = alone;
        bench.layer.type->forward(&bench.layer, &pass);
        assert_memory_equal(alone, bench.output + i * size, size * sizeof(float));
        free(alone);
    }
    bench_close(&bench);
}

static bool drops_alike(struct bench *bench, const float *output)
{
    bench->layer.type->forward(&bench->layer, &bench->pass);
    return memcmp(output, bench->output, bench->outputs * sizeof(float)) == 0;
}

static void dropout_depends_on_seed_trial_step_and_layer(void **state)
{
    (void)state;
    struct rng rng = dice_of(28);
    struct bench bench;
    bench_open(&bench, "{\"type\":\"dropout\",\"rate\":0.5}", (struct shape){5, 5, 4}, false, &rng);
    bench.layer.type->forward(&bench.layer, &bench.pass);
    float *output = memcpy(xmalloc(bench.outputs * sizeof(float)), bench.output,
                           bench.outputs * sizeof(float));
    assert_true(drops_alike(&bench, output));
    const struct pass pass = bench.pass;
    bench.pass.seed++;
    assert_false(drops_alike(&bench, output));
    bench.pass = pass;
    bench.pass.trial++;
    assert_false(drops_alike(&bench, output));
    bench.pass = pass;
    bench.pass.step++;
    assert_false(drops_alike(&bench, output));
    bench.pass = pass;
    bench.layer.index++;
    assert_false(drops_alike(&bench, output));
    free(output);
    bench_close(&bench);
}

static void dropout_does_nothing_outside_training(void **state)
{
    (void)state;
    struct rng rng = dice_of(29);
    struct bench bench;
    bench_open(&bench, "{\"type\":\"dropout\",\"rate\":0.9}", (struct shape){3, 3, 2}, false, &rng);
    bench.pass.training = false;
    bench.layer.type->forward(&bench.layer, &bench.pass);
    assert_memory_equal(bench.output, bench.input, bench.outputs * sizeof(float));
    bench_close(&bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dropout_keeps_a_share_and_scales_it),
        cmocka_unit_test(dropout_does_not_depend_on_the_split),
        cmocka_unit_test(dropout_depends_on_seed_trial_step_and_layer),
        cmocka_unit_test(dropout_does_nothing_outside_training),
    };
    return cmocka_run_group_tests_name("layer_dropout", tests, NULL, NULL);
}
