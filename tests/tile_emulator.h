/* AMX for processors without it: the instructions of trainer/tiles.h, decoded and done in plain
 * C where the processor refuses them.  So what is tested is the kernels' machine code as it is,
 * with its operands, addresses and configuration.
 *
 * Encodings and operations are those of Intel's Software Developer's Manual, volume 2, under
 * LDTILECFG, TILERELEASE, TILEZERO, TILELOADD, TILESTORED and TDPBF16PS.  Whatever else is
 * refused, or does what a processor would punish, ends the program. */
#ifndef TESTS_TILE_EMULATOR_H
#define TESTS_TILE_EMULATOR_H

#if defined(__x86_64__)
#include <math.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>

enum { TILES = 8, TILE_SIDE = 16, TILE_BYTES = 64 }; /* rows, and bytes of one */

/* The registers, of each thread its own. */
static _Thread_local unsigned char tile_registers[TILES][TILE_SIDE][TILE_BYTES];
static _Thread_local int tiles_are_configured;
static _Thread_local size_t tile_products; /* done since it began */

static inline void tile_require(int holds)
{
    if (!holds)
        abort();
}

/* ---- operations ---- */

/* Palette 1, all eight tiles of full size: the only configuration that is used. */
static inline void emulate_ldtilecfg(const unsigned char *configuration)
{
    tile_require(configuration[0] == 1 && configuration[1] == 0);
    for (int tile = 0; tile < TILES; tile++) {
        uint16_t row_bytes;
        memcpy(&row_bytes, configuration + 16 + 2 * tile, sizeof row_bytes);
        tile_require(row_bytes == TILE_BYTES && configuration[48 + tile] == TILE_SIDE);
    }
    for (int i = 2; i < 64; i++)
        tile_require((i >= 16 && i < 32) || (i >= 48 && i < 56) || configuration[i] == 0);
    memset(tile_registers, 0, sizeof tile_registers);
    tiles_are_configured = 1;
}

static inline void emulate_tilerelease(void)
{
    memset(tile_registers, 0xff, sizeof tile_registers);
    tiles_are_configured = 0;
}

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

/* One element of c: the sums of the pairs' first numbers and of their second ones, each from
 * 0 on; then both together are added. */
static inline void emulate_dot(const unsigned char *a, size_t b, size_t n, unsigned char *c)
{
    float first = 0.0f, second = 0.0f, value;
    for (size_t k = 0; k < TILE_SIDE; k++) {
        const unsigned char *pairs = tile_registers[b][k];
        first = tile_flushed(fmaf(tile_bf16(a, 2 * k), tile_bf16(pairs, 2 * n), first));
        second = tile_flushed(fmaf(tile_bf16(a, 2 * k + 1), tile_bf16(pairs, 2 * n + 1), second));
    }
    memcpy(&value, c, sizeof value);
    value = tile_flushed(tile_flushed(value) + tile_flushed(first + second));
    memcpy(c, &value, sizeof value);
}

static inline void emulate_tdpbf16ps(size_t c, size_t a, size_t b)
{
    tile_require(a != b && a != c && b != c);
    tile_products++;
    for (size_t m = 0; m < TILE_SIDE; m++) {
        for (size_t n = 0; n < TILE_SIDE; n++)
            emulate_dot(tile_registers[a][m], b, n, tile_registers[c][m] + n * sizeof(float));
    }
}

/* ---- decoding ---- */

/* VEX prefix of three bytes, opcode, ModRM, and what that says of an address. */
struct tile_instruction {
    unsigned prefix, opcode; /* prefix: 0 none, 2 F3, 3 F2 */
    unsigned mod, reg, rm, vvvv;
    const unsigned char *end;
    char *base;              /* with the displacement; unless mod is 3 */
    int64_t index;
};

/* General registers, in the order of their numbers. */
static inline int64_t tile_general(const ucontext_t *context, unsigned number)
{
    static const int places[] = {REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP,
                                 REG_RSI, REG_RDI, REG_R8,  REG_R9,  REG_R10, REG_R11,
                                 REG_R12, REG_R13, REG_R14, REG_R15};
    return context->uc_mcontext.gregs[places[number]];
}

static inline int64_t tile_displacement(struct tile_instruction *in, size_t bytes)
{
    int8_t small = 0;
    int32_t large = 0;
    memcpy(bytes == 1 ? (void *)&small : &large, in->end, bytes);
    in->end += bytes;
    return bytes == 1 ? small : large;
}

