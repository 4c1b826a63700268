/* Folders of PNG files, and single PNG files of a digit.
 *
 * FOLDER/train/CLASS/NAME.png and FOLDER/test/CLASS/NAME.png (or .PNG): the folders of `train`, in
 * the byte order of their names, are the classes 0, 1, 2, ...; images follow each other in
 * the byte order of their names too.  All are grey or all are coloured (RGB), and of one
 * size; a transparent pixel is laid on black. */
#ifndef TRAINER_DATA_PNG_H
#define TRAINER_DATA_PNG_H

#include "common/text.h"
#include "trainer/data.h"

int data_png_load(const char *folder, struct dataset *dataset, struct failure *why);

/* The stamps (data_stamp.h) of all its images, class by class. */
void data_png_stamps(const char *folder, struct text *stamps);

/* Whether a file begins as PNG files do. */
bool data_png_is(const char *path);

/* Reads one image of `*channels` channels (1: grey, 3: RGB; 0: as in the file, which is
 * then told), laid on the grey `behind` where it is transparent.  The caller frees *pixels. */
int data_png_read(const char *path, uint8_t behind, int *channels, uint8_t **pixels, int *height,
                  int *width, struct failure *why);

#endif
