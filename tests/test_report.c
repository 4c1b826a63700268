#include "reports/report.h"

#include "common/file.h"
#include "tests/markup.h"

#include <jansson.h>
#include <setjmp.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>

/* What a hostile study could bring into the page. */
#define HOSTILE "<script>alert(\"1\" + '2')</script>"
static const char study_text[] = "study: letters\n# </pre>" HOSTILE " {{trials}} & \"quotes\"\n";

enum { TRIALS = 4, WINNER = 2, CLASSES = 3, IMAGES = 60 };

struct scene {
    char folder[64], *database, *reports;
    struct store *store;
    int64_t study;
};

/* ---- a study from the first trial to the final evaluation ---- */

static void check(int result, struct failure *why)
{
    if (result != 0)
        fail_msg("%s", why->text);
}

static void add_study(struct scene *scene, const char *name)
{
    struct failure why = FAILURE_NONE;
    json_t *parameters = json_loads(
        "[{\"name\": \"activation\", \"type\": \"categorical\", \"choices\": [\"relu\"]},"
        " {\"name\": \"rate\", \"type\": \"float\", \"low\": 1e-4, \"high\": 0.1, \"log\": true}]",
        0, NULL);
    json_t *plan = json_loads(
        "[{\"bracket\": 1, \"rung\": 0, \"places\": 4, \"keep\": 1, \"epochs\": 1},"
        " {\"bracket\": 1, \"rung\": 1, \"places\": 1, \"keep\": 0, \"epochs\": 3}]",
        0, NULL);
    const struct study_record study = {
        .name = name, .file = "my studies/it's.yaml", .text = study_text, .fingerprint = "{}",
        .seed = UINT64_MAX, .metric = "val_accuracy", .maximize = true, .sampler = "random",
        .scheduler = "hyperband", .max_epochs = 3, .eta = 3,
        .data = "{\"dataset\": \"letters\", \"classes\": 3, \"test\": 60}",
        .parameters = parameters, .plan = plan};
    check(store_add_study(scene->store, &study, &scene->study, &why), &why);
    json_decref(parameters);
    json_decref(plan);
}

static void add_epoch(struct scene *scene, int trial, int epoch)
{
    struct failure why = FAILURE_NONE;
    bool differs;
    json_t *metrics = json_pack("{s:f, s:f, s:f, s:f}", "train_loss", 1.0 / epoch,
                                "train_accuracy", 0.8, "val_loss", 0.9 / epoch,
                                "val_accuracy", 0.9 + 0.01 * trial);
    const struct epoch_record record = {trial, epoch, 1, metrics, NULL, 0.5};
    check(store_add_epoch(scene->store, scene->study, &record, &differs, &why), &why);
    json_decref(metrics);
}

static void add_trial(struct scene *scene, int trial)
{
    struct failure why = FAILURE_NONE;
    json_t *parameters = json_pack("{s:s, s:f}", "activation", trial == 1 ? HOSTILE : "relu",
                                   "rate", 0.001 * (trial + 1));
    json_t *configuration = json_pack("{s:[], s:{s:{s:s}, s:i}}", "model", "training",
                                      "optimizer", "type", "adam", "batch_size", 64);
    check(store_add_trial(scene->store, scene->study, trial, 1, parameters, configuration, &why),
          &why);
    check(store_begin_segment(scene->store, scene->study, trial, 0, 1, 0, 1, 0, &why), &why);
    add_epoch(scene, trial, 1);
    check(store_set_arithmetic(scene->store, scene->study, trial, 0, 1, "sse2 fp32", &why), &why);
    check(store_end_segment(scene->store, scene->study, trial, 0, 1, "ended", 0.9 + 0.01 * trial,
                            NULL, &why), &why);
    check(store_add_decision(scene->store, scene->study, trial, 1, 0,
                             trial == WINNER ? "promoted" : "stopped", 1, "its rank", &why), &why);
    json_decref(parameters);
    json_decref(configuration);
}

