#!/bin/bash
# The tuner under valgrind: a whole study with a fake trainer, one that goes on after an
# interruption's record, a refused file.  Any error or leak fails.
set -u
build=$1
home=$(mktemp -d)
trap 'rm -rf "$home"' EXIT
export FAKE_STATE=$home # where the fake trainer keeps its lists
check="valgrind -q --leak-check=full --errors-for-leak-kinds=definite --error-exitcode=99"
cat >"$home/study.yaml" <<'YAML'
study: s
data: {dataset: synthetic, train: 1000, validation: 100}
parameters: {units: {type: int, low: 8, high: 4096, log: true}}
model: [flatten, {dense: {units: $units, activation: relu}}, {dense: {units: classes}}]
training: {optimizer: {type: sgd, learning_rate: 0.1}, batch_size: 32}
search: {scheduler: hyperband, max_epochs: 9}
YAML
sed 's/units: $units/units: $unit/' "$home/study.yaml" >"$home/bad.yaml"
passed=0 failed=0
expect() { # what, exit code, command...
    local what=$1 wanted=$2
    shift 2
    "$@" >"$home/out" 2>&1 </dev/null
    local got=$?
    if [ "$got" = "$wanted" ]; then
        echo "ok - $what"
        passed=$((passed + 1))
    else
        echo "not ok - $what (exit status $got)"
        tail -40 "$home/out"
        failed=$((failed + 1))
    fi
}
tuner="$check $build/tuner"
expect "a study from beginning to end" 0 \
    $tuner run "$home/study.yaml" --home "$home" --trainer tests/fake_trainer.py
expect "the same study again, finished" 0 \
    $tuner run "$home/study.yaml" --home "$home" --trainer tests/fake_trainer.py
expect "a study whose workers crash" 0 env FAKE=crash=2:1!,diverge=4:1! \
    $tuner run "$home/study.yaml" --home "$home" --fresh --trainer tests/fake_trainer.py
TUNER_FAILPOINT=after-commit:9 "$build/tuner" run "$home/study.yaml" --home "$home" --fresh \
    --trainer tests/fake_trainer.py >/dev/null 2>&1
expect "a study that goes on after kill -9" 0 \
    $tuner run "$home/study.yaml" --home "$home" --name s_3 --trainer tests/fake_trainer.py
expect "a refused study file" 65 $tuner check "$home/bad.yaml"
expect "the plan of a study" 0 $tuner check "$home/study.yaml" --trainer tests/fake_trainer.py
for command in "list" "trials s" "best s --json" "report s"; do
    expect "tuner $command" 0 $tuner $command --home "$home"
done
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
