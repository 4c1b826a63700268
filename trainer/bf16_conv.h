/* Convolution in bf16: what is around the products of bf16_kernels.h.  The same formulas as in
 * conv.h; arrays are fp32, and rounded when they are packed.
 *
 *   y    a row of the product is an output pixel: its window is `size` runs of the image,
 *        where it lies, padded.
 *   dx   the same over the padded gradient of the output and the turned weights.
 *   dW   for each tap of the window: a row of the product is a channel, summed over pixels;
 *        so the image is transposed, and shifted from tap to tap.
 *
 * Windows of few channels, and those that leave pixels out (stride > 1), are laid out as
 * columns first: the convolution is then one of size 1 over as many channels as a window has
 * cells. */
#ifndef TRAINER_BF16_CONV_H
#define TRAINER_BF16_CONV_H

#include "trainer/bf16_kernels.h"
#include "trainer/window.h"

/* An image in bf16 with its padding and, behind it, zeros that may be read. */
struct bf16_grid {
    size_t top, left;               /* padding before the image */
    size_t height, width, channels; /* with all padding; `channels` may be rounded up */
    size_t size;                    /* values, with what is behind it; 0: no such image */
};

/* Of what y, or dx, is a product: the windows of a grid and packed weights. */
struct bf16_windows {
    struct bf16_grid grid;
    size_t bands, width;  /* rows and columns of windows, each of */
    size_t size;          /* rows; */
    size_t run;           /* a row's values, rounded up */
    size_t columns;       /* of the product */
    size_t block, packed; /* values of one block of columns of the weights, of all */
};

/* How dW sums over the pixels of an image: either row by row, or right through the rows, over
 * columns of padding as well, where the output's gradient is zero. */
struct bf16_sums {
    struct bf16_grid grid; /* of the image: of even width, so that pairs lie within rows */
    size_t runs, run;      /* pixels */
    size_t run_step;       /* from one run to the next, in the image */
    size_t row;            /* from one row to the next, in the output's gradient */
    size_t transposed_row; /* values from one channel of the transposed image to the next, */
    size_t transposed;     /* and of all */
    size_t block, pairs;   /* values of one block of filters of the packed gradient, of all */
};

struct bf16_conv {
    const struct bf16_kernels *kernels; /* NULL: not for use */
    struct window window;
    struct window products; /* as the products for y and dW see it: of stride 1 */
    struct window back;     /* as that for dx sees it */
    size_t filters;
    struct bf16_grid source; /* of an image that is laid out as columns */
    size_t back_columns;     /* floats of columns that dx is added up from; 0: none */
    struct bf16_windows forward, backward;
    struct bf16_sums sums;
};

/* bf16_plan.c.  Leaves it without kernels where there are none or where they would need absurd
 * amounts of memory. */
void bf16_conv_plan(struct bf16_conv *conv, const struct bf16_kernels *kernels,
                    const struct window *window, size_t filters);

/* Floats of scratch that each function below may use. */
size_t bf16_conv_scratch_size(const struct bf16_conv *conv);

/* With `relu`, y = max(y, 0) after that. */
void bf16_conv_forward(const struct bf16_conv *conv, size_t count,
                       const float *images /* [count][input_height][input_width][channels] */,
                       const float *weights /* [size][size][channels][filters] */,
                       const float *bias /* [filters] */, bool relu, float *scratch,
                       float *outputs /* [count][output_height][output_width][filters] */);

/* The way back, image by image.  The scratch is the way's own until its last image. */
struct bf16_conv_back {
    const struct bf16_conv *conv;
    float *weight_gradient;
    bool begun;      /* the weights' gradient has an image's share */
    float *columns;  /* all of these in the scratch */
    uint16_t *source, *image, *transposed, *pairs, *gradient, *weights;
};
void bf16_conv_back_begin(struct bf16_conv_back *back, const struct bf16_conv *conv,
                          const float *weights /* as above; NULL: no input gradient is wanted */,
                          float *weight_gradient /* likewise; set by the first image */,
                          float *scratch);
/* The weights' gradient gets the image's share. */
void bf16_conv_back_weights(struct bf16_conv_back *back, const float *image,
                            const float *output_gradient
                            /* [output_height][output_width][filters] */);
/* `input_gradient` is set. */
void bf16_conv_back_input(const struct bf16_conv_back *back, const float *output_gradient,
                          float *input_gradient /* [input_height][input_width][channels] */);

#endif
