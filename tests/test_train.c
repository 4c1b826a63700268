#include "trainer/train.h"

#include "common/file.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/rounds.h"
#include "tests/tiny_training.h"

/* An optimizer with all that may be done to its gradient. */
#define DECAYED(type)                                                                        \
    "{\"optimizer\":{\"type\":" type ",\"weight_decay\":0.001,\"clip_norm\":0.5},"              \
    "\"learning_rate_schedule\":{\"type\":\"one_cycle\",\"warmup\":0.3,\"start\":0.1,"           \
    "\"final\":0.01,\"over\":\"max_epochs\"},\"batch_size\":20,\"label_smoothing\":0.1}"
#define NESTEROV                                                                             \
    DECAYED("\"sgd\",\"learning_rate\":0.05,\"momentum\":0.9,\"nesterov\":true")
#define ADAMW                                                                                \
    DECAYED("\"adamw\",\"learning_rate\":0.01,\"beta1\":0.9,\"beta2\":0.999,\"epsilon\":1e-7")

static void training_learns(void **state)
{
    (void)state;
    struct bench bench = bench_open(TINY_MODEL, TINY_ADAM, 0, 1);
    struct epoch_metrics first = train_epochs(bench.training, 1);
    struct epoch_metrics last = train_epochs(bench.training, 8);
    assert_int_equal(training_epochs_done(bench.training), 9);
    assert_true(last.train_loss < 0.5 * first.train_loss);
    assert_true(last.val_loss < 0.3 && last.val_accuracy > 0.9);
    assert_true(last.train_accuracy > 0.0 && last.train_accuracy <= 1.0 && last.seconds >= 0.0);
    bench_close(&bench);
}

/* 3 epochs (or one), saved, restored elsewhere, and 6 more are 9 at once: weights, optimizer
 * and metrics, and the files byte by byte. */
static void going_on_equals_never_having_stopped(void **state)
{
    (void)state;
    static const struct {
        const char *model, *settings;
    } cases[] = {
        {TINY_MODEL, TINY_ADAM},
        {TINY_MODEL, SGD("0.05")},
        {TINY_OTHER_MODEL, NESTEROV},
        {TINY_OTHER_MODEL, ADAMW},
        {TINY_WIDE_MODEL, TINY_ADAM},
    };
    int third = rounds_of(3, 1);
    char *three = tiny_path("three.ckpt"), *parts = tiny_path("parts.ckpt");
    char *whole = tiny_path("whole.ckpt");
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct bench bench = bench_open(cases[i].model, cases[i].settings, 4, 1);
        struct epoch_metrics at_once = train_epochs(bench.training, 3 * third);
        save(bench.training, whole);
        bench_close(&bench);

        bench = bench_open(cases[i].model, cases[i].settings, 4, 1);
        train_epochs(bench.training, third);
        save(bench.training, three);
        bench_close(&bench);

        bench = bench_open(cases[i].model, cases[i].settings, 4, 1);
        struct failure why = FAILURE_NONE;
        if (training_restore(bench.training, three, &why) < 0)
            fail_msg("%s", why.text);
        assert_int_equal(training_epochs_done(bench.training), third);
        assert_same_metrics(at_once, train_epochs(bench.training, 2 * third));
        save(bench.training, parts);
        bench_close(&bench);
        assert_same_files(whole, parts);
    }
    free(whole);
    free(parts);
    free(three);
}

static void every_number_of_threads_writes_the_same_bytes(void **state)
{
    (void)state;
    check_threads(TINY_MODEL, TINY_ADAM);
    check_threads(TINY_OTHER_MODEL, NESTEROV);
    check_threads(TINY_OTHER_MODEL, ADAMW);
    check_threads(TINY_RESIDUAL_MODEL, ADAMW);
    check_threads(TINY_WIDE_MODEL, TINY_ADAM);
}

static void trials_differ(void **state)
{
    (void)state;
    struct bench one = bench_open(TINY_MODEL, TINY_ADAM, 1, 1);
    struct bench other = bench_open(TINY_MODEL, TINY_ADAM, 2, 1);
    assert_true(train_epochs(one.training, 1).train_loss !=
                train_epochs(other.training, 1).train_loss);
    bench_close(&other);
    bench_close(&one);
}

