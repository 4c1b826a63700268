#include "trainer/bf16_kernels.h"

#if defined(__x86_64__)
#include <immintrin.h>

enum { LANES = 16, HALF = 16 }; /* floats in a vector; columns in half a block */
_Static_assert((int)BF16_RUN == 2 * LANES, "a run is a vector");

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

static __mmask16 first_lanes(size_t count)
{
    return (__mmask16)(count < LANES ? (1u << count) - 1 : 0xffffu);
}

static __mmask32 first_halves(size_t count)
{
    return count < 2 * LANES ? (1u << count) - 1 : 0xffffffffu;
}

/* Up to 32 floats, rounded; zeros behind them. */
static __m512i round_values(const float *from, size_t count)
{
    __m512 low = _mm512_maskz_loadu_ps(first_lanes(count), from);
    __m512 high = count > LANES ? _mm512_maskz_loadu_ps(first_lanes(count - LANES), from + LANES)
                                : _mm512_setzero_ps();
    return (__m512i)_mm512_cvtne2ps_pbh(high, low);
}

static void round_all(size_t count, const float *from, uint16_t *to)
{
    size_t i = 0;
    for (; i + 2 * LANES <= count; i += 2 * LANES)
        _mm512_storeu_si512(to + i, round_values(from + i, 2 * LANES));
    if (i < count)
        _mm512_mask_storeu_epi16(to + i, first_halves(count - i),
                                 round_values(from + i, count - i));
}

/* ---- pairs ---- */

/* An order of values by which `first` and `second`, their neighbours, and so on come to lie
 * side by side. */
static inline __m512i pairs_from(short first, short second)
{
    const __m512i lanes = _mm512_set_epi32(15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0);
    __m512i lower = _mm512_add_epi32(lanes, _mm512_set1_epi32(first));
    __m512i upper = _mm512_add_epi32(lanes, _mm512_set1_epi32(second));
    return _mm512_or_si512(lower, _mm512_slli_epi32(upper, 16));
}

/* Two vectors of neighbours become two of pairs. */
static inline void store_pairs(__m512i upper, __m512i lower, uint16_t *to)
{
    _mm512_storeu_si512(to, _mm512_permutex2var_epi16(upper, pairs_from(0, 2 * LANES), lower));
    _mm512_storeu_si512(to + BF16_COLUMNS,
                        _mm512_permutex2var_epi16(upper, pairs_from(LANES, 3 * LANES), lower));
}

static void pack_rounded(size_t rows, bool halved, size_t columns, const uint16_t *from,
                         uint16_t *to, size_t to_block)
{
    size_t pairs = (rows + halved + 1) / 2;
    from -= halved ? columns : 0;
    for (size_t column = 0; column < columns; column += BF16_COLUMNS, to += to_block) {
        __mmask32 mask = first_halves(columns - column);
        const uint16_t *upper = from + column;
        uint16_t *block = to;
        for (size_t i = 0; i < pairs; i++, upper += 2 * columns, block += 2 * BF16_COLUMNS) {
            __mmask32 first = halved && i == 0 ? 0 : mask;
            __mmask32 second = 2 * i + 1 < rows + halved ? mask : 0;
            store_pairs(_mm512_maskz_loadu_epi16(first, upper),
                        _mm512_maskz_loadu_epi16(second, upper + columns), block);
        }
    }
}

static void pack(size_t rows, size_t columns, const float *from, uint16_t *to, size_t to_block)
{
    const __m512i order = pairs_from(0, LANES);
    for (size_t row = 0; row < rows; row += 2, to += 2 * BF16_COLUMNS) {
        const float *upper = from + row * columns;
        for (size_t column = 0; column < columns; column += HALF) {
            __mmask16 mask = first_lanes(columns - column);
            __m512 a = _mm512_maskz_loadu_ps(mask, upper + column);
            __m512 b = row + 1 < rows ? _mm512_maskz_loadu_ps(mask, upper + columns + column)
                                      : _mm512_setzero_ps();
            __m512i pairs = _mm512_permutexvar_epi16(order, (__m512i)_mm512_cvtne2ps_pbh(b, a));
            uint16_t *block = to + column / BF16_COLUMNS * to_block;
            _mm512_storeu_si512(block + column % BF16_COLUMNS * 2, pairs);
            if (column % BF16_COLUMNS == 0 && columns - column <= HALF)
                _mm512_storeu_si512(block + BF16_COLUMNS, _mm512_setzero_si512());
        }
    }
}

/* ---- transposes ---- */

/* Of 16 x 16 words, in place: of 2 x 2 words, of such squares within 4 x 4, and of quarters of
 * vectors. */
