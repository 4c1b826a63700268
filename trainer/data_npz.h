/* Keras's mnist.npz: a zip archive of four arrays in NumPy's .npy format, x_train,
 * y_train, x_test and y_test.
 *
 * Images are unsigned bytes of shape (n, height, width) or (n, height, width, channels),
 * labels integers of shape (n,) or (n, 1).  Entries may be stored or deflated. */
#ifndef TRAINER_DATA_NPZ_H
#define TRAINER_DATA_NPZ_H

#include "trainer/data.h"

int data_npz_load(const char *path, struct dataset *dataset, struct failure *why);

#endif
