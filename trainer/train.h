/* One trial in training: its network, optimizer and position, epoch by epoch.
 *
 * Everything random follows from (seed, trial): a training that was saved and
 * restored goes on bit for bit as if it had never stopped. */
#ifndef TRAINER_TRAIN_H
#define TRAINER_TRAIN_H

#include "trainer/data.h"
#include "trainer/network.h"

struct training;

struct training_settings {
    const json_t *model;     /* complete, as schema_check_model() gives it */
    const json_t *training;  /* complete, as schema_check_training() gives it */
    uint64_t seed;
    uint32_t trial;
    int schedule_epochs;     /* length that a decaying learning rate is laid out for */
    int threads;
};

struct epoch_metrics {
    double train_loss, train_accuracy; /* running means over the epoch, dropout on */
    double val_loss, val_accuracy;     /* NaN without validation images */
    double seconds;
};

/* Starts at epoch 0 with fresh weights.  `dataset` outlives the training. */
struct training *training_new(const struct training_settings *settings,
                              const struct dataset *dataset, struct failure *why);
void training_free(struct training *training);

int training_epochs_done(const struct training *training);
struct network *training_network(struct training *training);

/* Trains one more epoch and evaluates on the validation images.  Metrics may
 * come out not finite: the configuration diverged.  `stop` (may be NULL) is asked
 * between batches; when it says true the epoch is abandoned and 1 is returned, 0 otherwise.
 * An abandoned training can only be freed or restored from a checkpoint: it cannot be
 * saved, and every further epoch returns 1. */
int training_epoch(struct training *training, bool (*stop)(void *), void *context,
                   struct epoch_metrics *metrics);

/* Weights, optimizer state, epoch and step, in a file (see checkpoint.h). */
int training_save(const struct training *training, const char *path, struct failure *why);
/* Refuses a checkpoint of another model, optimizer, seed or trial. */
int training_restore(struct training *training, const char *path, struct failure *why);

#endif
