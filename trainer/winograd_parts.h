/* What winograd_plan.c, winograd_tiles.c and winograd.c share.  Nobody else includes this. */
#ifndef TRAINER_WINOGRAD_PARTS_H
#define TRAINER_WINOGRAD_PARTS_H

#include "trainer/winograd.h"

enum { LINE = 16 }; /* floats on a cache line */

static inline size_t round_up(size_t count, size_t unit)
{
    return (count + unit - 1) / unit * unit;
}

static inline size_t most(size_t a, size_t b)
{
    return a > b ? a : b;
}

static inline size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* ---- sizes: winograd_plan.c ---- */

/* Floats from one point to the next: of a block of tiles, with what is read and written behind
 * the last of them, and of packed weights. */
size_t winograd_tiles_step(const struct winograd *winograd, size_t channels);
size_t winograd_weights_step(const struct winograd *winograd, size_t rows, size_t columns);
/* Biases, or zeros in their place, filled up to whole vectors. */
size_t winograd_biases(const struct winograd *winograd);
/* Where U^T begins behind U. */
size_t winograd_turned_offset(const struct winograd *winograd);

/* ---- tiles: winograd_tiles.c ---- */

/* Tiles are counted through the images of a call. */
struct block {
    size_t first, count;
};

/* From the tile `first` on. */
struct block winograd_block(const struct winograd *winograd, size_t first, size_t images);

/* `padded` is an image with its padding, of zeros before the first tile; it goes on from block
 * to block. */
void winograd_images(const struct winograd *winograd, const struct block *block,
                     const float *images, float *padded, float *values);
void winograd_outputs(const struct winograd *winograd, const struct block *block,
                      const float *products, const float *bias, bool relu, float *outputs);
void winograd_output_gradients(const struct winograd *winograd, const struct block *block,
                               const float *gradients, float *slopes);
/* Likewise of the gradient, and it may be anything before the first tile. */
void winograd_input_gradients(const struct winograd *winograd, const struct block *block,
                              const float *products, float *padded, float *gradients);

/* The rows of outputs that the tiles of a block are in. */
struct stretch {
    const float *begin;
    size_t count;
};
struct stretch winograd_outputs_of(const struct winograd *winograd, const struct block *block,
                                   const float *outputs);

#endif
