/* IDX files: bytes 00 00 type dimensions, a big-endian 32-bit size for each
 * dimension, then the values, last index fastest.  Here the type is always 08,
 * unsigned bytes: images have three dimensions, labels one.  Each file is read
 * plain or compressed by gzip, whichever is there. */
#ifndef TRAINER_DATA_IDX_H
#define TRAINER_DATA_IDX_H

#include "common/text.h"
#include "trainer/data.h"

enum { IDX_TYPE_BYTE = 8, IDX_HEADER_MAX = 4 + 3 * 4 };

/* The names that MNIST's files have; ".gz" may follow. */
extern const char data_idx_train_images[], data_idx_train_labels[];
extern const char data_idx_test_images[], data_idx_test_labels[];

/* Reads one file of images; set->pixels is the caller's to free, set->labels stays NULL. */
int data_idx_read_images(const char *path, struct image_set *set, int *height, int *width,
                         struct failure *why);

/* How the files of a folder differ from MNIST's. */
struct idx_form {
    const char *split; /* of EMNIST, such as "letters", when the files are named so; else NULL */
    bool transpose;    /* images are stored column by column */
    int first_label;   /* the label of class 0 */
};
/* As data_idx_load(), whose form is all zero. */
int data_idx_load_form(const char *folder, const struct idx_form *form, struct dataset *dataset,
                       struct failure *why);

/* The stamps (data_stamp.h) of the files that a folder's images may be read from; `split` as
 * in struct idx_form. */
void data_idx_stamps(const char *folder, const char *split, struct text *stamps);

/* Writes the four files, compressed, into a folder, which is made when it is missing.
 * Files of a data set that are there already are never replaced: bad input. */
int data_idx_write(const char *folder, const struct dataset *dataset, struct failure *why);

#endif
