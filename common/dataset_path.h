/* Where a named data set lies on this machine, fetched where it is missing. */
#ifndef COMMON_DATASET_PATH_H
#define COMMON_DATASET_PATH_H

#include "common/base.h"

#include <jansson.h>

/* Completes a study's `data` ({"dataset", "folder" or absent, ...}) to what a trainer
 * loads: {"dataset": "mnist" | "synthetic" | "idx" | "csv" | "npz" | "png" | "cifar10",
 * "folder": absolute path of the folder or file, ...}.
 * A path that ends in .csv or .npz is that; a folder is cifar10 when it has its batches, png
 * when it has a folder `train`, else idx, with "split"
 * where the files are those of a set of EMNIST (emnist-letters-...).
 * mnist: $MNIST_DIR, then <home>/data/mnist, then (with `fetch`) the two mirrors by
 * curl into <home>/data/mnist, checked by SHA-256 (sha256sum); where that fails too,
 * one line of message() says so and the built-in synthetic digits are used.
 * $MNIST_DIR that lacks the files is bad input.  New reference or NULL. */
json_t *dataset_resolve(const json_t *data, const char *home, bool fetch, struct failure *why);

/* "csv" or "npz" when the path's ending says that it is a file of that kind, else NULL. */
const char *dataset_file_kind(const char *path);

#endif
