#include "common/rng.h"

#include "common/vector_versions.h"

#include <math.h>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

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

#if defined(__x86_64__)
/* The same for AVX-512, sixteen blocks side by side.  Compilers do not see that the numbers which
 * they multiply have 32 bits, and take a multiplication of 64, at three times the price. */
enum { WIDEST = 16 };
#define AVX512 __attribute__((target("avx512f")))

/* Both halves of a product; every other lane has its turn on its own. */
AVX512 static inline __m512i multiply(__m512i x, uint32_t factor, __m512i *high)
{
    const __mmask16 odd_lanes = 0xaaaa;
    __m512i factors = _mm512_set1_epi32((int)factor);
    __m512i even = _mm512_mul_epu32(x, factors);
    __m512i odd = _mm512_mul_epu32(_mm512_srli_epi64(x, 32), factors);
    *high = _mm512_mask_blend_epi32(odd_lanes, _mm512_srli_epi64(even, 32), odd);
    return _mm512_mask_blend_epi32(odd_lanes, even, _mm512_slli_epi64(odd, 32));
}

AVX512 static inline __m512 as_floats(__m512i numbers)
{
    return _mm512_mul_ps(_mm512_cvtepi32_ps(_mm512_srli_epi32(numbers, 8)),
                         _mm512_set1_ps(0x1p-24f));
}

/* From [BLOCK][WIDEST] to [WIDEST][BLOCK]: four blocks are in each vector, and vectors have four
 * of every fourth. */
AVX512 static void store_blocks(const __m512i x[BLOCK], float *values)
{
    __m512i low01 = _mm512_unpacklo_epi32(x[0], x[1]), low23 = _mm512_unpacklo_epi32(x[2], x[3]);
    __m512i high01 = _mm512_unpackhi_epi32(x[0], x[1]), high23 = _mm512_unpackhi_epi32(x[2], x[3]);
    __m512i blocks[] = {_mm512_unpacklo_epi64(low01, low23), _mm512_unpackhi_epi64(low01, low23),
                        _mm512_unpacklo_epi64(high01, high23),
                        _mm512_unpackhi_epi64(high01, high23)};
    for (int i = 0; i < 4; i++) {
        __m512 floats = as_floats(blocks[i]);
        _mm_storeu_ps(values + i * BLOCK, _mm512_extractf32x4_ps(floats, 0));
        _mm_storeu_ps(values + (4 + i) * BLOCK, _mm512_extractf32x4_ps(floats, 1));
        _mm_storeu_ps(values + (8 + i) * BLOCK, _mm512_extractf32x4_ps(floats, 2));
        _mm_storeu_ps(values + (12 + i) * BLOCK, _mm512_extractf32x4_ps(floats, 3));
    }
}

AVX512 static void next_floats_avx512(struct rng *rng, float *values /* [WIDEST][BLOCK] */)
{
    const __m512i lanes = _mm512_set_epi32(15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0);
    __m512i x[BLOCK];
    uint32_t key[2] = {rng->key[0], rng->key[1]};
    for (int i = 0; i < BLOCK; i++)
        x[i] = _mm512_set1_epi32((int)rng->counter[i]);
    x[0] = _mm512_add_epi32(x[0], lanes);
    for (int round = 0; round < ROUNDS; round++) {
        __m512i high0, high1, low0 = multiply(x[0], MULTIPLIER0, &high0);
        __m512i low1 = multiply(x[2], MULTIPLIER1, &high1);
        x[0] = _mm512_xor_epi32(_mm512_xor_epi32(high1, x[1]), _mm512_set1_epi32((int)key[0]));
        x[2] = _mm512_xor_epi32(_mm512_xor_epi32(high0, x[3]), _mm512_set1_epi32((int)key[1]));
        x[1] = low1;
        x[3] = low0;
        key[0] += KEY_STEP0;
        key[1] += KEY_STEP1;
    }
    store_blocks(x, values);
    rng->counter[0] += WIDEST;
}

static size_t draw_widest(struct rng *rng, size_t count, float *values)
{
    enum { AT_ONCE = WIDEST * BLOCK };
    size_t drawn = 0;
    if (__builtin_cpu_supports("avx512f"))
        for (; drawn + AT_ONCE <= count; drawn += AT_ONCE)
            next_floats_avx512(rng, values + drawn);
    return drawn;
}
#else
static size_t draw_widest(struct rng *rng, size_t count, float *values)
{
    (void)rng, (void)count, (void)values;
    return 0;
}
#endif

void rng_floats(struct rng *rng, size_t count, float *values)
{
    for (; count > 0 && rng->used < BLOCK; count--)
        *values++ = rng_float(rng);
    size_t drawn = draw_widest(rng, count, values);
    values += drawn;
    count -= drawn;
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
