/* What a training keeps beside the last weights (early stopping, the best weights, their
 * average, a rate reduced on a plateau), and that all of it survives a checkpoint. */
#include "trainer/checkpoint.h"

#include "trainer/loss.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "tests/tiny_training.h"

enum { EPOCHS = 9 };

/* So wild that epochs get better and worse. */
#define WILD(more)                                                                           \
    "{\"optimizer\":{\"type\":\"sgd\",\"learning_rate\":0.2,\"momentum\":0.9},"               \
    "\"learning_rate_schedule\":{\"type\":\"constant\"},\"batch_size\":20" more "}"
#define STOPPING(monitor, patience)                                                          \
    ",\"early_stopping\":{\"monitor\":\"" monitor "\",\"patience\":" patience ","              \
    "\"min_change\":0.01}"
#define BEST(monitor) ",\"restore_best\":\"" monitor "\""
#define AVERAGE(decay) ",\"ema_decay\":" decay
#define PLATEAU(monitor, more)                                                               \
    "{\"optimizer\":{\"type\":\"adam\",\"learning_rate\":0.05,\"beta1\":0.9,\"beta2\":0.999,"  \
    "\"epsilon\":1e-7},\"learning_rate_schedule\":{\"type\":\"reduce_on_plateau\","            \
    "\"monitor\":\"" monitor "\",\"factor\":0.7,\"patience\":1,\"min_change\":0.05,"           \
    "\"final\":0.15},\"batch_size\":20" more "}"

/* The second has statistics, which go wherever the parameters go. */
static const char *const models[] = {TINY_MODEL, TINY_RESIDUAL_MODEL};

static float *copy_of(const float *values, size_t count)
{
    float *copy = xreallocarray(NULL, count, sizeof *copy);
    memcpy(copy, values, count * sizeof *copy);
    return copy;
}

/* Every epoch's metrics, and the weights that training went on from. */
struct history {
    struct epoch_metrics metrics[EPOCHS];
    float *parameters[EPOCHS];
    size_t count;
};

static struct history train_all(const char *model, const char *settings)
{
    struct history history;
    struct bench bench = bench_open(model, settings, 4, 1);
    struct network *network = training_network(bench.training);
    history.count = network_parameter_count(network);
    for (int i = 0; i < EPOCHS; i++) {
        history.metrics[i] = train_epochs(bench.training, 1);
        history.parameters[i] = copy_of(network_parameters(network), history.count);
    }
    bench_close(&bench);
    return history;
}

static void history_free(struct history *history)
{
    for (int i = 0; i < EPOCHS; i++)
        free(history->parameters[i]);
}

/* Trains to the end and saves; how many epochs that were. */
static int train_to_the_end(struct training *training, const char *path)
{
    while (training_epochs_done(training) < EPOCHS && !training_is_over(training))
        train_epochs(training, 1);
    save(training, path);
    return training_epochs_done(training);
}

static struct network *load(const char *path)
{
    struct failure why = FAILURE_NONE;
    struct network *network = checkpoint_load_network(path, 1, NULL, &why);
    if (!network)
        fail_msg("%s", why.text);
    return network;
}

static void assert_loads(const char *path, const float *parameters, size_t count)
{
    struct network *network = load(path);
    assert_int_equal(network_parameter_count(network), count);
    assert_memory_equal(network_parameters(network), parameters, count * sizeof *parameters);
    network_free(network);
}

/* ---- what each does ---- */

/* The first epoch after which so many epochs were no better than the best before. */
static int expected_end(const struct history *history, int patience)
{
    double best = INFINITY;
    int since = 0;
    for (int i = 0; i < EPOCHS; i++) {
        bool better = history->metrics[i].val_loss < best - 0.01;
        since = better ? 0 : since + 1;
        best = better ? history->metrics[i].val_loss : best;
        if (since >= patience)
            return i + 1;
    }
    return EPOCHS;
}

