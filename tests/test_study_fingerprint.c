/* What makes two files one study, and how others differ.  tests/cases/fingerprints has
 * fingerprints as databases have them, for the studies of the same names in search_spaces and
 * tests/cases/good. */
#include "tests/study_base.h"

/* How the study differs from the base; the caller frees it. */
static char *differences(const char *old, const char *new)
{
    struct study *before = study_of(base);
    struct study *after = changed_study(old, new);
    char *text = study_differences(before->fingerprint, after->fingerprint);
    study_free(before);
    study_free(after);
    return text;
}

static void assert_differences(const char *old, const char *new, const char *expected)
{
    char *found = differences(old, new);
    assert_string_equal(found, expected);
    free(found);
}

static void what_changes_no_result_is_not_in_the_fingerprint(void **state)
{
    (void)state;
    assert_differences("study: s", "study: s # a comment\nworkers: 3\nthreads: 2\nkeep: 9\n"
                                   "trainer: [a, b]", "");
    assert_differences("max_epochs: 2", "max_epochs: 2, limits: {epochs: 4, minutes: 5, "
                                        "retries: 0, epoch_seconds: 6, memory_megabytes: 7, nice: 8, "
                                        "log_megabytes: 9}", "");
}

static void ways_of_writing_are_not_in_the_fingerprint(void **state)
{
    (void)state;
    assert_differences("kernel: 3", "kernel: 3.0, stride: 1, weights: he", "");
    assert_differences("kernel: 3", "kernel: \n        3", "");
    assert_differences("max_pool: 2", "max_pool: {size: 2}", "");
    assert_differences("- flatten", "- flatten: {}", "");
    assert_differences("1e-3", "0.0010", "");
    assert_differences("study: s", "study: s\nseed: 0\nobjective: {take: last}\n"
                                   "final: {retrain: true}", "");
    assert_differences("batch_size: 32", "batch_size: 32\n  learning_rate_schedule: constant", "");
    assert_differences("synthetic", "synthetic, train: all, validation: 5e3", "");
}

static void ways_of_writing_sections_are_not_in_the_fingerprint(void **state)
{
    (void)state;
    const struct {
        const char *old, *one, *other;
    } cases[] = {
        {"- flatten", "- batch_norm", "- batch_norm: {momentum: 0.90, epsilon: 1e-5}"},
        {"- flatten", "- residual: [relu]", "- residual: {layers: [relu: {}]}"},
        {"- flatten", "- residual: [max_pool: 2]", "- residual:\n    - max_pool: {size: 2.0}"},
        {"batch_size: 32", "batch_size: 32\n  early_stopping: 3",
         "batch_size: 32\n  early_stopping: {patience: 3.0, monitor: val_loss, min_change: 0}"},
        {"batch_size: 32", "batch_size: 32\n  augmentation: {shift: 2}",
         "batch_size: 32\n  augmentation: {rotate: 0, shift: 2.0}"},
        {"batch_size: 32", "batch_size: 32\n  learning_rate_schedule: reduce_on_plateau",
         "batch_size: 32\n  learning_rate_schedule: {type: reduce_on_plateau, factor: 0.5}"},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct study *one = changed_study(cases[i].old, cases[i].one);
        struct study *other = changed_study(cases[i].old, cases[i].other);
        char *found = study_differences(one->fingerprint, other->fingerprint);
        assert_string_equal(found, "");
        free(found);
        study_free(one);
        study_free(other);
    }
}

static void each_setting_that_differs_is_a_line(void **state)
{
    (void)state;
    assert_differences("high: 64", "high: 128", "parameters.filters.high: 64 -> 128");
    assert_differences("study: s", "study: s\nseed: 3", "seed: \"0\" -> \"3\"");
    assert_differences("trials: 4, max_epochs: 2", "trials: 5, max_epochs: 3",
                       "search.trials: 4 -> 5\nsearch.max_epochs: 2 -> 3");
    assert_differences("filters: $filters", "filters: $filters * 2",
                       "model[0].filters: \"$filters\" -> \"$filters * 2\"");
    assert_differences("1e-3", "0.1", "training.optimizer.learning_rate: 0.001 -> 0.1");
    assert_differences("batch_size: 32", "batch_size: 32\n  learning_rate_schedule: linear",
                       "training.learning_rate_schedule.type: \"constant\" -> \"linear\"\n"
                       "training.learning_rate_schedule.warmup: (none) -> 0.1\n"
                       "training.learning_rate_schedule.final: (none) -> 0.0\n"
                       "training.learning_rate_schedule.over: (none) -> \"max_epochs\"");
    assert_differences("batch_size: 32", "batch_size: 32\n  early_stopping: 3",
                       "training.early_stopping: (none) -> {\"monitor\":\"val_loss\","
                       "\"patience\":3,\"min_change\":0.0}");
    assert_differences("batch_size: 32", "batch_size: 32\n  restore_best: val_loss\n"
                                         "  ema_decay: 0.9",
                       "training.restore_best: (none) -> \"val_loss\"\n"
                       "training.ema_decay: (none) -> 0.9");
    assert_differences("batch_size: 32", "batch_size: 32\n  precision: auto",
                       "training.precision: (none) -> \"auto\"");
}