static void promote_winner(struct scene *scene)
{
    struct failure why = FAILURE_NONE;
    check(store_begin_segment(scene->store, scene->study, WINNER, 1, 1, 1, 3, 0, &why), &why);
    add_epoch(scene, WINNER, 2);
    add_epoch(scene, WINNER, 3);
    check(store_end_segment(scene->store, scene->study, WINNER, 1, 1, "ended", 0.95, NULL, &why),
          &why);
    check(store_add_decision(scene->store, scene->study, WINNER, 1, 1, "completed", 1, "all done",
                             &why), &why);
    check(store_add_fault(scene->store, scene->study, 1, 1, 0, "crashed", "exit " HOSTILE,
                          "retried", &why), &why);
    check(store_set_winner(scene->store, scene->study, WINNER, &why), &why);
}

static void add_predictions(struct scene *scene)
{
    struct failure why = FAILURE_NONE;
    json_t *labels = json_array(), *predicted = json_array(), *probabilities = json_array();
    for (int i = 0; i < IMAGES; i++) {
        json_array_append_new(labels, json_integer(i % CLASSES));
        json_array_append_new(predicted, json_integer(i % 10 == 0 ? 0 : i % CLASSES));
        json_array_append_new(probabilities, json_pack("[f, f, f]", 0.1, 0.2, 0.7));
    }
    check(store_add_predictions(scene->store, scene->study, 0, labels, predicted, probabilities,
                                &why), &why);
    json_decref(labels);
    json_decref(predicted);
    json_decref(probabilities);
}

static void add_final(struct scene *scene, bool retrained)
{
    struct failure why = FAILURE_NONE;
    json_t *layers = json_loads(
        "[{\"name\": \"conv_1\", \"type\": \"conv\", \"output\": [28, 28, 16],"
        "  \"parameters\": 160, \"flops\": 225792.0},"
        " {\"name\": \"dense_1\", \"type\": \"dense\", \"output\": [3],"
        "  \"parameters\": 37635, \"flops\": 75264.0}]",
        0, NULL);
    json_t *metrics = json_pack("{s:f, s:f}", "train_loss", 0.4, "train_accuracy", 0.9);
    const struct epoch_record epoch = {WINNER, 1, 1, metrics, NULL, 0.5};
    const struct final_record final = {IMAGES, 56, 0.123, layers, "weights", 7};
    check(store_begin_final(scene->store, scene->study, WINNER, 1, 3, &why), &why);
    check(store_set_final_arithmetic(scene->store, scene->study, "sse2 fp32", &why), &why);
    if (retrained)
        check(store_add_final_epoch(scene->store, scene->study, &epoch, &why), &why);
    add_predictions(scene);
    check(store_end_final(scene->store, scene->study, &final, &why), &why);
    check(store_set_study_state(scene->store, scene->study, "finished", NULL, &why), &why);
    json_decref(layers);
    json_decref(metrics);
}

static void add_whole_study(struct scene *scene, const char *name, bool evaluated, bool retrained)
{
    struct failure why = FAILURE_NONE;
    check(store_begin(scene->store, &why), &why);
    add_study(scene, name);
    for (int trial = 0; trial < TRIALS; trial++)
        add_trial(scene, trial);
    promote_winner(scene);
    if (evaluated)
        add_final(scene, retrained);
    check(store_commit(scene->store, &why), &why);
}

static int set_up(void **state)
{
    struct scene *scene = xcalloc(1, sizeof *scene);
    struct failure why = FAILURE_NONE;
    strcpy(scene->folder, "/tmp/test_report.XXXXXX");
    if (!mkdtemp(scene->folder))
        return -1;
    scene->database = path_join(scene->folder, "trials.db");
    scene->reports = path_join(scene->folder, "reports/deep");
    scene->store = store_open(scene->database, STORE_WRITE, &why);
    if (!scene->store)
        return -1;
    *state = scene;
    return 0;
}

static int tear_down(void **state)
{
    struct scene *scene = *state;
    store_close(scene->store);
    int result = folder_remove(scene->folder, NULL);
    free(scene->database);
    free(scene->reports);
    free(scene);
    return result;
}

/* ---- reading the products ---- */