/* The running values that it predicts with have to have come near the batches'. */
static void a_residual_with_batch_norm_learns(void **state)
{
    (void)state;
    struct bench bench = bench_open(TINY_RESIDUAL_MODEL, TINY_ADAM, 0, 1);
    struct epoch_metrics first = train_epochs(bench.training, 1);
    struct epoch_metrics last = train_epochs(bench.training, 8);
    assert_true(last.train_loss < 0.5 * first.train_loss);
    assert_true(last.val_loss < 0.3 && last.val_accuracy > 0.9);
    bench_close(&bench);
}

/* Smoothed labels have an entropy, below which no training loss can fall. */
static void smoothed_labels_cost_the_training_and_not_the_validation(void **state)
{
    (void)state;
    json_t *settings = tiny_json(TINY_ADAM);
    json_object_set_new(settings, "label_smoothing", json_real(0.4));
    char *text = json_dumps(settings, 0);
    struct bench bench = bench_open(TINY_MODEL, text, 0, 1);
    struct epoch_metrics last = train_epochs(bench.training, 9);
    double least = -0.7 * log(0.7) - 0.3 * log(0.1); /* what the labels themselves leave */
    assert_true(last.train_loss >= least);
    assert_true(last.val_loss < least && last.val_accuracy > 0.9);
    bench_close(&bench);
    free(text);
    json_decref(settings);
}

/* With steps that move nothing, and nothing dropped, an epoch's running means are the
 * means over its images: each image counts once, those of the last batch too. */
static void an_epoch_sees_every_image_once(void **state)
{
    (void)state;
    static const char model[] =
        "[{\"type\":\"flatten\"},{\"type\":\"dense\",\"units\":4,\"activation\":\"none\","
        "\"weights\":\"he\"}]";
    struct bench bench = bench_open(model, SGD("1e-30"), 0, 1);
    struct epoch_metrics trained = train_epochs(bench.training, 1);
    struct dataset *data = bench.data;
    data->validation_index = xreallocarray(data->validation_index, 150, sizeof(uint32_t));
    memcpy(data->validation_index, data->train_index, 150 * sizeof(uint32_t));
    data->validation_count = 150;
    struct epoch_metrics checked = train_epochs(bench.training, 1);
    assert_true(fabs(trained.train_loss - checked.val_loss) < 1e-6);
    assert_true(trained.train_accuracy == checked.val_accuracy);
    assert_true(fabs(trained.train_loss - checked.train_loss) < 1e-6);
    bench_close(&bench);
}

static void without_validation_images_there_is_no_value(void **state)
{
    (void)state;
    struct bench bench = bench_open(TINY_MODEL, TINY_ADAM, 0, 1);
    bench.data->validation_count = 0;
    struct epoch_metrics metrics = train_epochs(bench.training, 1);
    assert_true(isnan(metrics.val_loss) && isnan(metrics.val_accuracy));
    assert_true(isfinite(metrics.train_loss));
    bench_close(&bench);
}

static void divergence_shows_in_the_metrics(void **state)
{
    (void)state;
    struct bench bench = bench_open(TINY_MODEL, SGD("1e6"), 0, 1);
    struct epoch_metrics metrics = train_epochs(bench.training, 2);
    assert_true(!isfinite(metrics.train_loss));
    assert_true(!isfinite(metrics.val_loss));
    bench_close(&bench);
}

/* ---- stopping ---- */

static bool says_stop_after(void *context)
{
    int *left = context;
    return (*left)-- == 0;
}

static void a_stopped_epoch_can_only_be_restored(void **state)
{
    (void)state;
    char *path = tiny_path("stopped.ckpt"), *second = tiny_path("stopped2.ckpt");
    struct bench bench = bench_open(TINY_MODEL, TINY_ADAM, 0, 1);
    train_epochs(bench.training, 1);
    save(bench.training, path);
    struct epoch_metrics straight = train_epochs(bench.training, 1);
    assert_int_equal(training_restore(bench.training, path, NULL), 0);

    struct epoch_metrics metrics;
    int left = 3;
    assert_int_equal(training_epoch(bench.training, says_stop_after, &left, &metrics), 1);
    assert_int_equal(training_epochs_done(bench.training), 1);
    assert_int_equal(training_epoch(bench.training, NULL, NULL, &metrics), 1);
    unlink(second);
    assert_int_equal(training_save(bench.training, second, NULL), -1);
    assert_false(file_exists(second));

    assert_int_equal(training_restore(bench.training, path, NULL), 0);
    assert_same_metrics(straight, train_epochs(bench.training, 1));
    bench_close(&bench);
    free(second);
    free(path);
}

