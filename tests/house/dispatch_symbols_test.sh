#!/bin/sh
# SPDX-License-Identifier: MIT
# The symbol check must itself refuse what it is there for.
#   dispatch_symbols_test.sh NM COMPILER
set -u
check=tests/house/dispatch_symbols.sh
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

failed=0
expect() { # $1: ok or refused, $2: source text
    printf '%s\n' "$3" >"$folder/source.cpp"
    object=$folder/trilobit_arch_$2.cpp.o
    "$compiler" -std=c++20 -O0 -c "$folder/source.cpp" -o "$object" || exit 1
    if sh $check "$nm" "$object" >/dev/null 2>&1; then got=ok; else got=refused; fi
    [ $got = "$1" ] || { echo "arch $2 with '$3' was $got, expected $1"; failed=1; }
}
nm=$1
compiler=$2
expect ok avx2 'namespace avx2 { inline int f(int x) { return x; } } int g(int x) { return avx2::f(x); }'
expect refused avx2 'inline int f(int x) { return x; } int g(int x) { return f(x); }'
expect refused avx512bw 'namespace avx2 { inline int f(int x) { return x; } } int g(int x) { return avx2::f(x); }'
expect ok avx2 'template <class T> T v = T(); int* p() { return &v<int>; }'
expect refused avx2 'int h(); int k = h();'
expect ok avx2 'extern const int table; constinit const int table = 3;'
if sh $check "$nm" >/dev/null 2>&1; then echo "no objects at all were accepted"; failed=1; fi
exit $failed
