/* The layers that are an activation each. */
#include "tests/layer_bench.h"

static void reference_activation(const struct bench *bench, const double *x, const double *w,
                                 double *y)
{
    (void)w;
    for (size_t i = 0; i < bench->layer.input_size; i++)
        y[i] = activate(&bench->rules, x[i]);
}

static void activation_gradients_are_right(void **state)
{
    (void)state;
    struct rng rng = dice_of(25);
    for (size_t i = 1; i < ARRAY_LENGTH(activations); i++) {
        char *settings = xasprintf("{\"type\":\"%s\"}", activations[i].name);
        for (int round = 0, rounds = layer_rounds(); round < rounds; round++)
            check_layer(settings, random_shape(&rng, 1), round % 2, &rng, reference_activation);
        free(settings);
    }
    static const char *const slopes[] = {"0.0", "0.3", "1.0"};
    for (size_t i = 0; i < ARRAY_LENGTH(slopes); i++) {
        char *settings = xasprintf("{\"type\":\"leaky_relu\",\"slope\":%s}", slopes[i]);
        check_layer(settings, random_shape(&rng, 3), false, &rng, reference_activation);
        free(settings);
    }
}

/* Far from 0 every function is its limit, and what is not a number shows. */
static void activations_hold_out_far_from_0(void **state)
{
    (void)state;
    struct rng rng = dice_of(30);
    static const float far[] = {-1e4f, -20.0f, 20.0f, 1e4f, NAN};
    for (size_t i = 1; i < ARRAY_LENGTH(activations); i++) {
        char *settings = xasprintf("{\"type\":\"%s\"}", activations[i].name);
        struct bench bench;
        bench_open(&bench, settings, (struct shape){1, 1, ARRAY_LENGTH(far)}, true, &rng);
        memcpy(bench.input, far, sizeof far);
        bench.layer.type->forward(&bench.layer, &bench.pass);
        bench.layer.type->backward(&bench.layer, &bench.pass);
        bool bounded = strcmp(activations[i].name, "tanh") == 0 ||
                       strcmp(activations[i].name, "sigmoid") == 0;
        double low = strcmp(activations[i].name, "leaky_relu") == 0 ? -100.0
                     : activations[i].function == elu || activations[i].function == hyperbolic
                         ? -1.0
                         : 0.0;
        double expected[] = {low, low == -100.0 ? -0.2 : low, bounded ? 1.0 : 20.0,
                             bounded ? 1.0 : 1e4};
        assert_close(bench.output, expected, 4);
        assert_true(isnan(bench.output[4]));
        for (size_t k = 0; k < 4; k++)
            assert_true(isfinite(bench.input_gradient[k]));
        bench_close(&bench);
        free(settings);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(activation_gradients_are_right),
        cmocka_unit_test(activations_hold_out_far_from_0),
    };
    return cmocka_run_group_tests_name("layer_activation", tests, NULL, NULL);
}
