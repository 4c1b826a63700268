#!/bin/bash
# The trainer on processors that this machine need not have: tests/emulated.sh BUILD PROCESSOR...
# qemu runs its kernels' suites and a short training on each: an instruction that the processor
# has not ends them.  Nehalem has no AVX, Haswell AVX2 at most (which qemu knows since 7.2), and
# aarch64 is for aarch64.sh.
set -u
build=$1
shift
suites="isa conv winograd kernels kernels_norm augment rng layer_conv layer_pool layer_dense
        layer_activation layer_dropout layer_batch_norm loss optimizer network network_route train"
status=0
# A choice of OpenBLAS's kernels is the choice for the processor that we are on.
unset OPENBLAS_CORETYPE TRAINER_ISA TRAINER_CONV
# Each number of a vector is a call within qemu: some hundred times as slow as on a processor.
export OPENBLAS_NUM_THREADS=1 TEST_PATIENCE=${TEST_PATIENCE:-4} TEST_THINNING=${TEST_THINNING:-4}

say() { # description, whether it is so, what was seen
    if [ "$2" = 0 ]; then echo "ok - $1"; else echo "not ok - $1"; echo "$3"; status=1; fi
}

configuration='{"model": [{"type": "conv", "filters": 12, "kernel": 3, "activation": "relu"},
    {"type": "batch_norm"}, {"type": "max_pool", "size": 2},
    {"type": "conv", "filters": 20, "kernel": 3, "stride": 2, "activation": "relu"},
    {"type": "flatten"}, {"type": "dropout", "rate": 0.2}, {"type": "dense", "units": 10}],
  "training": {"optimizer": {"type": "adam", "learning_rate": 0.003}, "batch_size": 50,
    "augmentation": {"shift": 1, "rotate": 5, "zoom": 0.05, "shear": 2}},
  "data": {"dataset": "synthetic", "train": 2000, "validation": 500}, "epochs": 1}'

check() { # processor, kernels that it should choose, emulator...
    local processor=$1 kernels=$2 seen
    shift 2
    echo "$processor:"
    if ! command -v "$1" >/dev/null; then
        echo "skipped, for there is no $1; install it with: ./deps.sh --emulated"
        return
    fi
    # For qemu alone, which unsets it for the program.
    if [ "$processor" = Haswell ] && grep -qw fma /proc/cpuinfo; then
        set -- env LD_PRELOAD="$(realpath "$build")/tests/fma_shim.so" "$@"
    fi
    seen=$("$@" "$build/trainer" worker </dev/null 2>&1)
    grep -q "\"arithmetic\":\"$kernels+" <<<"$seen"
    say "its kernels are $kernels" $? "$seen"
    seen=$("$@" "$build/trainer" train - --output "$build/$processor.ckpt" \
        <<<"$configuration" 2>&1)
    say "a training ends well" $? "$seen"
    echo "$seen" | tail -1
    rm -f "$build/$processor.ckpt"
    EMULATOR="$*" tests/run.sh "$build" $suites || status=1
}

for processor in "$@"; do
    case $processor in
    Nehalem) check Nehalem portable qemu-x86_64 -cpu Nehalem ;;
    Haswell) check Haswell avx2 qemu-x86_64 -U LD_PRELOAD -cpu Haswell ;;
    aarch64) check aarch64 neon qemu-aarch64 -L "$build/root" ;;
    *) say "$processor is Nehalem, Haswell or aarch64" 1 "" ;;
    esac
done
exit $status
