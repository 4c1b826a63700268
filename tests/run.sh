#!/bin/bash
# Runs the test suites of a build folder: tests/run.sh BUILD [SUITE...]
# A suite is a program test_NAME in BUILD/tests, or a script tests/test_NAME.sh or
# .py that prints "ok - ..." and "not ok - ..." lines.  Ends in "N passed, M failed".  A
# program may skip tests for which the processor has no instructions.
# $EMULATOR: a command that runs the programs (tests/emulated.sh).
set -u
build=$1
only=" ${*:2} "
top=$PWD
passed=0 failed=0
work=$build/test-work
rm -rf "$work"
mkdir -p "$work"

export TUNER=$top/$build/tuner TRAINER=$top/$build/trainer
export REPORT_DRIVER=$top/$build/tests/report_driver FAKE_TRAINER=$top/$build/tests/fake_trainer
export OPENBLAS_NUM_THREADS=1 ASAN_OPTIONS=detect_leaks=1 PYTHONDONTWRITEBYTECODE=1
case $build in /*) TUNER=$build/tuner TRAINER=$build/trainer REPORT_DRIVER=$build/tests/report_driver FAKE_TRAINER=$build/tests/fake_trainer ;; esac

# A suite's counts, from what it printed and how it ended.
count() { # name, log, status
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
    passed=$((passed + good)) failed=$((failed + bad))
    if [ "$bad" = 0 ]; then
        printf '%-24s %4d passed  (%d s)\n' "$1" "$good" "$4"
    else
        printf '%-24s %4d passed, %d FAILED (exit status %d); its output:\n' "$1" "$good" "$bad" "$3"
        sed 's/^/    /' "$2" | tail -60
    fi
}

run() { # name, command...
    local name=$1 log=$work/$1.log begin=$SECONDS
    shift
    case $only in "  " | *" $name "* | *" ${name#test_} "*) ;; *) return ;; esac
    mkdir -p "$work/$name"
    TEST_TMP=$top/$work/$name timeout -k 10 "${SUITE_SECONDS:-600}" "$@" >"$log" 2>&1 </dev/null
    count "$name" "$log" $? $((SECONDS - begin))
    rm -rf "${work:?}/$name"
}

for suite in "$build"/tests/test_*; do
    [ -x "$suite" ] && run "$(basename "$suite")" ${EMULATOR:-} "$suite"
done
for script in tests/test_*.sh; do
    [ -f "$script" ] && run "$(basename "$script" .sh)" bash "$script"
done
for script in tests/test_*.py; do
    [ -f "$script" ] && run "$(basename "$script" .py)" /usr/bin/python3 "$script"
done
echo "$passed passed, $failed failed"
[ "$failed" = 0 ] && [ "$passed" -gt 0 ]
