/* The layers max_pool, avg_pool and global_avg_pool. */
#include "tests/layer_bench.h"

static void reference_pool(const struct bench *bench, const double *x, const double *w, double *y)
{
    (void)w;
    struct shape in = bench->layer.input, out = bench->layer.output;
    const struct rules *rules = &bench->rules;
    long size = rules->size;
    for (long o = 0; o < out.height * out.width * out.channels; o++) {
        long c = o % out.channels, ox = o / out.channels % out.width;
        long oy = o / out.channels / out.width;
        double largest = -INFINITY, sum = 0.0, cells = 0.0;
        for (long k = 0; k < size * size; k++) {
            long iy = window_start(rules, in.height, out.height, oy) + k / size;
            long ix = window_start(rules, in.width, out.width, ox) + k % size;
            if (iy < 0 || ix < 0 || iy >= in.height || ix >= in.width)
                continue;
            double value = x[(iy * in.width + ix) * in.channels + c];
            largest = fmax(largest, value);
            sum += value;
            cells += 1.0;
        }
        y[o] = rules->max ? largest : sum / cells;
    }
}

static void reference_global(const struct bench *bench, const double *x, const double *w,
                             double *y)
{
    (void)w;
    size_t channels = bench->layer.output_size, pixels = bench->layer.input_size / channels;
    for (size_t c = 0; c < channels; c++) {
        y[c] = 0.0;
        for (size_t p = 0; p < pixels; p++)
            y[c] += x[p * channels + c] / (double)pixels;
    }
}

static void pool_gradients_are_right(void **state)
{
    (void)state;
    struct rng rng = dice_of(23);
    for (int round = 0, rounds = layer_rounds(); round < rounds; round++) {
        size_t size = (size_t)round % 5 + 1;
        const char *padding = padding_of(&rng);
        struct shape input = random_shape(&rng, size);
        size_t stride = between(&rng, 0, 3);
        for (int mean = 0; mean < 2; mean++) {
            char *settings = xasprintf(
                "{\"type\":\"%s\",\"size\":%zu,\"stride\":%zu,\"padding\":\"%s\"}",
                mean ? "avg_pool" : "max_pool", size, stride, padding);
            check_layer(settings, input, false, &rng, reference_pool);
            free(settings);
        }
    }
}

static void global_avg_pool_gradients_are_right(void **state)
{
    (void)state;
    struct rng rng = dice_of(35);
    for (int round = 0, rounds = layer_rounds(); round < rounds; round++)
        check_layer("{\"type\":\"global_avg_pool\"}", random_shape(&rng, 1), false, &rng,
                    reference_global);
}

static void global_avg_pool_gives_a_vector_of_an_image_only(void **state)
{
    (void)state;
    struct rng rng = dice_of(36);
    struct bench bench;
    bench_open(&bench, "{\"type\":\"global_avg_pool\"}", (struct shape){4, 6, 3}, false, &rng);
    assert_true(bench.layer.output_flat);
    assert_int_equal(bench.layer.output_size, 3);
    json_t *json = tiny_json("{\"type\":\"global_avg_pool\"}");
    struct layer refused = {.index = 2, .input = bench.layer.output, .input_flat = true};
    struct failure why = FAILURE_NONE;
    assert_int_equal(layer_prepare(&refused, json, "model[2]", &why), -1);
    assert_string_equal(why.where, "model[2]");
    failure_clear(&why);
    json_decref(json);
    bench_close(&bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pool_gradients_are_right),
        cmocka_unit_test(global_avg_pool_gradients_are_right),
        cmocka_unit_test(global_avg_pool_gives_a_vector_of_an_image_only),
    };
    return cmocka_run_group_tests_name("layer_pool", tests, NULL, NULL);
}
