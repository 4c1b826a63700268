/* The loops over pixels, activations and weights: functions of pointers and sizes.
 *
 * Every pointer's shape stands beside it; different pointers do not overlap but
 * where it is said.  Each kernel adds in one fixed order, so its result does not
 * depend on the instructions that the compiler chose.  Each has a naive twin in
 * tests/test_kernels.c. */
#ifndef TRAINER_KERNELS_H
#define TRAINER_KERNELS_H

#include "common/vector_versions.h"
#include "trainer/window.h"

/* ---- kernels.c: element by element ---- */

/* Pixels as the network sees them: byte / 255. */
void kernel_pixels(size_t count, const uint8_t *bytes /* [count] */, float *values /* [count] */);

/* values += bias in each row; with `relu`, max(values, 0) after that.  What is not
 * a number stays so: a diverged network must be seen to have diverged. */
void kernel_bias(size_t rows, size_t width, const float *bias /* [width] */, bool relu,
                 float *values /* [rows][width] */);

/* The gradient back through kernel_bias(): where `relu` left 0 in `output` the gradient
 * becomes 0, in place; then its sum over the rows is added to `bias_gradient`. */
void kernel_bias_backward(size_t rows, size_t width, const float *output /* [rows][width] */,
                          bool relu, float *gradient /* [rows][width] */,
                          float *bias_gradient /* [width] */);

void kernel_relu(size_t count, const float *input /* [count] */, float *output /* [count] */);
void kernel_relu_backward(size_t count, const float *output /* [count] */,
                          const float *output_gradient /* [count] */,
                          float *input_gradient /* [count] */);

/* kept = 1 where a number is at least `rate`, else 0. */
void kernel_keep(size_t count, const float *numbers /* [count] */, float rate,
                 uint8_t *kept /* [count] */);

/* Inverted dropout: what is kept is multiplied by `scale`, the rest becomes 0. */
void kernel_drop(size_t count, const uint8_t *kept /* [count], 0 or 1 */, float scale,
                 const float *input /* [count] */, float *output /* [count] */);

/* sum += vector */
void kernel_add(size_t count, const float *vector /* [count] */, float *sum /* [count] */);

/* c = a + b */
void kernel_sum(size_t count, const float *a /* [count] */, const float *b /* [count] */,
                float *c /* [count] */);

/* values *= factor */
void kernel_scale(size_t count, float factor, float *values /* [count] */);

/* sum += factor vector */
void kernel_add_scaled(size_t count, float factor, const float *vector /* [count] */,
                       float *sum /* [count] */);

/* In double precision. */
double kernel_sum_of_squares(size_t count, const float *vector /* [count] */);

/* ---- kernels_conv.c ---- */

/* Lays the window's cells out in rows, so that convolution becomes a product of
 * matrices; cells in the padding are 0. */
void kernel_im2col(const struct window *window,
                   const float *image /* [input_height][input_width][channels] */,
                   float *columns /* [output_height][output_width][size][size][channels] */);

/* The transpose: adds each cell to the pixel that it came from; `image` is set. */
void kernel_col2im(const struct window *window,
                   const float *columns /* [output_height][output_width][size][size][channels] */,
                   float *image /* [input_height][input_width][channels] */);

/* ---- kernels_pool.c ---- */

/* The largest value under each window, the first of equals, and which it was: its
 * position within the image.  Padding is never the largest.  With a `direction`, the smallest
 * in channels where that has a sign. */
void kernel_max_pool(const struct window *window,
                     const float *direction /* [channels], or NULL */,
                     const float *image /* [input_height][input_width][channels] */,
                     float *output /* [output_height][output_width][channels] */,
                     int32_t *chosen /* [output_height][output_width][channels] */);
/* Back: `gradient`, shaped like the output, goes to the pixels; `image` is set.  With an
 * `output`, only where that is above 0, as if the image had come from relu. */
