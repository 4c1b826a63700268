/* Initial weights.
 *
 *   he       normal, deviation sqrt(2 / fan_in)
 *            (He et al., "Delving deep into rectifiers", ICCV 2015, equation 10)
 *   glorot   uniform in +-sqrt(6 / (fan_in + fan_out))
 *            (Glorot and Bengio, "Understanding the difficulty of training deep
 *            feedforward neural networks", AISTATS 2010, equation 16)
 *
 * fan_in and fan_out are counted as Keras does: for a convolution, cells of the
 * window times its input or output channels. */
#ifndef TRAINER_WEIGHTS_H
#define TRAINER_WEIGHTS_H

#include "common/rng.h"

#include <stdbool.h>

void weights_draw(struct rng *rng, bool glorot, size_t fan_in, size_t fan_out, size_t count,
                  float *weights /* [count] */);

#endif
