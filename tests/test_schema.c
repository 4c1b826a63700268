#include "common/schema.h"

#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* A JSON text with ' for ". */
static json_t *json_of(const char *text)
{
    char *quoted = xstrdup(text);
    for (char *at = quoted; *at; at++) {
        *at = *at == '\'' ? '"' : *at;
    }
    json_t *json = json_loads(quoted, JSON_DECODE_ANY, NULL);
    assert_non_null(json);
    free(quoted);
    return json;
}

static void assert_json(json_t *found, const char *expected)
{
    json_t *wanted = json_of(expected);
    char *dump = found ? json_dumps(found, JSON_ENCODE_ANY) : NULL;
    if (!json_equal(found, wanted)) {
        fail_msg("found %s instead of %s", dump ? dump : "nothing", expected);
    }
    free(dump);
    json_decref(wanted);
    json_decref(found);
}

static void assert_refused(json_t *(*check)(const json_t *, struct failure *), const char *text,
                           const char *where, const char *message)
{
    struct failure why = FAILURE_NONE;
    json_t *json = json_of(text);
    assert_null(check(json, &why));
    assert_string_equal(why.where, where);
    assert_string_equal(why.text, message);
    assert_int_equal(why.code, EXIT_BAD_INPUT);
    failure_clear(&why);
    json_decref(json);
}

static void every_default_fits_its_own_setting(void **state)
{
    const struct section_list *lists[] = {&schema_layers, &schema_optimizers,
                                          &schema_learning_rate_schedules};
    (void)state;
    size_t defaults = 0;
    for (size_t l = 0; l < ARRAY_LENGTH(lists); l++) {
        for (size_t s = 0; s < lists[l]->count; s++) {
            const struct section *section = &lists[l]->sections[s];
            for (size_t i = 0; i < section->setting_count; i++) {
                const struct setting *setting = &section->settings[i];
                bool has = setting->initial && strcmp(setting->initial, "null") != 0;
                json_t *initial = has ? json_of(setting->initial) : NULL;
                json_t *checked = initial ? setting_check(setting, initial, "", NULL) : NULL;
                assert_true(!initial || json_equal(initial, checked));
                defaults += initial != NULL;
                json_decref(initial);
                json_decref(checked);
            }
        }
    }
    assert_true(defaults >= 15);
}

static void every_shorthand_is_a_setting(void **state)
{
    (void)state;
    for (size_t s = 0; s < schema_layers.count; s++) {
        const struct section *section = &schema_layers.sections[s];
        assert_true(!section->shorthand || setting_find(section, section->shorthand));
    }
    assert_string_equal(section_find(&schema_layers, "max_pool")->shorthand, "size");
    assert_null(section_find(&schema_layers, "softmax"));
    assert_null(setting_find(section_find(&schema_layers, "conv"), "size"));
}

static void a_model_comes_back_complete(void **state)
{
    (void)state;
    json_t *model = json_of("[{'type': 'conv', 'kernel': 3.0, 'filters': 8, 'padding': 'same'},"
                            " {'type': 'max_pool', 'size': 2}, {'type': 'dropout', 'rate': 0},"
                            " {'type': 'flatten'}, {'type': 'dense', 'units': 10}]");
    assert_json(schema_check_model(model, NULL),
                "[{'type': 'conv', 'filters': 8, 'kernel': 3, 'stride': 1, 'padding': 'same',"
                " 'activation': 'none', 'weights': 'he'},"
                " {'type': 'max_pool', 'size': 2, 'stride': 0, 'padding': 'valid'},"
                " {'type': 'dropout', 'rate': 0.0}, {'type': 'flatten'},"
                " {'type': 'dense', 'units': 10, 'activation': 'none', 'weights': 'he'}]");
    json_decref(model);
}

static void settings_come_in_the_order_of_the_table(void **state)
{
    (void)state;
    json_t *model = json_of("[{'weights': 'he', 'units': 3, 'type': 'dense'}]");
    json_t *checked = schema_check_model(model, NULL);
    char *dump = json_dumps(checked, JSON_COMPACT);
    assert_string_equal(dump, "[{\"type\":\"dense\",\"units\":3,\"activation\":\"none\","
                              "\"weights\":\"he\"}]");
    free(dump);
    json_decref(checked);
    json_decref(model);
}

