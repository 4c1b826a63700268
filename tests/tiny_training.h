/* A training on the tiny images, for the tests of its parts; after <cmocka.h>. */
#ifndef TESTS_TINY_TRAINING_H
#define TESTS_TINY_TRAINING_H

#include "common/file.h"
#include "trainer/train.h"

#include <string.h>

#include "tests/tiny.h"

#define SGD(rate)                                                                            \
    "{\"optimizer\":{\"type\":\"sgd\",\"learning_rate\":" rate ",\"momentum\":0.9},"         \
    "\"learning_rate_schedule\":{\"type\":\"constant\"},\"batch_size\":20}"

/* A training with what it was made from. */
struct bench {
    struct dataset *data;
    json_t *model, *settings;
    struct training *training;
};

/* 150 images in batches of 20: the last one of an epoch has 10. */
static inline struct bench bench_open(const char *model, const char *settings, uint32_t trial,
                               int threads)
{
    struct bench bench = {tiny_dataset(150, 70), tiny_json(model), tiny_json(settings), NULL};
    struct training_settings make = {
        .model = bench.model,
        .training = bench.settings,
        .seed = 18446744073709551615u,
        .trial = trial,
        .schedule_epochs = 9,
        .threads = threads,
    };
    struct failure why = FAILURE_NONE;
    bench.training = training_new(&make, bench.data, &why);
    if (!bench.training)
        fail_msg("%s", why.text);
    return bench;
}

static inline void bench_close(struct bench *bench)
{
    training_free(bench->training);
    json_decref(bench->model);
    json_decref(bench->settings);
    tiny_dataset_free(bench->data);
}

static inline struct epoch_metrics train_epochs(struct training *training, int count)
{
    struct epoch_metrics metrics = {0};
    for (int i = 0; i < count; i++)
        assert_int_equal(training_epoch(training, NULL, NULL, &metrics), 0);
    return metrics;
}

static inline void save(struct training *training, const char *path)
{
    struct failure why = FAILURE_NONE;
    if (training_save(training, path, &why) < 0)
        fail_msg("%s", why.text);
}

static inline void assert_same_files(const char *one, const char *other)
{
    char *bytes[2];
    size_t sizes[2];
    assert_int_equal(file_read(one, 1 << 20, &bytes[0], &sizes[0], NULL), 0);
    assert_int_equal(file_read(other, 1 << 20, &bytes[1], &sizes[1], NULL), 0);
    assert_int_equal(sizes[0], sizes[1]);
    assert_memory_equal(bytes[0], bytes[1], sizes[0]);
    free(bytes[0]);
    free(bytes[1]);
}

/* Any number of threads writes the same bytes. */
static inline void check_threads(const char *model, const char *settings)
{
    static const int threads[] = {1, 2, 3, 5};
    char *one = tiny_path("one_thread.ckpt"), *more = tiny_path("more_threads.ckpt");
    for (size_t i = 0; i < ARRAY_LENGTH(threads); i++) {
        struct bench bench = bench_open(model, settings, 4, threads[i]);
        train_epochs(bench.training, 2);
        save(bench.training, i == 0 ? one : more);
        bench_close(&bench);
        if (i > 0)
            assert_same_files(one, more);
    }
    free(more);
    free(one);
}

static inline void assert_same_metrics(struct epoch_metrics one, struct epoch_metrics other)
{
    assert_true(one.train_loss == other.train_loss);
    assert_true(one.train_accuracy == other.train_accuracy);
    assert_true(one.val_loss == other.val_loss);
    assert_true(one.val_accuracy == other.val_accuracy);
}

/* Restores what save() wrote. */
static inline void restore(struct training *training, const char *path)
{
    struct failure why = FAILURE_NONE;
    if (training_restore(training, path, &why) < 0)
        fail_msg("%s", why.text);
}

#endif
