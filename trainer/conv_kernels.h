/* Direct convolution: the loops, one table of them for each instruction set.
 *
 * An image is read where it lies, NHWC, without im2col: under a window the cells of one row
 * are a run of size x channels floats.  Padding columns must be in memory, as zeros; rows
 * of padding are left out of the sums.
 *
 * Sums are made in one fixed order, which differs between the instruction sets: results
 * have the same bits for any alignment of the arrays and any number of threads.
 *
 * These files depend on nothing but the compiler. */
#ifndef TRAINER_CONV_KERNELS_H
#define TRAINER_CONV_KERNELS_H

#include <stdbool.h>
#include <stddef.h>

struct conv_shape {
    size_t height, width, channels; /* of the image; `width` with its padding columns */
    size_t size, stride;            /* of the window */
    size_t top;                     /* rows of padding above the image */
    size_t left;                    /* columns of padding that are not in memory */
    size_t output_height, output_width, filters;
    size_t gradient_row; /* floats from one row of the output's gradient to the next */
};

/* Weights, biases and sums are packed: filters in groups of `group`, the last group filled
 * up with zeros to a whole number of vectors.  [group][size][size][channels][filters of the
 * group]: conv.h packs them. */
struct conv_kernels {
    const char *isa; /* "avx2" */
    size_t lanes;    /* floats in a vector */
    size_t group;    /* filters worked on together */

    /* output = window(image) weights + bias; with `relu`, max(output, 0) after that, where
     * what is not a number stays so. */
    void (*forward)(const struct conv_shape *shape,
                    const float *image /* [height][width][channels] */,
                    const float *weights /* packed */, const float *bias /* packed */, bool relu,
                    float *output /* [output_height][output_width][filters] */);

    /* sums += window(image)^T output_gradient.  What lies behind a pixel's filters is read
     * up to a whole vector, without effect on the sums that count: behind the last pixel,
     * too, there must be memory. */
    void (*gradient)(const struct conv_shape *shape,
                     const float *image /* [height][width][channels] */,
                     const float *output_gradient /* [output_height], `gradient_row` apart, of
                                                     [output_width][filters] */,
                     float *sums /* packed */);

    /* image = what window()^T makes of output_gradient weights^T.  The weights are packed
     * with the window turned by half a circle and channels and filters swapped, as those of
     * the convolution that does the same. */
    void (*back)(const struct conv_shape *shape,
                 const float *output_gradient /* [output_height][output_width][filters] */,
                 const float *weights /* packed [channels' group][size][size][filters] */,
                 float *image /* [height][width][channels] */);
};

extern const struct conv_kernels conv_avx2;
extern const struct conv_kernels conv_avx512;
extern const struct conv_kernels conv_neon;

#endif
