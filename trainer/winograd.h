/* Convolution with fewer multiplications, by Winograd's minimal filtering (Lavin and Gray 2016,
 * arXiv 1509.09308): 36 instead of 144 for a tile of 4 x 4 outputs of a 3x3 kernel, 64 instead
 * of 400 of a 5x5 kernel, for stride 1.
 *
 *   V = B^T x B   U = G w G^T   D = A dy A^T     by tiles and weights (winograd_kernels.h)
 *   y = A^T (V U) A + b      dW = G^T (V^T D) G      dx = sum over tiles of B (D U^T) B^T
 *
 * where the products are those of the matrices [tiles][channels], [channels][filters] and
 * [tiles][filters] at each of the points: convolutions with a kernel of 1, done by
 * conv_kernels.h.  As many tiles at a time as stay in the second-level cache with all that
 * is made of them.
 *
 * Sums are made in one order, whatever the number of images in a call: results have the same
 * bits for any number of threads.  They are not those of conv.h: what is rounded is of another size
 * (docs/performance.md has the measured errors).  What is not a number in an image spreads over the
 * tiles that it is in. */
#ifndef TRAINER_WINOGRAD_H
#define TRAINER_WINOGRAD_H

#include "trainer/conv.h"
#include "trainer/window.h"
#include "trainer/winograd_kernels.h"

struct winograd {
    const struct winograd_transforms *transforms; /* NULL: none, not to be used */
    const struct conv_kernels *products;
    struct window window;
    size_t filters;
    size_t points;        /* of a tile, side * side */
    size_t image_tiles, tile_columns;
    size_t tiles, images; /* at a time */
    size_t image_pixel, image_row, image_size; /* floats of the image with its padding */
};

/* Whether TRAINER_CONV in the environment and the kernels chosen (isa.h) let it be used: `auto` or
 * nothing said does, `direct` does not. */
bool winograd_is_on(void);
/* -1 where TRAINER_CONV says anything else. */
int winograd_check(struct failure *why);

/* Without transforms for kernels and strides, and for instruction sets, that there are none for. */
void winograd_plan(struct winograd *winograd, enum isa isa, const struct window *window,
                   size_t filters);

/* Whether there are transforms and direct convolution would take longer: not where tiles
 * hang far over the edges, nor with so few channels that most of the time goes into transforms. */
bool winograd_pays(const struct winograd *winograd);

/* Floats of scratch that each function below may use. */
size_t winograd_scratch_size(const struct winograd *winograd);

/* U, and with `back` U^T as well, which is wanted for the gradient of images alone.  Once for
 * all calls with the same weights. */
size_t winograd_arranged_size(const struct winograd *winograd);
void winograd_arrange(const struct winograd *winograd,
                      const float *weights /* [size][size][channels][filters] */, bool back,
                      float *arranged);

/* With `relu`, y = max(y, 0) after that. */
void winograd_forward(const struct winograd *winograd, size_t count,
                      const float *images /* [count][input_height][input_width][channels] */,
                      const float *arranged, const float *bias /* [filters] */, bool relu,
                      float *scratch,
                      float *outputs /* [count][output_height][output_width][filters] */);

/* The way back, by as many images at a time as the caller likes, best winograd->images.  The
 * scratch is the way's own from begin to end. */
struct winograd_back {
    const struct winograd *winograd;
    const float *turned;               /* U^T */
    float *sums;                       /* V^T D */
    float *values, *slopes, *products; /* V, D and D U^T of some tiles */
    float *image, *input_gradient;     /* padded */
    float *zeros;
};
void winograd_back_begin(struct winograd_back *back, const struct winograd *winograd,
                         const float *arranged, float *scratch);
void winograd_back_images(const struct winograd_back *back, size_t count, const float *images,
                          const float *output_gradients,
                          float *input_gradients /* to be set; may be NULL */);
/* The sum over the images since begin. */
void winograd_back_end(const struct winograd_back *back,
                       float *weight_gradient /* [size][size][channels][filters], to be set */);

#endif
