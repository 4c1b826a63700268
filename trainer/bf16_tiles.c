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
#include "trainer/lanes.h"
#include "trainer/tiles.h"

#include <cpuid.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { DEPTH = 32, BLOCK_ROWS = 2 * TILE_ROWS };
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
    float *c;             /* the band's, at the first column */
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
    return block->rows % TILE_ROWS == 0 && block->columns % LANES == 0 && !block->bias &&
           !product->relu && product->width == product->pitch;
}

INLINE void multiply_plain(const struct block *block, bool tall, bool wide)
{
    size_t row = block->product->c_row * sizeof(float);
    float *c = block->c + block->first * block->product->c_row;
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

/* The first `bytes` bytes of 16 columns of a row. */
INLINE void finish_lanes(const struct block *block, const float *sums, size_t column, float *c,
                         size_t bytes)
{
    lanes_float value = *(const lanes_float *)(sums + column), other = {0};
    if (block->product->add)
        memcpy(&other, c + column, bytes);
    else if (block->bias)
        memcpy(&other, block->bias + column, bytes);
    value += other;
    if (block->product->relu) { /* what is not a number stays so */
        lanes_int negative = value < 0.0f;
        value = (lanes_float)((lanes_int)value & ~negative);
    }
    memcpy(c + column, &value, bytes);
}

static void finish(const struct block *block, float sums[BLOCK_ROWS][BF16_COLUMNS])
{
    const struct bf16_product *product = block->product;
    size_t band = block->first / product->pitch, x = block->first % product->pitch;
    for (size_t i = 0; i < block->rows; i++, x++) {
        if (x == product->pitch) {
            x = 0;
            band++;
        }
        if (x >= product->width)
            continue;
        float *c = block->c + (band * product->width + x) * product->c_row;
        size_t column = 0;
        for (; column + LANES <= block->columns; column += LANES)
            finish_lanes(block, sums[i], column, c, LANES * sizeof *c);
        if (column < block->columns)
            finish_lanes(block, sums[i], column, c, (block->columns - column) * sizeof *c);
    }
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
    finish(block, sums);
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
                          float *c)
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
            block.c = c + column;
            multiply_any_block(&block);
            block.b += product->b_block;
        }
    }
}

static void multiply(const struct bf16_product *product)
{
    size_t through = (product->bands - 1) * product->pitch + product->width;
    tiles_begin();
    if (tiles_for(through) <= product->bands * tiles_for(product->width)) {
        multiply_rows(product, through, product->a, product->c);
    } else {
        for (size_t band = 0; band < product->bands; band++)
            multiply_rows(product, product->width,
                          product->a + band * product->pitch * product->a_row,
                          product->c + band * product->width * product->c_row);
    }
    tiles_end();
}

const struct bf16_kernels bf16_tiles = {
    .name = "amx",
    .depth = DEPTH,
    .packing = &bf16_packing,
    .multiply = multiply,
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
