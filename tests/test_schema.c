#include "common/schema.h"

#include "common/file.h"
#include "common/rng.h"

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

/* Calls `visit` with every section that a configuration may have, and its settings;
 * layers within layers are the same layers. */
static void visit_sections(const struct section *section,
                           void (*visit)(const struct section *section, void *context),
                           void *context)
{
    visit(section, context);
    for (size_t i = 0; i < section->setting_count; i++) {
        const struct setting *setting = &section->settings[i];
        bool again = section_find(&schema_layers, section->name) && setting->list;
        if (setting->section) {
            visit_sections(setting->section, visit, context);
        }
        for (size_t s = 0; setting->list && !again && s < setting->list->count; s++) {
            visit_sections(&setting->list->sections[s], visit, context);
        }
    }
}

static void check_defaults(const struct section *section, void *context)
{
    size_t *defaults = context;
    for (size_t i = 0; i < section->setting_count; i++) {
        const struct setting *setting = &section->settings[i];
        bool has = setting->initial && strcmp(setting->initial, "null") != 0;
        json_t *initial = has ? json_of(setting->initial) : NULL;
        json_t *checked = initial ? setting_check(setting, initial, "", NULL) : NULL;
        if (initial && !json_equal(initial, checked)) {
            fail_msg("`%s` of `%s`", setting->name, section->name);
        }
        *defaults += initial != NULL;
        json_decref(initial);
        json_decref(checked);
    }
}

static void every_default_fits_its_own_setting(void **state)
{
    (void)state;
    size_t defaults = 0;
    visit_sections(&schema_configuration, check_defaults, &defaults);
    assert_true(defaults >= 40);
}

static void check_shorthand(const struct section *section, void *context)
{
    (void)context;
    if (section->shorthand && !setting_find(section, section->shorthand)) {
        fail_msg("`%s` has no `%s`", section->name, section->shorthand);
    }
}

static void every_shorthand_is_a_setting(void **state)
{
    (void)state;
    visit_sections(&schema_configuration, check_shorthand, NULL);
    assert_string_equal(section_find(&schema_layers, "max_pool")->shorthand, "size");
    assert_null(section_find(&schema_layers, "softmax"));
    assert_null(setting_find(section_find(&schema_layers, "conv"), "size"));
}

/* Whether the page has the word as `word`. */
static void assert_documented(const char *page, const char *word)
{
    char *quoted = xasprintf("`%s`", word);
    if (!strstr(page, quoted)) {
        fail_msg("docs/search_spaces.md does not know %s", quoted);
    }
    free(quoted);
}

static void check_documented(const struct section *section, void *context)
{
    const char *page = context;
    if (section != &schema_configuration) {
        assert_documented(page, section->name);
    }
    for (size_t i = 0; i < section->setting_count; i++) {
        const struct setting *setting = &section->settings[i];
        assert_documented(page, setting->name);
        for (size_t w = 0; setting->words && setting->words[w]; w++) {
            assert_documented(page, setting->words[w]);
        }
    }
}

