/* Which images of the training files train and which validate.
 *
 * Each class is put into an order of its own that only the seed decides; the
 * first images of it validate, the next train.  How many of each class is its
 * proportion of what is there, rounded by the largest remainder (ties go to the
 * lower class).  So every trial of a study sees the same images. */
#ifndef TRAINER_DATA_SPLIT_H
#define TRAINER_DATA_SPLIT_H

#include "trainer/data.h"

#define SPLIT_ALL SIZE_MAX

struct split_settings {
    size_t validation;    /* images held out */
    size_t train;         /* images to train on out of the rest, or SPLIT_ALL */
    uint64_t seed;
    bool join_validation; /* train on the images held out too and validate on none */
};

/* Fills train_index and validation_index (both ascending) of a data set whose
 * training images are loaded.  More images than there are is bad input. */
int data_split(struct dataset *dataset, const struct split_settings *settings,
               struct failure *why);

/* Shares `wanted` (at most the sum of counts) among the classes by largest
 * remainder; no share is larger than its count. */
void data_split_shares(const size_t *counts, int classes, size_t wanted, size_t *shares);

#endif