static void early_stopping_ends_a_training_after_its_patience(void **state)
{
    (void)state;
    char *path = tiny_path("over.ckpt");
    struct history history = train_all(TINY_MODEL, WILD(""));
    static const char *const settings[] = {WILD(STOPPING("val_loss", "1")),
                                           WILD(STOPPING("val_loss", "2"))};
    for (int patience = 1; patience <= 2; patience++) {
        struct bench bench = bench_open(TINY_MODEL, settings[patience - 1], 4, 1);
        int end = expected_end(&history, patience);
        assert_true(end > patience + 1 && end < EPOCHS);
        assert_int_equal(train_to_the_end(bench.training, path), end);
        assert_true(training_is_over(bench.training));
        /* It changes when training ends and nothing else. */
        assert_loads(path, history.parameters[end - 1], history.count);
        bench_close(&bench);

        bench = bench_open(TINY_MODEL, settings[patience - 1], 4, 1);
        assert_false(training_is_over(bench.training));
        restore(bench.training, path);
        assert_true(training_is_over(bench.training));
        bench_close(&bench);
    }
    history_free(&history);
    free(path);
}

static void without_validation_images_the_training_metrics_are_watched(void **state)
{
    (void)state;
    static const char *const settings[] = {
        PLATEAU("val_loss", STOPPING("val_accuracy", "3") BEST("val_loss")),
        PLATEAU("train_loss", STOPPING("train_accuracy", "3") BEST("train_loss")),
    };
    char *path = tiny_path("joined.ckpt");
    int ends[2], best[2];
    double rates[2];
    for (int i = 0; i < 2; i++) {
        struct bench bench = bench_open(TINY_MODEL, settings[i], 4, 1);
        bench.data->validation_count = 0;
        struct training_settings make = {.model = bench.model, .training = bench.settings,
                                         .schedule_epochs = EPOCHS, .threads = 1};
        struct training *training = training_new(&make, bench.data, NULL);
        ends[i] = train_to_the_end(training, path);
        best[i] = training_best_epoch(training);
        rates[i] = training_learning_rate(training);
        training_free(training);
        bench_close(&bench);
    }
    assert_int_equal(ends[0], ends[1]);
    assert_int_equal(best[0], best[1]);
    assert_true(rates[0] == rates[1] && rates[0] < 0.05);
    free(path);
}

static int best_epoch(const struct history *history)
{
    int best = 0;
    for (int i = 1; i < EPOCHS; i++)
        if (history->metrics[i].val_loss < history->metrics[best].val_loss)
            best = i;
    return best;
}

static void the_best_weights_are_kept_and_training_goes_on_from_the_last(void **state)
{
    (void)state;
    char *path = tiny_path("best.ckpt");
    struct history history = train_all(TINY_MODEL, WILD(""));
    struct bench bench = bench_open(TINY_MODEL, WILD(BEST("val_loss")), 4, 1);
    int best = best_epoch(&history);
    assert_true(best > 0 && best < EPOCHS - 1);
    for (int i = 0; i < EPOCHS; i++) {
        assert_same_metrics(train_epochs(bench.training, 1), history.metrics[i]);
        assert_memory_equal(network_parameters(training_network(bench.training)),
                            history.parameters[i], history.count * sizeof(float));
    }
    assert_int_equal(training_best_epoch(bench.training), best + 1);
    save(bench.training, path);
    assert_loads(path, history.parameters[best], history.count);
    bench_close(&bench);
    history_free(&history);
    free(path);
}

static void without_restore_best_the_last_weights_count(void **state)
{
    (void)state;
    char *path = tiny_path("last.ckpt");
    struct bench bench = bench_open(TINY_MODEL, WILD(""), 4, 1);
    train_epochs(bench.training, 2);
    assert_int_equal(training_best_epoch(bench.training), 2);
    save(bench.training, path);
    struct network *network = training_network(bench.training);
    assert_loads(path, network_parameters(network), network_parameter_count(network));
    bench_close(&bench);
    free(path);
}

/* A training that never had a value to judge by has the last weights. */
static void a_diverged_training_has_no_best_weights(void **state)
{
    (void)state;
    static const char settings[] =
        "{\"optimizer\":{\"type\":\"sgd\",\"learning_rate\":1e9,\"momentum\":0.9},"
        "\"learning_rate_schedule\":{\"type\":\"constant\"},\"batch_size\":20,"
        "\"restore_best\":\"val_loss\"}";
    char *path = tiny_path("diverged.ckpt");
    struct bench bench = bench_open(TINY_MODEL, settings, 4, 1);
    assert_true(!isfinite(train_epochs(bench.training, 1).val_loss));
    save(bench.training, path);
    struct checkpoint checkpoint;
    assert_int_equal(checkpoint_read(path, &checkpoint, NULL), 0);
    assert_null(checkpoint_find(&checkpoint, "best_parameters"));
    checkpoint_release(&checkpoint);
    restore(bench.training, path);
    assert_int_equal(training_best_epoch(bench.training), 1);
    network_free(load(path));
    bench_close(&bench);
    free(path);
}

