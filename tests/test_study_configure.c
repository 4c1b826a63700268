/* The configurations of a study, one for each trial, and the places in its file that they come
 * from. */
#include "tests/study_base.h"

static void a_configuration_is_complete(void **state)
{
    (void)state;
    struct study *study = study_of(base);
    json_t *values = json_pack("{s:i}", "filters", 48);
    json_t *configuration = study_configure(study, values, 7, NULL);
    json_t *expected = json_pack(
        "{s:[{s:s,s:i,s:i,s:i,s:s,s:s,s:s},{s:s,s:i,s:i,s:s},{s:s},{s:s,s:i,s:s,s:s}],"
        "s:{s:{s:s,s:f,s:f,s:f,s:f},s:{s:s},s:i}}",
        "model", "type", "conv", "filters", 48, "kernel", 3, "stride", 1, "padding", "valid",
        "activation", "none", "weights", "he", "type", "max_pool", "size", 2, "stride", 0,
        "padding", "valid", "type", "flatten", "type", "dense", "units", 7, "activation", "none",
        "weights", "he", "training", "optimizer", "type", "adam", "learning_rate", 1e-3, "beta1",
        0.9, "beta2", 0.999, "epsilon", 1e-7, "learning_rate_schedule", "type", "constant",
        "batch_size", 32);
    assert_non_null(expected);
    assert_true(json_equal(configuration, expected));
    json_decref(expected);
    json_decref(configuration);
    json_decref(values);
    study_free(study);
}

/* The JSON that `key` comes to with the parameters all at 2. */
static char *configured(const char *text, const char *key)
{
    struct study *study = study_of(text);
    json_t *values = json_object();
    for (size_t i = 0; i < study->space.count; i++) {
        json_object_set_new(values, study->space.parameters[i].name, json_integer(2));
    }
    json_t *configuration = study_configure(study, values, 7, NULL);
    char *dump = json_dumps(json_object_get(configuration, key),
                            JSON_COMPACT | JSON_REAL_PRECISION(6));
    json_decref(configuration);
    json_decref(values);
    study_free(study);
    return dump;
}

static void layers_within_layers_are_configured(void **state)
{
    (void)state;
    char *text = changed("  - flatten\n", "  - batch_norm\n"
                                           "  - residual:\n"
                                           "    - conv: {filters: $filters * 3, kernel: 1}\n"
                                           "    - residual: {layers: [relu, {leaky_relu: 0.2}]}\n");
    char *model = configured(text, "model");
    assert_non_null(strstr(
        model, "{\"type\":\"batch_norm\",\"momentum\":0.9,\"epsilon\":1e-5},"
               "{\"type\":\"residual\",\"layers\":[{\"type\":\"conv\",\"filters\":6,"
               "\"kernel\":1,\"stride\":1,\"padding\":\"valid\",\"activation\":\"none\","
               "\"weights\":\"he\"},{\"type\":\"residual\",\"layers\":[{\"type\":\"relu\"},"
               "{\"type\":\"leaky_relu\",\"slope\":0.2}]}]},"));
    free(model);
    free(text);
}

static void sections_of_training_are_configured(void **state)
{
    (void)state;
    char *text = changed("batch_size: 32", "batch_size: 32\n"
                                           "  early_stopping: $filters + 1\n"
                                           "  restore_best: val_accuracy\n"
                                           "  learning_rate_schedule: reduce_on_plateau\n"
                                           "  augmentation: {shift: $filters / 64}");
    char *training = configured(text, "training");
    assert_string_equal(
        training, "{\"optimizer\":{\"type\":\"adam\",\"learning_rate\":0.001,\"beta1\":0.9,"
                  "\"beta2\":0.999,\"epsilon\":1e-7},\"learning_rate_schedule\":{\"type\":"
                  "\"reduce_on_plateau\",\"monitor\":\"val_loss\",\"factor\":0.5,"
                  "\"patience\":2,\"min_change\":0.0001,\"final\":0.0},\"batch_size\":32,"
                  "\"augmentation\":{\"shift\":0.03125,\"rotate\":0.0,\"zoom\":0.0,"
                  "\"shear\":0.0},\"early_stopping\":{\"monitor\":\"val_loss\","
                  "\"patience\":3,\"min_change\":0.0},\"restore_best\":\"val_accuracy\"}");
    free(training);
    free(text);
}

static void epochs_are_there_only_where_they_are_given(void **state)
{
    (void)state;
    struct study *study = study_load("tests/cases/good/searched_epochs.yaml", NULL);
    json_t *values = json_pack("{s:i, s:i}", "filters", 16, "epoch_count", 3);
    json_t *configuration = study_configure(study, values, 10, NULL);
    json_t *training = json_object_get(configuration, "training");
    assert_int_equal(json_integer_value(json_object_get(training, "epochs")), 3);
    assert_int_equal(study->max_epochs, 0);
    json_decref(configuration);
    json_decref(values);
    study_free(study);
}

static void a_configuration_that_fails_tells_the_parameters(void **state)
{
    (void)state;
    struct failure why = FAILURE_NONE;
    struct study *study = study_of(base);
    json_t *values = json_pack("{s:i}", "filters", 5000);
    assert_null(study_configure(study, values, 10, &why));
    assert_string_equal(why.text, "dir/s.yaml:6:21: error: `filters` must be an integer from 1 to "
                                  "4096, not 5000 (`$filters` with filters = 5000)");
    assert_null(why.where);
    failure_clear(&why);
    json_decref(values);
    study_free(study);
}

static void paths_lead_to_their_place_in_the_file(void **state)
{
    (void)state;
    struct study *study = study_of(base);
    const struct {
        const char *where, *place;
    } cases[] = {
        {"model[0].kernel", "6:39"}, {"model[0]", "6:5"}, {"model[0].type", "6:5"},
        {"model[0].stride", "6:11"}, {"model[1].size", "7:15"}, {"model[2]", "8:5"},
        {"model[2].anything", "8:5"}, {"model[3].units", "10:14"}, {"model[9].units", "6:3"},
        {"training.optimizer.learning_rate", "12:42"}, {"training.optimizer", "12:14"},
        {"training.batch_size", "13:15"}, {"data", "2:7"}, {"data.folder", "2:7"},
        {"", "1:1"}, {"nowhere.at[3", "1:1"}, {"[]..", "1:1"}, {NULL, "1:1"},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct failure why = FAILURE_NONE;
        assert_int_equal(study_fail_at(study, cases[i].where, &why, "%d is wrong", 7), -1);
        char *expected = xasprintf("dir/s.yaml:%s: error: 7 is wrong", cases[i].place);
        if (strcmp(why.text, expected) != 0) {
            fail_msg("%s: %s instead of %s", cases[i].where, why.text, expected);
        }
        free(expected);
        failure_clear(&why);
    }
    study_free(study);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_configuration_is_complete),
        cmocka_unit_test(layers_within_layers_are_configured),
        cmocka_unit_test(sections_of_training_are_configured),
        cmocka_unit_test(epochs_are_there_only_where_they_are_given),
        cmocka_unit_test(a_configuration_that_fails_tells_the_parameters),
        cmocka_unit_test(paths_lead_to_their_place_in_the_file),
    };
    return cmocka_run_group_tests_name("study_configure", tests, NULL, NULL);
}
