/* A store in a folder of its own, and a small study to fill it with: bracket 1 of four
 * trials for 1 epoch and two for 3, bracket 0 of two trials for 3.  Trials 0 and 2 tie at
 * first, trial 3 crashes until it fails, trial 5 diverges, and trial 2 wins. */
#ifndef TESTS_STORE_FIXTURE_H
#define TESTS_STORE_FIXTURE_H

#include "common/file.h"
#include "db/store.h"
#include "tests/folder_remove.h"

#include <math.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
/* cmocka has a macro of this name. */
#undef fail

struct fixture {
    char *folder, *path;
    struct store *store;
    int64_t study;
};

/* Why the call at hand failed. */
static struct failure why;

static inline void check_done(int result, const char *file, int line)
{
    if (result < 0) {
        print_error("%s\n", why.text);
        _fail(file, line);
    }
    failure_clear(&why);
}
/* A call that has to succeed. */
#define DONE(call) check_done((call), __FILE__, __LINE__)

static inline void check_refused(int result, enum exit_code code, const char *part,
                                 const char *file, int line)
{
    if (result != -1 || why.code != code || !strstr(why.text, part)) {
        print_error("%d, exit code %d: %s\n", result, (int)why.code, why.text ? why.text : "");
        _fail(file, line);
    }
    failure_clear(&why);
}
/* A call that has to fail with this exit code and a message that has `part` in it. */
#define REFUSED(call, code, part) check_refused((call), code, part, __FILE__, __LINE__)

static inline struct store *open_store(const char *path, enum store_mode mode)
{
    struct store *store = store_open(path, mode, &why);
    DONE(store ? 0 : -1);
    return store;
}

static inline int make_fixture(void **state)
{
    const char *parent = getenv("TEST_TMP");
    struct fixture *fixture = xcalloc(1, sizeof *fixture);
    fixture->folder = xasprintf("%s/store.XXXXXX", parent ? parent : "/tmp");
    if (!mkdtemp(fixture->folder))
        return -1;
    fixture->path = path_join(fixture->folder, "trials.db");
    fixture->store = open_store(fixture->path, STORE_WRITE);
    *state = fixture;
    return 0;
}

static inline int remove_fixture(void **state)
{
    struct fixture *fixture = *state;
    store_close(fixture->store);
    int result = folder_remove(fixture->folder, NULL);
    free(fixture->folder);
    free(fixture->path);
    free(fixture);
    return result;
}

#define STORE_TEST(name) cmocka_unit_test_setup_teardown(name, make_fixture, remove_fixture)

/* ---- asking ---- */

/* The rows of a SELECT as compact JSON, to be compared with what is expected. */
static inline void assert_rows(struct store *store, const char *sql, const char *expected)
{
    json_t *rows = store_rows(store, sql, NULL, &why);
    DONE(rows ? 0 : -1);
    char *text = json_dumps(rows, JSON_COMPACT | JSON_REAL_PRECISION(12));
    assert_string_equal(text, expected);
    free(text);
    json_decref(rows);
}

static inline int64_t count_rows(struct store *store, const char *sql)
{
    json_t *rows = store_rows(store, sql, NULL, &why);
    DONE(rows ? 0 : -1);
    int64_t count = (int64_t)json_array_size(rows);
    json_decref(rows);
    return count;
}

/* What sqlite3 prints when it is given the database and `rest` of the command line; to
 * be freed. */
static inline char *sqlite3_output(const char *path, const char *rest)
{
    char *command = xasprintf("sqlite3 '%s' %s", path, rest);
    FILE *output = popen(command, "r");
    assert_non_null(output);
    char *text = xcalloc(1, 1 << 16);
    size_t length = fread(text, 1, (1 << 16) - 1, output);
    text[length] = '\0';
    assert_int_equal(pclose(output), 0);
    free(command);
    return text;
}

/* ---- the study ---- */

