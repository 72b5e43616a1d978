#!/bin/sh
# SPDX-License-Identifier: MIT
# The check of stack frames sees what it is there to see.   stack_frames_test.sh
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

# check WANTED LINE...: an object whose frames are these; WANTED is 0 for pass.
check() {
    wanted=$1
    shift
    printf '%s\n' "$@" | tr '|' '\t' >"$folder/a.cpp.su"
    status=0
    sh tests/house/stack_frames.sh "$folder/a.cpp.o" >"$folder/said" || status=1
    if [ $status != "$wanted" ]; then
        echo "expected $wanted for: $*"
        cat "$folder/said"
        exit 1
    fi
}

gcc=include/trilobit/kernel/drive.hpp:1:2:f
check 0 "$gcc|16384|static" "$gcc|100|dynamic,bounded" 'main.cpp:1:2:main|99999|static'
check 1 "$gcc|16385|static"
check 1 "$gcc|100|dynamic"
check 1 "$gcc|100|static" "$gcc|262464|static"
check 1 'a.cpp:1:_ZNK8trilobit6kernel1fEv|16400|static'
check 0 'a.cpp:1:_ZNK8trilobit6kernel1fEv|160|static' 'a.cpp:1:_Z1fN8trilobit4taskE|16400|static'
check 1 'main.cpp:1:2:main|10|static'
check 1 ''
rm "$folder/a.cpp.su"
if sh tests/house/stack_frames.sh "$folder/a.cpp.o" >/dev/null; then
    echo "expected a complaint about an object without a list"
    exit 1
fi
if sh tests/house/stack_frames.sh >/dev/null; then
    echo "expected a complaint about no object at all"
    exit 1
fi
printf 'x.cpp:1:2:g\t16385\tstatic\n' >"$folder/trilobit_arch_avx2.cpp.su"
if sh tests/house/stack_frames.sh "$folder/trilobit_arch_avx2.cpp.o" >/dev/null; then
    echo "expected a complaint about a frame in an object for one instruction set"
    exit 1
fi