static void stopping_before_the_first_batch_changes_nothing(void **state)
{
    (void)state;
    struct bench bench = bench_open(TINY_MODEL, TINY_ADAM, 0, 1);
    struct bench other = bench_open(TINY_MODEL, TINY_ADAM, 0, 1);
    struct epoch_metrics metrics;
    int left = 0;
    assert_int_equal(training_epoch(bench.training, says_stop_after, &left, &metrics), 1);
    assert_same_metrics(train_epochs(bench.training, 1), train_epochs(other.training, 1));
    bench_close(&other);
    bench_close(&bench);
}

/* ---- what is refused ---- */

static void check_not_restored(struct bench *bench, const char *path, const char *text)
{
    struct failure why = FAILURE_NONE;
    assert_int_equal(training_restore(bench->training, path, &why), -1);
    assert_int_equal(why.code, EXIT_BAD_INPUT);
    assert_non_null(strstr(why.text, path));
    if (!strstr(why.text, text))
        fail_msg("'%s' does not say '%s'", why.text, text);
    assert_int_equal(training_epochs_done(bench->training), 0);
    failure_clear(&why);
    bench_close(bench);
}

static void a_checkpoint_of_another_training_is_refused(void **state)
{
    (void)state;
    char *path = tiny_path("other.ckpt");
    struct bench bench = bench_open(TINY_MODEL, TINY_ADAM, 4, 1);
    train_epochs(bench.training, 2);
    save(bench.training, path);
    bench_close(&bench);

    bench = bench_open(TINY_MODEL, TINY_ADAM, 5, 1);
    check_not_restored(&bench, path, "its trial is not");
    bench = bench_open(TINY_MODEL, SGD("0.1"), 4, 1);
    check_not_restored(&bench, path, "its optimizer is not");
    bench = bench_open("[{\"type\":\"flatten\"},{\"type\":\"dense\",\"units\":4,"
                       "\"activation\":\"none\",\"weights\":\"he\"}]",
                       TINY_ADAM, 4, 1);
    check_not_restored(&bench, path, "its model is not");
    json_t *settings = tiny_json(TINY_ADAM);
    json_object_set_new(settings, "batch_size", json_integer(10));
    char *text = json_dumps(settings, 0);
    bench = bench_open(TINY_MODEL, text, 4, 1);
    check_not_restored(&bench, path, "its batch_size is not");
    free(text);
    json_object_set_new(settings, "batch_size", json_integer(20));
    json_object_set_new(settings, "label_smoothing", json_real(0.1));
    text = json_dumps(settings, 0);
    bench = bench_open(TINY_MODEL, text, 4, 1);
    check_not_restored(&bench, path, "its label_smoothing is not");
    free(text);
    json_decref(settings);
    free(path);
}

static void a_checkpoint_of_another_seed_or_data_set_is_refused(void **state)
{
    (void)state;
    char *path = tiny_path("seed.ckpt");
    struct bench bench = bench_open(TINY_MODEL, TINY_ADAM, 4, 1);
    train_epochs(bench.training, 2);
    save(bench.training, path);
    for (int i = 0; i < 2; i++) {
        struct training_settings make = {
            .model = bench.model,
            .training = bench.settings,
            .seed = i == 0 ? 5 : 18446744073709551615u,
            .trial = 4,
            .schedule_epochs = 9,
            .threads = 1,
        };
        struct failure why = FAILURE_NONE;
        bench.data->train_count = i == 0 ? 150 : 100;
        struct training *other = training_new(&make, bench.data, NULL);
        assert_int_equal(training_restore(other, path, &why), -1);
        assert_non_null(strstr(why.text, i == 0 ? "its seed is not" : "another number of images"));
        failure_clear(&why);
        training_free(other);
    }
    bench_close(&bench);
    free(path);
}

