/* Products in bf16 by the tiles of AMX (tiles.h).
 *
 * A block is 2 x 2 tiles of sums, so that each tile of a and of b that is loaded is used
 * twice; at the edges, 1 or 2 each way.  Tiles 0 to 3 are sums, 4 and 5 rows of a, 6 and 7
 * columns of b.
 *
 * Where rows of a that do not count lie between those that do, they are worked on too if
 * that takes fewer tiles than beginning anew at each band, and are left out when the sums are
 * written. */
#include "trainer/bf16_kernels.h"

#if defined(__x86_64__)
#include "trainer/tiles.h"

#include <cpuid.h>
#include <immintrin.h>
#include <math.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { DEPTH = 32, BLOCK_ROWS = 2 * TILE_ROWS, LANES = 16 };
_Static_assert((int)BF16_ROWS == TILE_ROWS && (int)BF16_COLUMNS == 2 * LANES,
               "a block is 2 x 2 tiles");

#define INLINE static inline __attribute__((always_inline))

/* Bytes from one row to the next of a tile of b. */
enum { PAIRS_ROW = BF16_COLUMNS * 2 * sizeof(uint16_t) };

struct block {
    const struct bf16_product *product;
    const uint16_t *a, *b;
    const float *bias;    /* or NULL */
    size_t rows, columns; /* up to BLOCK_ROWS, BF16_COLUMNS */
    size_t first;         /* row, counted from the band's */
    struct bf16_target c; /* the band's, at the first column */
};

INLINE void sum_products(const struct block *block, bool tall, bool wide)
{
    const struct bf16_product *product = block->product;
    const uint16_t *b = block->b;
    size_t row = product->a_row * sizeof *b, below = TILE_ROWS * product->a_row;
    size_t run = product->run;
    for (size_t i = 0; i < product->runs; i++) {
        const uint16_t *a = block->a + i * product->a_run;
        for (size_t k = 0; k < run; k += DEPTH, a += DEPTH, b += DEPTH * BF16_COLUMNS) {
            TILE_LOAD(4, a, row);
            TILE_LOAD(6, b, PAIRS_ROW);
            TILE_DOT(0, 4, 6);
            if (wide) {
                TILE_LOAD(7, b + 2 * LANES, PAIRS_ROW);
                TILE_DOT(1, 4, 7);
            }
            if (tall) {
                TILE_LOAD(5, a + below, row);
                TILE_DOT(2, 5, 6);
            }
            if (tall && wide)
                TILE_DOT(3, 5, 7);
        }
    }
}

INLINE void multiply_from_zero(const struct block *block, bool tall, bool wide)
{
    TILE_ZERO(0);
    TILE_ZERO(1);
    TILE_ZERO(2);
    TILE_ZERO(3);
    sum_products(block, tall, wide);
}

/* ---- sums that need nothing more, tile by tile ---- */

static bool is_plain(const struct block *block)
{
    const struct bf16_product *product = block->product;
    return block->rows % TILE_ROWS == 0 && block->columns % LANES == 0 && block->c.exact &&
           !block->bias && !product->relu && product->width == product->pitch;
}

INLINE void multiply_plain(const struct block *block, bool tall, bool wide)
{
    size_t row = block->product->c_row * sizeof(float);
    float *c = block->c.exact + block->first * block->product->c_row;
    float *below = c + TILE_ROWS * block->product->c_row;
    if (block->product->add) {
        TILE_LOAD(0, c, row);
        if (wide)
            TILE_LOAD(1, c + LANES, row);
        if (tall)
            TILE_LOAD(2, below, row);
        if (tall && wide)
            TILE_LOAD(3, below + LANES, row);
        sum_products(block, tall, wide);
    } else {
        multiply_from_zero(block, tall, wide);
    }
    TILE_STORE(0, c, row);
    if (wide)
        TILE_STORE(1, c + LANES, row);
    if (tall)
        TILE_STORE(2, below, row);
    if (tall && wide)
        TILE_STORE(3, below + LANES, row);
}

/* ---- the others, row by row ---- */

/* Of a row of 16 or 32 sums, what is done to them before they are written. */
struct finish {
    __mmask16 masks[2]; /* the columns that there are */
    __m512 bias[2], floor;
    bool add;
};

INLINE struct finish finish_of(const struct block *block)
{
    struct finish finish = {.floor = _mm512_set1_ps(block->product->relu ? 0.0f : -INFINITY),
                            .add = block->product->add};
    for (size_t half = 0; half < 2; half++) {
        size_t begin = half * LANES, left = block->columns > begin ? block->columns - begin : 0;
        finish.masks[half] = (__mmask16)(left < LANES ? (1u << left) - 1 : 0xffffu);
        finish.bias[half] = block->bias ? _mm512_maskz_loadu_ps(finish.masks[half],
                                                                block->bias + begin)
                                        : _mm512_setzero_ps();
    }
    return finish;
}

/* Of max(), the second one where one is not a number. */
INLINE __m512 finished(const struct finish *finish, size_t half, const float *sums)
{
    __m512 value = _mm512_add_ps(_mm512_load_ps(sums + half * LANES), finish->bias[half]);
    return _mm512_max_ps(finish->floor, value);
}

