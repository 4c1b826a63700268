#include "trainer/weights.h"

#include <math.h>

void weights_draw(struct rng *rng, bool glorot, size_t fan_in, size_t fan_out, size_t count,
                  float *weights)
{
    double limit = sqrt(6.0 / (double)(fan_in + fan_out));
    double deviation = sqrt(2.0 / (double)fan_in);
    for (size_t i = 0; i < count; i++) {
        double weight = glorot ? (2.0 * rng_double(rng) - 1.0) * limit
                               : rng_normal(rng) * deviation;
        weights[i] = (float)weight;
    }
}
