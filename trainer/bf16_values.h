/* Numbers in bf16, and arrays that may be so.
 *
 * A bf16 is the upper half of a float: 8 significant bits, and the exponents of a float.
 * Numbers are rounded to it to the nearest, and from the middle to the even one.  What is smaller
 * than the smallest normal float counts as 0. */
#ifndef TRAINER_BF16_VALUES_H
#define TRAINER_BF16_VALUES_H

#include <stddef.h>
#include <stdint.h>

/* Floats whose place so many values take, up to a cache line. */
static inline size_t bf16_floats(size_t values)
{
    return (values + 31) / 32 * 16;
}

/* Numbers as layers have them: exact, or rounded before; the other one is NULL. */
struct bf16_values {
    const float *exact;
    const uint16_t *rounded;
};

/* Where numbers go to, likewise. */
struct bf16_target {
    float *exact;
    uint16_t *rounded;
};

/* From the `first`-th on. */
static inline struct bf16_values bf16_values_from(const struct bf16_values *values, size_t first)
{
    return (struct bf16_values){values->exact ? values->exact + first : NULL,
                                values->rounded ? values->rounded + first : NULL};
}

static inline struct bf16_target bf16_target_from(const struct bf16_target *target, size_t first)
{
    return (struct bf16_target){target->exact ? target->exact + first : NULL,
                                target->rounded ? target->rounded + first : NULL};
}

#endif