static inline int64_t add_study(struct store *store, const char *name)
{
    json_t *parameters = json_loads(
        "[{\"name\":\"learning_rate\",\"type\":\"float\",\"low\":0.0001,\"high\":0.01,"
        "\"log\":true},"
        "{\"name\":\"batch_size\",\"type\":\"categorical\",\"choices\":[32,64]},"
        "{\"name\":\"epochs\",\"type\":\"int\",\"low\":1,\"high\":9,\"step\":2},"
        "{\"name\":\"augment\",\"type\":\"bool\"}]", 0, NULL);
    json_t *plan = json_loads(
        "[{\"bracket\":1,\"rung\":0,\"places\":4,\"keep\":2,\"epochs\":1},"
        "{\"bracket\":1,\"rung\":1,\"places\":2,\"keep\":0,\"epochs\":3},"
        "{\"bracket\":0,\"rung\":0,\"places\":2,\"keep\":0,\"epochs\":3}]", 0, NULL);
    const struct study_record record = {
        .name = name, .file = "digits.yaml", .text = "study: digits\n",
        .fingerprint = "{\"eta\":2}", .seed = UINT64_MAX, .metric = "val_accuracy",
        .maximize = true, .sampler = "random", .scheduler = "hyperband", .max_epochs = 3,
        .eta = 2, .data = "{\"dataset\":\"synthetic\",\"classes\":3}",
        .parameters = parameters, .plan = plan};
    int64_t id = 0;
    DONE(store_begin(store, &why));
    DONE(store_add_study(store, &record, &id, &why));
    DONE(store_commit(store, &why));
    json_decref(parameters);
    json_decref(plan);
    return id;
}

/* Every value here is exact in decimal digits as in binary ones. */
static inline double accuracy(int trial, int epoch)
{
    static const double accuracies[6][3] = {{0.75, 0.8125, 0.875}, {0.5, 0, 0},
                                            {0.75, 0.875, 0.9375}, {0, 0, 0},
                                            {0.25, 0.5, 0.625},    {0.25, 0.5, 0.5}};
    return accuracies[trial % 6][(epoch - 1) % 3];
}

static inline json_t *metrics_of(int trial, int epoch)
{
    bool diverged = trial == 5 && epoch == 2;
    return json_pack("{s:f, s:o, s:f, s:f}", "train_loss", 1.0 + trial, "val_loss",
                     diverged ? json_null() : json_real(2.0 + epoch), "train_accuracy", 0.5,
                     "val_accuracy", accuracy(trial, epoch));
}

static inline void add_trial(struct store *store, int64_t study, int trial)
{
    json_t *parameters = json_pack("{s:f, s:i, s:i, s:b}", "learning_rate",
                                   (trial + 1) / 10000.0, "batch_size", trial % 2 ? 64 : 32,
                                   "epochs", 1 + 2 * (trial % 5), "augment", trial % 3 == 0);
    json_t *configuration = json_pack("{s:[s], s:{s:i}}", "model", "flatten", "training",
                                      "batch_size", 32);
    DONE(store_add_trial(store, study, trial, trial < 4 ? 1 : 0, parameters, configuration,
                         &why));
    json_decref(parameters);
    json_decref(configuration);
}

static inline bool add_epoch(struct store *store, int64_t study, int trial, int epoch,
                             int attempt)
{
    json_t *metrics = metrics_of(trial, epoch);
    char *checkpoint = xasprintf("checkpoints/digits/%d.%d.%d", trial, epoch, attempt);
    const struct epoch_record record = {trial, epoch, attempt, metrics, checkpoint,
                                        0.25 * (trial + 1)};
    bool differs = true;
    DONE(store_add_epoch(store, study, &record, &differs, &why));
    free(checkpoint);
    json_decref(metrics);
    return differs;
}

/* A segment that goes well, with all its epochs. */
static inline void add_segment(struct store *store, int64_t study, int trial, int rung,
                               int attempt, int from, int to, int64_t worker)
{
    DONE(store_begin_segment(store, study, trial, rung, attempt, from, to, worker, &why));
    for (int epoch = from + 1; epoch <= to; epoch++)
        assert_false(add_epoch(store, study, trial, epoch, attempt));
    DONE(store_end_segment(store, study, trial, rung, attempt, "ended", accuracy(trial, to), NULL,
                           &why));
}

static inline void decide(struct store *store, int64_t study, int trial, int rung,
                          const char *verdict, int rank)
{
    char *reason = xasprintf("%s as number %d", verdict, rank);
    DONE(store_add_decision(store, study, trial, trial < 4 ? 1 : 0, rung, verdict, rank, reason,
                            &why));
    free(reason);
}

