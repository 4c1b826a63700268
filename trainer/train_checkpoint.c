#include "trainer/checkpoint.h"
#include "trainer/train_parts.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* ---- what is kept ---- */

struct vector_list {
    struct checkpoint_vector vectors[2 + OPTIMIZER_VECTORS_MOST + 2 + 2];
    size_t count;
};

static void add_vector(struct vector_list *list, const char *name, size_t length, float *values)
{
    if (length > 0)
        list->vectors[list->count++] = (struct checkpoint_vector){name, length, values};
}

/* All vectors that the training goes on from, to be saved or to be restored.  While no
 * epoch was the best there are no weights of it. */
static struct vector_list list_vectors(const struct training *training)
{
    static const char *const optimizer_names[OPTIMIZER_VECTORS_MOST] = {"optimizer_0",
                                                                        "optimizer_1"};
    struct network *network = training->network;
    size_t parameters = network_parameter_count(network);
    size_t statistics = network_statistic_count(network);
    struct vector_list list = {.count = 0};
    add_vector(&list, "parameters", parameters, network_parameters(network));
    add_vector(&list, "statistics", statistics, network_statistics(network));
    for (size_t i = 0; i < optimizer_vector_count(training->optimizer); i++)
        add_vector(&list, optimizer_names[i], parameters,
                   optimizer_vector(training->optimizer, i));
    if (training->average) {
        add_vector(&list, "ema_parameters", parameters, training->average->parameters);
        add_vector(&list, "ema_statistics", statistics, training->average->statistics);
    }
    if (training->best && monitor_has_best(&training->best_monitor)) {
        add_vector(&list, "best_parameters", parameters, training->best->parameters);
        add_vector(&list, "best_statistics", statistics, training->best->statistics);
    }
    return list;
}

static json_t *make_header(const struct training *training)
{
    struct shape input = network_input(training->network);
    char seed[24];
    snprintf(seed, sizeof seed, "%" PRIu64, training->seed);
    json_t *header =
        json_pack("{sO sO s[iii] si ss sI si sI si ss}", "model", training->model, "training",
                  training->training, "input", input.height, input.width, input.channels,
                  "classes", network_classes(training->network), "seed", seed, "trial",
                  (json_int_t)training->trial, "epoch", training->epoch, "step",
                  (json_int_t)training->step, "schedule_epochs", training->schedule_epochs,
                  "precision", precision_name(training->precision));
    json_t *plateau = learning_rate_state(&training->learning_rate);
    if (plateau)
        json_object_set_new(header, "plateau", plateau);
    if (training->stop_patience > 0)
        json_object_set_new(header, "early_stopping", monitor_state(&training->stop_monitor));
    if (training->best)
        json_object_set_new(header, "best", monitor_state(&training->best_monitor));
    return header;
}

int training_save(const struct training *training, const char *path, struct failure *why)
{
    if (training->abandoned)
        return fail(why, "%s: a training that was stopped within an epoch cannot be saved", path);
    struct vector_list list = list_vectors(training);
    json_t *header = make_header(training);
    int result = checkpoint_write(path, header, list.vectors, list.count, why);
    json_decref(header);
    return result;
}

/* ---- going on ---- */

/* What of `training` decides the result; how long the schedule is may change from
 * one segment to the next.  Of `precision` not the word but what it came to: see
 * check_precision(). */
static const char *const training_keys[] = {"optimizer", "learning_rate_schedule", "batch_size",
                                            "label_smoothing", "augmentation", "early_stopping",
                                            "restore_best", "ema_decay"};
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
    return 0;
}

static int check_precision(const struct training *training, const json_t *header,
                           const char *path, struct failure *why)
{
    enum precision theirs = checkpoint_precision(header);
    const char *word = json_string_value(json_object_get(training->training, "precision"));
    if (theirs == training->precision || training->any_precision)
        return 0;
    return fail_at(why, "any_precision",
                   "%s was trained in %s, and here training would go on in %s (`precision` is "
                   "%s); go on where it can be %s, or allow the change",
                   path, precision_name(theirs), precision_name(training->precision),
                   word ? word : "fp32", precision_name(theirs));
}

/* Epoch, step, and what watches the epochs. */
static int restore_position(struct training *training, const json_t *header, const char *path,
                            struct failure *why)
{
    training->epoch = (int)json_integer_value(json_object_get(header, "epoch"));
    training->step = (uint64_t)json_integer_value(json_object_get(header, "step"));
    training->abandoned = false;
    if (learning_rate_restore(&training->learning_rate, json_object_get(header, "plateau")) < 0)
        return checkpoint_damaged(why, path, "'plateau' in its header is not as it should be");
    if (training->stop_patience > 0 &&
        monitor_restore(&training->stop_monitor, json_object_get(header, "early_stopping")) < 0)
        return checkpoint_damaged(why, path,
                                  "'early_stopping' in its header is not as it should be");
    if (training->best &&
        monitor_restore(&training->best_monitor, json_object_get(header, "best")) < 0)
        return checkpoint_damaged(why, path, "'best' in its header is not as it should be");
    return 0;
}

static int restore_vectors(const struct training *training, const struct checkpoint *checkpoint,
                           const char *path, struct failure *why)
{
    struct vector_list list = list_vectors(training);
    bool fits = checkpoint->vector_count == list.count;
    for (size_t i = 0; fits && i < list.count; i++)
        fits = strcmp(checkpoint->vectors[i].name, list.vectors[i].name) == 0 &&
               checkpoint->vectors[i].length == list.vectors[i].length;
    if (!fits)
        return checkpoint_damaged(why, path, "its vectors are not those of this training");
    for (size_t i = 0; i < list.count; i++)
        memcpy(list.vectors[i].values, checkpoint->vectors[i].values,
               list.vectors[i].length * sizeof(float));
    return 0;
}

int training_restore(struct training *training, const char *path, struct failure *why)
{
    struct checkpoint checkpoint;
    if (checkpoint_read(path, &checkpoint, why) < 0)
        return -1;
    /* Tried out on a copy that shares the vectors, so that what is refused changes nothing. */
    struct training restored = *training;
    int result = -1;
    if (check_origin(training, &checkpoint, path, why) == 0 &&
        check_precision(training, checkpoint.header, path, why) == 0 &&
        restore_position(&restored, checkpoint.header, path, why) == 0 &&
        restore_vectors(&restored, &checkpoint, path, why) == 0) {
        *training = restored;
        result = 0;
    }
    checkpoint_release(&checkpoint);
    return result;
}
