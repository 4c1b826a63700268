#include "reports/report.h"

#include "db/store_internal.h"
#include "reports/report_data.h"
#include "reports/report_text.h"
#include "tests/report_scene.h"

/* ---- a study that goes on meanwhile ---- */

/* SQLite tells of each SELECT that a report begins: before the third one another trial ends. */
static int record_meanwhile(unsigned type, void *context, void *statement, void *sql)
{
    static int selects;
    struct scene *scene = context;
    struct failure why = FAILURE_NONE;
    (void)type;
    (void)statement;
    if (strncmp(sql, "SELECT", 6) != 0 || ++selects != 3)
        return 0;
    check(store_begin(scene->store, &why), &why);
    add_trial(scene, TRIALS);
    check(store_commit(scene->store, &why), &why);
    return 0;
}

static int64_t epochs_of_trials(const struct report_data *data)
{
    int64_t epochs = 0;
    for (size_t i = 0; i < data->trial_count; i++)
        epochs += (int64_t)data->trials[i].curve.count;
    return epochs;
}

static void a_report_is_of_one_moment(void **state)
{
    struct scene *scene = *state;
    struct failure why = FAILURE_NONE;
    struct report_data data;
    add_whole_study(scene, "letters", true, true);
    struct store *reader = store_open(scene->database, STORE_READ, &why);
    assert_int_equal(sqlite3_trace_v2(reader->db, SQLITE_TRACE_STMT, record_meanwhile, scene),
                     SQLITE_OK);
    check(report_data_read(reader, "letters", &data, &why), &why);
    assert_int_equal(data.trial_count, TRIALS);
    assert_int_equal(epochs_of_trials(&data), data.epochs_run);
    report_data_release(&data);
    check(report_data_read(reader, "letters", &data, &why), &why);
    assert_int_equal(data.trial_count, TRIALS + 1);
    report_data_release(&data);
    store_close(reader);
}

/* ---- text, CSV and Markdown ---- */

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

/* The report as text of so many classes, of each of which one image was recognised. */
static char *text_of_classes(int classes)
{
    struct report_data data = {.classes = classes};
    struct text text = TEXT_EMPTY;
    data.class_names = xcalloc((size_t)classes, sizeof *data.class_names);
    confusion_init(&data.confusion, classes);
    for (int i = 0; i < classes; i++) {
        data.class_names[i] = "name";
        confusion_add(&data.confusion, i, i);
    }
    metrics_compute(&data.confusion, &data.metrics);
    report_text(&text, &data);
    metrics_release(&data.metrics);
    confusion_release(&data.confusion);
    free(data.class_names);
    return text_take(&text);
}

static void text_of_many_classes_says_where_the_matrix_is(void **state)
{
    char *some = text_of_classes(50), *many = text_of_classes(51);
    (void)state;
    assert_non_null(strstr(some, "\nConfusion matrix (rows: true"));
    assert_null(strstr(some, "confusion.svg"));
    assert_null(strstr(many, "\nConfusion matrix (rows: true"));
    assert_non_null(strstr(many, "\nThe confusion matrix of 51 classes is in confusion.svg"));
    free(some);
    free(many);
}

static void csv_has_a_row_for_each_image(void **state)
{
    struct scene *scene = *state;
    add_whole_study(scene, "letters", true, true);
    write_report(scene, "letters");
    char *text = product(scene, "predictions.csv");
    contains(text, "image,label,predicted,correct,probability,p_0,p_1,p_2\n"
                   "0,0,0,1,0.1,0.1,0.2,0.7\n"
                   "1,1,1,1,0.2,0.1,0.2,0.7\n");
    contains(text, "\n10,1,0,0,0.1,0.1,0.2,0.7\n");
    size_t lines = 0;
    for (const char *at = text; *at; at++)
        lines += *at == '\n';
    assert_int_equal(lines, IMAGES + 1);
    free(text);
}

static void markdown_tells_it_in_short_and_escapes(void **state)
{
    struct scene *scene = *state;
    add_whole_study(scene, "letters", true, true);
    write_report(scene, "letters");
    char *text = product(scene, "report.md");
    contains(text, "# letters\n");
    contains(text, "| test accuracy | 93.33 %");
    contains(text, "| conv\\_1 (conv) | (None, 28, 28, 16) | 160 | 225,792 |");
    contains(text, "weighted avg");
    contains(text, "```sh\ntuner run 'my studies/it'\\''s.yaml'\n```");
    contains(text, "```yaml\nstudy: letters\n# </pre>");
    free(text);
}

/* ---- images ---- */

/* As another trainer may have stored them. */
static void of_large_images_only_some_are_shown(void **state)
{
    enum { SIDE = 512, BYTES = 3 * SIDE * SIDE, DIGITS = BYTES / 3 * 4, MOST = (16 << 20) / BYTES };
    struct scene *scene = *state;
    struct failure why = FAILURE_NONE;
    char *black = xmalloc(DIGITS + 1);
    json_t *images = json_array();
    memset(black, 'A', DIGITS);
    black[DIGITS] = '\0';
    for (int i = 1; i <= 2 * MOST; i += i % 5 == 4 ? 2 : 1)
        json_array_append_new(images, json_pack("{s:i, s:s}", "image", i, "pixels", black));
    scene->data = "{\"dataset\": \"photos\", \"classes\": 3, \"test\": 60, \"height\": 512,"
                  " \"width\": 512, \"channels\": 3}";
    add_whole_study(scene, "photos", true, true);
    check(store_begin(scene->store, &why), &why);
    check(store_add_images(scene->store, scene->study, images, &why), &why);
    check(store_commit(scene->store, &why), &why);
    write_report(scene, "photos");
    json_t *report = report_of(scene);
    assert_in_range(json_array_size(json_object_get(json_object_get(report, "images"), "entries")),
                    MOST / 2, MOST);
    json_decref(report);
    json_decref(images);
    free(black);
}

