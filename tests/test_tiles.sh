#!/bin/bash
# The kernels for AMX tiles are assembled to the instructions that they are written for, and
# use none of them without a configuration: where there is no AMX, no more can be tested of
# the real ones.  The logic of the kernels is tested on emulated tiles (tests/bf16_twin.h).
status=0
object=$(dirname "$TRAINER")/obj/trainer/bf16_tiles.o

say() { # description, whether it holds
    if [ "$2" = 0 ]; then echo "ok - $1"; else echo "not ok - $1"; status=1; fi
}

if [ "$(uname -m)" != x86_64 ]; then
    echo "ok - there are no tiles on this kind of processor"
    exit 0
fi
code=$(objdump -d --no-show-raw-insn "$object")
for instruction in ldtilecfg tilezero tileloadd tdpbf16ps tilestored tilerelease; do
    grep -qw "$instruction" <<<"$code"
    say "the kernels for tiles use $instruction" $?
done
# c, a, b of TILE_DOT(1, 4, 7) and a stride in a register, as the assembler writes them.
grep -qE 'tdpbf16ps %tmm7,%tmm4,%tmm1' <<<"$code"
say "a dot product has its operands in the assembler's order" $?
grep -qE 'tileloadd \(%r[a-z0-9]+,%r[a-z0-9]+,1\),%tmm4' <<<"$code"
say "a tile is loaded by an address and a distance between rows" $?
[ "$(grep -cw ldtilecfg <<<"$code")" = "$(grep -cw tilerelease <<<"$code")" ]
say "what is configured is released" $?
exit $status