static char *product(const struct scene *scene, const char *name)
{
    struct failure why = FAILURE_NONE;
    char *path = path_join(scene->reports, name), *bytes = NULL;
    size_t size;
    check(file_read(path, 1 << 24, &bytes, &size, &why), &why);
    assert_int_equal(size, strlen(bytes));
    free(path);
    return bytes;
}

static void write_report(struct scene *scene, const char *study)
{
    struct failure why = FAILURE_NONE;
    check(report_write(scene->store, study, scene->reports, &why), &why);
}

static void contains(const char *text, const char *part)
{
    if (!strstr(text, part))
        fail_msg("\"%s\" is not there", part);
}

static void lacks(const char *text, const char *part)
{
    const char *at = strstr(text, part);
    if (at)
        fail_msg("\"%s\" is there: %.60s", part, at);
}

/* ---- the tests ---- */

static void text_has_report_empty_line_and_matrix(void **state)
{
    struct scene *scene = *state;
    add_whole_study(scene, "letters", true, true);
    write_report(scene, "letters");
    char *text = product(scene, "report.txt");
    assert_string_equal(text, "              precision    recall  f1-score   support\n"
                              "\n"
                              "           0     0.8333    1.0000    0.9091        20\n"
                              "           1     1.0000    0.9000    0.9474        20\n"
                              "           2     1.0000    0.9000    0.9474        20\n"
                              "\n"
                              "    accuracy                         0.9333        60\n"
                              "   macro avg     0.9444    0.9333    0.9346        60\n"
                              "weighted avg     0.9444    0.9333    0.9346        60\n"
                              "\n"
                              "Confusion matrix (rows: true, columns: predicted)\n"
                              "\n"
                              "    0   1   2\n"
                              "0  20   0   0\n"
                              "1   2  18   0\n"
                              "2   2   0  18\n");
    free(text);
}

static double number_at(const json_t *report, const char *object, const char *key)
{
    const json_t *value = json_object_get(json_object_get(report, object), key);
    assert_true(json_is_number(value));
    return json_number_value(value);
}

static void json_tells_everything_and_parses(void **state)
{
    struct scene *scene = *state;
    add_whole_study(scene, "letters", true, true);
    write_report(scene, "LETTERS");
    char *text = product(scene, "report.json");
    json_t *report = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(report);
    assert_int_equal(json_integer_value(json_object_get(report, "schema_version")), 1);
    const json_t *study = json_object_get(report, "study");
    assert_string_equal(json_string_value(json_object_get(study, "name")), "letters");
    assert_string_equal(json_string_value(json_object_get(study, "seed")), "18446744073709551615");
    assert_string_equal(json_string_value(json_object_get(study, "text")), study_text);
    assert_true(number_at(report, "winner", "trial") == WINNER);
    assert_true(number_at(report, "winner", "value") == 0.95);
    assert_true(number_at(report, "winner", "epochs") == 3);
    assert_true(number_at(report, "parameters", "rate") == 0.001 * 3);
    assert_true(number_at(report, "accuracy", "correct") == 56);
    assert_true(number_at(report, "accuracy", "low") < 56.0 / 60.0);
    assert_true(json_real_value(json_object_get(report, "test_loss")) == 0.123);
    assert_int_equal(json_array_size(json_object_get(report, "classes")), CLASSES);
    assert_int_equal(json_array_size(json_object_get(report, "confusion")), CLASSES);
    assert_int_equal(json_array_size(json_object_get(report, "layers")), 2);
    assert_int_equal(json_array_size(json_object_get(report, "faults")), 1);
    const json_t *curves = json_object_get(report, "curves");
    assert_int_equal(json_array_size(json_object_get(curves, "search")), 3);
    const json_t *final = json_array_get(json_object_get(curves, "final"), 0);
    assert_true(json_is_null(json_object_get(final, "val_loss")));
    json_decref(report);
    free(text);
}

