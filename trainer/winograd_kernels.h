/* The transforms of Winograd's convolution (winograd.h), one table of them for each
 * instruction set.
 *
 * Along one axis, the convolution of an image's line d with a kernel g gives 4 outputs y.
 * Seen as polynomials, y is what a product has in its middle; and a product of polynomials
 * is known by its values at enough points.  With `size + 3` points p
 *
 *   y = A^T ((G g) * (B^T d))        * by elements
 *
 * where G g are the kernel's values at the points, B^T d what Lagrange's interpolation makes of
 * the line, and A^T adds powers of the points up (Lavin and Gray 2016, arXiv 1509.09308,
 * section 4).  In two dimensions each transform is done along the rows and then along the columns
 * of a tile of side x side values, side = size + 3, which has 4 x 4 outputs.  The transforms of
 * the gradients are the same matrices transposed.
 *
 * The points are 0, infinity and pairs of both signs: 5/8 and 3/2 for a kernel of 3, 1/2, 1 and
 * 2 for one of 5.  Of the pairs tried those have the least errors (0.625 and 1.5 less than half
 * of what 1 and 2, the usual ones, have), and all their coefficients but the divisors in G are
 * exact floats.
 *
 * Values at points are laid out [side * side points][...], `step` floats from one point to the
 * next.  Vectors are written whole: behind the last channel of the last tile there must be
 * memory for `lanes` floats more, and tiles are to be written in their order.
 *
 * These files depend on nothing but the compiler. */
#ifndef TRAINER_WINOGRAD_KERNELS_H
#define TRAINER_WINOGRAD_KERNELS_H

#include <stdbool.h>
#include <stddef.h>

enum { WINOGRAD_OUTPUTS = 4 }; /* of a tile, along each axis */

/* Pixels in memory: those of a tile begin at `at`. */
struct winograd_pixels {
    size_t row, pixel;    /* floats from one row, one pixel to the next */
    size_t rows, columns; /* that there are, of those that a tile has */
};

struct winograd_transforms {
    /* points = B^T tile B; the tile's pixels have room for whole vectors of channels. */
    void (*image)(const struct winograd_pixels *place, const float *tile, size_t channels,
                  float *points, size_t step);

    /* The tile's outputs = A^T points A + bias, those that there are; with `relu`,
     * max(output, 0) after that. */
    void (*output)(const struct winograd_pixels *place, const float *points, size_t step,
                   size_t filters, const float *bias /* whole vectors */, bool relu,
                   float *outputs);

    /* points = A gradient A^T, where outputs that are not there have a gradient of 0. */
    void (*output_gradient)(const struct winograd_pixels *place, const float *gradient,
                            size_t filters, float *points, size_t step);

    /* tile += B points B^T; the tile's pixels have room for whole vectors of channels. */
    void (*image_gradient)(const struct winograd_pixels *place, const float *points, size_t step,
                           size_t channels, float *tile);

    /* points = G weights G^T, each point's packed as conv_kernels.h has it for a kernel of 1. */
    void (*weights)(const float *weights /* [size][size][rows][columns] */, size_t rows,
                    size_t columns, float *points, size_t step);

    /* weights = G^T points G */
    void (*weight_gradient)(const float *points, size_t step, size_t rows, size_t columns,
                            float *weights /* [size][size][rows][columns] */);
};

struct winograd_kernels {
    struct winograd_transforms of_3, of_5; /* by the kernel's size */
};

extern const struct winograd_kernels winograd_avx2;
extern const struct winograd_kernels winograd_avx512;
extern const struct winograd_kernels winograd_neon;

#endif
