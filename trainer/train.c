#include "trainer/train.h"

#include "common/rng.h"
#include "trainer/augment.h"
#include "trainer/checkpoint.h"
#include "trainer/floats.h"
#include "trainer/kernels.h"
#include "trainer/learning_rate.h"
#include "trainer/loss.h"
#include "trainer/optimizer.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Images that are evaluated in one piece. */
enum { EVALUATE_IMAGES = 256 };
/* More memory than that for one batch is a slip, not a wish. */
static const size_t BATCH_BYTES_MOST = (size_t)8 << 30;

struct training {
    json_t *model, *training;
    uint64_t seed;
    uint32_t trial;
    int schedule_epochs;
    const struct dataset *dataset;
    size_t pixels;      /* values of one image */
    size_t batch_size;  /* no larger than the data set */
    uint64_t epoch_steps;

    struct network *network;
    struct augment *augment; /* NULL: images are trained on as they are */
    struct optimizer *optimizer;
    struct learning_rate learning_rate;
    int epoch;          /* done */
    uint64_t step;      /* done */
    bool abandoned;     /* stopped within an epoch: only a checkpoint can bring it back */

    uint32_t *order;    /* [train_count]: the epoch's images */
    float *images;      /* [batch_size or EVALUATE_IMAGES][pixels] */
    uint16_t *labels;   /* likewise */
    float *logits;      /* [EVALUATE_IMAGES][classes] */
};

static int check_batch(const struct training *training, struct failure *why)
{
    size_t bytes = network_batch_bytes(training->network, training->batch_size);
    if (bytes <= BATCH_BYTES_MOST)
        return 0;
    return fail_at(why, "training.batch_size",
                   "a batch of %zu images would take %zu MiB with this network; the most is "
                   "%zu MiB, so make the batch or the network smaller",
                   training->batch_size, bytes >> 20, BATCH_BYTES_MOST >> 20);
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
                           training->epoch_steps);
}

static void make_buffers(struct training *training)
{
    size_t images = training->batch_size > EVALUATE_IMAGES ? training->batch_size : EVALUATE_IMAGES;
    training->order = xcalloc(training->dataset->train_count, sizeof *training->order);
    training->images = floats_new(images * training->pixels);
    training->labels = xreallocarray(NULL, images, sizeof *training->labels);
    training->logits = floats_new(EVALUATE_IMAGES * (size_t)training->dataset->classes);
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
        .dataset = dataset,
        .pixels = (size_t)dataset->height * (size_t)dataset->width * (size_t)dataset->channels,
    };
    struct shape input = {dataset->height, dataset->width, dataset->channels};
    training->network = network_new(training->model, input, dataset->classes, settings->threads,
                                    why);
    if (!training->network)
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
    json_decref(training->model);
    json_decref(training->training);
    free(training->order);
    free(training->images);
    free(training->labels);
    free(training->logits);
    free(training);
}

int training_epochs_done(const struct training *training)
{
    return training->epoch;
}

struct network *training_network(struct training *training)
{
    return training->network;
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
    optimizer_step(training->optimizer,
                   learning_rate_at(&training->learning_rate, training->step),
                   training->step + 1, network_gradients(training->network),
                   network_parameters(training->network));
    training->step++;
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
        if (count > EVALUATE_IMAGES)
            count = EVALUATE_IMAGES;
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
    evaluate_validation(training, metrics);
    metrics->seconds = clock_seconds() - begun;
    return 0;
}

/* ---- the checkpoint ---- */

static json_t *make_header(const struct training *training)
{
    struct shape input = network_input(training->network);
    char seed[24];
    snprintf(seed, sizeof seed, "%" PRIu64, training->seed);
    return json_pack("{sO sO s[iii] si ss sI si sI si}", "model", training->model, "training",
                     training->training, "input", input.height, input.width, input.channels,
                     "classes", network_classes(training->network), "seed", seed, "trial",
                     (json_int_t)training->trial, "epoch", training->epoch, "step",
                     (json_int_t)training->step, "schedule_epochs", training->schedule_epochs);
}