static void json_lists_every_trial_and_marks_the_winner(void **state)
{
    struct scene *scene = *state;
    add_whole_study(scene, "letters", true, true);
    write_report(scene, "letters");
    char *text = product(scene, "report.json");
    json_t *report = json_loads(text, 0, NULL), *trials = json_object_get(report, "trials");
    assert_int_equal(json_array_size(trials), TRIALS);
    for (int i = 0; i < TRIALS; i++) {
        const json_t *trial = json_array_get(trials, (size_t)i);
        assert_int_equal(json_integer_value(json_object_get(trial, "trial")), i);
        assert_int_equal(json_integer_value(json_object_get(trial, "epochs")), i == WINNER ? 3 : 1);
        assert_int_equal(json_is_true(json_object_get(trial, "winner")), i == WINNER);
        const char *state_now = json_string_value(json_object_get(trial, "state"));
        assert_string_equal(state_now, i == WINNER ? "completed" : "stopped");
    }
    const json_t *one = json_array_get(trials, 1);
    assert_string_equal(json_string_value(json_object_get(one, "arithmetic")), "sse2 fp32");
    const json_t *parameters = json_object_get(one, "parameters");
    assert_string_equal(json_string_value(json_object_get(parameters, "activation")), HOSTILE);
    json_decref(report);
    free(text);
}

static void markup_is_well_formed_and_escaped(void **state)
{
    static const char *const names[] = {"index.html", "curves.svg", "confusion.svg"};
    struct scene *scene = *state;
    add_whole_study(scene, "letters", true, true);
    write_report(scene, "letters");
    for (size_t i = 0; i < ARRAY_LENGTH(names); i++) {
        char *text = product(scene, names[i]);
        assert_true(markup_is_well_formed(text));
        lacks(text, "<script");
        free(text);
    }
}

static void page_shows_what_was_stored(void **state)
{
    struct scene *scene = *state;
    add_whole_study(scene, "letters", true, true);
    write_report(scene, "letters");
    char *page = product(scene, "index.html");
    contains(page, "<h1>letters</h1>");
    contains(page, "93.33 %");
    contains(page, "&lt;script&gt;alert(&quot;1&quot; + &#39;2&#39;)&lt;/script&gt;</td>");
    contains(page, "# &lt;/pre&gt;&lt;script&gt;");
    contains(page, "{{trials}} &amp; &quot;quotes&quot;"); /* of the study file, not a slot */
    contains(page, "tuner run &#39;my studies/it&#39;\\&#39;&#39;s.yaml&#39;");
    contains(page, "18446744073709551615");
    contains(page, "28 \xC3\x97 28 \xC3\x97 16");
    contains(page, "37,795");
    contains(page, "<tr class=\"winner\">");
    contains(page, "Faults");
    contains(page, "final training");
    lacks(page, "{{name}}");
    lacks(page, "{{style}}");
    free(page);
}

/* Shown with each trial where they differ, else with the winner alone. */
static void page_tells_which_trials_used_other_arithmetic(void **state)
{
    struct scene *scene = *state;
    struct failure why = FAILURE_NONE;
    add_whole_study(scene, "letters", true, true);
    write_report(scene, "letters");
    char *page = product(scene, "index.html");
    contains(page, "sse2 fp32");
    lacks(page, ">sse2 fp32</td><td class=\"word");
    free(page);
    check(store_begin(scene->store, &why), &why);
    check(store_set_arithmetic(scene->store, scene->study, 0, 0, 1, "amx bf16", &why), &why);
    check(store_commit(scene->store, &why), &why);
    write_report(scene, "letters");
    page = product(scene, "index.html");
    contains(page, ">arithmetic</th>");
    contains(page, ">amx bf16</td><td class=\"word");
    contains(page, ">sse2 fp32</td><td class=\"word");
    free(page);
}

static void page_needs_nothing_but_itself(void **state)
{
    struct scene *scene = *state;
    add_whole_study(scene, "letters", true, true);
    write_report(scene, "letters");
    char *page = product(scene, "index.html");
    static const char *const requests[] = {"http:", "https:", "src=", "@import", "url(", "href=\"/",
                                           "<script", "<iframe", "<object"};
    for (size_t i = 0; i < ARRAY_LENGTH(requests); i++)
        lacks(page, requests[i]);
    contains(page, "href=\"data:,\""); /* the one link, an empty icon */
    free(page);
}

