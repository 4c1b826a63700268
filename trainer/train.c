#include "trainer/train.h"

#include "common/rng.h"
#include "trainer/augment.h"
#include "trainer/bf16.h"
#include "trainer/evaluate.h"
#include "trainer/floats.h"
#include "trainer/kernels.h"
#include "trainer/loss.h"
#include "trainer/memory.h"
#include "trainer/train_parts.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Images that are evaluated in one piece, unless they are large. */
enum { EVALUATE_MOST = 256 };
/* More memory than that for one batch is a slip, not a wish. */
static const size_t BATCH_BYTES_MOST = (size_t)8 << 30;

static int check_batch(const struct training *training, struct failure *why)
{
    size_t bytes = network_batch_bytes(training->network, training->batch_size) +
                   training->batch_size * training->pixels * sizeof(float);
    size_t left = memory_left();
    size_t most = left < BATCH_BYTES_MOST ? left : BATCH_BYTES_MOST;
    if (bytes <= most)
        return 0;
    return fail_at(why, "training.batch_size",
                   "a batch of %zu images would take %zu MiB with this network; the most is "
                   "%zu MiB, so make the batch or the network smaller",
                   training->batch_size, bytes >> 20, most >> 20);
}

static void lay_out_steps(struct training *training)
{
    json_int_t wanted = json_integer_value(json_object_get(training->training, "batch_size"));
    size_t count = training->dataset->train_count;
    training->batch_size = wanted < 1 ? 1 : (size_t)wanted;
    if (training->batch_size > count)
        training->batch_size = count;
    training->epoch_steps = (count + training->batch_size - 1) / training->batch_size;
    training->learning_rate =
        learning_rate_plan(training->training,
                           training->epoch_steps * (uint64_t)training->schedule_epochs,
                           training->epoch_steps, training->dataset->validation_count > 0);
}

/* What watches the epochs, and the weights that are kept beside the network's. */
static void set_watches(struct training *training)
{
    bool validated = training->dataset->validation_count > 0;
    const json_t *stopping = json_object_get(training->training, "early_stopping");
    const json_t *best = json_object_get(training->training, "restore_best");
    if (stopping) {
        training->stop_monitor =
            monitor_start(json_string_value(json_object_get(stopping, "monitor")),
                          json_number_value(json_object_get(stopping, "min_change")), validated);
        training->stop_patience =
            (int)json_integer_value(json_object_get(stopping, "patience"));
    }
    if (best) {
        training->best_monitor = monitor_start(json_string_value(best), 0.0, validated);
        training->best = snapshot_new(training->network);
    }
    training->ema_decay = json_number_value(json_object_get(training->training, "ema_decay"));
    if (training->ema_decay > 0.0)
        training->average = snapshot_new(training->network);
}

static void make_buffers(struct training *training)
{
    training->piece = evaluate_piece(EVALUATE_MOST, training->pixels);
    size_t images = training->batch_size > training->piece ? training->batch_size : training->piece;
    training->order = xcalloc(training->dataset->train_count, sizeof *training->order);
    training->images = floats_new(images * training->pixels);
    training->labels = xreallocarray(NULL, images, sizeof *training->labels);
    training->logits = floats_new(training->piece * (size_t)training->dataset->classes);
}

static int set_precision(struct training *training, struct failure *why)
{
    const char *word = json_string_value(json_object_get(training->training, "precision"));
    if (precision_resolve(word, bf16_kernels(), &training->precision, why) < 0)
        return -1;
    network_set_precision(training->network, training->precision);
    return 0;
}

struct training *training_new(const struct training_settings *settings,
                              const struct dataset *dataset, struct failure *why)
{
    if (dataset->train_count == 0) {
        fail_input(why, "there are no images to train on; ask for fewer validation images");
        return NULL;
    }
    struct training *training = xcalloc(1, sizeof *training);
    *training = (struct training){
        .model = json_deep_copy(settings->model),
        .training = json_deep_copy(settings->training),
        .seed = settings->seed,
        .trial = settings->trial,
        .schedule_epochs = settings->schedule_epochs,
        .any_precision = settings->any_precision,
        .dataset = dataset,
        .pixels = (size_t)dataset->height * (size_t)dataset->width * (size_t)dataset->channels,
    };
    struct shape input = {dataset->height, dataset->width, dataset->channels};
    training->network = network_new(training->model, input, dataset->classes, settings->threads,
                                    why);
    if (!training->network || set_precision(training, why) < 0)
        goto failed;
    lay_out_steps(training);
    if (check_batch(training, why) < 0)
        goto failed;
    make_buffers(training);
    training->augment = augment_new(json_object_get(training->training, "augmentation"), input);
    training->optimizer = optimizer_new(json_object_get(training->training, "optimizer"),
                                        network_parameter_count(training->network));
    network_smooth_labels(training->network, json_number_value(json_object_get(
                                                 training->training, "label_smoothing")));
    network_initialize(training->network, training->seed, training->trial);
    set_watches(training);
    return training;
failed:
    training_free(training);
    return NULL;
}

void training_free(struct training *training)
{
    if (!training)
        return;
    network_free(training->network);
    augment_free(training->augment);
    optimizer_free(training->optimizer);
    snapshot_free(training->best);
    snapshot_free(training->average);
    json_decref(training->model);
    json_decref(training->training);
    free(training->order);
    free(training->images);
    free(training->labels);
    free(training->logits);
    free(training);
}

