/* Labels are numbers from 0 to classes - 1, whatever file they come from. */
#ifndef TRAINER_DATA_LABELS_H
#define TRAINER_DATA_LABELS_H

#include "trainer/data.h"

enum { DATA_CLASSES_MOST = 1000 };

/* With *classes 0 the set is that of the training images and *classes becomes its largest
 * label + 1; otherwise each label must be under *classes.  `file` is what messages name. */
int data_labels_check(const char *file, const struct image_set *set, int *classes,
                      struct failure *why);

/* Holds a tenth of the training images out as the test set: stratified, by the seed alone,
 * both parts in the order of the file.  For files that come without a test set. */
int data_hold_out_test(const char *file, struct dataset *dataset, uint64_t seed,
                       struct failure *why);

#endif
