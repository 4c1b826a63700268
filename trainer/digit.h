/* A picture of one digit, made like MNIST's images: light on dark, the digit scaled to fit
 * a box of 20x20 pixels, and its centre of mass in the middle of 28x28 (LeCun et al.,
 * "The MNIST database of handwritten digits"). */
#ifndef TRAINER_DIGIT_H
#define TRAINER_DIGIT_H

#include "common/base.h"

enum { DIGIT_SIDE = 28, DIGIT_BOX = 20 };

/* Whether nothing can be seen on it, channels counted as pixels: all is of about one shade. */
bool digit_is_blank(const uint8_t *pixels, size_t count);

/* Makes a picture whose border is lighter than half light on dark. */
void digit_make_light(uint8_t *pixels, int height, int width);

/* `pixels` is light on dark.  False when there is nothing on it. */
bool digit_centre(const uint8_t *pixels, int height, int width,
                  uint8_t digit[DIGIT_SIDE * DIGIT_SIDE]);

/* Resizes by averaging the area that each new pixel covers; channels lie side by side. */
void digit_resize(const uint8_t *pixels, int height, int width, int channels, uint8_t *resized,
                  int new_height, int new_width);

#endif
