/* Which images of a test set go along with what the network made of them, for people to look
 * at: its mistakes, and a few right answers of each class. */
#ifndef TRAINER_SHOWN_H
#define TRAINER_SHOWN_H

#include "trainer/evaluate.h"

enum {
    SHOWN_MISTAKES = 1000,        /* the most; of more, those that the network is surest of */
    SHOWN_RIGHT_OF_CLASS = 8,     /* the first ones */
    SHOWN_RIGHT = 200,            /* of all classes together */
    SHOWN_IMAGE_BYTES = 128 << 10, /* of one; larger images are not shown at all */
    SHOWN_BYTES = 4 << 20         /* of all mistakes, and of all right answers */
};

/* [evaluation->count], true for those that are shown; the caller frees it.  An image has
 * `image_bytes` of pixels. */
bool *shown_choose(const struct evaluation *evaluation, const uint16_t *labels,
                   size_t image_bytes);

#endif