/* How far the schedule reaches may change from one segment to the next. */
static void another_length_of_the_schedule_is_accepted(void **state)
{
    (void)state;
    char *path = tiny_path("schedule.ckpt");
    struct bench bench = bench_open(TINY_MODEL, TINY_ADAM, 4, 1);
    train_epochs(bench.training, 1);
    save(bench.training, path);
    struct training_settings make = {
        .model = bench.model,
        .training = bench.settings,
        .seed = 18446744073709551615u,
        .trial = 4,
        .schedule_epochs = 27,
        .threads = 1,
    };
    struct training *longer = training_new(&make, bench.data, NULL);
    assert_int_equal(training_restore(longer, path, NULL), 0);
    assert_int_equal(training_epochs_done(longer), 1);
    training_free(longer);
    bench_close(&bench);
    free(path);
}

static void check_not_made(const char *model, const char *settings, size_t images,
                           const char *where, const char *text)
{
    struct dataset *data = tiny_dataset(150, 10);
    struct failure why = FAILURE_NONE;
    struct training_settings make = {
        .model = tiny_json(model), .training = tiny_json(settings), .threads = 1,
        .schedule_epochs = 1,
    };
    data->train_count = images;
    assert_null(training_new(&make, data, &why));
    assert_int_equal(why.code, EXIT_BAD_INPUT);
    assert_non_null(strstr(why.text, text));
    if (where)
        assert_string_equal(why.where, where);
    failure_clear(&why);
    json_decref((json_t *)make.model);
    json_decref((json_t *)make.training);
    tiny_dataset_free(data);
}

static void what_cannot_be_trained_is_refused(void **state)
{
    (void)state;
    check_not_made(TINY_MODEL, TINY_ADAM, 0, NULL, "no images to train on");
    check_not_made("[{\"type\":\"flatten\"},{\"type\":\"dense\",\"units\":65536,"
                   "\"activation\":\"none\",\"weights\":\"he\"},{\"type\":\"dense\",\"units\":4,"
                   "\"activation\":\"none\",\"weights\":\"he\"},{\"type\":\"dense\",\"units\":3,"
                   "\"activation\":\"none\",\"weights\":\"he\"}]",
                   TINY_ADAM, 150, "model[3]", "gives 3 values");
    check_not_made("[{\"type\":\"conv\",\"filters\":4096,\"kernel\":1,\"stride\":1,"
                   "\"padding\":\"same\",\"activation\":\"none\",\"weights\":\"he\"},"
                   "{\"type\":\"conv\",\"filters\":4096,\"kernel\":1,\"stride\":1,"
                   "\"padding\":\"same\",\"activation\":\"none\",\"weights\":\"he\"},"
                   "{\"type\":\"conv\",\"filters\":4096,\"kernel\":1,\"stride\":1,"
                   "\"padding\":\"same\",\"activation\":\"none\",\"weights\":\"he\"},"
                   "{\"type\":\"max_pool\",\"size\":8,\"stride\":0,\"padding\":\"valid\"},"
                   "{\"type\":\"flatten\"},{\"type\":\"dense\",\"units\":4,"
                   "\"activation\":\"none\",\"weights\":\"he\"}]",
                   "{\"optimizer\":{\"type\":\"sgd\",\"learning_rate\":0.1,\"momentum\":0.0},"
                   "\"learning_rate_schedule\":{\"type\":\"constant\"},\"batch_size\":65536}",
                   4000000000u, "training.batch_size", "would take");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(training_learns),
        cmocka_unit_test(going_on_equals_never_having_stopped),
        cmocka_unit_test(every_number_of_threads_writes_the_same_bytes),
        cmocka_unit_test(trials_differ),
        cmocka_unit_test(a_residual_with_batch_norm_learns),
        cmocka_unit_test(smoothed_labels_cost_the_training_and_not_the_validation),
        cmocka_unit_test(an_epoch_sees_every_image_once),
        cmocka_unit_test(without_validation_images_there_is_no_value),
        cmocka_unit_test(divergence_shows_in_the_metrics),
        cmocka_unit_test(a_stopped_epoch_can_only_be_restored),
        cmocka_unit_test(stopping_before_the_first_batch_changes_nothing),
        cmocka_unit_test(a_checkpoint_of_another_training_is_refused),
        cmocka_unit_test(a_checkpoint_of_another_seed_or_data_set_is_refused),
        cmocka_unit_test(another_length_of_the_schedule_is_accepted),
        cmocka_unit_test(what_cannot_be_trained_is_refused),
    };
    return cmocka_run_group_tests_name("train", tests, NULL, NULL);
}
