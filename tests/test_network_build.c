/* How a model becomes a list of layers: what a residual turns into, and what is refused. */
#include "trainer/network.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/numbers.h"
#include "tests/summaries.h"
#include "tests/tiny.h"

#define CONV(filters, stride, padding)                                                        \
    "{\"type\":\"conv\",\"filters\":" #filters ",\"kernel\":3,\"stride\":" #stride              \
    ",\"padding\":\"" #padding "\",\"activation\":\"none\",\"weights\":\"he\"}"
#define DENSE(units)                                                                          \
    "{\"type\":\"dense\",\"units\":" #units ",\"activation\":\"none\",\"weights\":\"he\"}"
#define NORM "{\"type\":\"batch_norm\",\"momentum\":0.9,\"epsilon\":1e-5}"
#define FLATTEN "{\"type\":\"flatten\"}"
#define RESIDUAL(layers) "{\"type\":\"residual\",\"layers\":[" layers "]}"

static const struct shape input = {28, 28, 1};

static struct network *build(const char *model, int classes)
{
    struct failure why = FAILURE_NONE;
    json_t *json = tiny_json(model);
    struct network *network = network_new(json, input, classes, 1, &why);
    json_decref(json);
    if (!network)
        fail_msg("%s: %s", why.where ? why.where : "", why.text);
    return network;
}

static void a_residual_is_its_layers_its_shortcut_and_a_sum(void **state)
{
    (void)state;
    static const struct layer_summary expected[] = {
        {"conv2d_1", "conv", {28, 28, 4}, false, 40, 2.0 * 784 * 9 * 4},
        {"conv2d_2", "conv", {28, 28, 4}, false, 148, 2.0 * 784 * 36 * 4},
        {"add_1", "add", {28, 28, 4}, false, 0, 784.0 * 4},
        {"conv2d_3", "conv", {14, 14, 6}, false, 222, 2.0 * 196 * 36 * 6},
        {"batch_norm_1", "batch_norm", {14, 14, 6}, false, 12, 2.0 * 196 * 6},
        {"shortcut_1", "conv", {14, 14, 6}, false, 24, 2.0 * 196 * 4 * 6},
        {"add_2", "add", {14, 14, 6}, false, 0, 196.0 * 6},
        {"flatten_1", "flatten", {1, 1, 1176}, true, 0, 0.0},
        {"dense_1", "dense", {1, 1, 3}, true, 1177 * 3, 2.0 * 1176 * 3},
        {"shortcut_2", "dense", {1, 1, 3}, true, 1176 * 3, 2.0 * 1176 * 3},
        {"add_3", "add", {1, 1, 3}, true, 0, 3.0},
    };
    struct network *network =
        build("[" CONV(4, 1, same) "," RESIDUAL(CONV(4, 1, same)) ","
              RESIDUAL(CONV(6, 2, same) "," NORM) "," FLATTEN "," RESIDUAL(DENSE(3)) "]", 3);
    assert_summaries(network, ARRAY_LENGTH(expected), expected);
    assert_int_equal(network_statistic_count(network), 12);
    network_free(network);
}

static void a_shortcut_begins_as_a_convolution_does(void **state)
{
    (void)state;
    struct network *network =
        build("[" CONV(50, 1, same) "," RESIDUAL(CONV(200, 2, same)) ","
              "{\"type\":\"global_avg_pool\"}," DENSE(3) "]", 3);
    network_initialize(network, 1, 0);
    const float *weights = network_parameters(network) + 10 * 50 + 451 * 200;
    double squares = 0.0;
    for (size_t i = 0; i < 50 * 200; i++)
        squares += (double)weights[i] * weights[i] / (50 * 200);
    assert_true(fabs(squares / (2.0 / 50) - 1.0) < 0.05);
    network_free(network);
}