/* Mean loss over the validation images, worked out here. */
static double validation_loss(struct network *network, const struct dataset *data)
{
    struct loss_sum sum = {0};
    for (size_t i = 0; i < data->validation_count; i++) {
        uint32_t index = data->validation_index[i];
        float image[64], logits[4];
        for (size_t p = 0; p < 64; p++)
            image[p] = (float)data->training.pixels[index * 64 + p] / 255.0f;
        network_predict(network, image, 1, logits);
        loss_add(1, 4, logits, &data->training.labels[index], &sum, 0.0f, NULL);
    }
    return sum.loss / (double)data->validation_count;
}

/* One step an epoch, so that every step's weights can be seen. */
#define SLOW(more)                                                                           \
    "{\"optimizer\":{\"type\":\"sgd\",\"learning_rate\":0.2,\"momentum\":0.9},"               \
    "\"learning_rate_schedule\":{\"type\":\"constant\"},\"batch_size\":150" more "}"

static void the_average_is_validated_and_saved_and_training_goes_on_without_it(void **state)
{
    (void)state;
    char *path = tiny_path("average.ckpt");
    struct history history = train_all(TINY_MODEL, SLOW(""));
    struct bench bench = bench_open(TINY_MODEL, SLOW(AVERAGE("0.3")), 4, 1);
    double *expected = xcalloc(history.count, sizeof *expected);
    for (size_t k = 0; k < history.count; k++)
        expected[k] = (double)network_parameters(training_network(bench.training))[k];
    for (int i = 0; i < EPOCHS; i++) {
        struct epoch_metrics metrics = train_epochs(bench.training, 1);
        assert_true(metrics.train_loss == history.metrics[i].train_loss);
        assert_memory_equal(network_parameters(training_network(bench.training)),
                            history.parameters[i], history.count * sizeof(float));
        assert_true(metrics.val_loss != history.metrics[i].val_loss);
        save(bench.training, path);
        struct network *network = load(path);
        assert_true(fabs(validation_loss(network, bench.data) - metrics.val_loss) < 1e-6);
        double decay = fmin(0.3, (i + 2.0) / (i + 11.0)); /* after step i + 1 */
        for (size_t k = 0; k < history.count; k++) {
            expected[k] = decay * expected[k] + (1.0 - decay) * (double)history.parameters[i][k];
            assert_true(fabs(expected[k] - (double)network_parameters(network)[k]) < 1e-5);
        }
        network_free(network);
    }
    free(expected);
    bench_close(&bench);
    history_free(&history);
    free(path);
}

static void the_best_weights_of_an_averaged_training_are_averaged(void **state)
{
    (void)state;
    char *path = tiny_path("both.ckpt");
    for (size_t i = 0; i < ARRAY_LENGTH(models); i++) {
        struct history history = train_all(models[i], WILD(AVERAGE("0.8")));
        struct bench bench = bench_open(models[i], WILD(AVERAGE("0.8") BEST("val_loss")), 4, 1);
        int best = best_epoch(&history);
        train_epochs(bench.training, EPOCHS);
        assert_int_equal(training_best_epoch(bench.training), best + 1);
        save(bench.training, path);
        struct network *network = load(path);
        assert_true(fabs(validation_loss(network, bench.data) - history.metrics[best].val_loss) <
                    1e-6);
        network_free(network);
        bench_close(&bench);
        history_free(&history);
    }
    free(path);
}

static void a_plateau_reduces_the_rate_of_the_training(void **state)
{
    (void)state;
    struct bench bench = bench_open(TINY_MODEL, PLATEAU("val_loss", ""), 4, 1);
    double best = INFINITY, share = 1.0;
    int reductions = 0;
    for (int i = 0; i < EPOCHS; i++) {
        assert_true(fabs(training_learning_rate(bench.training) - 0.05 * share) < 1e-15);
        double loss = train_epochs(bench.training, 1).val_loss;
        if (loss < best - 0.05) {
            best = loss;
        } else {
            share = fmax(0.7 * share, 0.15);
            reductions++;
        }
    }
    assert_true(reductions > 1 && reductions < EPOCHS - 1);
    bench_close(&bench);
}

/* ---- exact continuation ---- */

