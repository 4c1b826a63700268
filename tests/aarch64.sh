#!/bin/bash
# Cross-compiles the programs and their tests for aarch64, and tests them: tests/aarch64.sh BUILD
# The compiler is Debian's.  The libraries are Debian's packages for arm64, unpacked in
# BUILD/root: apt works in a folder of its own, so that nothing else of this machine changes.
set -eu
build=$1
mkdir -p "$build"
root=$(realpath "$build")/root
libraries=$root/usr/lib/aarch64-linux-gnu
packages="libyaml-dev libsqlite3-dev libopenblas-dev libjansson-dev zlib1g-dev libpng-dev libcmocka-dev"

for tool in aarch64-linux-gnu-gcc apt-get; do
    command -v $tool >/dev/null || {
        echo "skipped, for there is no $tool; on Debian install it with: ./deps.sh --emulated"
        exit 0
    }
done

unpack() {
    local apt=$root.apt
    rm -rf "$root" "$apt"
    mkdir -p "$root" "$apt/lists/partial" "$apt/archives/partial"
    : >"$apt/status"
    cat >"$apt/conf" <<CONF
APT { Architecture "arm64"; Architectures { "arm64"; }; Install-Recommends "false"; };
APT::Sandbox::User "root";
Dir { State "$apt"; State::status "$apt/status"; Cache "$apt"; };
Debug::NoLocking "true";
CONF
    echo "getting the libraries for aarch64"
    APT_CONFIG=$apt/conf apt-get -qq update
    APT_CONFIG=$apt/conf apt-get -qq --yes --download-only install $packages >/dev/null
    local package link
    for package in "$apt"/archives/*.deb; do
        dpkg-deb --extract "$package" "$root"
    done
    find "$root" -lname '/*' | while read -r link; do
        ln -sf "$root$(readlink "$link")" "$link"
    done
    # Installing the package would link it.
    ln -s openblas-pthread/libopenblas.so.0 "$libraries/"
    rm -rf "$apt"
    touch "$root/complete"
}

[ -e "$root/complete" ] || unpack
PKG_CONFIG_SYSROOT_DIR=$root \
PKG_CONFIG_LIBDIR=$libraries/pkgconfig:$libraries/openblas-pthread/pkgconfig \
    MAKEFLAGS='' make -j"$(nproc)" --no-print-directory BUILD="$build" DEFINES=-DFAILPOINTS \
    CC="aarch64-linux-gnu-gcc --sysroot=$root" AR=aarch64-linux-gnu-ar build-tests
exec tests/emulated.sh "$build" aarch64
