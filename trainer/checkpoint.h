/* The file that a training is saved in, and goes on from.
 *
 *   8 bytes   "TUNERCKP"
 *   4         version, 1
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
 *   "vectors", "parameters" number of vectors and the length of each: first the
 *                           network's parameters, then the optimizer's vectors
 *
 * The same training at the same epoch writes the same bytes. */
#ifndef TRAINER_CHECKPOINT_H
#define TRAINER_CHECKPOINT_H

#include "common/base.h"
#include "trainer/network.h"

#include <jansson.h>

struct checkpoint {
    json_t *header;
    size_t vector_count, vector_length;
    float *vectors; /* [vector_count][vector_length] */
};

/* Replaces `path`, whole or not at all.  "vectors" and "parameters" are put into
 * the file's header here; `header` is not changed. */
int checkpoint_write(const char *path, const json_t *header, const float *const vectors[],
                     size_t vector_count, size_t vector_length, struct failure *why);

/* Reads and checks a file: form, lengths and sum, and that the header has every
 * field above in its type.  Anything else is bad input that names the file. */
int checkpoint_read(const char *path, struct checkpoint *checkpoint, struct failure *why);
void checkpoint_release(struct checkpoint *checkpoint);

/* The network alone, to evaluate or predict with; NULL on failure.  `header`
 * (may be NULL) gets a new reference to the file's header. */
struct network *checkpoint_load_network(const char *path, int threads, json_t **header,
                                        struct failure *why);

#endif
