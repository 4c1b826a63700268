/* Blocks of floats that begin on a cache line, as vector instructions like them. */
#ifndef TRAINER_FLOATS_H
#define TRAINER_FLOATS_H

#include "common/text.h"

/* `count` floats, not set; never NULL.  Released with free(). */
float *floats_new(size_t count);
/* The same, all 0. */
float *floats_zero(size_t count);

/* From now on numbers below the smallest normal one count as 0, on this thread and those that it
 * begins.  Gradients of what has been learned, and averages of them, fade to such numbers, each of
 * which takes a processor a hundred times as long: steps took up to a fifth longer. */
void floats_flush_tiny(void);

/* Appends them as files have them: four bytes each, the lowest first. */
void floats_write(struct text *file, const float *values, size_t count);

#endif