void kernel_max_pool_backward(const struct window *window,
                              const int32_t *chosen /* [output_height][output_width][channels] */,
                              const float *output /* likewise, or NULL */,
                              const float *gradient /* [output_height][output_width][channels] */,
                              float *image /* [input_height][input_width][channels] */);

/* The mean of the pixels under each window; padding does not count. */
void kernel_avg_pool(const struct window *window,
                     const float *image /* [input_height][input_width][channels] */,
                     float *output /* [output_height][output_width][channels] */);
void kernel_avg_pool_backward(const struct window *window,
                              const float *gradient /* [output_height][output_width][channels] */,
                              float *image /* [input_height][input_width][channels] */);

/* The mean of each channel over all pixels. */
void kernel_channel_means(size_t pixels, size_t channels,
                          const float *image /* [pixels][channels] */,
                          float *means /* [channels] */);
/* Back: each pixel gets an equal share of its channel's gradient; `image` is set. */
void kernel_channel_means_backward(size_t pixels, size_t channels,
                                   const float *gradient /* [channels] */,
                                   float *image /* [pixels][channels] */);

/* ---- kernels_affine.c; its twin is in tests/test_augment.c ---- */

/* Where in its source the pixel in column x and row y of an image lies: in column
 * column[0] x + column[1] y + column[2], and likewise in row. */
struct affine {
    double column[3], row[3];
};

/* Each pixel with its neighbours to the right, below, and below to the right, as one
 * number from the lowest byte on: so kernel_affine() reads memory once for four pixels.
 * `frame` is the image with 0 around it: [height + 3][width + 2][channels] with the image
 * from [1][1] on, and then [channels] more. */
void kernel_quads(size_t height, size_t width, size_t channels, const uint8_t *frame,
                  uint32_t *quads /* [height + 2][width + 2][channels] */);

/* The image as `source` moves it, interpolated between four pixels; what comes from
 * outside is 0.  Values are as kernel_pixels() gives them, to the bit where a source is
 * a whole pixel. */
void kernel_affine(size_t height, size_t width, size_t channels, const struct affine *source,
                   const uint32_t *quads /* [height + 2][width + 2][channels] */,
                   float *output /* [height][width][channels] */);

/* ---- kernels_norm.c: channel by channel ---- */

/* Adds x and x^2 over the rows to what is there; as good as floats are, however many rows there
 * are and however far from 0 their mean is. */
void kernel_moments(size_t rows, size_t channels, const float *x /* [rows][channels] */,
                    double *sums /* [channels] */, double *squares /* [channels] */);

/* y = scale (x - mean) + offset */
void kernel_normalize(size_t rows, size_t channels, const float *mean /* [channels] */,
                      const float *scale /* [channels] */, const float *offset /* [channels] */,
                      const float *x /* [rows][channels] */, float *y /* [rows][channels] */);

/* Likewise dy and dy (x - mean); the better, the nearer that is to the mean. */
void kernel_normalize_moments(size_t rows, size_t channels, const float *mean /* [channels] */,
                              const float *x /* [rows][channels] */,
                              const float *dy /* [rows][channels] */,
                              double *sums /* [channels] */, double *products /* [channels] */);

/* What the way back wants to know of each channel, [channels] each; and of what came in. */
struct normalized {
    const float *mean, *scale, *offset, *slope;
    bool relu;
};

/* dx = scale dy - offset - slope (x - mean); with `relu`, 0 where x is not above 0. */
void kernel_normalize_backward(size_t rows, size_t channels, const struct normalized *norm,
                               const float *x /* [rows][channels] */,
                               const float *dy /* [rows][channels] */,
                               float *dx /* [rows][channels] */);

/* ---- kernels_norm_pool.c ---- */

/* As kernel_normalize_backward() where only the values that a pool has chosen have gradients; `dx` is set. */
void kernel_normalize_pool_backward(
    const struct window *window, const struct normalized *norm,
    const int32_t *chosen /* [output_height][output_width][channels] */,
    const float *dy /* [output_height][output_width][channels] */,
    const float *image /* [input_height][input_width][channels] */,
    float *dx /* [input_height][input_width][channels] */);

#endif
