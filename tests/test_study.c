/* Study files.  tests/cases/bad has files that are refused, each with its message
 * in <name>.expected (the path of the file as FILE); tests/cases/good has files that
 * are read; tests/cases/fingerprints has fingerprints as databases have them, for the
 * studies of the same names in search_spaces and tests/cases/good.  A new case is a new
 * file there. */
#include "tuner/study.h"

#include "common/file.h"
#include "common/text.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char base[] = "study: s\n"
                           "data: {dataset: synthetic}\n"
                           "parameters:\n"
                           "  filters: {type: int, low: 16, high: 64, step: 16}\n"
                           "model:\n"
                           "  - conv: {filters: $filters, kernel: 3}\n"
                           "  - max_pool: 2\n"
                           "  - flatten\n"
                           "  - dense:\n"
                           "      units: classes\n"
                           "training:\n"
                           "  optimizer: {type: adam, learning_rate: 1e-3}\n"
                           "  batch_size: 32\n"
                           "search: {trials: 4, max_epochs: 2}\n";

/* ---- Helpers ---- */

/* The base with one piece of its text replaced. */
static char *changed(const char *old, const char *new)
{
    const char *at = strstr(base, old);
    assert_non_null(at);
    return xasprintf("%.*s%s%s", (int)(at - base), base, new, at + strlen(old));
}

static struct study *study_of(const char *text)
{
    struct failure why = FAILURE_NONE;
    struct study *study = study_parse("dir/s.yaml", text, strlen(text), &why);
    if (!study) {
        fail_msg("%s", why.text);
    }
    return study;
}

static struct study *changed_study(const char *old, const char *new)
{
    char *text = changed(old, new);
    struct study *study = study_of(text);
    free(text);
    return study;
}

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

/* Calls `check` with each "<folder>/<name>" that ends in `ending`; how many. */
static int walk(const char *folder, const char *ending, void (*check)(const char *path))
{
    struct dirent **names;
    int count = scandir(folder, &names, NULL, alphasort);
    int found = 0;
    assert_true(count >= 0);
    for (int i = 0; i < count; i++) {
        size_t length = strlen(names[i]->d_name), tail = strlen(ending);
        if (length > tail && strcmp(names[i]->d_name + length - tail, ending) == 0) {
            char *path = path_join(folder, names[i]->d_name);
            check(path);
            free(path);
            found++;
        }
        free(names[i]);
    }
    free(names);
    return found;
}

static char *with_ending(const char *path, const char *ending)
{
    return xasprintf("%.*s%s", (int)(strrchr(path, '.') - path), path, ending);
}

/* ---- Cases in files ---- */

/* A message with the path at its beginning as FILE. */
static char *anonymous(const char *message, const char *path)
{
    size_t length = strlen(path);
    bool begins = strncmp(message, path, length) == 0;
    return begins ? xasprintf("FILE%s\n", message + length) : xasprintf("%s\n", message);
}

static void is_refused_as_expected(const char *path)
{
    struct failure why = FAILURE_NONE;
    char *expected_path = with_ending(path, ".expected");
    char *expected = NULL;
    size_t size;
    if (file_read(expected_path, 1 << 16, &expected, &size, NULL) != 0) {
        fail_msg("%s is missing", expected_path);
    }
    struct study *study = study_load(path, &why);
    if (study) {
        fail_msg("%s was read", path);
    }
    char *found = anonymous(why.text, path);
    if (strcmp(found, expected) != 0) {
        fail_msg("%s: %s instead of %s", path, found, expected);
    }
    assert_int_equal(why.code, EXIT_BAD_INPUT);
    free(found);
    free(expected);
    free(expected_path);
    failure_clear(&why);
}

static void bad_files_are_refused_as_expected(void **state)
{
    (void)state;
    assert_true(walk("tests/cases/bad", ".yaml", is_refused_as_expected) >= 190);
}

static void has_its_file(const char *path)
{
    char *file = with_ending(path, ".yaml");
    assert_true(file_exists(file));
    free(file);
}

