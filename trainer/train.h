/* One trial in training: its network, optimizer and position, epoch by epoch.
 *
 * Three sets of weights (parameters and statistics) there may be: the last step's, from
 * which training goes on; with ema_decay their moving average (snapshot.h), which is
 * validated in their place; with restore_best those that were validated at the best epoch.
 * A saved training has all of them, and whoever evaluates or predicts with it gets the best
 * epoch's, else the average, else the last (checkpoint_load_network()).
 *
 * Everything random follows from (seed, trial): a training that was saved and
 * restored goes on bit for bit as if it had never stopped. */
#ifndef TRAINER_TRAIN_H
#define TRAINER_TRAIN_H

#include "trainer/data.h"
#include "trainer/monitor.h"
#include "trainer/network.h"

struct training;

struct training_settings {
    const json_t *model;     /* complete, as schema_check_model() gives it */
    const json_t *training;  /* complete, as schema_check_training() gives it */
    uint64_t seed;
    uint32_t trial;
    int schedule_epochs;     /* length that a decaying learning rate is laid out for */
    int threads;
    bool any_precision;      /* a checkpoint that was trained in another precision will do */
};

/* Starts at epoch 0 with fresh weights.  `dataset` outlives the training.  Its precision is
 * what the settings' `precision` means on this machine; bf16 fails where there is none. */
struct training *training_new(const struct training_settings *settings,
                              const struct dataset *dataset, struct failure *why);
void training_free(struct training *training);

enum precision training_precision(const struct training *training);
int training_epochs_done(const struct training *training);
/* Of the next step. */
double training_learning_rate(const struct training *training);
/* Whether early stopping has ended it: its monitor did not improve for `patience` epochs. */
bool training_is_over(const struct training *training);
/* The epoch whose weights count: with restore_best the best one, else the last. */
int training_best_epoch(const struct training *training);
/* The network in training, with the last step's weights, whatever ema_decay and restore_best
 * say: to be described or timed.  For results, save and load. */
struct network *training_network(struct training *training);

/* Trains one more epoch and evaluates on the validation images; not for a training that is
 * over.  Metrics may come out not finite: the configuration diverged.  `stop` (may be NULL)
 * is asked between batches; when it says true the epoch is abandoned and 1 is returned, 0
 * otherwise.  An abandoned training can only be freed or restored from a checkpoint: it
 * cannot be saved, and every further epoch returns 1. */
int training_epoch(struct training *training, bool (*stop)(void *), void *context,
                   struct epoch_metrics *metrics);

/* All that is needed to go on exactly, in a file (see checkpoint.h). */
int training_save(const struct training *training, const char *path, struct failure *why);
/* Refuses a checkpoint of another model, optimizer, seed or trial, and is then as before.
 * One of another precision is refused at "any_precision", unless the settings allow it:
 * then training goes on in its own precision, and no longer as if it had never stopped. */
int training_restore(struct training *training, const char *path, struct failure *why);

#endif