INLINE void write_exact(const struct finish *finish, size_t half, const float *sums, float *c)
{
    __m512 value = _mm512_add_ps(_mm512_load_ps(sums + half * LANES),
                                 finish->add ? _mm512_maskz_loadu_ps(finish->masks[half], c)
                                             : finish->bias[half]);
    _mm512_mask_storeu_ps(c, finish->masks[half], _mm512_max_ps(finish->floor, value));
}

INLINE void write_rounded(const struct finish *finish, const float *sums, uint16_t *c)
{
    __mmask32 mask = _mm512_kunpackw(finish->masks[1], finish->masks[0]);
    __m512 low = finished(finish, 0, sums), high = finished(finish, 1, sums);
    _mm512_mask_storeu_epi16(c, mask, (__m512i)_mm512_cvtne2ps_pbh(high, low));
}

INLINE void write_rows(const struct block *block, float sums[BLOCK_ROWS][BF16_COLUMNS],
                       bool rounded)
{
    const struct bf16_product *product = block->product;
    const struct finish finish = finish_of(block);
    size_t band = block->first / product->pitch, x = block->first % product->pitch;
    for (size_t i = 0; i < block->rows; i++, x++) {
        if (x == product->pitch) {
            x = 0;
            band++;
        }
        if (x >= product->width)
            continue;
        size_t at = (band * product->width + x) * product->c_row;
        if (rounded) {
            write_rounded(&finish, sums[i], block->c.rounded + at);
            continue;
        }
        write_exact(&finish, 0, sums[i], block->c.exact + at);
        if (finish.masks[1])
            write_exact(&finish, 1, sums[i], block->c.exact + at + LANES);
    }
}

static void write_all(const struct block *block, float sums[BLOCK_ROWS][BF16_COLUMNS])
{
    if (block->c.rounded)
        write_rows(block, sums, true);
    else
        write_rows(block, sums, false);
}

INLINE void multiply_block(const struct block *block, bool tall, bool wide)
{
    float sums[BLOCK_ROWS][BF16_COLUMNS] __attribute__((aligned(64)));
    if (is_plain(block)) {
        multiply_plain(block, tall, wide);
        return;
    }
    multiply_from_zero(block, tall, wide);
    TILE_STORE(0, sums[0], sizeof *sums);
    TILE_STORE(1, sums[0] + LANES, sizeof *sums);
    TILE_STORE(2, sums[TILE_ROWS], sizeof *sums);
    TILE_STORE(3, sums[TILE_ROWS] + LANES, sizeof *sums);
    write_all(block, sums);
}

/* Each size of block, compiled on its own. */
static void multiply_any_block(const struct block *block)
{
    bool tall = block->rows > TILE_ROWS, wide = block->columns > LANES;
    if (tall && wide)
        multiply_block(block, true, true);
    else if (tall)
        multiply_block(block, true, false);
    else if (wide)
        multiply_block(block, false, true);
    else
        multiply_block(block, false, false);
}

/* ---- the whole ---- */

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

static size_t tiles_for(size_t rows)
{
    return (rows + TILE_ROWS - 1) / TILE_ROWS;
}

/* `rows` rows that follow each other, counted or not. */
static void multiply_rows(const struct bf16_product *product, size_t rows, const uint16_t *a,
                          size_t c)
{
    struct block block = {.product = product};
    for (size_t row = 0; row < rows; row += BLOCK_ROWS) {
        block.first = row;
        block.rows = least(BLOCK_ROWS, rows - row);
        block.a = a + row * product->a_row;
        block.b = product->b;
        for (size_t column = 0; column < product->columns; column += BF16_COLUMNS) {
            block.columns = least(BF16_COLUMNS, product->columns - column);
            block.bias = product->bias ? product->bias + column : NULL;
            block.c = bf16_target_from(&product->c, c + column);
            multiply_any_block(&block);
            block.b += product->b_block;
        }
    }
}

static void multiply(const struct bf16_product *product)
{
    size_t through = (product->bands - 1) * product->pitch + product->width;
    if (tiles_for(through) <= product->bands * tiles_for(product->width)) {
        multiply_rows(product, through, product->a, 0);
    } else {
        for (size_t band = 0; band < product->bands; band++)
            multiply_rows(product, product->width,
                          product->a + band * product->pitch * product->a_row,
                          band * product->width * product->c_row);
    }
}

static void begin(void)
{
    tiles_begin();
}

static void end(void)
{
    tiles_end();
}

const struct bf16_kernels bf16_tiles = {
    .name = "amx",
    .depth = DEPTH,
    .packing = &bf16_packing,
    .layers = &bf16_layers,
    .begin = begin,
    .multiply = multiply,
    .end = end,
};

/* ---- permission ---- */

/* In Linux, arch_prctl(ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA): the registers are large, so
 * a process has to say that it wants them saved. */
enum { REQUEST_PERMISSION = 0x1023, TILE_DATA = 18 };

bool bf16_tiles_granted(void)
{
    const unsigned amx_bf16 = 1u << 22, amx_tile = 1u << 24;
    unsigned a, b, c, d;
    if (!__get_cpuid_count(7, 0, &a, &b, &c, &d) || !(d & amx_bf16) || !(d & amx_tile))
        return false;
    return syscall(SYS_arch_prctl, REQUEST_PERMISSION, TILE_DATA) == 0;
}
#endif