static void a_difference_within_layers_has_its_path(void **state)
{
    (void)state;
    struct study *one = changed_study("- flatten", "- residual: [relu, {residual: [dense: 7]}]");
    struct study *other = changed_study("- flatten", "- residual: [relu, {residual: [dense: 8]}]");
    char *found = study_differences(one->fingerprint, other->fingerprint);
    assert_string_equal(found, "model[2].layers[1].layers[0].units: 7 -> 8");
    free(found);
    study_free(one);
    study_free(other);
}

/* A database refuses a file whose fingerprint is another one: what is added to the
 * schema must not change those of studies that do without it. */
static void is_still_the_same_study(const char *path)
{
    json_t *recorded = json_load_file(path, 0, NULL);
    char *name = xasprintf("%.*s.yaml", (int)(strrchr(path, '.') - strrchr(path, '/')) - 1,
                           strrchr(path, '/') + 1);
    char *file = path_join("search_spaces", name);
    if (!file_exists(file)) {
        free(file);
        file = path_join("tests/cases/good", name);
    }
    struct study *study = study_load(file, NULL);
    assert_true(recorded && study);
    char *found = study_differences(recorded, study->fingerprint);
    if (*found != '\0') {
        fail_msg("%s has become another study: %s", file, found);
    }
    free(found);
    free(file);
    free(name);
    json_decref(recorded);
    study_free(study);
}

static void recorded_studies_are_still_the_same(void **state)
{
    (void)state;
    assert_true(walk("tests/cases/fingerprints", ".json", is_still_the_same_study) >= 4);
}

static void the_order_of_parameters_is_in_the_fingerprint(void **state)
{
    (void)state;
    static const char format[] = "study: s\ndata: {dataset: synthetic}\n"
                                 "parameters: {%s: {type: bool}, %s: {type: bool}}\n"
                                 "model: [dense: 1 + $a + $b]\n"
                                 "training: {optimizer: {type: sgd, learning_rate: 1}, "
                                 "batch_size: 1}\n"
                                 "search: {trials: 1, max_epochs: 1}\n";
    char *first = xasprintf(format, "a", "b"), *second = xasprintf(format, "b", "a");
    struct study *one = study_of(first), *two = study_of(second);
    char *found = study_differences(one->fingerprint, two->fingerprint);
    assert_string_equal(found, "parameter_order[0]: \"a\" -> \"b\"\n"
                               "parameter_order[1]: \"b\" -> \"a\"");
    free(found);
    study_free(one);
    study_free(two);
    free(first);
    free(second);
}

static void the_fingerprint_survives_being_stored(void **state)
{
    (void)state;
    struct study *study = study_load("tests/cases/good/every_key.yaml", NULL);
    char *stored = json_dumps(study->fingerprint, JSON_COMPACT);
    json_t *read = json_loads(stored, 0, NULL);
    char *found = study_differences(read, study->fingerprint);
    assert_string_equal(found, "");
    assert_null(strstr(stored, "tests/cases")); /* the same wherever it is started from */
    free(found);
    json_decref(read);
    free(stored);
    study_free(study);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_changes_no_result_is_not_in_the_fingerprint),
        cmocka_unit_test(ways_of_writing_are_not_in_the_fingerprint),
        cmocka_unit_test(ways_of_writing_sections_are_not_in_the_fingerprint),
        cmocka_unit_test(each_setting_that_differs_is_a_line),
        cmocka_unit_test(a_difference_within_layers_has_its_path),
        cmocka_unit_test(recorded_studies_are_still_the_same),
        cmocka_unit_test(the_order_of_parameters_is_in_the_fingerprint),
        cmocka_unit_test(the_fingerprint_survives_being_stored),
    };
    return cmocka_run_group_tests_name("study_fingerprint", tests, NULL, NULL);
}
