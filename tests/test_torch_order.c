#include "trainer/export_torch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "tests/export_sample.h"

#define FLATTENED \
    {"flatten", "flatten_1", -1, -1, IMAGE(2, 3, 4), VECTOR(24)}

/* `turned` has a '1' for each layer whose output is a vector in PyTorch's order. */
static void assert_order(const struct sample_layer *layers, size_t count, const char *turned,
                         bool turns_image)
{
    struct sample sample;
    struct torch_order order = torch_order_find(sample_model(&sample, layers, count));
    assert_int_equal(strlen(turned), count);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(order.turned[i], turned[i] == '1');
    assert_int_equal(order.turns_image, turns_image);
    torch_order_release(&order);
}

static void the_order_lasts_until_a_dense_layer(void **state)
{
    (void)state;
    static const struct sample_layer layers[] = {
        FLATTENED,
        {"batch_norm", "batch_norm_1", 0, -1, VECTOR(24), VECTOR(24)},
        {"dropout", "dropout_1", 1, -1, VECTOR(24), VECTOR(24)},
        {"dense", "dense_1", 2, -1, VECTOR(24), VECTOR(9)},
        {"relu", "relu_1", 3, -1, VECTOR(9), VECTOR(9)},
    };
    assert_order(layers, ARRAY_LENGTH(layers), "11100", false);
    struct sample sample;
    struct torch_order order = torch_order_find(sample_model(&sample, layers, 5));
    assert_int_equal(order.image.height, 2);
    assert_int_equal(order.image.channels, 4);
    assert_true(torch_order_is_turned(&order, &sample.layers[3]));
    assert_false(torch_order_is_turned(&order, &sample.layers[0]));
    assert_false(torch_order_is_turned(&order, &sample.layers[4]));
    torch_order_release(&order);
}

static void a_residual_with_a_shortcut_of_its_own_is_no_obstacle(void **state)
{
    (void)state;
    static const struct sample_layer layers[] = {
        FLATTENED,
        {"dense", "dense_1", 0, -1, VECTOR(24), VECTOR(9)},
        {"shortcut", "shortcut_1", 0, -1, VECTOR(24), VECTOR(9)},
        {"add", "add_1", 1, 2, VECTOR(9), VECTOR(9)},
    };
    assert_order(layers, ARRAY_LENGTH(layers), "1000", false);
}

static void where_vectors_would_mix_the_image_is_turned(void **state)
{
    (void)state;
    static const struct sample_layer mixed[] = {
        FLATTENED,
        {"dense", "dense_1", 0, -1, VECTOR(24), VECTOR(24)},
        {"add", "add_1", 1, 0, VECTOR(24), VECTOR(24)},
        {"dense", "dense_2", 2, -1, VECTOR(24), VECTOR(4)},
    };
    static const struct sample_layer last[] = {
        FLATTENED,
        {"relu", "relu_1", 0, -1, VECTOR(24), VECTOR(24)},
    };
    assert_order(mixed, ARRAY_LENGTH(mixed), "0000", true);
    assert_order(last, ARRAY_LENGTH(last), "00", true);
}

static void an_image_of_one_pixel_or_one_channel_is_in_both_orders(void **state)
{
    (void)state;
    static const struct sample_layer pixel[] = {
        {"flatten", "flatten_1", -1, -1, IMAGE(1, 1, 24), VECTOR(24)}};
    static const struct sample_layer channel[] = {
        {"flatten", "flatten_1", -1, -1, IMAGE(6, 4, 1), VECTOR(24)}};
    assert_order(pixel, 1, "0", false);
    assert_order(channel, 1, "0", false);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_order_lasts_until_a_dense_layer),
        cmocka_unit_test(a_residual_with_a_shortcut_of_its_own_is_no_obstacle),
        cmocka_unit_test(where_vectors_would_mix_the_image_is_turned),
        cmocka_unit_test(an_image_of_one_pixel_or_one_channel_is_in_both_orders),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
