/* Random numbers and comparisons for the tests of numeric code.  To be included
 * after <cmocka.h>. */
#ifndef TESTS_NUMBERS_H
#define TESTS_NUMBERS_H

#include "common/base.h"
#include "common/rng.h"

#include <math.h>
#include <stdlib.h>

/* A generator of a test's own. */
static inline struct rng dice_of(uint64_t index)
{
    struct rng rng;
    rng_init(&rng, 99, 0, RNG_SYNTHETIC, index);
    return rng;
}

static inline size_t between(struct rng *rng, size_t low, size_t high)
{
    return low + rng_below(rng, high - low + 1);
}

static inline float *random_floats(struct rng *rng, size_t count)
{
    float *values = xcalloc(count + 1, sizeof *values);
    for (size_t i = 0; i < count; i++)
        values[i] = 2.0f * rng_float(rng) - 1.0f;
    return values;
}

/* Values that a kernel has to overwrite, with one behind the end that it may not. */
static inline float *dirty_floats(size_t count)
{
    float *values = xcalloc(count + 1, sizeof *values);
    for (size_t i = 0; i <= count; i++)
        values[i] = 1e30f;
    return values;
}

static inline void assert_close(const float *values, const double *expected, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (!(fabs(values[i] - expected[i]) <= 1e-5 * (1.0 + fabs(expected[i]))))
            fail_msg("element %zu of %zu is %.9g, not %.9g", i, count, values[i], expected[i]);
    }
}

#endif
