/* The file that a training is saved in, and goes on from.
 *
 *   8 bytes   "TUNERCKP"
 *   4         version, 2
 *   4         length of the header
 *   ...       header, a JSON object
 *   ...       vectors, float32, one after the other
 *   4         CRC-32 (zlib) of all before it
 *
 * Numbers are little-endian.  The header has
 *
 *   "model", "training"     complete settings, as the schema gives them
 *   "input", "classes"      [height, width, channels] and number of classes
 *   "seed", "trial"         seed as a string of digits
 *   "epoch", "step"         how many are done
 *   "schedule_epochs"       what the learning rate is laid out for
 *   "precision"             "fp32", "bf16": what the last epoch was trained in; a file
 *                           without it is from before there was another than fp32
 *   "vectors"               [{"name": ..., "length": numbers}, ...] in the file's order
 *
 * and, from a training that has them, "plateau", "early_stopping" and "best": what each has
 * seen so far (train.h).  The vectors are, where they are not empty,
 *
 *   parameters, statistics              the network's, as training goes on from them
 *   optimizer_0, optimizer_1            the optimizer's
 *   ema_parameters, ema_statistics      their moving average, with ema_decay
 *   best_parameters, best_statistics    those of the best epoch, with restore_best
 *
 * The same training at the same epoch writes the same bytes.  Version 1 had vectors of one
 * length without names; it is refused. */
#ifndef TRAINER_CHECKPOINT_H
#define TRAINER_CHECKPOINT_H

#include "common/base.h"
#include "trainer/network.h"

#include <jansson.h>

struct checkpoint_vector {
    const char *name;
    size_t length; /* at least 1: what is empty is left out */
    float *values; /* [length] */
};

struct checkpoint {
    json_t *header; /* holds the vectors' names */
    struct checkpoint_vector *vectors;
    size_t vector_count;
    float *values; /* the block that the vectors lie in */
};

/* Replaces `path`, whole or not at all.  "vectors" is put into the file's header here;
 * `header` is not changed. */
int checkpoint_write(const char *path, const json_t *header,
                     const struct checkpoint_vector *vectors, size_t count, struct failure *why);

/* Reads and checks a file: form, lengths and sum, and that the header has every
 * field above in its type.  Anything else is bad input that names the file. */
int checkpoint_read(const char *path, struct checkpoint *checkpoint, struct failure *why);
void checkpoint_release(struct checkpoint *checkpoint);

/* The vector of that name, or NULL. */
const struct checkpoint_vector *checkpoint_find(const struct checkpoint *checkpoint,
                                                const char *name);

/* What the training of a header that was read computed in. */
enum precision checkpoint_precision(const json_t *header);

/* Bad input for a file that is not what it should be, with the remedy; returns -1. */
int checkpoint_damaged(struct failure *why, const char *path, const char *what);

/* The network alone, to evaluate or predict with; NULL on failure.  It has the weights
 * that count: the best epoch's if the file has such, else the averaged ones, else the last.
 * `header` (may be NULL) gets a new reference to the file's header. */
struct network *checkpoint_load_network(const char *path, int threads, json_t **header,
                                        struct failure *why);

#endif
