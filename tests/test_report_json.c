#include "reports/report_json.h"

#include "tests/report_scene.h"

#include <math.h>

static void json_tells_everything_and_parses(void **state)
{
    struct scene *scene = *state;
    add_whole_study(scene, "letters", true, true);
    write_report(scene, "LETTERS");
    json_t *report = report_of(scene);
    assert_int_equal(json_integer_value(json_object_get(report, "schema_version")), 3);
    const json_t *study = json_object_get(report, "study");
    assert_string_equal(string_at(study, "name"), "letters");
    assert_string_equal(string_at(study, "seed"), "18446744073709551615");
    assert_string_equal(string_at(study, "text"), study_text);
    assert_true(number_at(report, "study", "training_seconds") == 3.0);
    assert_true(number_at(report, "winner", "trial") == WINNER);
    assert_true(number_at(report, "winner", "value") == 0.95);
    assert_true(number_at(report, "winner", "epochs") == 3);
    const json_t *winner = json_object_get(report, "winner");
    assert_true(number_at(winner, "parameters", "rate") == 0.001 * 3);
    assert_int_equal(json_array_size(json_object_get(json_object_get(winner, "curve"),
                                                     "val_loss")), 3);
    assert_true(json_is_true(json_object_get(json_object_get(report, "final"), "retrained")));
    assert_true(json_is_null(json_array_get(json_object_get(json_object_get(
        json_object_get(report, "final"), "curve"), "val_loss"), 0)));
    assert_int_equal(json_array_size(json_object_get(report, "classes")), CLASSES);
    assert_true(number_at(report, "model", "parameters") == 37795);
    assert_true(number_at(report, "model", "flops") == 301056);
    assert_int_equal(json_array_size(json_object_get(report, "faults")), 1);
    assert_string_equal(string_at(json_object_get(report, "reproduce"), "command"),
                        "tuner run 'my studies/it'\\''s.yaml'");
    assert_null(json_object_get(report, "network"));
    json_decref(report);
}

static void json_has_the_figures_of_the_test(void **state)
{
    struct scene *scene = *state;
    add_whole_study(scene, "letters", true, true);
    write_report(scene, "letters");
    json_t *report = report_of(scene);
    const json_t *test = json_object_get(report, "test");
    assert_true(number_at(report, "test", "correct") == 56);
    assert_true(json_number_value(item(test, "interval", 0)) < 56.0 / 60.0);
    assert_true(json_number_value(item(test, "interval", 1)) > 56.0 / 60.0);
    assert_int_equal(json_array_size(json_object_get(test, "confusion")), CLASSES);
    assert_int_equal(json_array_size(json_object_get(test, "per_class")), CLASSES);
    assert_int_equal(json_array_size(json_object_get(test, "reliability")), 15);
    /* Each of 20 images has its class at 0.1, 0.2 and 0.7. */
    assert_true(fabs(number_at(report, "test", "log_loss") +
                     (log(0.1) + log(0.2) + log(0.7)) / 3) < 1e-12);
    assert_true(fabs(number_at(test, "top_k", "2") - 2.0 / 3.0) < 1e-12);
    assert_null(json_object_get(json_object_get(test, "top_k"), "3"));
    const json_t *worst = item(test, "most_confused", 0);
    assert_string_equal(string_at(worst, "text"), "1 is taken for 0 in 2 of 20 images (10.00 %).");
    json_decref(report);
}

static void json_lists_every_trial_and_the_course_of_the_search(void **state)
{
    struct scene *scene = *state;
    add_whole_study(scene, "letters", true, true);
    write_report(scene, "letters");
    json_t *report = report_of(scene);
    assert_int_equal(json_array_size(json_object_get(report, "trials")), TRIALS);
    for (int i = 0; i < TRIALS; i++) {
        const json_t *trial = item(report, "trials", (size_t)i);
        assert_int_equal(json_integer_value(json_object_get(trial, "trial")), i);
        assert_int_equal(json_integer_value(json_object_get(trial, "epochs")), i == WINNER ? 3 : 1);
        assert_int_equal(json_integer_value(json_object_get(trial, "rank")) == 1, i == WINNER);
        assert_string_equal(string_at(trial, "state"), i == WINNER ? "completed" : "stopped");
        const json_t *loss = json_object_get(json_object_get(trial, "curve"), "val_loss");
        assert_int_equal(json_array_size(loss), i == WINNER ? 3 : 1);
    }
    const json_t *one = item(report, "trials", 1);
    assert_string_equal(string_at(one, "arithmetic"), "sse2 fp32");
    assert_string_equal(string_at(json_object_get(one, "parameters"), "activation"), HOSTILE);
    const json_t *activation = item(report, "parameters", 0), *rate = item(report, "parameters", 1);
    assert_string_equal(string_at(activation, "name"), "activation");
    assert_string_equal(json_string_value(item(activation, "choices", 0)), "relu");
    assert_true(json_is_true(json_object_get(rate, "log")));
    assert_int_equal(json_array_size(json_object_get(report, "plan")), 2);
    assert_int_equal(json_array_size(json_object_get(report, "rungs")), TRIALS + 1);
    assert_int_equal(json_array_size(json_object_get(report, "segments")), TRIALS + 1);
    json_decref(report);
}

/* Of 12 stored, number 25 has too few bytes; 10, 20, 40 and 50 are taken for class 0. */
static void json_tells_which_images_there_are(void **state)
{
    struct scene *scene = *state;
    add_whole_study(scene, "letters", true, true);
    write_report(scene, "letters");
    json_t *report = report_of(scene);
    const json_t *images = json_object_get(report, "images");
    size_t index;
    json_t *mistake;
    assert_true(number_at(report, "images", "width") == 3);
    assert_true(number_at(report, "images", "columns") == 11);
    assert_int_equal(json_array_size(json_object_get(images, "entries")), 11);
    assert_int_equal(json_array_size(json_object_get(report, "mistakes")), 4);
    json_array_foreach(json_object_get(report, "mistakes"), index, mistake) {
        const json_t *entry = item(images, "entries", (size_t)json_integer_value(mistake));
        assert_int_equal(json_integer_value(json_object_get(entry, "predicted")), 0);
        assert_int_not_equal(json_integer_value(json_object_get(entry, "label")), 0);
    }
    const json_t *cells = json_object_get(report, "cells");
    assert_int_equal(json_array_size(json_object_get(cells, "1,0")), 2);
    assert_int_equal(json_array_size(json_object_get(cells, "2,0")), 2);
    assert_null(json_object_get(cells, "0,1"));
    json_decref(report);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_STORE(json_tells_everything_and_parses),
        WITH_STORE(json_has_the_figures_of_the_test),
        WITH_STORE(json_lists_every_trial_and_the_course_of_the_search),
        WITH_STORE(json_tells_which_images_there_are),
    };
    return cmocka_run_group_tests_name("report_json", tests, NULL, NULL);
}
