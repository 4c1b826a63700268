#!/bin/bash
# What make says, and with how many jobs it builds what is to be built from nothing.
set -u
cd "$(dirname "$0")/.." || exit 1
unset MAKEFLAGS MFLAGS MAKELEVEL V
work=$(mktemp -d "${TEST_TMP:-/tmp}/make-XXXXXX")
build=$work/build
mkdir -p "$build"
touch "$build/deps-found" # that nothing is missing is known; -n would not look

check() { # what, good, detail
    if [ "$2" = yes ]; then echo "ok - $1"; else
        echo "not ok - $1"
        printf '    %s\n' "$3"
        failed=1
    fi
}
says() { grep -qE -- "$1" <<<"$2" && echo yes; }
failed=0

compiled() { make --no-print-directory BUILD="$build" "$@" -W common/text.c "$build/obj/common/text.o" 2>&1; }
said=$(compiled)
check "a compiled file is a line of two words" \
    "$([ "$said" = "CC common/text.c" ] && [ -s "$build/obj/common/text.o" ] && echo yes)" "$said"
said=$(compiled V=1)
check "V=1 shows the command, and only that" \
    "$([ "$(wc -l <<<"$said")" = 1 ] && says ' -c -o .*/common/text\.o common/text\.c$' "$said")" "$said"
echo '#error "broken"' >"$work/broken.h"
said=$(compiled CPPFLAGS="-include $work/broken.h")
check "a file that does not compile says why" \
    "$([ -n "$(says '#error "broken"' "$said")" ] && says 'Error 1' "$said")" "$said"

# What targets would do: the makes that they start, and what those would warn of.
started() { make -n BUILD="$build" "$@" 2>&1 | grep -E '^make |warning:'; }
processors=$(nproc)
for target in test asan demo; do
    said=$(started $target)
    check "make $target builds with every processor" "$(says "^make -j$processors " "$said")" "$said"
    check "which it asks for once" "$([ "$(grep -c -- ' -j' <<<"$said")" = 1 ] && echo yes)" "$said"
done
for given in -j1 -j3 -j; do
    said=$(started $given test)
    check "make $given test builds with what was given" \
        "$(grep -qE -- ' -j|warning' <<<"$said" || says '^make ' "$said")" "$said"
done
rm -rf "$work"
exit $failed
