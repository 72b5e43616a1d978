#!/bin/sh
# SPDX-License-Identifier: MIT
# What docs/integrating.md says of sources with different -m flags that call the static form: their
# kernels keep apart, since names hold the back end; other functions of the library are shared.
#   static_flags.sh NM OBJECT OBJECT
set -u
nm=$1
shift
for object in "$@"; do
    "$nm" -C --defined-only "$object" | grep -E '^[0-9a-f]* [Ww] ' | cut -d' ' -f3- | sort -u
done | sort | uniq -d | awk '
    # Parameters and what is returned may be of the kernel room.
    { name = $0; sub(/\(.*/, "", name); sub(/^[a-z0-9_:]*::kernel::sink /, "", name) }
    name ~ /trilobit::.*(kernel|simd)::|xsimd::/ { print "shared: " $0; ++kernels }
    /trilobit::/ { ++others }
    END {
        printf "%d functions of the library are shared, %d of them of kernels\n", others, kernels
        if (!others) print "None is: the page can promise more."
        exit kernels || !others
    }'