static inline void fail_trial_3(struct store *store, int64_t study, int64_t worker)
{
    for (int attempt = 1; attempt <= 2; attempt++) {
        bool last = attempt == 2;
        DONE(store_begin_segment(store, study, 3, 0, attempt, 0, 1, worker, &why));
        DONE(store_add_fault(store, study, 3, attempt, worker, "crashed", "killed by signal 11",
                             last ? "trial failed" : "retried", &why));
        DONE(store_end_segment(store, study, 3, 0, attempt, last ? "failed" : "retry", (double)NAN,
                               "killed by signal 11", &why));
    }
}

static inline void fail_trial_5(struct store *store, int64_t study, int64_t worker)
{
    DONE(store_begin_segment(store, study, 5, 0, 1, 0, 3, worker, &why));
    add_epoch(store, study, 5, 1, 1);
    add_epoch(store, study, 5, 2, 1);
    DONE(store_add_fault(store, study, 5, 1, worker, "diverged", "val_loss is not finite",
                         "trial failed", &why));
    DONE(store_end_segment(store, study, 5, 0, 1, "failed", (double)NAN, "val_loss is not finite",
                           &why));
}

/* The search, by one worker from first to last. */
static inline void fill_search(struct store *store, int64_t study)
{
    int64_t worker = 0;
    DONE(store_begin(store, &why));
    DONE(store_add_worker(store, study, 4711, "trainer 1.0", "avx2 fp32", &worker, &why));
    for (int trial = 0; trial < 6; trial++)
        add_trial(store, study, trial);
    for (int trial = 0; trial < 3; trial++)
        add_segment(store, study, trial, 0, 1, 0, 1, worker);
    fail_trial_3(store, study, worker);
    decide(store, study, 3, 0, "failed", 4);
    decide(store, study, 0, 0, "promoted", 1);
    decide(store, study, 2, 0, "promoted", 2);
    decide(store, study, 1, 0, "stopped", 3);
    add_segment(store, study, 0, 1, 2, 1, 3, worker);
    decide(store, study, 0, 1, "completed", 1);
    add_segment(store, study, 2, 1, 2, 1, 3, worker);
    decide(store, study, 2, 1, "completed", 1);
    add_segment(store, study, 4, 0, 1, 0, 3, worker);
    decide(store, study, 4, 0, "completed", 1);
    fail_trial_5(store, study, worker);
    decide(store, study, 5, 0, "failed", 2);
    DONE(store_set_winner(store, study, 2, &why));
    DONE(store_end_worker(store, worker, "stopped", &why));
    DONE(store_commit(store, &why));
}

/* The final training and the evaluation on seven images of three classes. */
static inline void fill_final(struct store *store, int64_t study)
{
    json_t *metrics = metrics_of(2, 1);
    json_t *labels = json_pack("[i,i,i,i,i,i,i]", 0, 0, 0, 1, 1, 2, 2);
    json_t *predicted = json_pack("[i,i,i,i,i,i,i]", 0, 0, 1, 1, 1, 0, 2);
    json_t *probabilities = json_loads("[[0.5,0.25,0.25],[0.75,0.25,0],[0.25,0.5,0.25],[0,1,0],"
                                       "[0.25,0.75,0],[0.875,0.125,0],[0,0.25,0.75]]", 0, NULL);
    json_t *layers = json_pack("[{s:s, s:i}]", "name", "dense", "parameters", 30);
    const struct epoch_record epoch = {2, 1, 1, metrics, "checkpoints/digits/final.1.1", 0.5};
    const struct final_record record = {7, 5, 0.5, layers, "weights\0and all", 15};
    DONE(store_begin(store, &why));
    DONE(store_begin_final(store, study, 2, 1, 3, &why));
    DONE(store_add_final_epoch(store, study, &epoch, &why));
    DONE(store_set_final_arithmetic(store, study, "avx2 fp32", &why));
    DONE(store_add_predictions(store, study, 0, labels, predicted, probabilities, &why));
    DONE(store_end_final(store, study, &record, &why));
    DONE(store_set_study_state(store, study, "finished", NULL, &why));
    DONE(store_commit(store, &why));
    json_decref(metrics);
    json_decref(labels);
    json_decref(predicted);
    json_decref(probabilities);
    json_decref(layers);
}

#endif
