#!/bin/bash
# Runs the test suites of a build folder: tests/run.sh BUILD [SUITE...]
# A suite is a program test_NAME in BUILD/tests, or a script tests/test_NAME.sh or
# .py that prints "ok - ..." and "not ok - ..." lines.  As many run at once as there are
# processors ($JOBS: another number).  Ends in "N passed, M failed".  A program may skip tests
# for which the processor has no instructions.
# $EMULATOR: a command that runs the programs (tests/emulated.sh).
# $TEST_PATIENCE: how many times as long as usual a suite, and what it waits for, may take: 1, or
# more where the programs are slower (sanitizers, emulators).
# $TEST_THINNING: how many times fewer of the shapes that they draw by chance suites may try
# (tests/rounds.h): 1, or more where that would take very long (emulators).
set -u
unset MAKEFLAGS MFLAGS MAKELEVEL # a make that a suite starts has no part in the jobs of this one
build=$1
only=" ${*:2} "
top=$PWD
jobs=${JOBS:-$(nproc)}
work=$build/test-work
rm -rf "$work"
mkdir -p "$work"

export TUNER=$top/$build/tuner TRAINER=$top/$build/trainer
export REPORT_DRIVER=$top/$build/tests/report_driver FAKE_TRAINER=$top/$build/tests/fake_trainer
export TEST_PATIENCE=${TEST_PATIENCE:-1}
export OPENBLAS_NUM_THREADS=1 PYTHONDONTWRITEBYTECODE=1
case $build in /*) TUNER=$build/tuner TRAINER=$build/trainer REPORT_DRIVER=$build/tests/report_driver FAKE_TRAINER=$build/tests/fake_trainer ;; esac

# A suite's counts, from what it printed and how it ended; said at once, and kept for the sum.
count() { # name, log, status, seconds
    local good bad
    if grep -q '^\[==========\]' "$2"; then
        good=$(grep -c '^\[ *OK *\]' "$2")
        bad=$(grep -c '^\[ *FAILED *\] [a-z_]' "$2")
        local listed
        listed=$(sed -n 's/^ *\([0-9]*\) FAILED TEST.*/\1/p' "$2" | awk '{s+=$1} END {print s+0}')
        [ "$listed" -gt 0 ] && bad=$listed
    else
        good=$(grep -c '^ok - ' "$2")
        bad=$(grep -c '^not ok - ' "$2")
    fi
    if [ "$3" != 0 ] && [ "$bad" = 0 ]; then bad=1; fi
    if [ "$good" = 0 ] && [ "$bad" = 0 ] && ! grep -q '^\[ *SKIPPED' "$2"; then bad=1; fi
    echo "$good $bad" >"$work/$1.counts"
    if [ "$bad" = 0 ]; then
        printf '%-24s %4d passed  (%d s)\n' "$1" "$good" "$4"
    else
        printf '%-24s %4d passed, %d FAILED (exit status %d); its output:\n%s\n' "$1" "$good" \
            "$bad" "$3" "$(tail -60 "$2" | sed 's/^/    /')"
    fi
}

# What a sanitizer has to say of any program of a suite goes to a file, for a worker's own words
# end in a log that goes with its home, and its death may be what a suite expects.
sanitize() { # name
    local options=log_path=$top/$work/$1.reports/report
    case $1 in # these send the signal themselves
    test_torture | test_engine_faults) options=$options:handle_segv=0 ;;
    esac
    mkdir -p "$work/$1.reports"
    export ASAN_OPTIONS=detect_leaks=1:$options TSAN_OPTIONS=$options UBSAN_OPTIONS=$options
}

# Whether it said nothing; else what, into the log of the suite.
is_clean() { # name, log
    local reports
    reports=$(find "$work/$1.reports" -type f -size +0 -exec head -40 {} +)
    rm -rf "${work:?}/$1.reports"
    [ -z "$reports" ] && return
    echo "not ok - a sanitizer has nothing to report" >>"$2"
    echo "$reports" | head -200 >>"$2"
    false
}

run() { # name, command...
    local name=$1 log=$work/$1.log begin=$SECONDS status
    shift
    mkdir -p "$work/$name"
    sanitize "$name"
    TEST_TMP=$top/$work/$name timeout -k 10 $((${SUITE_SECONDS:-600} * TEST_PATIENCE)) "$@" >"$log" 2>&1 </dev/null
    status=$?
    is_clean "$name" "$log" || status=${status/#0/1}
    rm -rf "${work:?}/$name"
    count "$name" "$log" $status $((SECONDS - begin))
}

# Begins a suite that was asked for, once there is a processor for it.
begin() { # name, command...
    case $only in "  " | *" $1 "* | *" ${1#test_} "*) ;; *) return ;; esac
    while [ "$(jobs -rp | wc -l)" -ge "$jobs" ]; do wait -n; done
    run "$@" &
}

# The scripts first: the longest are among them.
for script in tests/test_*.py; do
    [ -f "$script" ] && begin "$(basename "$script" .py)" /usr/bin/python3 "$script"
done
for script in tests/test_*.sh; do
    [ -f "$script" ] && begin "$(basename "$script" .sh)" bash "$script"
done
for suite in "$build"/tests/test_*; do # but none whose source has gone since it was built
    [ -x "$suite" ] && [ -f "tests/$(basename "$suite").c" ] && begin "$(basename "$suite")" ${EMULATOR:-} "$suite"
done
wait
cat "$work"/*.counts 2>/dev/null | awk '{passed += $1; failed += $2}
    END {print passed + 0 " passed, " failed + 0 " failed"; exit !(failed == 0 && passed > 0)}'
