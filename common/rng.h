/* Random numbers by counter: Philox4x32-10 (Salmon et al., "Parallel random
 * numbers: as easy as 1, 2, 3", SC 2011).
 *
 * The key is the study's seed; the counter holds the trial, what the numbers
 * are for, and an index (an epoch, a step, an image).  So any number of a
 * study can be computed at any time, by any thread, without a state to save:
 * a generator is only a place to read on from. */
#ifndef COMMON_RNG_H
#define COMMON_RNG_H

#include <stddef.h>
#include <stdint.h>

/* What numbers are for.  The values are part of every result: never renumber. */
enum rng_purpose {
    RNG_SAMPLER = 1,  /* trial = trial number */
    RNG_SUBSET = 2,   /* which images are trained on, which validate; trial 0.  trial 1: the
                       * test images of a file without a test set */
    RNG_WEIGHTS = 3,  /* index = layer */
    RNG_ORDER = 4,    /* order of the images; index = epoch */
    RNG_DROPOUT = 5,  /* index = step * layers + layer, see layer_dropout.c */
    RNG_AUGMENT = 6,  /* index = epoch */
    RNG_SYNTHETIC = 7 /* index = image */
};

struct rng {
    uint32_t key[2];
    uint32_t counter[4]; /* next block, index, trial, purpose (low 8 bits) + high index bits */
    uint32_t block[4];   /* the four numbers of the current block */
    unsigned used;       /* of them handed out; 4: compute the next block */
};

/* `index` may use 48 bits; at most 2^34 numbers are drawn from one generator. */
void rng_init(struct rng *rng, uint64_t seed, uint32_t trial, enum rng_purpose purpose,
              uint64_t index);
/* Goes to the n-th 32-bit number of this generator. */
void rng_seek(struct rng *rng, uint64_t n);

uint32_t rng_u32(struct rng *rng);
uint64_t rng_u64(struct rng *rng);
double rng_double(struct rng *rng);                 /* [0, 1), 53 bits */
float rng_float(struct rng *rng);                   /* [0, 1), 24 bits */
/* As `count` times rng_float(), several times as fast. */
void rng_floats(struct rng *rng, size_t count, float *values /* [count] */);
uint64_t rng_below(struct rng *rng, uint64_t limit); /* [0, limit), unbiased; limit > 0 */
double rng_normal(struct rng *rng); /* mean 0, deviation 1 (Box-Muller, cosine half) */
void rng_shuffle(struct rng *rng, uint32_t *items, size_t count); /* Fisher-Yates */

#endif