/* Of a trainer that sends none, or images of a size that nobody knows. */
static void report_goes_without_images_where_there_are_none(void **state)
{
    struct scene *scene = *state;
    struct failure why = FAILURE_NONE;
    json_t *none = json_array();
    add_whole_study(scene, "letters", true, true);
    check(store_begin(scene->store, &why), &why);
    check(store_clear_predictions(scene->store, scene->study, &why), &why);
    add_predictions(scene);
    check(store_commit(scene->store, &why), &why);
    write_report(scene, "letters");
    char *page = page_without_scripts(scene), *png = product(scene, "mistakes.png");
    json_t *report = report_of(scene);
    assert_true(json_is_null(json_object_get(report, "images")));
    assert_true(json_equal(json_object_get(report, "mistakes"), none));
    lacks(page, "id=\"sprite\"");
    lacks(page, "data-label");
    contains(page, "No images are stored");
    assert_memory_equal(png, "\x89PNG", 4);
    json_decref(report);
    json_decref(none);
    free(page);
    free(png);
}

/* ---- which study, and where to ---- */

static void writing_again_gives_the_same_bytes(void **state)
{
    static const char *const names[] = {"report.txt", "report.json", "report.md",
                                        "predictions.csv", "curves.svg", "confusion.svg",
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
    contains(why.text, "tuner run my studies/it's.yaml --name letters");
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
    json_t *report = report_of(scene);
    assert_int_equal(json_array_size(json_object_get(report, "trials")), TRIALS);
    assert_true(number_at(report, "test", "images") == IMAGES);
    json_decref(report);
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

/* ---- thousands of trials ---- */

/* 9,000 trials, of which 5003 is the fifth; no even choice of 4,000 has it or trial 5000. */
static void add_thousands(struct scene *scene)
{
    struct failure why = FAILURE_NONE;
    add_whole_study(scene, "letters", true, true);
    check(store_begin(scene->store, &why), &why);
    for (int trial = TRIALS; trial < 9000; trial++)
        add_trial_of(scene, trial, trial == 5003 ? 0.5 : 0.1 * (trial % 977) / 977);
    check(store_commit(scene->store, &why), &why);
}

static const json_t *listed_trial(const json_t *report, int number)
{
    size_t index;
    json_t *trial;
    json_array_foreach(json_object_get(report, "trials"), index, trial)
        if (json_integer_value(json_object_get(trial, "trial")) == number)
            return trial;
    return NULL;
}

static void of_thousands_of_trials_a_choice_is_listed_and_all_are_counted(void **state)
{
    struct scene *scene = *state;
    add_thousands(scene);
    write_report(scene, "letters");
    json_t *report = report_of(scene), *study = json_object_get(report, "study");
    const json_t *spread = json_object_get(report, "spread");
    size_t listed = json_array_size(json_object_get(report, "trials"));
    assert_in_range(listed, 4001, 4120);
    assert_int_equal(json_integer_value(json_object_get(study, "listed")), listed);
    assert_int_equal(json_integer_value(json_object_get(study, "trials")), 9000);
    assert_int_equal(json_integer_value(json_object_get(study, "places")), 9001);
    assert_int_equal(json_integer_value(json_object_get(study, "segments")), 9001);
    assert_true(json_real_value(json_object_get(study, "training_seconds")) == 0.5 * 9002);
    assert_int_equal(json_array_size(json_object_get(report, "rungs")), listed + 1);
    assert_int_equal(json_array_size(json_object_get(report, "segments")), listed + 1);
    assert_non_null(listed_trial(report, WINNER));
    assert_non_null(listed_trial(report, 0));
    assert_null(listed_trial(report, 5000));
    assert_int_equal(json_integer_value(json_object_get(listed_trial(report, 5003), "rank")), 5);
    assert_int_equal(json_array_size(spread), 37);
    assert_true(json_number_value(json_array_get(spread, 0)) == 0);
    assert_true(json_number_value(json_array_get(spread, 36)) == 0.95);
    char *page = page_without_scripts(scene);
    contains(page, "Of 9,000 trials 4,");
    contains(page, "Trial 2 of 9000 is the best");
    free(page);
    json_decref(report);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_STORE(a_report_is_of_one_moment),
        cmocka_unit_test(text_of_many_classes_says_where_the_matrix_is),
        WITH_STORE(text_has_report_empty_line_and_matrix),
        WITH_STORE(of_large_images_only_some_are_shown),
        WITH_STORE(report_goes_without_images_where_there_are_none),
        WITH_STORE(csv_has_a_row_for_each_image),
        WITH_STORE(markdown_tells_it_in_short_and_escapes),
        WITH_STORE(writing_again_gives_the_same_bytes),
        WITH_STORE(winner_that_was_not_trained_anew_is_reported_too),
        WITH_STORE(study_without_evaluation_says_what_to_run),
        WITH_STORE(unknown_study_is_told_from_those_there_are),
        WITH_STORE(each_study_is_reported_by_itself),
        WITH_STORE(of_thousands_of_trials_a_choice_is_listed_and_all_are_counted),
        WITH_STORE(folder_that_cannot_be_made_is_named),
    };
    return cmocka_run_group_tests_name("report", tests, NULL, NULL);
}
