/* The layer dense. */
#include "tests/layer_bench.h"

static void reference_dense(const struct bench *bench, const double *x, const double *w, double *y)
{
    size_t inputs = bench->layer.input_size, units = bench->layer.output_size;
    for (size_t u = 0; u < units; u++) {
        double sum = w[inputs * units + u];
        for (size_t i = 0; i < inputs; i++)
            sum += x[i] * w[i * units + u];
        y[u] = activate(&bench->rules, sum);
    }
}

static void dense_gradients_are_right(void **state)
{
    (void)state;
    struct rng rng = dice_of(24);
    for (int round = 0, rounds = layer_rounds(); round < rounds; round++) {
        char *settings = xasprintf(
            "{\"type\":\"dense\",\"units\":%zu,\"activation\":\"%s\",\"weights\":\"glorot\"}",
            between(&rng, 1, 12), activation_of(round));
        check_layer(settings, (struct shape){1, 1, (int)between(&rng, 1, 30)}, true, &rng,
                    reference_dense);
        free(settings);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dense_gradients_are_right),
    };
    return cmocka_run_group_tests_name("layer_dense", tests, NULL, NULL);
}
