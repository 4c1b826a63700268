/* A trained network as exporters see it, and the check of what they have written. */
#include "trainer/export.h"

#include "trainer/checkpoint.h"
#include "trainer/export_check.h"
#include "trainer/layer.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/tiny.h"

/* A residual with a shortcut within one without; flatten, which runs nothing; one without a
 * shortcut of vectors. */
#define MODEL                                                                               \
    "[{\"type\":\"dropout\",\"rate\":0.1},"                                                 \
    "{\"type\":\"residual\",\"layers\":["                                                   \
    "{\"type\":\"conv\",\"filters\":3,\"kernel\":3,\"stride\":2,\"padding\":\"same\","      \
    "\"activation\":\"leaky_relu\",\"weights\":\"he\"},"                                    \
    "{\"type\":\"batch_norm\",\"momentum\":0.9,\"epsilon\":0.001}]},"                       \
    "{\"type\":\"avg_pool\",\"size\":2,\"stride\":0,\"padding\":\"same\"},"                 \
    "{\"type\":\"flatten\"},"                                                               \
    "{\"type\":\"residual\",\"layers\":["                                                   \
    "{\"type\":\"dense\",\"units\":12,\"activation\":\"none\",\"weights\":\"he\"},"         \
    "{\"type\":\"leaky_relu\",\"slope\":0.25}]},"                                           \
    "{\"type\":\"dense\",\"units\":4,\"activation\":\"gelu\",\"weights\":\"he\"}]"
enum { PARAMETERS = 9 * 2 * 3 + 3 + 6 + 2 * 3 + 12 * 12 + 12 + 12 * 4 + 4, STATISTICS = 6 };

/* Numbers that tell where they are, in the parameters (from 0 on) and the averaged ones. */
static void write_checkpoint(const char *path, bool averaged)
{
    float parameters[PARAMETERS], statistics[STATISTICS], average[PARAMETERS], others[STATISTICS];
    for (size_t i = 0; i < PARAMETERS; i++) {
        parameters[i] = (float)i / PARAMETERS;
        average[i] = -(float)i / PARAMETERS;
    }
    for (size_t i = 0; i < STATISTICS; i++) {
        statistics[i] = 1.0f + (float)i;
        others[i] = 11.0f + (float)i;
    }
    const struct checkpoint_vector vectors[] = {
        {"parameters", PARAMETERS, parameters},
        {"statistics", STATISTICS, statistics},
        {"ema_parameters", PARAMETERS, average},
        {"ema_statistics", STATISTICS, others},
    };
    json_t *header = json_pack("{sosos[iii]sisssisisisi}", "model", tiny_json(MODEL), "training",
                               tiny_json(TINY_ADAM), "input", 5, 6, 2, "classes", 4, "seed", "1",
                               "trial", 0, "epoch", 2, "step", 16, "schedule_epochs", 9);
    assert_int_equal(checkpoint_write(path, header, vectors, averaged ? 4 : 2, NULL), 0);
    json_decref(header);
}

static struct export_model *load(bool averaged)
{
    struct failure why = FAILURE_NONE;
    char *path = tiny_path("export.ckpt");
    write_checkpoint(path, averaged);
    struct export_model *model = export_model_load(path, &why);
    if (!model)
        fail_msg("%s", why.text);
    unlink(path);
    free(path);
    return model;
}

static void layers_are_listed_with_where_their_inputs_come_from(void **state)
{
    (void)state;
    static const struct {
        const char *type, *name;
        int source, shortcut;
    } expected[] = {
        {"dropout", "dropout_1", -1, -1},
        {"conv", "conv2d_1", 0, -1},
        {"batch_norm", "batch_norm_1", 1, -1},
        {"shortcut", "shortcut_1", 0, -1},
        {"add", "add_1", 2, 3},
        {"avg_pool", "avg_pool_1", 4, -1},
        {"flatten", "flatten_1", 5, -1},
        {"dense", "dense_1", 6, -1},
        {"leaky_relu", "leaky_relu_1", 7, -1},
        {"add", "add_2", 8, 6}, /* the flattened image, though flatten runs nothing */
        {"dense", "dense_2", 9, -1},
    };
    struct export_model *model = load(false);
    assert_int_equal(model->count, ARRAY_LENGTH(expected));
    for (size_t i = 0; i < model->count; i++) {
        assert_string_equal(model->layers[i].type, expected[i].type);
        assert_string_equal(model->layers[i].name, expected[i].name);
        assert_int_equal(model->layers[i].source, expected[i].source);
        if (strcmp(expected[i].type, "add") == 0)
            assert_int_equal(model->layers[i].shortcut, expected[i].shortcut);
    }
    assert_int_equal(model->classes, 4);
    assert_true(model->input.height == 5 && model->input.width == 6 && model->input.channels == 2);
    assert_int_equal(json_integer_value(json_object_get(model->header, "epoch")), 2);
    export_model_free(model);
}

