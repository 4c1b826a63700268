/* A data set in memory, and which of its images train, validate and test.
 *
 * Images are kept as bytes [image][height][width][channels]; pixels reach the
 * network as value / 255 in [0, 1]. */
#ifndef TRAINER_DATA_H
#define TRAINER_DATA_H

#include "common/base.h"

#include <jansson.h>

struct image_set {
    uint8_t *pixels;  /* [count][height][width][channels] */
    uint16_t *labels; /* [count], each under `classes` */
    size_t count;
};

struct dataset {
    int height, width, channels, classes;
    struct image_set training; /* as in the files, before the split */
    struct image_set test;
    uint32_t *train_index;      /* [train_count] into `training`: what a trial trains on */
    size_t train_count;
    uint32_t *validation_index; /* [validation_count] into `training`; ascending */
    size_t validation_count;
    uint32_t checksum;          /* CRC-32 of pixels and labels, training then test */
    void *mapping;              /* read-only memory that pixels and labels lie in, or NULL: */
    size_t mapping_size;        /* they have memory of their own, from xmalloc() */
};

/* Loads what a configuration's `data` names and splits it:
 *
 *   {"dataset": "mnist" | "synthetic" | "idx" | "csv" | "npz" | "png" | "cifar10",
 *    "folder": path (of the file, if it is one) or absent,
 *    "train": n or "all", "validation": n, "seed": "n",
 *    "height", "width": of a CSV file's images that are not square,
 *    "split": of EMNIST, "transpose", "first_label": see struct idx_form,
 *    "join_validation": true to train on the validation images too,
 *    "cache": folder in which decoded images are shared with other processes, or absent}
 *
 * First `validation` images are held out of the training images, stratified
 * (each class in proportion, largest remainder), then `train` of the rest,
 * likewise; both by the study's seed alone, so every trial sees the same.
 * Missing, truncated or inconsistent files are bad input, with file and remedy.  A cache
 * (data_cache.h) changes nothing but how long it takes, and one that cannot be used or made
 * is worth a message() and no failure. */
struct dataset *dataset_load(const json_t *data, struct failure *why);
void dataset_free(struct dataset *dataset);

/* The checksum of the images that are loaded. */
uint32_t dataset_checksum(const struct dataset *dataset);

/* {"height","width","channels","classes","images","train","validation","test","checksum"};
 * "images": those to train on, before the split. */
json_t *dataset_describe(const struct dataset *dataset);

/* ---- where the parts come from ---- */

/* The four IDX files of a folder (plain or .gz; the standard MNIST names). */
int data_idx_load(const char *folder, struct dataset *dataset, struct failure *why);
/* Digits drawn from pen strokes; image i of a seed is always the same. */
void data_synthetic_load(size_t training, size_t test, uint64_t seed, struct dataset *dataset);
/* Draws one 28x28 digit. */
void data_synthetic_draw(uint64_t seed, uint64_t image, uint8_t *pixels /* [28*28] */,
                         uint16_t *label);

#endif
