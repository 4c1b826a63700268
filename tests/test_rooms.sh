#!/bin/bash
# A file includes only its own room or a lower one, and only the store calls SQLite.
status=0
allowed_common="common"
allowed_trainer="trainer common"
allowed_db="db common"
allowed_reports="reports db common"
allowed_tuner="tuner reports db common"

say() { # description, offending lines
    if [ -z "$2" ]; then echo "ok - $1"; else echo "not ok - $1"; echo "$2"; status=1; fi
}

for room in common trainer db reports tuner; do
    list=allowed_$room
    pattern=$(echo "${!list}" | tr ' ' '|')
    say "$room/ includes only from: ${!list}" \
        "$(grep -nE '^#include "' $room/*.c $room/*.h | grep -vE "#include \"($pattern)/")"
done
say "only db/ includes sqlite3.h" "$(grep -nlE '^#include .sqlite3\.h' {common,tuner,trainer,reports}/*.[ch])"
say "only tuner/yaml*.c includes yaml.h of libyaml" "$(grep -n '<yaml\.h>' */*.[ch] | grep -v '^tuner/yaml')"
pure=$(ls tuner/sampler*.c tuner/scheduler*.c tuner/plan.c tuner/rung.c tuner/ranking.c 2>/dev/null)
say "samplers and schedulers are pure: no clock, descriptor, store or process" \
    "$(grep -nE 'clock_|db/|launcher|loop\.h|<unistd|<time\.h|<sys/' $pure)"
engine="daemon|submit|origin|queue|steer|assign|slot|hear|run|run_next|run_trials|segment|final|fault|record|replay|recorded|sweep|outside|disk|event|\
status|settings|reporter"
say "only the engine's own files and its tests see its insides" \
    "$(grep -lE '#include "tuner/engine.h"' */*.[ch] | grep -vE "^(tuner/($engine)\.c|tests/engine_fixture\.h)$")"
only_main=$(grep -nE '\bexit\(' */*.c | grep -vE '/main\.c|common/base\.c|_exit\(|tests/')
say "only main and an exhausted memory end a program" "$only_main"
exit $status