static void training_comes_back_complete(void **state)
{
    (void)state;
    json_t *training = json_of("{'batch_size': 32, 'optimizer': {'type': 'sgd',"
                               " 'learning_rate': 1}}");
    assert_json(schema_check_training(training, NULL),
                "{'optimizer': {'type': 'sgd', 'learning_rate': 1.0, 'momentum': 0.0},"
                " 'learning_rate_schedule': {'type': 'constant'}, 'batch_size': 32}");
    json_object_set_new(training, "epochs", json_integer(4));
    json_object_set_new(training, "learning_rate_schedule", json_of("{'type': 'linear'}"));
    json_object_set_new(training, "optimizer",
                        json_of("{'type': 'rmsprop', 'learning_rate': 0.5}"));
    assert_json(schema_check_training(training, NULL),
                "{'optimizer': {'type': 'rmsprop', 'learning_rate': 0.5, 'rho': 0.9,"
                " 'epsilon': 1e-7}, 'learning_rate_schedule': {'type': 'linear', 'warmup': 0.1,"
                " 'final': 0.0, 'over': 'max_epochs'}, 'batch_size': 32, 'epochs': 4}");
    json_decref(training);
}

/* What is off when it is absent stays absent, so that a study from before such a
 * setting existed stays the same. */
static void settings_that_may_be_absent_come_only_as_given(void **state)
{
    (void)state;
    json_t *training = json_of("{'batch_size': 1, 'optimizer': {'type': 'sgd', 'learning_rate': 1,"
                               " 'clip_norm': 2, 'nesterov': true, 'weight_decay': 0},"
                            " 'label_smoothing': 0.1}");
    assert_json(schema_check_training(training, NULL),
                "{'optimizer': {'type': 'sgd', 'learning_rate': 1.0, 'momentum': 0.0,"
                " 'nesterov': true, 'weight_decay': 0.0, 'clip_norm': 2.0},"
                " 'learning_rate_schedule': {'type': 'constant'}, 'batch_size': 1,"
                " 'label_smoothing': 0.1}");
    json_decref(training);
    assert_refused(schema_check_training,
                   "{'optimizer': {'type': 'sgd', 'learning_rate': 1, 'clip_norm': -1}}",
                   "training.optimizer.clip_norm",
                   "`clip_norm` must be a number of at least 0 and at most 1000000, not -1");
}

static void bounds_are_kept(void **state)
{
    (void)state;
    const struct setting *kernel = setting_find(section_find(&schema_layers, "conv"), "kernel");
    const struct setting *rate = setting_find(section_find(&schema_layers, "dropout"), "rate");
    const struct setting *speed = setting_find(section_find(&schema_optimizers, "adam"),
                                               "learning_rate");
    const struct {
        const struct setting *setting;
        const char *value;
        bool fits;
    } cases[] = {
        {kernel, "1", true},   {kernel, "31", true},    {kernel, "0", false}, {kernel, "32", false},
        {kernel, "3.0", true}, {kernel, "3.5", false},  {kernel, "'3'", false},
        {kernel, "true", false}, {kernel, "null", false}, {kernel, "[3]", false},
        {kernel, "1e300", false}, {rate, "0", true}, {rate, "0.999", true}, {rate, "1", false},
        {rate, "-0.001", false}, {speed, "0", false}, {speed, "1e-300", true},
        {speed, "1e6", true}, {speed, "1000001", false},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        json_t *value = json_of(cases[i].value);
        json_t *checked = setting_check(cases[i].setting, value, "x", NULL);
        if ((checked != NULL) != cases[i].fits) {
            fail_msg("`%s` = %s", cases[i].setting->name, cases[i].value);
        }
        json_decref(checked);
        json_decref(value);
    }
}

