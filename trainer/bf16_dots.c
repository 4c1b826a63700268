/* Products in bf16 by the dot products of AVX512_BF16.
 *
 * A block keeps rows x vectors sums in registers, as conv_blocks.h does: each step loads
 * `vectors` vectors of pairs of b, and each pair of a that is multiplied with all of them
 * once. */
#include "trainer/bf16_kernels.h"

#if defined(__x86_64__)
#include <immintrin.h>
#include <math.h>
#include <string.h>

#define INLINE static inline __attribute__((always_inline))
#if defined(__clang__)
#define UNROLL _Pragma("unroll")
#else
#define UNROLL _Pragma("GCC unroll 16")
#endif

enum { LANES = 16, ROWS_MOST = 14, VECTORS_MOST = BF16_COLUMNS / LANES, DEPTH = 2 };

struct block {
    const struct bf16_product *product;
    const uint16_t *a, *b;
    const float *bias; /* or NULL */
    struct bf16_target c;
    __mmask16 last;    /* of the last vector's columns, those that there are */
};

INLINE __m512 first_sum(const struct block *block, size_t row, size_t v, __mmask16 mask)
{
    const struct bf16_product *product = block->product;
    if (product->add)
        return _mm512_maskz_loadu_ps(mask, block->c.exact + row * product->c_row + v * LANES);
    return block->bias ? _mm512_maskz_loadu_ps(mask, block->bias + v * LANES)
                       : _mm512_setzero_ps();
}

INLINE __m512i pair_of(const uint16_t *a)
{
    int pair;
    memcpy(&pair, a, sizeof pair);
    return _mm512_set1_epi32(pair);
}

INLINE void store_sums(const struct block *block, size_t at, __mmask16 mask, __m512 sums)
{
    if (block->c.exact)
        _mm512_mask_storeu_ps(block->c.exact + at, mask, sums);
    else
        _mm256_mask_storeu_epi16(block->c.rounded + at, mask,
                                 (__m256i)_mm512_cvtneps_pbh(sums));
}

INLINE void multiply_rows(const struct block *block, size_t rows, size_t vectors)
{
    const struct bf16_product *product = block->product;
    const __m512 floor = _mm512_set1_ps(product->relu ? 0.0f : -INFINITY);
    const uint16_t *b = block->b;
    size_t a_row = product->a_row, run = product->run;
    __mmask16 masks[VECTORS_MOST] = {0xffff, 0xffff};
    masks[vectors - 1] = block->last;
    __m512 sums[ROWS_MOST][VECTORS_MOST];
    UNROLL
    for (size_t row = 0; row < rows; row++) {
        UNROLL
        for (size_t v = 0; v < vectors; v++)
            sums[row][v] = first_sum(block, row, v, masks[v]);
    }
    for (size_t i = 0; i < product->runs; i++) {
        const uint16_t *a = block->a + i * product->a_run;
        for (size_t k = 0; k < run; k += DEPTH, a += DEPTH, b += DEPTH * BF16_COLUMNS) {
            __m512bh pairs[VECTORS_MOST];
            UNROLL
            for (size_t v = 0; v < vectors; v++)
                pairs[v] = (__m512bh)_mm512_loadu_si512(b + v * DEPTH * LANES);
            UNROLL
            for (size_t row = 0; row < rows; row++) {
                __m512bh pair = (__m512bh)pair_of(a + row * a_row);
                UNROLL
                for (size_t v = 0; v < vectors; v++)
                    sums[row][v] = _mm512_dpbf16_ps(sums[row][v], pair, pairs[v]);
            }
        }
    }
    /* Of max(), the second one where one is not a number. */
    UNROLL
    for (size_t row = 0; row < rows; row++) {
        UNROLL
        for (size_t v = 0; v < vectors; v++)
            store_sums(block, row * product->c_row + v * LANES, masks[v],
                       _mm512_max_ps(floor, sums[row][v]));
    }
}

/* ---- every size of block, compiled on its own ---- */

#define CASE(rows, vectors)                   \
    case rows:                                \
        multiply_rows(block, rows, vectors);  \
        break;

#define BLOCK_FUNCTION(vectors)                                                               \
    static void multiply_##vectors(const struct block *block, size_t rows)                    \
    {                                                                                         \
        switch (rows) {                                                                       \
            CASE(1, vectors) CASE(2, vectors) CASE(3, vectors) CASE(4, vectors)               \
            CASE(5, vectors) CASE(6, vectors) CASE(7, vectors) CASE(8, vectors)               \
            CASE(9, vectors) CASE(10, vectors) CASE(11, vectors) CASE(12, vectors)            \
            CASE(13, vectors) CASE(14, vectors)                                               \
        }                                                                                     \
    }

_Static_assert(ROWS_MOST == 14 && VECTORS_MOST == 2, "a case for each size of block");
BLOCK_FUNCTION(1)
BLOCK_FUNCTION(2)

/* Rows that follow each other, in pieces of nearly one size, so that no piece has too few
 * sums to keep the multipliers busy. */
static void multiply_band(struct block *block, const uint16_t *a, size_t c, size_t vectors)
{
    const struct bf16_product *product = block->product;
    size_t pieces = (product->width + ROWS_MOST - 1) / ROWS_MOST;
    for (size_t piece = 0; piece < pieces; piece++) {
        size_t begin = product->width * piece / pieces;
        size_t end = product->width * (piece + 1) / pieces;
        block->a = a + begin * product->a_row;
        block->c = bf16_target_from(&product->c, c + begin * product->c_row);
        (vectors == 1 ? multiply_1 : multiply_2)(block, end - begin);
    }
}

static void multiply(const struct bf16_product *product)
{
    struct block block = {.product = product, .b = product->b};
    for (size_t column = 0; column < product->columns; column += BF16_COLUMNS) {
        size_t left = product->columns - column;
        size_t vectors = left > LANES ? 2 : 1;
        size_t lanes = left - (vectors - 1) * LANES;
        block.last = (__mmask16)(lanes < LANES ? (1u << lanes) - 1 : 0xffffu);
        block.bias = product->bias ? product->bias + column : NULL;
        for (size_t band = 0; band < product->bands; band++)
            multiply_band(&block, product->a + band * product->pitch * product->a_row,
                          band * product->width * product->c_row + column, vectors);
        block.b += product->b_block;
    }
}

static void do_nothing(void)
{
}

const struct bf16_kernels bf16_dots = {
    .name = "avx512_bf16",
    .depth = DEPTH,
    .packing = &bf16_packing,
    .layers = &bf16_layers,
    .begin = do_nothing,
    .multiply = multiply,
    .end = do_nothing,
};
#endif
