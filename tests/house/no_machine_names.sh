#!/bin/sh
# SPDX-License-Identifier: MIT
# Kernels and products ask what a machine can do (simd/machine.hpp), never which one it is: no name
# of an instruction set or a processor in the code of kernel/ and matmul/. Comments may name them, and
# amx.hpp and i8mm.hpp are about one each.
#   no_machine_names.sh [ROOT]
set -u
cd "${1:-.}" || exit 1
names='has_[a-z0-9_]+|(^|[^A-Za-z_])arch::[a-z]|_mm[0-9]*_|__[A-Z0-9]*(SSE|AVX|AMX|NEON|ARM|x86)'
names="$names|(^|[^A-Za-z])(sse|ssse|avx|vnni|neon|sve|x86|wasm|rvv)[a-z0-9_]*"
found=$(find include/trilobit/kernel include/trilobit/matmul -name '*.hpp' ! -name amx.hpp ! -name i8mm.hpp | sort |
    while read -r file; do
        sed -E 's|//.*||' "$file" | grep -nE "$names" | sed "s|^|$file:|"
    done | grep -v '#include <immintrin')
[ -z "$found" ] && exit 0
printf '%s\n' "$found"
exit 1