/* `more` has the upper bits of the numbers of base and index. */
static inline void tile_decode_address(const ucontext_t *context, unsigned more_base,
                                       unsigned more_index, struct tile_instruction *in)
{
    int64_t base = 0;
    unsigned number = in->rm;
    if (number == 4) { /* a SIB byte follows */
        unsigned sib = *in->end++, index = (sib >> 3 & 7) | more_index;
        number = sib & 7;
        in->index = index == 4 ? 0 : tile_general(context, index) << (sib >> 6);
    }
    bool none = number == 5 && in->mod == 0; /* of a base, or the instruction's own address */
    if (!none)
        base = tile_general(context, number | more_base);
    base += in->mod == 2 || none ? tile_displacement(in, 4)
            : in->mod == 1       ? tile_displacement(in, 1)
                                 : 0;
    if (none && in->rm == 5)
        base += (int64_t)(intptr_t)in->end;
    in->base = (char *)(intptr_t)base;
}

static inline struct tile_instruction tile_decode(const ucontext_t *context)
{
    const unsigned char *code = (const unsigned char *)context->uc_mcontext.gregs[REG_RIP];
    tile_require(code[0] == 0xc4 && (code[1] & 0x1f) == 2); /* VEX, opcodes 0F38 */
    tile_require((code[2] & 0x84) == 0);                    /* W0, 128 bits */
    struct tile_instruction in = {
        .prefix = code[2] & 3,
        .vvvv = ~(code[2] >> 3) & 15u,
        .opcode = code[3],
        .mod = code[4] >> 6,
        .reg = code[4] >> 3 & 7,
        .rm = code[4] & 7,
        .end = code + 5,
    };
    tile_require(code[1] & 0x80); /* no ninth tile */
    if (in.mod != 3)
        tile_decode_address(context, code[1] & 0x20 ? 0 : 8, code[1] & 0x40 ? 0 : 8, &in);
    return in;
}

/* ---- instead of the processor ---- */

static inline void tile_move(const struct tile_instruction *in, bool load)
{
    tile_require(in->rm == 4);
    for (int row = 0; row < TILE_SIDE; row++) {
        char *memory = in->base + row * in->index;
        unsigned char *tile = tile_registers[in->reg][row];
        if (load)
            memcpy(tile, memory, TILE_BYTES);
        else
            memcpy(memory, tile, TILE_BYTES);
    }
}

static inline void tile_execute(const struct tile_instruction *in)
{
    enum { NONE, F3 = 2, F2 = 3 };
    unsigned what = in->opcode << 4 | in->prefix << 2 | (in->mod == 3);
    if (what == (0x49 << 4 | NONE << 2 | 0)) {
        tile_require(in->reg == 0);
        emulate_ldtilecfg((const unsigned char *)in->base + in->index);
        return;
    }
    tile_require(tiles_are_configured || in->opcode == 0x49);
    if (what == (0x49 << 4 | NONE << 2 | 1) && in->reg == 0 && in->rm == 0)
        emulate_tilerelease();
    else if (what == (0x49 << 4 | F2 << 2 | 1) && in->rm == 0 && tiles_are_configured)
        memset(tile_registers[in->reg], 0, sizeof tile_registers[in->reg]);
    else if (what == (0x4b << 4 | F2 << 2 | 0))
        tile_move(in, true);
    else if (what == (0x4b << 4 | F3 << 2 | 0))
        tile_move(in, false);
    else if (what == (0x5c << 4 | F3 << 2 | 1))
        emulate_tdpbf16ps(in->reg, in->rm, in->vvvv);
    else
        abort();
}

static inline void tile_refused(int number, siginfo_t *info, void *context)
{
    (void)number;
    (void)info;
    struct tile_instruction in = tile_decode(context);
    tile_execute(&in);
    ((ucontext_t *)context)->uc_mcontext.gregs[REG_RIP] = (greg_t)(intptr_t)in.end;
}

/* From now on, in this process. */
static inline void emulate_tiles(void)
{
    struct sigaction action = {.sa_sigaction = tile_refused, .sa_flags = SA_SIGINFO | SA_NODEFER};
    sigaction(SIGILL, &action, NULL);
}

#endif
#endif