static inline void transpose_words(__m512i words[LANES])
{
    __m512i pairs[LANES];
    for (size_t i = 0; i < LANES; i += 2) {
        pairs[i] = _mm512_unpacklo_epi32(words[i], words[i + 1]);
        pairs[i + 1] = _mm512_unpackhi_epi32(words[i], words[i + 1]);
    }
    /* words[4 i + j]: columns j, 4 + j, 8 + j, 12 + j of the rows 4 i to 4 i + 3 */
    for (size_t i = 0; i < LANES; i += 4) {
        words[i] = _mm512_unpacklo_epi64(pairs[i], pairs[i + 2]);
        words[i + 1] = _mm512_unpackhi_epi64(pairs[i], pairs[i + 2]);
        words[i + 2] = _mm512_unpacklo_epi64(pairs[i + 1], pairs[i + 3]);
        words[i + 3] = _mm512_unpackhi_epi64(pairs[i + 1], pairs[i + 3]);
    }
    /* pairs[j], pairs[4 + j]: columns j and 8 + j, 4 + j and 12 + j of the upper 8 rows;
     * pairs[8 + j], pairs[12 + j]: of the lower ones */
    for (size_t i = 0; i < LANES; i += 8) {
        for (size_t j = 0; j < 4; j++) {
            pairs[i + j] = _mm512_shuffle_i32x4(words[i + j], words[i + 4 + j], 0x88);
            pairs[i + 4 + j] = _mm512_shuffle_i32x4(words[i + j], words[i + 4 + j], 0xdd);
        }
    }
    for (size_t j = 0; j < 8; j++) {
        words[j] = _mm512_shuffle_i32x4(pairs[j], pairs[8 + j], 0x88);
        words[8 + j] = _mm512_shuffle_i32x4(pairs[j], pairs[8 + j], 0xdd);
    }
}

/* Up to 16 columns and 32 rows of pack_transposed(). */
static void pack_square(size_t rows, size_t columns, const float *from, size_t from_row,
                        uint16_t *to)
{
    __m512i words[LANES];
    for (size_t i = 0; i < LANES; i++)
        words[i] = i < columns ? round_values(from + i * from_row, rows)
                               : _mm512_setzero_si512();
    transpose_words(words);
    for (size_t i = 0; i < LANES && 2 * i < rows; i++)
        _mm512_storeu_si512(to + i * 2 * BF16_COLUMNS, words[i]);
}

static void pack_transposed(size_t rows, size_t columns, const float *from, uint16_t *to,
                            size_t to_block)
{
    for (size_t column = 0; column < columns; column += BF16_COLUMNS, to += to_block) {
        for (size_t half = 0; half < BF16_COLUMNS; half += HALF) {
            size_t begin = least(column + half, columns);
            for (size_t row = 0; row < rows; row += 2 * LANES)
                pack_square(least(rows - row, 2 * LANES), least(columns - begin, HALF),
                            from + begin * rows + row, rows, to + row * BF16_COLUMNS + half * 2);
        }
    }
}

/* Up to 32 columns of 32 rows. */
static void transpose_square(size_t columns, const uint16_t *from, size_t from_row,
                             uint16_t *to /* [columns][BF16_RUN] */)
{
    const __m512i low = pairs_from(0, 2 * LANES);
    const __m512i high = pairs_from(LANES, 3 * LANES);
    __m512i lower[LANES], higher[LANES];
    for (size_t i = 0; i < LANES; i++) {
        __m512i a = _mm512_loadu_si512(from + 2 * i * from_row);
        __m512i b = _mm512_loadu_si512(from + (2 * i + 1) * from_row);
        lower[i] = _mm512_permutex2var_epi16(a, low, b);
        higher[i] = _mm512_permutex2var_epi16(a, high, b);
    }
    transpose_words(lower);
    for (size_t i = 0; i < LANES && i < columns; i++)
        _mm512_storeu_si512(to + i * BF16_RUN, lower[i]);
    if (columns <= LANES)
        return;
    transpose_words(higher);
    for (size_t i = LANES; i < columns && i < 2 * LANES; i++)
        _mm512_storeu_si512(to + i * BF16_RUN, higher[i - LANES]);
}

static void transpose(size_t rows, size_t columns, const uint16_t *from, uint16_t *to)
{
    for (size_t row = 0; row < rows; row += BF16_RUN, to += columns * BF16_RUN) {
        for (size_t column = 0; column < columns; column += 2 * LANES)
            transpose_square(columns - column, from + row * columns + column, columns,
                             to + column * BF16_RUN);
    }
}

/* Up to 16 rows and columns. */
static void transpose_words_square(size_t rows, size_t columns, const float *from,
                                   size_t from_row, float *to, size_t to_row)
{
    __m512i words[LANES];
    for (size_t i = 0; i < LANES; i++)
        words[i] = i < rows ? _mm512_maskz_loadu_epi32(first_lanes(columns), from + i * from_row)
                            : _mm512_setzero_si512();
    transpose_words(words);
    for (size_t i = 0; i < LANES && i < columns; i++)
        _mm512_mask_storeu_epi32(to + i * to_row, first_lanes(rows), words[i]);
}

static void transpose_floats(size_t rows, size_t columns, const float *from, float *to)
{
    for (size_t row = 0; row < rows; row += LANES) {
        for (size_t column = 0; column < columns; column += LANES)
            transpose_words_square(least(rows - row, LANES), least(columns - column, LANES),
                                   from + row * columns + column, columns,
                                   to + column * rows + row, rows);
    }
}

const struct bf16_packing bf16_packing = {
    .round = round_all,
    .pack = pack,
    .pack_rounded = pack_rounded,
    .pack_transposed = pack_transposed,
    .transpose = transpose,
    .transpose_floats = transpose_floats,
};
#endif
