#!/bin/sh
# SPDX-License-Identifier: MIT
# The check of what MSVC refuses sees what it refuses.  msvc_test.sh XSIMD_INCLUDE
set -u
here=$(cd "$(dirname "$0")/../.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
header=$work/include/trilobit/version.hpp
failed=0
while read -r line; do
    rm -rf "$work/include"
    cp -R "$here/include" "$work/include"
    echo "$line" >>"$header"
    sh "$here/tests/house/msvc.sh" "$1" "$work" generic >"$work/log" 2>&1
    status=$?
    [ $status = 4 ] && { cat "$work/log"; exit 4; }
    [ $status = 1 ] || { echo "FAILED: it passes '$line'"; failed=1; }
done <<'END'
__attribute__((cold)) void cold();
inline void f(int n) { int many[n]; (void)many; }
struct none { int empty[0]; };
static_assert(sizeof(long) == 8);
END
exit $failed
