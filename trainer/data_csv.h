/* Kaggle's CSV: a line of names, then a line for each image with its pixels, row by row,
 * as whole numbers from 0 to 255.  A file to train on has the label before them:
 *
 *   label,pixel0,pixel1,...        pixel0,pixel1,...
 *   5,0,0,...                      0,0,... */
#ifndef TRAINER_DATA_CSV_H
#define TRAINER_DATA_CSV_H

#include "trainer/data.h"

/* Loads a file with labels and holds its test set out.  Height and width 0: the images
 * are square. */
int data_csv_load(const char *path, int height, int width, uint64_t seed,
                  struct dataset *dataset, struct failure *why);

/* Reads a file without labels; set->pixels is the caller's to free. */
int data_csv_read_images(const char *path, int height, int width, struct image_set *set,
                         struct failure *why);

#endif
