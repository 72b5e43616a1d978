#!/bin/sh
# SPDX-License-Identifier: MIT
# Objects of parts that were built against different versions of the headers share no symbol of the
# library: the linker would keep one of them for all.
#   shared_symbols.sh NM OBJECT...
set -u
nm=$1
shift
for object in "$@"; do
    "$nm" --defined-only "$object" | awk '$3 ~ /8trilobit/ { print $3 }' | sort -u
done | sort | uniq -c | awk -v objects=$# '
    { ++seen }
    $1 > 1 { ++shared; if (shared <= 20) print "shared: " $2 }
    END {
        printf "%d symbols, %d of them shared\n", seen, shared
        exit objects < 2 || !seen || shared
    }'