static const char *const all_settings[] = {
    PLATEAU("val_loss", ""),
    PLATEAU("val_accuracy", STOPPING("train_loss", "2")),
    PLATEAU("train_loss", BEST("val_loss") AVERAGE("0.95")),
    WILD(STOPPING("val_loss", "1")),
    WILD(BEST("val_loss")),
    WILD(BEST("val_accuracy") AVERAGE("0.9")),
    WILD(AVERAGE("0.999")),
    WILD(STOPPING("val_accuracy", "4") BEST("train_accuracy") AVERAGE("0.5")),
};

static void check_pieces(const char *model, const char *settings)
{
    char *whole = tiny_path("whole.ckpt"), *parts = tiny_path("parts.ckpt");
    struct bench bench = bench_open(model, settings, 4, 1);
    int end = train_to_the_end(bench.training, whole);
    bench_close(&bench);
    for (int epoch = 0; epoch < end; epoch++) {
        bench = bench_open(model, settings, 4, 1 + epoch % 3);
        if (epoch > 0)
            restore(bench.training, parts);
        assert_int_equal(training_epochs_done(bench.training), epoch);
        assert_false(training_is_over(bench.training));
        train_epochs(bench.training, 1);
        save(bench.training, parts);
        assert_int_equal(training_is_over(bench.training), epoch + 1 == end && end < EPOCHS);
        bench_close(&bench);
    }
    assert_same_files(whole, parts);
    free(parts);
    free(whole);
}

/* Saved and restored elsewhere after every epoch, on another number of threads each time:
 * the same end, and the same bytes in the file there. */
static void a_training_in_pieces_is_the_same_as_at_once(void **state)
{
    (void)state;
    for (size_t m = 0; m < ARRAY_LENGTH(models); m++)
        for (size_t i = 0; i < ARRAY_LENGTH(all_settings); i++)
            check_pieces(models[m], all_settings[i]);
}

/* Into trainings that went on themselves: what they had seen must leave nothing behind. */
static void check_going_back(const char *model, const char *settings)
{
    char *whole = tiny_path("all.ckpt"), *three = tiny_path("three.ckpt");
    char *parts = tiny_path("rest.ckpt");
    struct bench bench = bench_open(model, settings, 4, 1);
    train_to_the_end(bench.training, whole);
    bench_close(&bench);
    bench = bench_open(model, settings, 4, 1);
    train_epochs(bench.training, 3);
    save(bench.training, three);
    for (int more = 0; more < 3; more++) {
        restore(bench.training, three);
        train_epochs(bench.training, more);
    }
    restore(bench.training, three);
    train_to_the_end(bench.training, parts);
    assert_same_files(whole, parts);
    bench_close(&bench);
    free(parts);
    free(three);
    free(whole);
}

static void three_epochs_and_the_rest_are_the_same_as_at_once(void **state)
{
    (void)state;
    for (size_t m = 0; m < ARRAY_LENGTH(models); m++)
        for (size_t i = 0; i < ARRAY_LENGTH(all_settings); i++)
            check_going_back(models[m], all_settings[i]);
}

/* ---- what is refused ---- */

#define ALL PLATEAU("val_loss", STOPPING("val_loss", "5") BEST("val_loss") AVERAGE("0.9"))

static void check_refused(const char *settings, const char *path, const char *text)
{
    struct bench bench = bench_open(TINY_MODEL, settings, 4, 1);
    char *before = tiny_path("before.ckpt"), *after = tiny_path("after.ckpt");
    struct failure why = FAILURE_NONE;
    train_epochs(bench.training, 1);
    save(bench.training, before);
    assert_int_equal(training_restore(bench.training, path, &why), -1);
    assert_int_equal(why.code, EXIT_BAD_INPUT);
    assert_non_null(strstr(why.text, path));
    if (!strstr(why.text, text))
        fail_msg("'%s' does not say '%s'", why.text, text);
    failure_clear(&why);
    save(bench.training, after);
    assert_same_files(before, after);
    bench_close(&bench);
    free(before);
    free(after);
}

