/* A database with a study from its first trial to the final evaluation, of four trials, three
 * classes and sixty test images, and the report of it as it was written. */
#ifndef TESTS_REPORT_SCENE_H
#define TESTS_REPORT_SCENE_H

#include "common/file.h"
#include "db/store.h"
#include "reports/report.h"
#include "tests/folder_remove.h"

#include <jansson.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>
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

/* ---- the study ---- */

static inline void check(int result, struct failure *why)
{
    if (result != 0)
        fail_msg("%s", why->text);
}

static inline void add_study(struct scene *scene, const char *name)
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

static inline void add_epoch(struct scene *scene, int trial, int epoch)
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

static inline void add_trial_of(struct scene *scene, int trial, double value)
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

static inline void add_trial(struct scene *scene, int trial)
{
    add_trial_of(scene, trial, 0.9 + 0.01 * trial);
}

static inline void promote_winner(struct scene *scene)
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

static inline void add_predictions(struct scene *scene)
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
static inline void add_images(struct scene *scene)
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
static inline struct final_record add_model(struct final_record final)
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

static inline void add_final(struct scene *scene, bool retrained)
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

static inline void add_whole_study(struct scene *scene, const char *name, bool evaluated,
                                   bool retrained)
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

static inline int set_up(void **state)
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

static inline int tear_down(void **state)
{
    struct scene *scene = *state;
    store_close(scene->store);
    int result = folder_remove(scene->folder, NULL);
    free(scene->database);
    free(scene->reports);
    free(scene);
    return result;
}

#define WITH_STORE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

/* ---- its report ---- */

static inline char *product(const struct scene *scene, const char *name)
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

static inline void write_report(struct scene *scene, const char *study)
{
    struct failure why = FAILURE_NONE;
    check(report_write(scene->store, study, scene->reports, &why), &why);
}

static inline void contains(const char *text, const char *part)
{
    if (!strstr(text, part))
        fail_msg("\"%s\" is not there", part);
}

static inline void lacks(const char *text, const char *part)
{
    if (strstr(text, part))
        fail_msg("\"%s\" is there", part);
}

/* index.html with nothing in its scripts, which name what they make. */
static inline char *page_without_scripts(struct scene *scene)
{
    char *page = product(scene, "index.html"), *at = page;
    while ((at = strstr(at, "<script")) != NULL) {
        char *begin = strchr(at, '>') + 1, *end = strstr(begin, "</script>");
        memmove(begin, end, strlen(end) + 1);
        at = begin;
    }
    return page;
}

/* report.json, to be given back. */
static inline json_t *report_of(struct scene *scene)
{
    char *text = product(scene, "report.json");
    json_t *report = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(report);
    free(text);
    return report;
}

static inline double number_at(const json_t *report, const char *object, const char *key)
{
    const json_t *value = json_object_get(json_object_get(report, object), key);
    assert_true(json_is_number(value));
    return json_number_value(value);
}

static inline const json_t *item(const json_t *report, const char *list, size_t index)
{
    const json_t *value = json_array_get(json_object_get(report, list), index);
    assert_non_null(value);
    return value;
}

static inline const char *string_at(const json_t *object, const char *key)
{
    const char *value = json_string_value(json_object_get(object, key));
    assert_non_null(value);
    return value;
}

#endif
