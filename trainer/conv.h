/* Convolution of images with the kernels of our own (conv_kernels.h): what is around them.
 *
 *   y = window(x) W + b          dW = window(x)^T dy
 *   dx = the same convolution of dy, padded, with W turned by half a circle and its
 *        channels and filters swapped; or, where much of that padding would be worked
 *        through, dy W^T for one column of the window after the other, added to where the
 *        column was
 *
 * Weights are packed once per call for a number of images; images are copied only where
 * they need columns of padding. */
#ifndef TRAINER_CONV_H
#define TRAINER_CONV_H

#include "trainer/conv_kernels.h"
#include "trainer/isa.h"
#include "trainer/window.h"

/* NULL where there are none: portable. */
const struct conv_kernels *conv_kernels_of(enum isa isa);

struct conv {
    const struct conv_kernels *kernels;
    struct window window;
    size_t filters;
    bool back_turned;          /* dx as a convolution: nothing of its padding is left over */
    struct conv_shape forward; /* over the image with its padding columns */
    struct conv_shape turned;  /* over the output's gradient with its */
    struct conv_shape plain;   /* over the image as it is */
};

void conv_plan(struct conv *conv, const struct conv_kernels *kernels, const struct window *window,
               size_t filters);

/* False where rows of the output are so short that its pixels keep the multipliers waiting
 * for one another, and im2col and BLAS are faster. */
bool conv_fits(const struct window *window);

/* Whether conv_back_input() would fill so much of its vectors up that im2col and BLAS are
 * faster: for an image of a few channels. */
bool conv_back_wastes(const struct conv *conv);

/* Floats of scratch that each function below may use. */
size_t conv_scratch_size(const struct conv *conv);

/* With `relu`, y = max(y, 0) after that. */
void conv_forward(const struct conv *conv, size_t count,
                  const float *images /* [count][input_height][input_width][channels] */,
                  const float *weights /* [size][size][channels][filters] */,
                  const float *bias /* [filters] */, bool relu, float *scratch,
                  float *outputs /* [count][output_height][output_width][filters] */);

/* The way back, image by image between begin and end, so that what is worked out of an
 * image's gradient is still in the cache for the next of the three.  The scratch is the
 * way's own until then. */
struct conv_back {
    const struct conv *conv;
    float *sums, *image, *gradient, *weights, *zeros; /* in the scratch */
};
void conv_back_begin(struct conv_back *back, const struct conv *conv, float *scratch);
/* To be called before conv_back_input(). */
void conv_back_weights_are(struct conv_back *back, const float *weights);
void conv_back_weights(const struct conv_back *back, const float *image,
                       const float *output_gradient /* [output_height][output_width][filters] */);
void conv_back_input(const struct conv_back *back, const float *output_gradient,
                     float *input_gradient /* [input_height][input_width][channels], to be set */);
/* The sum over the images since begin. */
void conv_back_end(const struct conv_back *back,
                   float *weight_gradient /* [size][size][channels][filters], to be set */);

#endif