static void writing_again_gives_the_same_bytes(void **state)
{
    static const char *const names[] = {"report.txt", "report.json", "curves.svg", "confusion.svg",
                                        "index.html"};
    struct scene *scene = *state;
    char *before[ARRAY_LENGTH(names)];
    add_whole_study(scene, "letters", true, true);
    write_report(scene, "letters");
    for (size_t i = 0; i < ARRAY_LENGTH(names); i++)
        before[i] = product(scene, names[i]);
    write_report(scene, "letters");
    for (size_t i = 0; i < ARRAY_LENGTH(names); i++) {
        char *after = product(scene, names[i]);
        assert_string_equal(after, before[i]);
        free(after);
        free(before[i]);
    }
}

static void winner_that_was_not_trained_anew_is_reported_too(void **state)
{
    struct scene *scene = *state;
    add_whole_study(scene, "letters", true, false);
    write_report(scene, "letters");
    char *page = product(scene, "index.html");
    contains(page, "Its model was tested once");
    lacks(page, ">final training<");
    free(page);
}

static void study_without_evaluation_says_what_to_run(void **state)
{
    struct scene *scene = *state;
    struct failure why = FAILURE_NONE;
    add_whole_study(scene, "letters", false, false);
    assert_int_equal(report_write(scene->store, "letters", scene->reports, &why), -1);
    assert_int_equal(why.code, EXIT_FAILED);
    contains(why.text, "no final evaluation yet");
    contains(why.text, "tuner run my studies/it's.yaml");
    assert_false(folder_exists(scene->reports));
    failure_clear(&why);
}

static void unknown_study_is_told_from_those_there_are(void **state)
{
    struct scene *scene = *state;
    struct failure why = FAILURE_NONE;
    add_whole_study(scene, "letters", true, true);
    assert_int_equal(report_write(scene->store, "lettuce", scene->reports, &why), -1);
    contains(why.text, "no study 'lettuce'");
    contains(why.text, "letters");
    failure_clear(&why);
}

static void each_study_is_reported_by_itself(void **state)
{
    struct scene *scene = *state;
    add_whole_study(scene, "other", true, true);
    add_whole_study(scene, "letters", true, true);
    write_report(scene, "letters");
    char *text = product(scene, "report.json");
    json_t *report = json_loads(text, 0, NULL);
    assert_int_equal(json_array_size(json_object_get(report, "trials")), TRIALS);
    assert_true(number_at(report, "accuracy", "images") == IMAGES);
    json_decref(report);
    free(text);
}

static void folder_that_cannot_be_made_is_named(void **state)
{
    struct scene *scene = *state;
    struct failure why = FAILURE_NONE;
    add_whole_study(scene, "letters", true, true);
    char *folder = path_join(scene->database, "reports"); /* below a file */
    assert_int_equal(report_write(scene->store, "letters", folder, &why), -1);
    contains(why.text, "trials.db");
    failure_clear(&why);
    free(folder);
}

int main(void)
{
#define WITH_STORE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        WITH_STORE(text_has_report_empty_line_and_matrix),
        WITH_STORE(json_tells_everything_and_parses),
        WITH_STORE(json_lists_every_trial_and_marks_the_winner),
        WITH_STORE(markup_is_well_formed_and_escaped),
        WITH_STORE(page_shows_what_was_stored),
        WITH_STORE(page_tells_which_trials_used_other_arithmetic),
        WITH_STORE(page_needs_nothing_but_itself),
        WITH_STORE(writing_again_gives_the_same_bytes),
        WITH_STORE(winner_that_was_not_trained_anew_is_reported_too),
        WITH_STORE(study_without_evaluation_says_what_to_run),
        WITH_STORE(unknown_study_is_told_from_those_there_are),
        WITH_STORE(each_study_is_reported_by_itself),
        WITH_STORE(folder_that_cannot_be_made_is_named),
    };
    return cmocka_run_group_tests_name("report", tests, NULL, NULL);
}
