/* The layer conv, by every way that it goes. */
#include "trainer/isa.h"
#include "trainer/winograd.h"

#include "tests/layer_bench.h"

static void reference_conv(const struct bench *bench, const double *x, const double *w, double *y)
{
    struct shape in = bench->layer.input, out = bench->layer.output;
    const struct rules *rules = &bench->rules;
    long size = rules->size, filters = out.channels;
    const double *bias = w + size * size * in.channels * filters;
    for (long oy = 0; oy < out.height; oy++)
        for (long ox = 0; ox < out.width; ox++)
            for (long f = 0; f < filters; f++) {
                double sum = bias[f];
                for (long k = 0; k < size * size; k++) {
                    long iy = window_start(rules, in.height, out.height, oy) + k / size;
                    long ix = window_start(rules, in.width, out.width, ox) + k % size;
                    if (iy < 0 || ix < 0 || iy >= in.height || ix >= in.width)
                        continue;
                    for (long c = 0; c < in.channels; c++)
                        sum += x[(iy * in.width + ix) * in.channels + c] *
                               w[(k * in.channels + c) * filters + f];
                }
                y[(oy * out.width + ox) * filters + f] = activate(rules, sum);
            }
}

static void check_conv_gradients(uint64_t dice)
{
    struct rng rng = dice_of(dice);
    for (int round = 0, rounds = layer_rounds(); round < rounds; round++) {
        size_t kernel = (size_t)round % 5 + 1, stride = (size_t)round / 5 % 3 + 1;
        char *settings = xasprintf(
            "{\"type\":\"conv\",\"filters\":%zu,\"kernel\":%zu,\"stride\":%zu,"
            "\"padding\":\"%s\",\"activation\":\"%s\",\"weights\":\"he\"}",
            between(&rng, 1, 5), kernel, stride, padding_of(&rng), activation_of(round));
        check_layer(settings, random_shape(&rng, kernel), false, &rng, reference_conv);
        free(settings);
    }
}

/* With the kernels of every instruction set that this processor has, and with none. */
static void conv_gradients_are_right(void **state)
{
    (void)state;
    for (enum isa isa = 0; isa < ISA_COUNT; isa++) {
        if (!isa_available(isa))
            continue;
        assert_int_equal(setenv("TRAINER_ISA", isa_name(isa), 1), 0);
        check_conv_gradients(21);
    }
    assert_int_equal(unsetenv("TRAINER_ISA"), 0);
}

/* Channels enough for vectors, so that the input's gradient does not go by im2col. */
static void conv_of_many_channels_is_right(void **state)
{
    (void)state;
    struct rng rng = dice_of(24);
    for (int round = 0; round < 4; round++) {
        char *settings = xasprintf(
            "{\"type\":\"conv\",\"filters\":%d,\"kernel\":%d,\"stride\":%d,"
            "\"padding\":\"%s\",\"activation\":\"relu\",\"weights\":\"he\"}",
            7 + round, 2 + round / 2, 1 + round / 3, round % 2 ? "same" : "valid");
        check_layer(settings, (struct shape){7, 8, 14}, false, &rng, reference_conv);
        free(settings);
    }
}

/* Channels enough for Winograd's transforms, which must be in use where there are any. */
static void conv_by_winograd_is_right(void **state)
{
    (void)state;
    static const char settings[] = "{\"type\":\"conv\",\"filters\":16,\"kernel\":3,\"stride\":1,"
                                   "\"padding\":\"same\",\"activation\":\"gelu\","
                                   "\"weights\":\"he\"}";
    struct rng rng = dice_of(25);
    struct bench bench;
    bench_open(&bench, settings, (struct shape){4, 4, 16}, false, &rng);
    assert_int_equal(bench.layer.arranged_size > 0, winograd_is_on());
    bench_close(&bench);
    check_layer(settings, (struct shape){4, 4, 16}, false, &rng, reference_conv);
}

/* So many columns that the three images are worked off in two pieces, what gelu keeps
 * of them too. */
static void conv_in_pieces_is_right(void **state)
{
    (void)state;
    struct rng rng = dice_of(22);
    static const char *const words[] = {"none", "gelu"};
    assert_int_equal(setenv("TRAINER_ISA", "portable", 1), 0);
    for (size_t i = 0; i < ARRAY_LENGTH(words); i++) {
        char *settings = xasprintf("{\"type\":\"conv\",\"filters\":1,\"kernel\":9,\"stride\":1,"
                                   "\"padding\":\"same\",\"activation\":\"%s\","
                                   "\"weights\":\"he\"}",
                                   words[i]);
        check_layer(settings, (struct shape){24, 24, 1}, false, &rng, reference_conv);
        free(settings);
    }
    assert_int_equal(unsetenv("TRAINER_ISA"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(conv_gradients_are_right),
        cmocka_unit_test(conv_of_many_channels_is_right),
        cmocka_unit_test(conv_by_winograd_is_right),
        cmocka_unit_test(conv_in_pieces_is_right),
    };
    return cmocka_run_group_tests_name("layer_conv", tests, NULL, NULL);
}
