#!/bin/sh
# Makes sure that clang with its sanitizer and fuzzer runtimes is there: installed where
# we may, else described. Tests that need it skip with the reason when it is missing.
set -eu

works() {
    dir=$(mktemp -d)
    echo 'int LLVMFuzzerTestOneInput(const unsigned char *d, unsigned long n);
int LLVMFuzzerTestOneInput(const unsigned char *d, unsigned long n) { return n > 9 && d[0] ? 0 : 0; }' >"$dir/f.c"
    clang -fsanitize=fuzzer,address,undefined "$dir/f.c" -o "$dir/f" >/dev/null 2>&1 && code=0 || code=1
    rm -rf "$dir"
    return $code
}

works && exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    echo "installing clang and its sanitizer runtimes"
    export DEBIAN_FRONTEND=noninteractive
    if apt-get -qq update && apt-get -qq install --no-install-recommends clang >/dev/null; then
        major=$(clang -dumpversion | cut -d. -f1)
        apt-get -qq install --no-install-recommends "libclang-rt-$major-dev" >/dev/null || true
    fi
    works && exit 0
fi
echo "note: clang with its sanitizer runtimes is missing, the tests that need it will skip" >&2
echo "  try    sudo apt-get install clang 'libclang-rt-*-dev' (Debian, Ubuntu), or your system's clang package" >&2