static void every_name_is_documented(void **state)
{
    (void)state;
    char *page;
    size_t size;
    assert_int_equal(file_read("docs/search_spaces.md", 1 << 20, &page, &size, NULL), 0);
    visit_sections(&schema_configuration, check_documented, page);
    free(page);
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

static void layers_within_layers_come_back_complete(void **state)
{
    (void)state;
    json_t *model = json_of("[{'type': 'batch_norm', 'momentum': 0.99},"
                            " {'type': 'residual', 'layers': [{'type': 'batch_norm'},"
                            "  {'type': 'residual', 'layers': [{'type': 'leaky_relu'}]}]}]");
    assert_json(schema_check_model(model, NULL),
                "[{'type': 'batch_norm', 'momentum': 0.99, 'epsilon': 1e-5},"
                " {'type': 'residual', 'layers': [{'type': 'batch_norm', 'momentum': 0.9,"
                " 'epsilon': 1e-5}, {'type': 'residual', 'layers': [{'type': 'leaky_relu',"
                " 'slope': 0.01}]}]}]");
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

static void sections_of_training_come_back_complete(void **state)
{
    (void)state;
    json_t *training = json_of("{'batch_size': 1, 'optimizer': {'type': 'sgd', 'learning_rate': 1},"
                               " 'learning_rate_schedule': {'type': 'reduce_on_plateau'},"
                               " 'augmentation': {'rotate': 10}, 'early_stopping': {'patience': 5},"
                               " 'restore_best': 'train_loss', 'ema_decay': 0}");
    assert_json(schema_check_training(training, NULL),
                "{'optimizer': {'type': 'sgd', 'learning_rate': 1.0, 'momentum': 0.0},"
                " 'learning_rate_schedule': {'type': 'reduce_on_plateau', 'monitor': 'val_loss',"
                " 'factor': 0.5, 'patience': 2, 'min_change': 1e-4, 'final': 0.0}, 'batch_size': 1,"
                " 'augmentation': {'shift': 0.0, 'rotate': 10.0, 'zoom': 0.0, 'shear': 0.0},"
                " 'early_stopping': {'monitor': 'val_loss', 'patience': 5, 'min_change': 0.0},"
                " 'restore_best': 'train_loss', 'ema_decay': 0.0}");
    json_decref(training);
}

/* What is off when it is absent stays absent, so that a study from before such a
 * setting existed stays the same. */
static void settings_that_may_be_absent_come_only_as_given(void **state)
{
    (void)state;
    json_t *training = json_of("{'batch_size': 1, 'optimizer': {'type': 'sgd', 'learning_rate': 1,"
                               " 'clip_norm': 2, 'nesterov': true, 'weight_decay': 0},"
                            " 'label_smoothing': 0.1, 'precision': 'auto'}");
    assert_json(schema_check_training(training, NULL),
                "{'optimizer': {'type': 'sgd', 'learning_rate': 1.0, 'momentum': 0.0,"
                " 'nesterov': true, 'weight_decay': 0.0, 'clip_norm': 2.0},"
                " 'learning_rate_schedule': {'type': 'constant'}, 'batch_size': 1,"
                " 'label_smoothing': 0.1, 'precision': 'auto'}");
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
    assert_refused(schema_check_model, "{}", "model",
                   "`model` must be a list of layers, not a mapping");
    assert_refused(schema_check_model, "[]", "model",
                   "`model` must be a list of layers, not an empty list");
    assert_refused(schema_check_model, "[{'type': 'flatten'}, 3]", "model[1]",
                   "the layer needs a `type`, one of: conv, max_pool, avg_pool, dropout, flatten, "
                   "dense, global_avg_pool, relu, leaky_relu, elu, tanh, sigmoid, gelu, "
                   "batch_norm, residual");
    assert_refused(schema_check_model, "[{'type': 'softmax'}]", "model[0].type",
                   "unknown layer `softmax`; there is: conv, max_pool, avg_pool, dropout, flatten, "
                   "dense, global_avg_pool, relu, leaky_relu, elu, tanh, sigmoid, gelu, "
                   "batch_norm, residual");
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

static void layers_within_layers_are_refused_at_their_place(void **state)
{
    (void)state;
    assert_refused(schema_check_model, "[{'type': 'relu'}, {'type': 'residual', 'layers': "
                   "[{'type': 'relu'}, {'type': 'conv', 'filters': 3, 'kernel': 32}]}]",
                   "model[1].layers[1].kernel",
                   "`kernel` must be an integer from 1 to 31, not 32");
    assert_refused(schema_check_model, "[{'type': 'residual'}]", "model[0]",
                   "`residual` needs a list of layers below it");
    assert_refused(schema_check_model, "[{'type': 'residual', 'layers': []}]", "model[0].layers",
                   "`layers` must be a list of layers, not an empty list");
    assert_refused(schema_check_model, "[{'type': 'residual', 'layers': {'type': 'relu'}}]",
                   "model[0].layers", "`layers` must be a list of layers, not a mapping");
}

static void bad_sections_of_training_are_refused_at_their_place(void **state)
{
    (void)state;
    static const char format[] = "{'optimizer': {'type': 'sgd', 'learning_rate': 1},"
                                 " 'batch_size': 1, %s}";
    const struct {
        const char *setting, *where, *message;
    } cases[] = {
        {"'augmentation': 3", "augmentation", "`augmentation` must be a mapping, not 3"},
        {"'augmentation': {'shift': 65}", "augmentation.shift",
         "`shift` must be a number of at least 0 and at most 64, not 65"},
        {"'early_stopping': {}", "early_stopping",
         "`early_stopping` needs the setting `patience`"},
        {"'early_stopping': {'patience': 1, 'type': 'x'}", "early_stopping.type",
         "unknown setting `type` of `early_stopping`; there is: monitor, patience, min_change"},
        {"'restore_best': true", "restore_best",
         "`restore_best` must be val_loss, val_accuracy, train_loss or train_accuracy, not true"},
        {"'precision': 'fp16'", "precision",
         "`precision` must be fp32, bf16 or auto, not `fp16`; did you mean `fp32`?"},
        {"'ema': 0.9", "ema", "unknown setting `ema` of `training`; did you mean `ema_decay`?"},
        {"'learning_rate_schedule': {'type': 'reduce_on_plateau', 'factor': 0}",
         "learning_rate_schedule.factor",
         "`factor` must be a number above 0 and below 1, not 0"},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        char *text = xasprintf(format, cases[i].setting);
        char *where = xasprintf("training.%s", cases[i].where);
        assert_refused(schema_check_training, text, where, cases[i].message);
        free(where);
        free(text);
    }
}

static void bad_training_is_refused_at_its_place(void **state)
{
    (void)state;
    assert_refused(schema_check_training, "[]", "training",
                   "`training` must be a mapping, not an empty list");
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

/* `depth` residuals within each other. */
static json_t *nested_model(int depth)
{
    json_t *layer = json_of("{'type': 'relu'}");
    for (int i = 0; i < depth; i++) {
        layer = json_pack("{s:s, s:[o]}", "type", "residual", "layers", layer);
    }
    return json_pack("[o]", layer);
}

static void layers_go_four_deep(void **state)
{
    (void)state;
    struct failure why = FAILURE_NONE;
    json_t *deepest = nested_model(4), *deeper = nested_model(5), *abyss = nested_model(100);
    json_t *checked = schema_check_model(deepest, NULL);
    assert_true(json_equal(checked, deepest));
    assert_null(schema_check_model(deeper, &why));
    assert_string_equal(why.where, "model[0].layers[0].layers[0].layers[0].layers[0].layers");
    assert_null(schema_check_model(abyss, NULL));
    failure_clear(&why);
    json_decref(checked);
    json_decref(deepest);
    json_decref(deeper);
    json_decref(abyss);
}

static void layers_within_layers_count(void **state)
{
    (void)state;
    struct failure why = FAILURE_NONE;
    json_t *layers = json_array();
    json_t *model = json_pack("[{s:s}, {s:s, s:o}]", "type", "relu", "type", "residual", "layers",
                              layers);
    for (int i = 0; i < 1022; i++) {
        json_array_append_new(layers, json_pack("{s:s}", "type", "relu"));
    }
    json_t *checked = schema_check_model(model, NULL);
    assert_non_null(checked);
    json_array_append_new(layers, json_pack("{s:s}", "type", "relu"));
    assert_null(schema_check_model(model, &why));
    assert_string_equal(why.where, "model[1].layers");
    failure_clear(&why);
    json_decref(checked);
    json_decref(model);
}

/* ---- Anything that the tables allow ---- */

static json_t *random_settings(const struct section *section, struct rng *rng, int depth);

static json_t *random_choice(const struct section_list *list, struct rng *rng, int depth)
{
    const struct section *section;
    do { /* the deepest layers have none within */
        section = &list->sections[rng_below(rng, list->count)];
    } while (depth >= 4 && section->setting_count > 0 &&
             section->settings[0].type == SETTING_LIST);
    json_t *object = random_settings(section, rng, depth);
    json_object_set_new(object, "type", json_string(section->name));
    return object;
}

static json_t *random_list(const struct section_list *list, struct rng *rng, int depth)
{
    json_t *array = json_array();
    for (uint64_t count = 1 + rng_below(rng, 4); count > 0; count--) {
        json_array_append_new(array, random_choice(list, rng, depth));
    }
    return array;
}

static json_t *random_number(const struct setting *setting, struct rng *rng)
{
    double share = (double)(1 + rng_below(rng, 99)) / 100;
    double value = setting->low + share * (setting->high - setting->low);
    return setting->type == SETTING_FLOAT ? json_real(value) : json_integer((json_int_t)value);
}

static json_t *random_value(const struct setting *setting, struct rng *rng, int depth)
{
    size_t words = 0;
    switch (setting->type) {
    case SETTING_BOOL:
        return json_boolean((int)rng_below(rng, 2));
    case SETTING_WORD:
        while (setting->words[words]) {
            words++;
        }
        return json_string(setting->words[rng_below(rng, words)]);
    case SETTING_SECTION:
        return random_settings(setting->section, rng, depth);
    case SETTING_CHOICE:
        return random_choice(setting->list, rng, depth);
    case SETTING_LIST:
        return random_list(setting->list, rng, depth + 1);
    default:
        return random_number(setting, rng);
    }
}

static json_t *random_settings(const struct section *section, struct rng *rng, int depth)
{
    json_t *object = json_object();
    for (size_t i = 0; i < section->setting_count; i++) {
        const struct setting *setting = &section->settings[i];
        if (!setting->initial || rng_below(rng, 2) == 0) {
            json_object_set_new(object, setting->name, random_value(setting, rng, depth));
        }
    }
    return object;
}

/* `check` takes the value, and what it makes of it as it is. */
static void assert_completes(json_t *(*check)(const json_t *, struct failure *), json_t *given)
{
    struct failure why = FAILURE_NONE;
    json_t *once = check(given, &why);
    if (!once) {
        fail_msg("%s: %s", why.where, why.text);
    }
    json_t *twice = check(once, NULL);
    char *first = json_dumps(once, 0), *second = json_dumps(twice, 0);
    assert_string_equal(first, second);
    free(first);
    free(second);
    json_decref(once);
    json_decref(twice);
}

static void what_the_tables_allow_is_taken_and_completed_once(void **state)
{
    (void)state;
    const struct setting *model = setting_find(&schema_configuration, "model");
    const struct setting *training = setting_find(&schema_configuration, "training");
    for (uint64_t round = 0; round < 300; round++) {
        struct rng rng;
        rng_init(&rng, 5, 0, RNG_SAMPLER, round);
        json_t *layers = random_value(model, &rng, -1), *settings = random_value(training, &rng, 0);
        assert_completes(schema_check_model, layers);
        assert_completes(schema_check_training, settings);
        json_decref(layers);
        json_decref(settings);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_default_fits_its_own_setting),
        cmocka_unit_test(every_shorthand_is_a_setting),
        cmocka_unit_test(every_name_is_documented),
        cmocka_unit_test(a_model_comes_back_complete),
        cmocka_unit_test(layers_within_layers_come_back_complete),
        cmocka_unit_test(settings_come_in_the_order_of_the_table),
        cmocka_unit_test(training_comes_back_complete),
        cmocka_unit_test(sections_of_training_come_back_complete),
        cmocka_unit_test(settings_that_may_be_absent_come_only_as_given),
        cmocka_unit_test(bounds_are_kept),
        cmocka_unit_test(bad_models_are_refused_at_their_place),
        cmocka_unit_test(layers_within_layers_are_refused_at_their_place),
        cmocka_unit_test(bad_sections_of_training_are_refused_at_their_place),
        cmocka_unit_test(bad_training_is_refused_at_its_place),
        cmocka_unit_test(a_model_of_too_many_layers_is_refused),
        cmocka_unit_test(layers_go_four_deep),
        cmocka_unit_test(layers_within_layers_count),
        cmocka_unit_test(what_the_tables_allow_is_taken_and_completed_once),
    };
    return cmocka_run_group_tests_name("schema", tests, NULL, NULL);
}