static void every_expected_message_has_its_file(void **state)
{
    (void)state;
    assert_true(walk("tests/cases/bad", ".expected", has_its_file) >= 190);
}

/* Reads the file, and configures the first trials of the study. */
static void is_read(const char *path)
{
    struct failure why = FAILURE_NONE;
    struct study *study = study_load(path, &why);
    if (!study) {
        fail_msg("%s", why.text);
    }
    for (uint32_t trial = 0; trial < 20; trial++) {
        struct rng rng;
        rng_init(&rng, study->seed, trial, RNG_SAMPLER, 0);
        json_t *values = space_draw(&study->space, &rng);
        json_t *configuration = study_configure(study, values, 10, &why);
        if (!configuration) {
            fail_msg("%s", why.text);
        }
        json_decref(configuration);
        json_decref(values);
    }
    study_free(study);
}

static void good_files_are_read(void **state)
{
    (void)state;
    assert_true(walk("tests/cases/good", ".yaml", is_read) >= 10);
}

static void shipped_studies_are_read(void **state)
{
    (void)state;
    assert_true(walk("search_spaces", ".yaml", is_read) >= 3);
}

/* ---- Settings ---- */

static void defaults_are_filled_in(void **state)
{
    (void)state;
    struct study *study = study_of(base);
    assert_string_equal(study->name, "s");
    assert_true(study->seed == 0);
    assert_string_equal(study->metric, "val_accuracy");
    assert_true(study->maximize && !study->take_best && study->retrain);
    assert_int_equal(study->sampler, SAMPLER_RANDOM);
    assert_int_equal(study->scheduler, SCHEDULER_FULL);
    assert_int_equal(study->trials, 4);
    assert_int_equal(study->max_epochs, 2);
    assert_int_equal(study->retries, 1);
    assert_true(study->epoch_seconds == 600 && study->limit_minutes == 0);
    assert_int_equal(study->worker_limits.memory_mb, 0);
    assert_int_equal(study->worker_limits.log_mb, 64);
    assert_int_equal(study->worker_limits.nice, 0);
    assert_int_equal(study->limit_epochs, 0);
    assert_int_equal(study->workers, 0);
    assert_int_equal(study->threads, 1);
    assert_int_equal(study->keep, 5);
    assert_null(study->trainer);
    assert_int_equal(json_integer_value(json_object_get(study->data, "validation")), 5000);
    assert_string_equal(json_string_value(json_object_get(study->data, "train")), "all");
    assert_string_equal(study->text, base);
    study_free(study);
}

static void every_key_is_read(void **state)
{
    (void)state;
    struct study *study = study_load("tests/cases/good/every_key.yaml", NULL);
    assert_true(study->seed == UINT64_MAX);
    assert_string_equal(study->metric, "val_loss");
    assert_true(!study->maximize && study->take_best && !study->retrain);
    assert_int_equal(study->sampler, SAMPLER_GRID);
    assert_int_equal(study->scheduler, SCHEDULER_HYPERBAND);
    assert_int_equal(study->points, 2);
    assert_int_equal(study->max_epochs, 9);
    assert_int_equal(study->eta, 3);
    assert_int_equal(study->limit_epochs, 100);
    assert_int_equal(study->retries, 2);
    assert_true(study->limit_minutes == 30 && study->epoch_seconds == 60);
    assert_int_equal(study->worker_limits.memory_mb, 2000);
    assert_int_equal(study->worker_limits.log_mb, 10);
    assert_int_equal(study->worker_limits.nice, 5);
    assert_int_equal(study->workers, 3);
    assert_int_equal(study->threads, 2);
    assert_int_equal(study->keep, 7);
    char *data = json_dumps(study->data, JSON_COMPACT);
    assert_string_equal(data, "{\"dataset\":\"idx\",\"folder\":\"tests/cases/good/digits\","
                              "\"train\":1000,\"validation\":100}");
    char *trainer = json_dumps(study->trainer, JSON_COMPACT);
    assert_string_equal(trainer, "[\"tests/cases/good/my_trainer\",\"--verbose\"]");
    free(trainer);
    free(data);
    study_free(study);
}

