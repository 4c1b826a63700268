/* Blocks of floats that begin on a cache line, as vector instructions like them. */
#ifndef TRAINER_FLOATS_H
#define TRAINER_FLOATS_H

#include "common/text.h"

/* `count` floats, not set; never NULL.  Released with free(). */
float *floats_new(size_t count);
/* The same, all 0. */
float *floats_zero(size_t count);

/* Appends them as files have them: four bytes each, the lowest first. */
void floats_write(struct text *file, const float *values, size_t count);

#endif
