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
 * Where a processor refuses them, the tests do instead what the manual says
 * (tests/tile_emulator.h). */
#ifndef TRAINER_TILES_H
#define TRAINER_TILES_H

#include <stddef.h>
#include <stdint.h>

enum { TILE_ROWS = 16 };

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

#endif
