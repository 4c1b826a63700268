/* Study files.  tests/cases/bad has files that are refused, each with its message
 * in <name>.expected (the path of the file as FILE); tests/cases/good has files that
 * are read.  A new case is a new file there. */
#include "tests/study_base.h"

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
        cmocka_unit_test(damaged_files_never_crash),
    };
    return cmocka_run_group_tests_name("study", tests, NULL, NULL);
}
