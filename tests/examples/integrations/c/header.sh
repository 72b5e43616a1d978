#!/bin/sh
# SPDX-License-Identifier: MIT
# trilobit.h alone, and the programs of this folder, by every C compiler here: as C99 and what came
# after, without a warning; and the header as C++, from 1998 on.
#   header.sh ROOT FOLDER
set -u
root=$1 folder=$2
made=$(mktemp -d)
trap 'rm -rf "$made"' EXIT
printf '#include <trilobit/trilobit.h>\n#include <trilobit/trilobit.h>\nint alone(void);\nint alone(void) { return TRILOBIT_OK; }\n' >"$made/alone.c"
cp "$made/alone.c" "$made/alone.cpp"
failed=0 seen=0
check() { "$@" -fsyntax-only "-I$root/include" || { failed=1; echo "failed: $*"; }; }
for cc in gcc clang; do
    command -v $cc >/dev/null || { echo "$cc is not here"; continue; }
    seen=$((seen + 1))
    for standard in c99 c11 c2x; do
        check $cc -std=$standard -pedantic -Wall -Wextra -Werror "$made/alone.c" "$folder"/*.c
    done
done
for cxx in g++ clang++; do
    command -v $cxx >/dev/null || continue
    for standard in c++98 c++20; do
        # stdint.h and `long long` are older in C++ than their names.
        check $cxx -std=$standard -Wall -Wextra -Werror -Wno-long-long "$made/alone.cpp"
    done
done
[ $seen -gt 0 ] || exit 4
exit $failed