static void a_layer_has_its_window_activation_and_settings(void **state)
{
    (void)state;
    struct export_model *model = load(false);
    const struct export_layer *conv = &model->layers[1], *shortcut = &model->layers[3];
    const struct export_layer *pool = &model->layers[5], *leaky = &model->layers[8];
    assert_true(conv->window.size == 3 && conv->window.stride == 2 && conv->window.top == 1 &&
                conv->window.left == 0 && conv->window.output_height == 3);
    assert_true(shortcut->window.size == 1 && shortcut->window.stride == 2);
    assert_true(pool->window.size == 2 && pool->window.stride == 2);
    assert_int_equal(model->layers[7].window.size, 0);
    assert_string_equal(conv->activation, "leaky_relu");
    assert_true(conv->slope == 0.01f && leaky->slope == 0.25f);
    assert_string_equal(leaky->activation, "leaky_relu");
    assert_string_equal(model->layers[10].activation, "gelu");
    assert_null(model->layers[7].activation);
    assert_null(pool->activation);
    assert_null(shortcut->settings);
    assert_null(model->layers[4].settings);
    assert_true(setting_size(conv->settings, "filters") == 3);
    assert_true(model->layers[2].epsilon == 0.001);
    assert_true(export_flattens_image(&model->layers[6]));
    assert_false(export_flattens_image(&model->layers[7]));
    export_model_free(model);
}

static void a_layer_has_its_own_weights_and_statistics(void **state)
{
    (void)state;
    struct export_model *model = load(false);
    size_t begin = 0;
    for (size_t i = 0; i < model->count; i++) {
        const struct export_layer *layer = &model->layers[i];
        if (layer->parameter_count > 0)
            assert_true(layer->parameters[0] == (float)begin / PARAMETERS);
        begin += layer->parameter_count;
    }
    assert_int_equal(begin, PARAMETERS);
    assert_true(export_weights(&model->layers[1]) == model->layers[1].parameters);
    assert_true(export_bias(&model->layers[1]) == model->layers[1].parameters + 54);
    assert_true(export_bias(&model->layers[7]) == model->layers[7].parameters + 144);
    assert_null(export_bias(&model->layers[3]));
    assert_int_equal(model->layers[2].statistic_count, 6);
    assert_true(model->layers[2].statistics[5] == 6.0f);
    assert_int_equal(model->layers[1].statistic_count, 0);
    export_model_free(model);
}

static void the_weights_are_those_that_count(void **state)
{
    (void)state;
    struct export_model *model = load(true);
    assert_true(model->layers[10].parameters[0] == -(float)(PARAMETERS - 52) / PARAMETERS);
    assert_true(model->layers[2].statistics[0] == 11.0f);
    export_model_free(model);
}

/* ---- the check ---- */

/* What an export could be: the network itself, with an error in one logit. */
struct twin {
    const struct export_model *model;
    float error;
};

static int run_twin(const void *exported, const float *images, size_t count, float *logits,
                    struct failure *why)
{
    (void)why;
    const struct twin *twin = exported;
    size_t values = count * shape_size(twin->model->input);
    float *unit = xreallocarray(NULL, values, sizeof *unit);
    for (size_t i = 0; i < values; i++)
        unit[i] = twin->model->unit_pixels ? images[i] : images[i] / 255.0f;
    network_predict(twin->model->network, unit, count, logits);
    logits[1] += twin->error;
    free(unit);
    return 0;
}

static void assert_check(const struct twin *twin, const char *complaint)
{
    struct failure why = FAILURE_NONE;
    int result = export_check(twin->model, run_twin, twin, &why);
    assert_int_equal(result, complaint ? -1 : 0);
    if (complaint && !strstr(why.text, complaint))
        fail_msg("'%s' does not say '%s'", why.text, complaint);
    failure_clear(&why);
}

static void an_export_that_differs_is_refused(void **state)
{
    (void)state;
    struct export_model *model = load(false);
    for (int unit = 0; unit < 2; unit++) {
        model->unit_pixels = unit == 1;
        assert_check(&(struct twin){model, 0.0f}, NULL);
        assert_check(&(struct twin){model, 5.0f}, "differ");
        assert_check(&(struct twin){model, NAN}, "differ");
    }
    network_parameters(model->network)[PARAMETERS - 1] = NAN;
    assert_check(&(struct twin){model, 0.0f}, "diverged");
    export_model_free(model);
}

static void a_file_is_replaced_and_read_back(void **state)
{
    (void)state;
    struct failure why = FAILURE_NONE;
    char *path = tiny_path("exported");
    char *bytes = NULL;
    size_t size = 0;
    assert_int_equal(export_write(path, "longer than before", 18, &why), 0);
    assert_int_equal(export_write(path, "a\0b", 3, &why), 0);
    assert_int_equal(file_read(path, 100, &bytes, &size, &why), 0);
    assert_int_equal(size, 3);
    assert_memory_equal(bytes, "a\0b", 3);
    assert_int_equal(export_write("/nowhere/at/all", "a", 1, &why), -1);
    assert_non_null(strstr(why.text, "/nowhere/at/all"));
    failure_clear(&why);
    free(bytes);
    unlink(path);
    free(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(layers_are_listed_with_where_their_inputs_come_from),
        cmocka_unit_test(a_layer_has_its_window_activation_and_settings),
        cmocka_unit_test(a_layer_has_its_own_weights_and_statistics),
        cmocka_unit_test(the_weights_are_those_that_count),
        cmocka_unit_test(an_export_that_differs_is_refused),
        cmocka_unit_test(a_file_is_replaced_and_read_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