static void a_checkpoint_of_other_settings_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *settings, *key;
    } others[] = {
        {PLATEAU("train_loss", STOPPING("val_loss", "5") BEST("val_loss") AVERAGE("0.9")),
         "its learning_rate_schedule is not"},
        {PLATEAU("val_loss", STOPPING("val_loss", "6") BEST("val_loss") AVERAGE("0.9")),
         "its early_stopping is not"},
        {PLATEAU("val_loss", BEST("val_loss") AVERAGE("0.9")), "its early_stopping is not"},
        {PLATEAU("val_loss", STOPPING("val_loss", "5") BEST("val_accuracy") AVERAGE("0.9")),
         "its restore_best is not"},
        {PLATEAU("val_loss", STOPPING("val_loss", "5") BEST("val_loss") AVERAGE("0.8")),
         "its ema_decay is not"},
        {PLATEAU("val_loss", STOPPING("val_loss", "5") BEST("val_loss")),
         "its ema_decay is not"},
    };
    char *path = tiny_path("settings.ckpt");
    struct bench bench = bench_open(TINY_MODEL, ALL, 4, 1);
    train_epochs(bench.training, 2);
    save(bench.training, path);
    bench_close(&bench);
    for (size_t i = 0; i < ARRAY_LENGTH(others); i++)
        check_refused(others[i].settings, path, others[i].key);
    free(path);
}

/* The checkpoint with one field of its header changed, or gone where `value` is NULL. */
static void forge_header(const struct checkpoint *checkpoint, const char *path, const char *field,
                         const char *value)
{
    json_t *header = json_copy(checkpoint->header);
    if (value)
        json_object_set_new(header, field, tiny_json(value));
    else
        json_object_del(header, field);
    assert_int_equal(checkpoint_write(path, header, checkpoint->vectors,
                                      checkpoint->vector_count, NULL), 0);
    json_decref(header);
}

static void a_checkpoint_that_lacks_something_is_refused(void **state)
{
    (void)state;
    static const char *const fields[] = {"plateau", "early_stopping", "best"};
    static const char *const values[] = {NULL, "{}", "17",
                                         "{\"best\":\"1\",\"waited\":0,\"share\":1.0}"};
    char *path = tiny_path("lacks.ckpt"), *forged = tiny_path("forged.ckpt");
    struct checkpoint checkpoint;
    struct bench bench = bench_open(TINY_MODEL, ALL, 4, 1);
    train_epochs(bench.training, 2);
    save(bench.training, path);
    bench_close(&bench);
    assert_int_equal(checkpoint_read(path, &checkpoint, NULL), 0);
    for (size_t i = 0; i < ARRAY_LENGTH(fields) * ARRAY_LENGTH(values); i++) {
        const char *field = fields[i % ARRAY_LENGTH(fields)];
        char *text = xasprintf("'%s' in its header", field);
        forge_header(&checkpoint, forged, field, values[i / ARRAY_LENGTH(fields)]);
        check_refused(ALL, forged, text);
        free(text);
    }
    forge_header(&checkpoint, forged, "best", "{\"best\":null,\"waited\":2}");
    check_refused(ALL, forged, "its vectors are not those of this training");
    for (size_t i = 0; i < checkpoint.vector_count; i++) {
        struct checkpoint_vector kept = checkpoint.vectors[i];
        checkpoint.vectors[i].name = "unknown";
        forge_header(&checkpoint, forged, "unused", NULL);
        check_refused(ALL, forged, "its vectors are not those of this training");
        checkpoint.vectors[i] = kept;
        checkpoint.vectors[i].length--;
        forge_header(&checkpoint, forged, "unused", NULL);
        check_refused(ALL, forged, "its vectors are not those of this training");
        checkpoint.vectors[i] = kept;
    }
    checkpoint.vector_count--;
    forge_header(&checkpoint, forged, "unused", NULL);
    check_refused(ALL, forged, "its vectors are not those of this training");
    checkpoint_release(&checkpoint);
    free(forged);
    free(path);
}

/* ---- precision ---- */

static const char *recorded_precision(const struct checkpoint *checkpoint)
{
    return json_string_value(json_object_get(checkpoint->header, "precision"));
}

/* As if another machine, on which `auto` is bf16, had written it. */
static char *save_as_bf16(const char *settings)
{
    char *path = tiny_path("bf16.ckpt");
    struct checkpoint checkpoint;
    struct bench bench = bench_open(TINY_MODEL, settings, 4, 1);
    train_epochs(bench.training, 2);
    assert_int_equal(training_precision(bench.training), PRECISION_FP32);
    save(bench.training, path);
    bench_close(&bench);
    assert_int_equal(checkpoint_read(path, &checkpoint, NULL), 0);
    assert_string_equal(recorded_precision(&checkpoint), "fp32");
    forge_header(&checkpoint, path, "precision", "\"bf16\"");
    checkpoint_release(&checkpoint);
    return path;
}