static void bad_models_are_refused_at_their_place(void **state)
{
    (void)state;
    assert_refused(schema_check_model, "{}", "model", "`model` must be a list of 1 to 1024 layers");
    assert_refused(schema_check_model, "[]", "model", "`model` must be a list of 1 to 1024 layers");
    assert_refused(schema_check_model, "[{'type': 'flatten'}, 3]", "model[1]",
                   "the layer needs a `type`, one of: conv, max_pool, avg_pool, dropout, flatten, "
                   "dense, global_avg_pool, relu, leaky_relu, elu, tanh, sigmoid, gelu");
    assert_refused(schema_check_model, "[{'type': 'softmax'}]", "model[0].type",
                   "unknown layer `softmax`; there is: conv, max_pool, avg_pool, dropout, flatten, "
                   "dense, global_avg_pool, relu, leaky_relu, elu, tanh, sigmoid, gelu");
    assert_refused(schema_check_model, "[{'type': 'dens'}]", "model[0].type",
                   "unknown layer `dens`; did you mean `dense`?");
    assert_refused(schema_check_model, "[{'type': 'dense'}]", "model[0]",
                   "`dense` needs the setting `units`");
    assert_refused(schema_check_model, "[{'type': 'dense', 'unit': 3}]", "model[0].unit",
                   "unknown setting `unit` of `dense`; did you mean `units`?");
    assert_refused(schema_check_model, "[{'type': 'flatten', 'size': 2}]", "model[0].size",
                   "unknown setting `size` of `flatten`; there is: none");
    assert_refused(schema_check_model, "[{'type': 'dense', 'units': 2.5}]", "model[0].units",
                   "`units` must be an integer from 1 to 65536, not the fraction 2.5; `//` divides "
                   "without one");
    assert_refused(schema_check_model, "[{'type': 'dense', 'units': 2, 'weights': 'glorott'}]",
                   "model[0].weights",
                   "`weights` must be he or glorot, not `glorott`; did you mean `glorot`?");
}

static void bad_training_is_refused_at_its_place(void **state)
{
    (void)state;
    assert_refused(schema_check_training, "[]", "training", "`training` must be a mapping");
    assert_refused(schema_check_training, "{'batch_size': 3}", "training",
                   "`training` needs the setting `optimizer`");
    assert_refused(schema_check_training, "{'optimizer': 'adam', 'batch_size': 3}",
                   "training.optimizer",
                   "the optimizer needs a `type`, one of: sgd, rmsprop, adam, adamw");
    assert_refused(schema_check_training, "{'optimizer': {'type': 'adam', 'learning_rate': 0}}",
                   "training.optimizer.learning_rate",
                   "`learning_rate` must be a number above 0 and at most 1000000, not 0");
    assert_refused(schema_check_training, "{'optimiser': {}}", "training.optimiser",
                   "unknown setting `optimiser` of `training`; did you mean `optimizer`?");
    assert_refused(schema_check_training, "{'optimizer': {'type': 'sgd', 'learning_rate': 1}}",
                   "training", "`training` needs the setting `batch_size`");
}

static void a_model_of_too_many_layers_is_refused(void **state)
{
    (void)state;
    struct failure why = FAILURE_NONE;
    json_t *model = json_array();
    for (int i = 0; i < 1025; i++) {
        json_array_append_new(model, json_pack("{s:s}", "type", "relu"));
    }
    assert_null(schema_check_model(model, &why));
    assert_string_equal(why.where, "model");
    failure_clear(&why);
    json_decref(model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_default_fits_its_own_setting),
        cmocka_unit_test(every_shorthand_is_a_setting),
        cmocka_unit_test(a_model_comes_back_complete),
        cmocka_unit_test(settings_come_in_the_order_of_the_table),
        cmocka_unit_test(training_comes_back_complete),
        cmocka_unit_test(settings_that_may_be_absent_come_only_as_given),
        cmocka_unit_test(bounds_are_kept),
        cmocka_unit_test(bad_models_are_refused_at_their_place),
        cmocka_unit_test(bad_training_is_refused_at_its_place),
        cmocka_unit_test(a_model_of_too_many_layers_is_refused),
    };
    return cmocka_run_group_tests_name("schema", tests, NULL, NULL);
}