static void check_refused(const char *model, const char *where, const char *text)
{
    struct failure why = FAILURE_NONE;
    json_t *json = tiny_json(model);
    assert_null(network_new(json, input, 3, 1, &why));
    assert_int_equal(why.code, EXIT_BAD_INPUT);
    assert_string_equal(why.where, where);
    if (!strstr(why.text, text))
        fail_msg("'%s' does not say '%s'", why.text, text);
    failure_clear(&why);
    assert_null(network_new(json, input, 3, 1, NULL));
    json_decref(json);
}

static void shapes_that_no_shortcut_brings_together_are_refused(void **state)
{
    (void)state;
    check_refused("[" RESIDUAL(CONV(8, 1, valid)) "," FLATTEN "," DENSE(3) "]", "model[0]",
                  "make an image of 26x26x8 of one of 28x28x1, and no stride brings the "
                  "shortcut there; use padding: same");
    check_refused("[" CONV(2, 1, same) "," RESIDUAL(FLATTEN "," DENSE(3)) "]", "model[1]",
                  "make a vector of 3 values of an image of 28x28x2, and the two cannot be added; "
                  "put flatten before the residual or behind it");
    check_refused("[" CONV(2, 1, same) "," RESIDUAL(CONV(2, 2, same) ","
                  RESIDUAL(CONV(2, 1, valid))) "," FLATTEN "," DENSE(3) "]",
                  "model[1].layers[1]", "12x12x2 of one of 14x14x2");
}

static void a_failure_within_a_residual_names_its_place(void **state)
{
    (void)state;
    check_refused("[" RESIDUAL(CONV(2, 1, same) "," DENSE(3)) "]", "model[0].layers[1]",
                  "put flatten before it");
    check_refused("[" FLATTEN "," RESIDUAL(RESIDUAL(DENSE(4) "," CONV(2, 1, same))) "]",
                  "model[1].layers[0].layers[1]", "conv needs an image");
    check_refused("[" RESIDUAL("{\"type\":\"magic\"}") "]", "model[0].layers[0]",
                  "unknown layer 'magic'");
    check_refused("[" RESIDUAL("") "]", "model[0]", "at least one layer");
    check_refused("[{\"type\":\"residual\"}]", "model[0]", "at least one layer");
    check_refused("[{\"type\":\"add\"}]", "model[0]", "unknown layer 'add'");
    check_refused("[" FLATTEN "," RESIDUAL(DENSE(4)) "]", "model[1]",
                  "gives 4 values, but the data have 3 classes");
    check_refused("[" FLATTEN "," RESIDUAL(DENSE(65536) "," DENSE(1000)) "]",
                  "model[1].layers[1]", "up to this layer the network has");
}

static void every_stride_that_fits_is_found(void **state)
{
    (void)state;
    static const struct {
        const char *layers;
        bool fits;
    } cases[] = {
        {CONV(2, 3, same), true},                          /* 28 -> 10: stride 3 */
        {CONV(2, 2, same) "," CONV(2, 2, same), true},     /* 28 -> 7: stride 4 */
        {CONV(2, 2, valid), false},                        /* 28 -> 13 */
        {CONV(2, 4, valid), true},                         /* 28 -> 7: stride 4 */
        {"{\"type\":\"max_pool\",\"size\":28,\"stride\":1,\"padding\":\"valid\"}", true},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        char *text = xasprintf("[{\"type\":\"residual\",\"layers\":[%s]}," FLATTEN "," DENSE(3) "]",
                               cases[i].layers);
        json_t *json = tiny_json(text);
        struct network *network = network_new(json, input, 3, 1, NULL);
        assert_int_equal(network != NULL, cases[i].fits);
        network_free(network);
        json_decref(json);
        free(text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_residual_is_its_layers_its_shortcut_and_a_sum),
        cmocka_unit_test(a_shortcut_begins_as_a_convolution_does),
        cmocka_unit_test(shapes_that_no_shortcut_brings_together_are_refused),
        cmocka_unit_test(a_failure_within_a_residual_names_its_place),
        cmocka_unit_test(every_stride_that_fits_is_found),
    };
    return cmocka_run_group_tests_name("network_build", tests, NULL, NULL);
}
