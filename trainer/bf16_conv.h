/* Convolution in bf16: what is around the products of bf16_kernels.h.  The same formulas as in
 * conv.h; images and gradients are fp32, and rounded when they are packed, or rounded before.
 *
 *   y    a row of the product is an output pixel: its window is `size` runs of the image,
 *        where it lies, padded.
 *   dx   the same over the padded gradient of the output and the turned weights.
 *   dW   for each tap of the window, the transposed gradient of the output times the image,
 *        shifted: summed over pixels (bf16_sums.c).
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

/* dW is a sum over pixels of left x right: the left side is transposed, and the right one in
 * pairs.  With several taps, the gradient is on the left: what is shifted by a pixel would have its
 * rows across cache lines there, but on the right a shift by two is one by whole pairs, and there
 * is a second form for odd ones, in which pair i is of the pixels 2 i - 1 and 2 i.  The sums are
 * then dW's transpose.  With a single tap, the image is on the left.
 *
 * The pixels are those of padded images, row after row and image after image, as if they were one
 * tall image, and as far apart on both sides; where there is no output, its gradient is 0. */
struct bf16_sums {
    bool turned;              /* the gradient is on the left */
    size_t images;            /* that are summed over at once, at most */
    size_t row, pixels;       /* pixels from one row (an even number), and image, to the next */
    size_t run;               /* pixels of all, up to a multiple of BF16_RUN */
    size_t left, right;       /* channels and filters, or the other way round */
    size_t block;             /* values from a block of right columns to the next */
    size_t left_source, right_source; /* values of what the sides are made of, at once, */
    size_t transposed, pairs;         /* and of both */
    struct bf16_grid grid;    /* of an image on the left; without padding */
};

struct bf16_conv {
    const struct bf16_kernels *kernels; /* NULL: not for use */
    struct window window;
    struct window products; /* as the products for y and dW see it: of stride 1 */
    struct window back;     /* as that for dx sees it */
    size_t filters;
    struct bf16_grid source; /* of an image that is laid out as columns */
    size_t back_columns;     /* floats of columns that dx is added up from; 0: none */
    size_t back_added;       /* and of dx before it is rounded; likewise */
    struct bf16_windows forward, backward;
    struct bf16_sums sums;
};

/* bf16_plan.c.  Leaves it without kernels where there are none or where they would need absurd
 * amounts of memory. */
void bf16_conv_plan(struct bf16_conv *conv, const struct bf16_kernels *kernels,
                    const struct window *window, size_t filters);

/* Values of an image. */
static inline size_t bf16_conv_inputs(const struct bf16_conv *conv)
{
    return conv->window.input_height * conv->window.input_width * conv->window.channels;
}

/* Likewise of its output, and all weights. */
static inline size_t bf16_conv_outputs(const struct bf16_conv *conv)
{
    return conv->window.output_height * conv->window.output_width * conv->filters;
}

static inline size_t bf16_conv_weights(const struct bf16_conv *conv)
{
    return conv->window.size * conv->window.size * conv->window.channels * conv->filters;
}

/* Values of packed weights: for y, and for dx. */
size_t bf16_conv_packed_size(const struct bf16_conv *conv);
size_t bf16_conv_turned_size(const struct bf16_conv *conv);

/* Of each row of the window, its cells. */
void bf16_conv_pack(const struct bf16_conv *conv,
                    const float *weights /* [size][size][channels][filters] */,
                    uint16_t *packed /* [packed_size] */);
/* Turned by half a circle, with channels and filters swapped. */
void bf16_conv_pack_turned(const struct bf16_conv *conv, const float *weights,
                           uint16_t *turned /* [turned_size] */);

/* Floats of scratch that each function below may use. */
size_t bf16_conv_scratch_size(const struct bf16_conv *conv);

/* With `relu`, y = max(y, 0) after that. */
void bf16_conv_forward(
    const struct bf16_conv *conv, size_t count,
    const struct bf16_values *images /* [count][input_height][input_width][channels] */,
    const uint16_t *packed, const float *bias /* [filters] */, bool relu, float *scratch,
    const struct bf16_target *outputs /* [count][output_height][output_width][filters] */);

/* The way back, some images at a time.  The scratch is the way's own until its end. */
struct bf16_conv_back {
    const struct bf16_conv *conv;
    const uint16_t *weights; /* turned */
    float *weight_gradient;
    float *sums;             /* the weights' gradient, or its transpose; */
    bool begun;              /* they have an image's share */
    float *columns, *added;  /* these in the scratch, as all that follow */
    uint16_t *source, *left_source, *right_source, *transposed, *pairs[2], *gradient;
};
void bf16_conv_back_begin(struct bf16_conv_back *back, const struct bf16_conv *conv,
                          const uint16_t *turned /* NULL: no input gradient is wanted */,
                          float *weight_gradient /* [size][size][channels][filters] */,
                          float *scratch);
/* The weights' gradient gets the share of `count` images, conv->sums.images at most. */
void bf16_conv_back_weights(
    struct bf16_conv_back *back, size_t count,
    const struct bf16_values *images /* [count][input_height][input_width][channels] */,
    const struct bf16_values *output_gradients
    /* [count][output_height][output_width][filters] */);
/* Of one image; `input_gradient` is set. */
void bf16_conv_back_input(const struct bf16_conv_back *back,
                          const struct bf16_values *output_gradient,
                          const struct bf16_target *input_gradient
                          /* [input_height][input_width][channels] */);
/* Only now the weights' gradient is set. */
void bf16_conv_back_end(const struct bf16_conv_back *back);

/* ---- for the two files of it ---- */

/* Parts of the scratch; they begin on cache lines where it does.  Of any kind, and of zeros. */
uint16_t *bf16_take(float **scratch, size_t values);
uint16_t *bf16_take_zeros(float **scratch, size_t values);
/* The image as the products see it, in its grid, whose padding is zero already. */
void bf16_fill_image(const struct bf16_conv *conv, const struct bf16_grid *grid,
                     const struct bf16_values *image, uint16_t *source, uint16_t *to);
/* Values, rounded. */
void bf16_copy(const struct bf16_conv *conv, size_t count, const struct bf16_values *from,
               size_t first, uint16_t *to);
/* The same, where they are if they are rounded there, else in `to`. */
const uint16_t *bf16_rounded(const struct bf16_conv *conv, size_t count,
                             const struct bf16_values *from, size_t first, uint16_t *to);

#endif
