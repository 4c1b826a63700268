/* Operations on the tile registers of AMX: eight of 16 rows of 64 bytes.
 *
 *   TILE_ZERO(t)             t = 0
 *   TILE_LOAD(t, from, row)  16 rows of 64 bytes, `row` bytes apart
 *   TILE_STORE(t, to, row)
 *   TILE_DOT(c, a, b)        c[16][16] += a[16][32] b[32][16], with c of floats, and of bf16
 *                            a, and b as [16 pairs][16][2]
 *
 * with numbers of tiles written out, between tiles_begin() and tiles_end().  Between these
 * two, nothing may be called that might use tiles itself.
 *
 * The operations are macros of inline assembly, for an instruction has its tiles' numbers in
 * itself.  The compilers' own functions for them will not do: gcc 12 believes that loading
 * the configuration reads 8 bytes of it and that loading a tile reads no memory, and leaves
 * out or moves what was written there before.
 *
 * With EMULATE_TILES defined, they do in plain C what the manual says that the processor does
 * (Intel's Software Developer's Manual, TDPBF16PS), so that kernels can be tested where there
 * is no AMX.  The kernels have been run in no other way so far: of the real operations it has
 * been tested that they are assembled to the right instructions. */
#ifndef TRAINER_TILES_H
#define TRAINER_TILES_H

#include <stdint.h>
#include <string.h>

enum { TILE_ROWS = 16, TILE_ROW_BYTES = 64 };

#if !defined(EMULATE_TILES)

struct tile_configuration {
    uint8_t palette, start_row, reserved[14];
    uint16_t row_bytes[16]; /* of each tile, as are its */
    uint8_t rows[16];
};
_Static_assert(sizeof(struct tile_configuration) == 64, "as the processor reads it");

static inline void tiles_begin(void)
{
    static const struct tile_configuration configuration = {
        .palette = 1,
        .row_bytes = {64, 64, 64, 64, 64, 64, 64, 64},
        .rows = {16, 16, 16, 16, 16, 16, 16, 16},
    };
    __asm__ volatile("ldtilecfg %0" : : "m"(configuration));
}

static inline void tiles_end(void)
{
    __asm__ volatile("tilerelease" : : : "memory");
}

#define TILE_ZERO(tile) __asm__ volatile("tilezero %%tmm" #tile : :)
#define TILE_LOAD(tile, from, row)                                                            \
    __asm__ volatile("tileloadd (%0,%1,1), %%tmm" #tile : : "r"(from), "r"((size_t)(row))     \
                     : "memory")
#define TILE_STORE(tile, to, row)                                                             \
    __asm__ volatile("tilestored %%tmm" #tile ", (%0,%1,1)" : : "r"(to), "r"((size_t)(row))   \
                     : "memory")
#define TILE_DOT(c, a, b)                                                                     \
    __asm__ volatile("tdpbf16ps %%tmm" #b ", %%tmm" #a ", %%tmm" #c : :)

#else

#include <math.h>

struct tile {
    unsigned char row[TILE_ROWS][TILE_ROW_BYTES];
};

/* The processor's registers, of each thread its own. */
static _Thread_local struct tile tiles[8];
static _Thread_local int tiles_configured;

static inline void tiles_begin(void)
{
    memset(tiles, 0, sizeof tiles);
    tiles_configured = 1;
}

static inline void tiles_end(void)
{
    memset(tiles, 0xff, sizeof tiles);
    tiles_configured = 0;
}

/* An operation on tiles without a configuration ends a program. */
static inline struct tile *tile_of(int number)
{
    if (!tiles_configured)
        __builtin_trap();
    return &tiles[number];
}

static inline void tile_load(int number, const void *from, size_t row)
{
    for (size_t i = 0; i < TILE_ROWS; i++)
        memcpy(tile_of(number)->row[i], (const char *)from + i * row, TILE_ROW_BYTES);
}

static inline void tile_store(int number, void *to, size_t row)
{
    for (size_t i = 0; i < TILE_ROWS; i++)
        memcpy((char *)to + i * row, tile_of(number)->row[i], TILE_ROW_BYTES);
}

/* What is smaller than the smallest normal float is 0. */
static inline float tile_flushed(float value)
{
    return fpclassify(value) == FP_SUBNORMAL ? copysignf(0.0f, value) : value;
}

static inline float tile_bf16(const unsigned char *row, size_t index)
{
    uint16_t half;
    float value;
    memcpy(&half, row + index * sizeof half, sizeof half);
    uint32_t bits = (uint32_t)half << 16;
    memcpy(&value, &bits, sizeof value);
    return tile_flushed(value);
}

/* The sums of the pairs' first numbers, and of their second ones, each from 0 on; both
 * together are added to c. */
static inline void tile_dot(int c, int a, int b)
{
    for (size_t m = 0; m < TILE_ROWS; m++) {
        float sums[TILE_ROWS][2] = {{0.0f}};
        for (size_t k = 0; k < TILE_ROWS; k++) {
            for (size_t n = 0; n < TILE_ROWS; n++) {
                for (size_t i = 0; i < 2; i++)
                    sums[n][i] = tile_flushed(fmaf(tile_bf16(tile_of(a)->row[m], 2 * k + i),
                                                   tile_bf16(tile_of(b)->row[k], 2 * n + i),
                                                   sums[n][i]));
            }
        }
        for (size_t n = 0; n < TILE_ROWS; n++) {
            float value;
            unsigned char *place = tile_of(c)->row[m] + n * sizeof value;
            memcpy(&value, place, sizeof value);
            value = tile_flushed(tile_flushed(value) + tile_flushed(sums[n][0] + sums[n][1]));
            memcpy(place, &value, sizeof value);
        }
    }
}

#define TILE_ZERO(tile) memset(tile_of(tile), 0, sizeof *tile_of(tile))
#define TILE_LOAD(tile, from, row) tile_load(tile, from, row)
#define TILE_STORE(tile, to, row) tile_store(tile, to, row)
#define TILE_DOT(c, a, b) tile_dot(c, a, b)

#endif
#endif