static void losses_are_minimized_unless_told_otherwise(void **state)
{
    (void)state;
    struct study *study = changed_study("study: s", "study: s\nobjective: {metric: val_loss}");
    assert_false(study->maximize);
    study_free(study);
    study = changed_study("study: s", "study: s\nobjective: {metric: train_accuracy}");
    assert_true(study->maximize);
    study_free(study);
}

static void a_trainer_in_one_text_is_cut_into_words(void **state)
{
    (void)state;
    struct study *study = changed_study("study: s", "study: s\ntrainer: python3  t.py -x");
    char *trainer = json_dumps(study->trainer, JSON_COMPACT);
    assert_string_equal(trainer, "[\"python3\",\"t.py\",\"-x\"]");
    free(trainer);
    study_free(study);
}

static void a_missing_file_is_refused(void **state)
{
    (void)state;
    struct failure why = FAILURE_NONE;
    assert_null(study_load("tests/cases/none.yaml", &why));
    assert_non_null(strstr(why.text, "tests/cases/none.yaml"));
    failure_clear(&why);
    assert_null(study_load("tests/cases", &why));
    failure_clear(&why);
}

/* ---- Configurations ---- */

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

/* ---- Fingerprints ---- */

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

/* ---- Damage ---- */

static void damaged_files_never_crash(void **state)
{
    (void)state;
    static const char strange[] = "{}[]:,-#$*&!|>'\"%@`\n\t ~019.eE";
    struct rng rng;
    int refused = 0;
    rng_init(&rng, 3, 0, RNG_SAMPLER, 0);
    for (int round = 0; round < 1500; round++) {
        char *text = xstrdup(base);
        size_t size = strlen(text);
        for (int i = 0; i < 3; i++) {
            text[rng_below(&rng, size)] = strange[rng_below(&rng, sizeof strange - 1)];
        }
        struct failure why = FAILURE_NONE;
        struct study *study = study_parse("f", text, rng_below(&rng, 4) ? size : size / 2, &why);
        assert_true((study != NULL) == (why.text == NULL));
        assert_true(study || strncmp(why.text, "f:", 2) == 0);
        refused += study == NULL;
        study_free(study);
        failure_clear(&why);
        free(text);
    }
    assert_true(refused > 500);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bad_files_are_refused_as_expected),
        cmocka_unit_test(every_expected_message_has_its_file),
        cmocka_unit_test(good_files_are_read),
        cmocka_unit_test(shipped_studies_are_read),
        cmocka_unit_test(defaults_are_filled_in),
        cmocka_unit_test(every_key_is_read),
        cmocka_unit_test(losses_are_minimized_unless_told_otherwise),
        cmocka_unit_test(a_trainer_in_one_text_is_cut_into_words),
        cmocka_unit_test(a_missing_file_is_refused),
        cmocka_unit_test(a_configuration_is_complete),
        cmocka_unit_test(layers_within_layers_are_configured),
        cmocka_unit_test(sections_of_training_are_configured),
        cmocka_unit_test(epochs_are_there_only_where_they_are_given),
        cmocka_unit_test(a_configuration_that_fails_tells_the_parameters),
        cmocka_unit_test(paths_lead_to_their_place_in_the_file),
        cmocka_unit_test(what_changes_no_result_is_not_in_the_fingerprint),
        cmocka_unit_test(ways_of_writing_are_not_in_the_fingerprint),
        cmocka_unit_test(ways_of_writing_sections_are_not_in_the_fingerprint),
        cmocka_unit_test(each_setting_that_differs_is_a_line),
        cmocka_unit_test(a_difference_within_layers_has_its_path),
        cmocka_unit_test(recorded_studies_are_still_the_same),
        cmocka_unit_test(the_order_of_parameters_is_in_the_fingerprint),
        cmocka_unit_test(the_fingerprint_survives_being_stored),
        cmocka_unit_test(damaged_files_never_crash),
    };
    return cmocka_run_group_tests_name("study", tests, NULL, NULL);
}
