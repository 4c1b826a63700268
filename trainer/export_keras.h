/* What a network is in Keras: for export_npz.c alone. */
#ifndef TRAINER_EXPORT_KERAS_H
#define TRAINER_EXPORT_KERAS_H

#include "trainer/export.h"

/* The program that rebuilds the network, by Keras's functional layers, and loads the file
 * `path`; NULL on failure, and the caller frees it. */
char *export_keras_program(const struct export_model *model, const char *path,
                           struct failure *why);

#endif
