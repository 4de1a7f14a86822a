#!/bin/sh
# Makes sure that the tools outside Python are there: clang with its sanitizer and fuzzer runtimes, the cross
# compilers with their C libraries, and QEMU. Installed where we may, else described. Tests that need one of them skip
# with the reason when it is missing.
set -eu

missing=
need() { # need PACKAGES COMMAND...: asks for the packages where the command fails
    packages=$1
    shift
    "$@" >/dev/null 2>&1 || missing="$missing $packages"
}

fuzzes() {
    dir=$(mktemp -d)
    echo 'int LLVMFuzzerTestOneInput(const unsigned char *d, unsigned long n);
int LLVMFuzzerTestOneInput(const unsigned char *d, unsigned long n) { return n > 9 && d[0] ? 0 : 0; }' >"$dir/f.c"
    clang -fsanitize=fuzzer,address,undefined "$dir/f.c" -o "$dir/f" >/dev/null 2>&1 && code=0 || code=1
    rm -rf "$dir"
    return $code
}

includes() { # includes COMPILER SPECS: it finds its C library
    echo '#include <string.h>' | "$1" "--specs=$2" -E - >/dev/null 2>&1
}

look() {
    missing=
    need clang fuzzes
    need "gcc-arm-none-eabi libnewlib-arm-none-eabi" includes arm-none-eabi-gcc nano.specs
    need "gcc-riscv64-unknown-elf picolibc-riscv64-unknown-elf" includes riscv64-unknown-elf-gcc picolibc.specs
    need qemu-system-arm command -v qemu-system-arm
    need qemu-system-misc command -v qemu-system-riscv32
}

look
[ -z "$missing" ] && exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    echo "installing$missing"
    export DEBIAN_FRONTEND=noninteractive
    if apt-get -qq update; then
        for package in $missing; do
            apt-get -qq install --no-install-recommends "$package" >/dev/null || true
        done
        if ! fuzzes && command -v clang >/dev/null; then
            apt-get -qq install --no-install-recommends "libclang-rt-$(clang -dumpversion | cut -d. -f1)-dev" >/dev/null || true
        fi
    fi
    look
    [ -z "$missing" ] && exit 0
fi
case "$missing" in *" clang"*) missing="$missing libclang-rt-*-dev" ;; esac
echo "note: some tools are missing, the tests that need them will skip" >&2
echo "  try    sudo apt-get install$missing (Debian, Ubuntu), or your system's packages of these tools" >&2
