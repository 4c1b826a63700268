/* Finds out whether what was exported computes what the network does, and puts it on disk. */
#ifndef TRAINER_EXPORT_CHECK_H
#define TRAINER_EXPORT_CHECK_H

#include "common/file.h"
#include "trainer/export.h"

/* Runs an exported network, as its format says, on images of [height][width][channels] with
 * the pixels that it takes (see unit_pixels); sets [count][classes] logits. */
typedef int export_runner(const void *exported, const float *images, size_t count, float *logits,
                          struct failure *why);

/* Compares the logits of a few random images with network_predict()'s: each must be within
 * EXPORT_TOLERANCE of the largest there is, or of 1 if that is less. */
#define EXPORT_TOLERANCE 1e-4
int export_check(const struct export_model *model, export_runner *run, const void *exported,
                 struct failure *why);

/* Replaces `path`, whole or not at all, and makes sure that what can then be read there is
 * what was written. */
int export_write(const char *path, const void *bytes, size_t size, struct failure *why);

#endif