enum precision training_precision(const struct training *training)
{
    return training->precision;
}

int training_epochs_done(const struct training *training)
{
    return training->epoch;
}

struct network *training_network(struct training *training)
{
    return training->network;
}

double training_learning_rate(const struct training *training)
{
    return learning_rate_at(&training->learning_rate, training->step);
}

bool training_is_over(const struct training *training)
{
    return training->stop_patience > 0 &&
           training->stop_monitor.waited >= training->stop_patience;
}

int training_best_epoch(const struct training *training)
{
    bool has_best = training->best && monitor_has_best(&training->best_monitor);
    return has_best ? training->epoch - training->best_monitor.waited : training->epoch;
}

/* ---- an epoch ---- */

/* Copies an image, moved in its own way of this epoch. */
static void copy_augmented(struct training *training, uint32_t image, const uint8_t *pixels,
                           float *values)
{
    struct augment_move move;
    augment_draw(training->augment, training->seed, training->trial, (uint64_t)training->epoch,
                 image, &move);
    augment_apply(training->augment, &move, pixels, values);
}

/* Copies the images `index` names into the batch. */
static void gather(struct training *training, const uint32_t *index, size_t count, bool augmented)
{
    const struct image_set *set = &training->dataset->training;
    for (size_t i = 0; i < count; i++) {
        const uint8_t *pixels = set->pixels + index[i] * training->pixels;
        float *values = training->images + i * training->pixels;
        if (augmented)
            copy_augmented(training, index[i], pixels, values);
        else
            kernel_pixels(training->pixels, pixels, values);
        training->labels[i] = set->labels[index[i]];
    }
}

static void train_batch(struct training *training, size_t count, struct loss_sum *sum)
{
    double loss;
    size_t correct;
    network_gradient(training->network, training->images, training->labels, count, training->seed,
                     training->trial, training->step, &loss, &correct);
    optimizer_step(training->optimizer, training_learning_rate(training), training->step + 1,
                   network_gradients(training->network), network_parameters(training->network));
    training->step++;
    if (training->average)
        snapshot_average(training->average, training->network, training->ema_decay,
                         training->step);
    sum->loss += loss * (double)count;
    sum->correct += correct;
}

static void evaluate_validation(struct training *training, struct epoch_metrics *metrics)
{
    const struct dataset *dataset = training->dataset;
    size_t count = 0;
    struct loss_sum sum = {0};
    for (size_t first = 0; first < dataset->validation_count; first += count) {
        count = dataset->validation_count - first;
        if (count > training->piece)
            count = training->piece;
        gather(training, dataset->validation_index + first, count, false);
        network_predict(training->network, training->images, count, training->logits);
        loss_add(count, (size_t)dataset->classes, training->logits, training->labels, &sum, 0.0f,
                 NULL);
    }
    metrics->val_loss = NAN;
    metrics->val_accuracy = NAN;
    if (dataset->validation_count > 0) {
        metrics->val_loss = sum.loss / (double)dataset->validation_count;
        metrics->val_accuracy = (double)sum.correct / (double)dataset->validation_count;
    }
}

/* What the epoch means for what comes; the network has the weights that were evaluated. */
static void judge_epoch(struct training *training, const struct epoch_metrics *metrics)
{
    learning_rate_watch(&training->learning_rate, metrics);
    if (training->stop_patience > 0)
        monitor_watch(&training->stop_monitor, metrics);
    if (training->best && monitor_watch(&training->best_monitor, metrics))
        snapshot_take(training->best, training->network);
}

static void end_epoch(struct training *training, struct epoch_metrics *metrics)
{
    if (training->average)
        snapshot_swap(training->average, training->network);
    evaluate_validation(training, metrics);
    judge_epoch(training, metrics);
    if (training->average)
        snapshot_swap(training->average, training->network);
}

/* The order depends on the epoch alone, not on the epochs before it. */
static void shuffle(struct training *training)
{
    size_t count = training->dataset->train_count;
    struct rng rng;
    memcpy(training->order, training->dataset->train_index, count * sizeof *training->order);
    rng_init(&rng, training->seed, training->trial, RNG_ORDER, (uint64_t)training->epoch);
    rng_shuffle(&rng, training->order, count);
}

int training_epoch(struct training *training, bool (*stop)(void *), void *context,
                   struct epoch_metrics *metrics)
{
    double begun = clock_seconds();
    size_t images = training->dataset->train_count;
    size_t count = 0;
    struct loss_sum sum = {0};
    shuffle(training);
    for (size_t first = 0; first < images; first += count) {
        if (training->abandoned || (stop && stop(context))) {
            training->abandoned = training->abandoned || first > 0;
            return 1;
        }
        count = images - first < training->batch_size ? images - first : training->batch_size;
        gather(training, training->order + first, count, training->augment != NULL);
        train_batch(training, count, &sum);
    }
    training->epoch++;
    metrics->train_loss = sum.loss / (double)images;
    metrics->train_accuracy = (double)sum.correct / (double)images;
    end_epoch(training, metrics);
    metrics->seconds = clock_seconds() - begun;
    return 0;
}