static void a_checkpoint_of_another_precision_is_refused_unless_it_is_allowed(void **state)
{
    (void)state;
    assert_int_equal(setenv("TRAINER_ISA", "portable", 1), 0); /* without bf16 anywhere */
    static const char settings[] = WILD(",\"precision\":\"auto\"");
    char *path = save_as_bf16(settings);
    struct failure why = FAILURE_NONE;
    struct checkpoint checkpoint;
    check_refused(settings, path, "was trained in bf16, and here training would go on in fp32 "
                                  "(`precision` is auto)");
    check_refused(WILD(""), path, "(`precision` is fp32)");

    struct bench bench = bench_open(TINY_MODEL, settings, 4, 1);
    assert_int_equal(training_restore(bench.training, path, &why), -1);
    assert_string_equal(why.where, "any_precision");
    failure_clear(&why);
    const struct training_settings allowing = {
        .model = bench.model, .training = bench.settings, .seed = 18446744073709551615u,
        .trial = 4, .schedule_epochs = EPOCHS, .threads = 1, .any_precision = true};
    struct training *training = training_new(&allowing, bench.data, NULL);
    restore(training, path);
    assert_int_equal(training_epochs_done(training), 2);
    save(training, path); /* from here on it is one of fp32 */
    assert_int_equal(checkpoint_read(path, &checkpoint, NULL), 0);
    assert_string_equal(recorded_precision(&checkpoint), "fp32");
    checkpoint_release(&checkpoint);
    restore(bench.training, path);
    training_free(training);
    bench_close(&bench);
    assert_int_equal(unsetenv("TRAINER_ISA"), 0);
    free(path);
}

static void a_checkpoint_that_names_no_precision_is_fp32(void **state)
{
    (void)state;
    char *path = save_as_bf16(WILD(""));
    struct checkpoint checkpoint;
    struct bench bench = bench_open(TINY_MODEL, WILD(""), 4, 1);
    assert_int_equal(checkpoint_read(path, &checkpoint, NULL), 0);
    forge_header(&checkpoint, path, "precision", NULL);
    restore(bench.training, path);
    forge_header(&checkpoint, path, "precision", "\"fp16\"");
    check_refused(WILD(""), path, "'precision' in its header");
    checkpoint_release(&checkpoint);
    bench_close(&bench);
    free(path);
}

static void bf16_is_not_trained_in_where_there_is_none(void **state)
{
    (void)state;
    assert_int_equal(setenv("TRAINER_ISA", "portable", 1), 0);
    struct failure why = FAILURE_NONE;
    struct bench bench = bench_open(TINY_MODEL, WILD(",\"precision\":\"fp32\""), 4, 1);
    json_object_set_new(bench.settings, "precision", json_string("bf16"));
    const struct training_settings make = {.model = bench.model, .training = bench.settings,
                                           .schedule_epochs = EPOCHS, .threads = 1};
    assert_null(training_new(&make, bench.data, &why));
    assert_string_equal(why.where, "training.precision");
    failure_clear(&why);
    bench_close(&bench);
    assert_int_equal(unsetenv("TRAINER_ISA"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(early_stopping_ends_a_training_after_its_patience),
        cmocka_unit_test(without_validation_images_the_training_metrics_are_watched),
        cmocka_unit_test(the_best_weights_are_kept_and_training_goes_on_from_the_last),
        cmocka_unit_test(without_restore_best_the_last_weights_count),
        cmocka_unit_test(a_diverged_training_has_no_best_weights),
        cmocka_unit_test(the_average_is_validated_and_saved_and_training_goes_on_without_it),
        cmocka_unit_test(the_best_weights_of_an_averaged_training_are_averaged),
        cmocka_unit_test(a_plateau_reduces_the_rate_of_the_training),
        cmocka_unit_test(a_training_in_pieces_is_the_same_as_at_once),
        cmocka_unit_test(three_epochs_and_the_rest_are_the_same_as_at_once),
        cmocka_unit_test(a_checkpoint_of_other_settings_is_refused),
        cmocka_unit_test(a_checkpoint_that_lacks_something_is_refused),
        cmocka_unit_test(a_checkpoint_of_another_precision_is_refused_unless_it_is_allowed),
        cmocka_unit_test(a_checkpoint_that_names_no_precision_is_fp32),
        cmocka_unit_test(bf16_is_not_trained_in_where_there_is_none),
    };
    return cmocka_run_group_tests_name("train_checkpoint", tests, NULL, NULL);
}
