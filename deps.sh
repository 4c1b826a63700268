#!/bin/sh
# Installs the packages that the build and the tests need, by name, with apt.
# --check: installs nothing; says what is missing and fails.
# --emulated: also what only `make emulated` and `make aarch64` need; --fuzz: what only
# `make fuzz` needs.
set -eu
build="gcc make pkg-config libyaml-dev libsqlite3-dev libopenblas-dev libjansson-dev zlib1g-dev libpng-dev"
tests="libcmocka-dev sqlite3 curl python3 python3-sklearn python3-numpy python3-onnx python3-opencv python3-optuna python3-torch python3-selenium chromium chromium-driver valgrind man-db groff dpkg-dev zsh"
emulated="gcc-aarch64-linux-gnu qemu-user"
fuzz="clang llvm"

command -v dpkg-query >/dev/null 2>&1 || {
    pkg-config --exists yaml-0.1 sqlite3 openblas jansson zlib libpng 2>/dev/null && exit 0
    echo "This is not Debian or Ubuntu. Install, with headers: libyaml, SQLite 3.38 or later," >&2
    echo "OpenBLAS, jansson, zlib, libpng, pkg-config; for the tests cmocka, sqlite3, curl," >&2
    echo "python3 with scikit-learn, numpy, onnx, OpenCV, Optuna, PyTorch and selenium, chromium and" >&2
    echo "its driver, valgrind." >&2
    exit 1
}

missing() {
    for package in "$@"; do
        dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || printf ' %s' "$package"
    done
}

if [ "${1:-}" = --check ]; then
    wanted=$(missing $build)
    [ -z "$wanted" ] && exit 0
    echo "missing:$wanted" >&2
    echo "install with: make deps (or: sudo apt-get install$wanted)" >&2
    exit 1
fi

[ "${1:-}" = --emulated ] && tests="$tests $emulated"
[ "${1:-}" = --fuzz ] && tests="$tests $fuzz"
wanted=$(missing $build $tests)
[ -z "$wanted" ] && exit 0
sudo=
if [ "$(id -u)" != 0 ]; then
    if command -v sudo >/dev/null 2>&1 && sudo -n true 2>/dev/null; then
        sudo=sudo
    else
        echo "not root; install what is missing, then run this again:" >&2
        echo "  sudo apt-get install$wanted" >&2
        exit 1
    fi
fi
echo "installing:$wanted"
export DEBIAN_FRONTEND=noninteractive
$sudo apt-get update -qq
$sudo apt-get install -y -qq --no-install-recommends $wanted >/dev/null
