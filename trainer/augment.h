/* Augmentation: training images moved at random, so that a network does not learn where
 * exactly and how upright they were drawn.
 *
 * A pixel that is (x, y) away from the image's centre, y downward, goes to
 *
 *   size (x + tan(lean) y, y), turned clockwise by `turn`, then moved by (across, down)
 *
 * and the image is interpolated bilinearly at where its pixels came from; what comes from
 * outside is 0.  Each image has a move of its own in each epoch, which follows from seed,
 * trial, epoch and the image's index alone: not from batches, order or threads. */
#ifndef TRAINER_AUGMENT_H
#define TRAINER_AUGMENT_H

#include "trainer/network.h"

struct augment;

struct augment_move {
    double across, down; /* pixels */
    double turn, lean;   /* degrees */
    double size;         /* 1: as it was; 2: twice as high and wide */
};

/* `settings`: {"shift", "rotate", "zoom", "shear"} as schema_check_training() gives it, each
 * the half-range of a uniform draw (pixels, degrees, a share of 1, degrees).  NULL where
 * nothing is to be done: settings that are absent, or all 0. */
struct augment *augment_new(const json_t *settings, struct shape shape);
void augment_free(struct augment *augment);

/* The move of one image, by its index in the data set's training images, in one epoch. */
void augment_draw(const struct augment *augment, uint64_t seed, uint32_t trial, uint64_t epoch,
                  uint64_t image, struct augment_move *move);

/* The moved image, as values in [0, 1].  One thread at a time. */
void augment_apply(struct augment *augment, const struct augment_move *move,
                   const uint8_t *pixels /* [height][width][channels] */,
                   float *values /* [height][width][channels] */);

#endif
