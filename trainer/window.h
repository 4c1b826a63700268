/* A square window that moves over an image: the geometry of convolution and pooling.
 *
 * Sizes and padding are those of Keras (keras.io, Conv2D and MaxPooling2D; the
 * formulas are in TensorFlow's notes on tf.nn.convolution).  Along each axis:
 *
 *   valid   output = floor((input - size) / stride) + 1, no padding
 *   same    output = ceil(input / stride);
 *           padding = max((output - 1) stride + size - input, 0), its smaller
 *           half before the image and the rest behind it
 */
#ifndef TRAINER_WINDOW_H
#define TRAINER_WINDOW_H

#include "trainer/network.h"

struct window {
    size_t input_height, input_width, channels;
    size_t size, stride;
    size_t top, left; /* padding before the first row and column; under `size` */
    size_t output_height, output_width;
};

/* -1 when the window is larger than the image and there is no padding. */
int window_place(struct window *window, struct shape input, size_t size, size_t stride, bool same);

/* The window of one pixel that meets `height` x `width` of the image's pixels, at the smallest
 * stride that does; -1 for none. */
int window_pick(struct window *window, struct shape input, size_t height, size_t width);

/* Padding behind the last row and column; it may be one more than that before the first. */
void window_behind(const struct window *window, size_t *bottom, size_t *right);

/* Where a window lies on one axis of the image. */
struct span {
    size_t skipped;    /* cells of the window before the image's edge */
    size_t begin, end; /* pixels covered: [begin, end), never none */
};
struct span window_rows(const struct window *window, size_t output_row);
struct span window_columns(const struct window *window, size_t output_column);

#endif
