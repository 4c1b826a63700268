/* Blocks of floats that begin on a cache line, as vector instructions like them. */
#ifndef TRAINER_FLOATS_H
#define TRAINER_FLOATS_H

#include <stddef.h>

/* `count` floats, not set; never NULL.  Released with free(). */
float *floats_new(size_t count);
/* The same, all 0. */
float *floats_zero(size_t count);

#endif
