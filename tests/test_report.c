#include "reports/report.h"

#include "common/file.h"
#include "db/store_internal.h"
#include "reports/report_data.h"
#include "reports/report_text.h"
#include "tests/folder_remove.h"
#include "tests/markup.h"

#include <jansson.h>
#include <math.h>
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
    const char *data; /* of the next study */
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
        .data = scene->data, .parameters = parameters, .plan = plan};
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

static void add_trial_of(struct scene *scene, int trial, double value)
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
    check(store_end_segment(scene->store, scene->study, trial, 0, 1, "ended", value, NULL, &why),
          &why);
    check(store_add_decision(scene->store, scene->study, trial, 1, 0,
                             trial == WINNER ? "promoted" : "stopped", 1, "its rank", &why), &why);
    json_decref(parameters);
    json_decref(configuration);
}

static void add_trial(struct scene *scene, int trial)
{
    add_trial_of(scene, trial, 0.9 + 0.01 * trial);
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

/* Of every fifth image; one of them has too few bytes, as another program may have stored. */
static void add_images(struct scene *scene)
{
    struct failure why = FAILURE_NONE;
    json_t *images = json_array();
    for (int i = 0; i < IMAGES; i += 5)
        json_array_append_new(images, json_pack("{s:i, s:s}", "image", i, "pixels",
                                                i == 25 ? "AAAA" : "AAECAwT/"));
    check(store_add_images(scene->store, scene->study, images, &why), &why);
    json_decref(images);
}

/* A checkpoint of two vectors: 1, 2, 3 and 0.5; and a sum that nobody looks at. */
static struct final_record add_model(struct final_record final)
{
    static const char header[] =
        "{\"input\":[2,3,1],\"classes\":3,\"model\":[{\"type\":\"<b>\"}],\"vectors\":["
        "{\"name\":\"optimizer_0\",\"length\":3},{\"name\":\"parameters\",\"length\":3},"
        "{\"name\":\"statistics\",\"length\":1}]}";
    static const float values[] = {9, 9, 9, 1, 2, 3, 0.5F};
    static char bytes[16 + sizeof header - 1 + sizeof values + 4];
    memcpy(bytes, "TUNERCKP\2\0\0", 12);
    bytes[12] = (char)(sizeof header - 1);
    memcpy(bytes + 16, header, sizeof header - 1);
    memcpy(bytes + 16 + sizeof header - 1, values, sizeof values);
    final.model = bytes;
    final.model_size = sizeof bytes;
    return final;
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
    const struct final_record final = add_model((struct final_record){IMAGES, 56, 0.123, layers,
                                                                      NULL, 0});
    check(store_begin_final(scene->store, scene->study, WINNER, 1, 3, &why), &why);
    check(store_set_final_arithmetic(scene->store, scene->study, "sse2 fp32", &why), &why);
    if (retrained)
        check(store_add_final_epoch(scene->store, scene->study, &epoch, &why), &why);
    add_predictions(scene);
    add_images(scene);
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
    scene->data = "{\"dataset\": \"letters\", \"classes\": 3, \"test\": 60, \"height\": 2,"
                  " \"width\": 3, \"channels\": 1}";
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

/* ---- reading the products ---- */

static char *product(const struct scene *scene, const char *name)
{
    struct failure why = FAILURE_NONE;
    char *path = path_join(scene->reports, name), *bytes = NULL;
    size_t size;
    check(file_read(path, 1 << 24, &bytes, &size, &why), &why);
    if (!strstr(name, ".png"))
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

/* index.html with nothing in its scripts, which name what they make. */
static char *page_without_scripts(struct scene *scene)
{
    char *page = product(scene, "index.html"), *at = page;
    while ((at = strstr(at, "<script")) != NULL) {
        char *begin = strchr(at, '>') + 1, *end = strstr(begin, "</script>");
        memmove(begin, end, strlen(end) + 1);
        at = begin;
    }
    return page;
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

/* report.json, to be given back. */
static json_t *report_of(struct scene *scene)
{
    char *text = product(scene, "report.json");
    json_t *report = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(report);
    free(text);
    return report;
}

static double number_at(const json_t *report, const char *object, const char *key)
{
    const json_t *value = json_object_get(json_object_get(report, object), key);
    assert_true(json_is_number(value));
    return json_number_value(value);
}

static const json_t *item(const json_t *report, const char *list, size_t index)
{
    const json_t *value = json_array_get(json_object_get(report, list), index);
    assert_non_null(value);
    return value;
}

static const char *string_at(const json_t *object, const char *key)
{
    const char *value = json_string_value(json_object_get(object, key));
    assert_non_null(value);
    return value;
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

/* The object that the page carries, to be given back. */
static json_t *page_data(const char *page)
{
    static const char begin[] = "<script type=\"application/json\" id=\"report-data\">";
    const char *at = strstr(page, begin);
    assert_non_null(at);
    at += strlen(begin);
    const char *end = strstr(at, "</script>");
    json_t *data = json_loadb(at, (size_t)(end - at), JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(data);
    assert_null(memchr(at, '<', (size_t)(end - at)));
    return data;
}

static void page_carries_the_same_and_the_network(void **state)
{
    struct scene *scene = *state;
    add_whole_study(scene, "letters", true, true);
    write_report(scene, "letters");
    char *page = product(scene, "index.html");
    json_t *data = page_data(page), *report = report_of(scene);
    json_t *network = json_incref(json_object_get(data, "network"));
    /* 1, 2, 3 and 0.5 as little-endian float32. */
    assert_string_equal(string_at(network, "weights"), "AACAPwAAAEAAAEBA");
    assert_string_equal(string_at(network, "statistics"), "AAAAPw==");
    assert_string_equal(string_at(item(network, "layers", 0), "type"), "<b>");
    assert_true(number_at(network, "input", "width") == 3);
    assert_string_equal(string_at(data, "network_note"), "");
    json_object_del(data, "network");
    json_object_del(data, "network_note");
    assert_true(json_equal(data, report));
    json_decref(network);
    json_decref(data);
    json_decref(report);
    free(page);
}

static void page_tells_why_there_is_no_network(void **state)
{
    struct scene *scene = *state;
    struct failure why = FAILURE_NONE;
    json_t *layers = json_array();
    const struct final_record final = {IMAGES, 56, 0.123, layers, "weights", 7};
    add_whole_study(scene, "letters", true, true);
    check(store_begin(scene->store, &why), &why);
    check(store_end_final(scene->store, scene->study, &final, &why), &why);
    check(store_commit(scene->store, &why), &why);
    write_report(scene, "letters");
    char *page = product(scene, "index.html");
    json_t *data = page_data(page);
    assert_true(json_is_null(json_object_get(data, "network")));
    contains(string_at(data, "network_note"), "no model");
    contains(page, "The trainer did not describe it.");
    lacks(page, ">Model</dt>");
    json_decref(data);
    json_decref(layers);
    free(page);
}

static void page_shows_the_stored_images(void **state)
{
    struct scene *scene = *state;
    add_whole_study(scene, "letters", true, true);
    write_report(scene, "letters");
    char *page = product(scene, "index.html"), *png = product(scene, "mistakes.png");
    contains(page, "<image id=\"sprite\" width=\"33\" height=\"2\" href=\"data:image/png;base64,");
    contains(page, "<rect data-label=\"1\" data-predicted=\"0\"");
    contains(page, "<title>test image 10</title><use href=\"#sprite\"/>");
    contains(page, "is <b>1</b>, taken for <b class=\"bad\">0</b>");
    assert_memory_equal(png, "\x89PNG", 4);
    free(page);
    free(png);
}

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

static void markup_is_well_formed_and_escaped(void **state)
{
    static const char *const names[] = {"index.html", "curves.svg", "confusion.svg"};
    struct scene *scene = *state;
    add_whole_study(scene, "letters", true, true);
    write_report(scene, "letters");
    for (size_t i = 0; i < ARRAY_LENGTH(names); i++) {
        char *text = product(scene, names[i]);
        assert_true(markup_is_well_formed(text));
        lacks(text, "<script>alert");
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
    contains(page, "(None, 28, 28, 16)");
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
    char *page = page_without_scripts(scene);
    static const char *const requests[] = {"http:", "https:", "src=", "@import", "url(", "href=\"/",
                                           "<iframe", "<object"};
    for (size_t i = 0; i < ARRAY_LENGTH(requests); i++)
        lacks(page, requests[i]);
    contains(page, "href=\"data:,\""); /* the one link, an empty icon */
    free(page);
}

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
        WITH_STORE(a_report_is_of_one_moment),
        cmocka_unit_test(text_of_many_classes_says_where_the_matrix_is),
        WITH_STORE(text_has_report_empty_line_and_matrix),
        WITH_STORE(json_tells_everything_and_parses),
        WITH_STORE(json_has_the_figures_of_the_test),
        WITH_STORE(json_lists_every_trial_and_the_course_of_the_search),
        WITH_STORE(json_tells_which_images_there_are),
        WITH_STORE(page_carries_the_same_and_the_network),
        WITH_STORE(page_tells_why_there_is_no_network),
        WITH_STORE(page_shows_the_stored_images),
        WITH_STORE(of_large_images_only_some_are_shown),
        WITH_STORE(report_goes_without_images_where_there_are_none),
        WITH_STORE(csv_has_a_row_for_each_image),
        WITH_STORE(markdown_tells_it_in_short_and_escapes),
        WITH_STORE(markup_is_well_formed_and_escaped),
        WITH_STORE(page_shows_what_was_stored),
        WITH_STORE(page_tells_which_trials_used_other_arithmetic),
        WITH_STORE(page_needs_nothing_but_itself),
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
