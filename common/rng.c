#include "common/rng.h"

#include <math.h>

enum { ROUNDS = 10, BLOCK = 4 };

/* One round: two 32 x 32 -> 64 bit products, halves crossed, mixed with the key. */
static void philox_round(uint32_t x[4], const uint32_t key[2])
{
    uint64_t product0 = (uint64_t)0xD2511F53u * x[0];
    uint64_t product1 = (uint64_t)0xCD9E8D57u * x[2];

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
        key[0] += 0x9E3779B9u; /* golden ratio */
        key[1] += 0xBB67AE85u; /* square root of 3, less 1 */
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

float rng_float(struct rng *rng)
{
    return (float)(rng_u32(rng) >> 8) * 0x1p-24f;
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