int training_save(const struct training *training, const char *path, struct failure *why)
{
    if (training->abandoned)
        return fail(why, "%s: a training that was stopped within an epoch cannot be saved", path);
    const float *vectors[1 + OPTIMIZER_VECTORS_MOST] = {network_parameters(training->network)};
    size_t count = 1 + optimizer_vector_count(training->optimizer);
    for (size_t i = 1; i < count; i++)
        vectors[i] = optimizer_vector(training->optimizer, i - 1);
    json_t *header = make_header(training);
    int result = checkpoint_write(path, header, vectors, count,
                                  network_parameter_count(training->network), why);
    json_decref(header);
    return result;
}

/* What of `training` decides the result; how long the schedule is may change from
 * one segment to the next. */
static const char *const training_keys[] = {"optimizer", "learning_rate_schedule", "batch_size",
                                            "label_smoothing", "augmentation"};
static const char *const header_keys[] = {"seed", "trial", "input", "classes", "model"};

/* The first thing in which the two headers name different trainings, or NULL. */
static const char *difference(const json_t *ours, const json_t *theirs)
{
    for (size_t i = 0; i < ARRAY_LENGTH(header_keys); i++) {
        if (!json_equal(json_object_get(ours, header_keys[i]),
                        json_object_get(theirs, header_keys[i])))
            return header_keys[i];
    }
    const json_t *our_training = json_object_get(ours, "training");
    const json_t *their_training = json_object_get(theirs, "training");
    for (size_t i = 0; i < ARRAY_LENGTH(training_keys); i++) {
        const json_t *our_value = json_object_get(our_training, training_keys[i]);
        const json_t *their_value = json_object_get(their_training, training_keys[i]);
        if (our_value != their_value && !json_equal(our_value, their_value))
            return training_keys[i];
    }
    return NULL;
}

static int check_origin(const struct training *training, const struct checkpoint *checkpoint,
                        const char *path, struct failure *why)
{
    json_t *ours = make_header(training);
    const char *other = difference(ours, checkpoint->header);
    json_decref(ours);
    if (other)
        return fail_input(why,
                          "%s belongs to another training: its %s is not this trial's; "
                          "go on from this trial's own checkpoint, or from the start",
                          path, other);
    json_int_t epoch = json_integer_value(json_object_get(checkpoint->header, "epoch"));
    json_int_t step = json_integer_value(json_object_get(checkpoint->header, "step"));
    if ((uint64_t)step != (uint64_t)epoch * training->epoch_steps)
        return fail_input(why,
                          "%s was trained on another number of images: %lld steps in %lld epochs, "
                          "but here an epoch has %" PRIu64 "; go on with the same data",
                          path, (long long)step, (long long)epoch, training->epoch_steps);
    if (checkpoint->vector_count != 1 + optimizer_vector_count(training->optimizer) ||
        checkpoint->vector_length != network_parameter_count(training->network))
        return fail_input(why,
                          "%s is damaged: it has %zu vectors of %zu numbers, not %zu of %zu; "
                          "delete it and go on from an earlier checkpoint or from the start",
                          path, checkpoint->vector_count, checkpoint->vector_length,
                          1 + optimizer_vector_count(training->optimizer),
                          network_parameter_count(training->network));
    return 0;
}

int training_restore(struct training *training, const char *path, struct failure *why)
{
    struct checkpoint checkpoint;
    if (checkpoint_read(path, &checkpoint, why) < 0)
        return -1;
    int result = check_origin(training, &checkpoint, path, why);
    if (result == 0) {
        size_t length = checkpoint.vector_length;
        memcpy(network_parameters(training->network), checkpoint.vectors, length * sizeof(float));
        for (size_t i = 1; i < checkpoint.vector_count; i++)
            memcpy(optimizer_vector(training->optimizer, i - 1), checkpoint.vectors + i * length,
                   length * sizeof(float));
        training->epoch =
            (int)json_integer_value(json_object_get(checkpoint.header, "epoch"));
        training->step =
            (uint64_t)json_integer_value(json_object_get(checkpoint.header, "step"));
        training->abandoned = false;
    }
    checkpoint_release(&checkpoint);
    return result;
}
