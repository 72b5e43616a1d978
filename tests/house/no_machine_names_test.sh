#!/bin/sh
# SPDX-License-Identifier: MIT
# The check of machine names must itself refuse what it is there for.
set -u
check=$(pwd)/tests/house/no_machine_names.sh
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
mkdir -p "$root/include/trilobit/kernel/layouts" "$root/include/trilobit/matmul"

failed=0
expect() { # $1: ok or refused, $2: file, $3: its text
    printf '%s\n' "$3" >"$root/include/trilobit/$2"
    if sh "$check" "$root" >/dev/null 2>&1; then got=ok; else got=refused; fi
    [ $got = "$1" ] || { echo "$2 with '$3' was $got, expected $1"; failed=1; }
    rm "$root/include/trilobit/$2"
}
expect ok kernel/a.hpp 'constexpr int rows = simd::many_registers<Arch> ? 4 : 2;'
expect ok kernel/a.hpp '//   avx2, a register of rows: 9 to find the indices'
expect ok kernel/amx.hpp '_tile_loadd(0, acc, acc_bytes);'
expect refused kernel/a.hpp 'constexpr int rows = has_avx512bw<Arch> ? 4 : 2;'
expect refused kernel/layouts/a.hpp 'using x = arch::ssse3;'
expect refused kernel/a.hpp 'return _mm256_add_epi8(a, b);'
expect refused matmul/a.hpp '#if defined(__AVX2__)'
expect refused matmul/a.hpp 'if (name == "neon") return 4;'
exit $failed
