#include "common/rng.h"

#include "common/vector_versions.h"

#include <math.h>

enum { ROUNDS = 10, BLOCK = 4 };

static const uint32_t MULTIPLIER0 = 0xD2511F53, MULTIPLIER1 = 0xCD9E8D57;
static const uint32_t KEY_STEP0 = 0x9E3779B9; /* golden ratio */
static const uint32_t KEY_STEP1 = 0xBB67AE85; /* square root of 3, less 1 */

/* One round: two 32 x 32 -> 64 bit products, halves crossed, mixed with the key. */
static void philox_round(uint32_t x[4], const uint32_t key[2])
{
    uint64_t product0 = (uint64_t)MULTIPLIER0 * x[0];
    uint64_t product1 = (uint64_t)MULTIPLIER1 * x[2];

    x[0] = (uint32_t)(product1 >> 32) ^ x[1] ^ key[0];
    x[1] = (uint32_t)product1;
    x[2] = (uint32_t)(product0 >> 32) ^ x[3] ^ key[1];
    x[3] = (uint32_t)product0;
}

/* Fills `block` from the counter and moves the counter on to the block after it. */
static void next_block(struct rng *rng)
{
    uint32_t key[2] = {rng->key[0], rng->key[1]};

    for (int i = 0; i < BLOCK; i++)
        rng->block[i] = rng->counter[i];
    for (int round = 0; round < ROUNDS; round++) {
        philox_round(rng->block, key);
        key[0] += KEY_STEP0;
        key[1] += KEY_STEP1;
    }
    rng->counter[0]++;
    rng->used = 0;
}

void rng_init(struct rng *rng, uint64_t seed, uint32_t trial, enum rng_purpose purpose,
              uint64_t index)
{
    *rng = (struct rng){
        .key = {(uint32_t)seed, (uint32_t)(seed >> 32)},
        .counter = {0, (uint32_t)index, trial,
                    (uint32_t)purpose | (uint32_t)(index >> 32) << 8},
        .used = BLOCK,
    };
}

void rng_seek(struct rng *rng, uint64_t n)
{
    rng->counter[0] = (uint32_t)(n / BLOCK);
    next_block(rng);
    rng->used = (unsigned)(n % BLOCK);
}

uint32_t rng_u32(struct rng *rng)
{
    if (rng->used == BLOCK)
        next_block(rng);
    return rng->block[rng->used++];
}

uint64_t rng_u64(struct rng *rng)
{
    uint64_t low = rng_u32(rng);

    return (uint64_t)rng_u32(rng) << 32 | low;
}

double rng_double(struct rng *rng)
{
    return (double)(rng_u64(rng) >> 11) * 0x1p-53;
}

static inline float as_float(uint32_t number)
{
    return (float)(number >> 8) * 0x1p-24f;
}

float rng_float(struct rng *rng)
{
    return as_float(rng_u32(rng));
}

/* Eight blocks side by side, each number in the lower half of 64 bits, as the products
 * need them. */
enum { WIDE = 8 };
typedef uint64_t wide __attribute__((vector_size(WIDE * sizeof(uint64_t))));

/* The next WIDE blocks as floats; moves the counter on behind them. */
VECTOR_VERSIONS
static void next_floats(struct rng *rng, float *values /* [WIDE][BLOCK] */)
{
    const wide low = (wide){0} + UINT32_MAX;
    wide x[BLOCK] = {{0, 1, 2, 3, 4, 5, 6, 7}};
    uint32_t key[2] = {rng->key[0], rng->key[1]};
    for (int i = 0; i < BLOCK; i++)
        x[i] = (x[i] + rng->counter[i]) & low;
    for (int round = 0; round < ROUNDS; round++) {
        wide product0 = x[0] * MULTIPLIER0, product1 = x[2] * MULTIPLIER1;
        x[0] = (product1 >> 32) ^ x[1] ^ key[0];
        x[1] = product1 & low;
        x[2] = (product0 >> 32) ^ x[3] ^ key[1];
        x[3] = product0 & low;
        key[0] += KEY_STEP0;
        key[1] += KEY_STEP1;
    }
    for (int lane = 0; lane < WIDE; lane++) {
        for (int i = 0; i < BLOCK; i++)
            values[lane * BLOCK + i] = as_float((uint32_t)x[i][lane]);
    }
    rng->counter[0] += WIDE;
}

void rng_floats(struct rng *rng, size_t count, float *values)
{
    for (; count > 0 && rng->used < BLOCK; count--)
        *values++ = rng_float(rng);
    for (; count >= WIDE * BLOCK; count -= WIDE * BLOCK, values += WIDE * BLOCK)
        next_floats(rng, values);
    for (; count > 0; count--)
        *values++ = rng_float(rng);
}

uint64_t rng_below(struct rng *rng, uint64_t limit)
{
    /* 2^64 mod limit: the numbers below it would make some remainders likelier. */
    uint64_t surplus = (0 - limit) % limit;
    uint64_t number;

    do
        number = rng_u64(rng);
    while (number < surplus);
    return number % limit;
}

double rng_normal(struct rng *rng)
{
    double radius = sqrt(-2.0 * log(1.0 - rng_double(rng))); /* the logarithm never sees 0 */

    return radius * cos(2.0 * M_PI * rng_double(rng));
}

void rng_shuffle(struct rng *rng, uint32_t *items, size_t count)
{
    for (size_t left = count; left > 1; left--) {
        size_t chosen = (size_t)rng_below(rng, left);
        uint32_t item = items[left - 1];

        items[left - 1] = items[chosen];
        items[chosen] = item;
    }
}
