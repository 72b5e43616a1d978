#!/bin/sh
# SPDX-License-Identifier: MIT
# The first line of every C++ or C source is the SPDX line, and the header comment follows at once.
missing=$(find include examples tests benchmarks '(' -name '*.[hc]' -o -name '*.[hc]pp' ')' -exec awk '
    FNR == 1 && $0 != "// SPDX-License-Identifier: MIT" { print FILENAME ": no SPDX line" }
    FNR == 2 && $0 !~ /^\/\// { print FILENAME ": no header comment" }' {} +)
[ -z "$missing" ] && exit 0
printf '%s\n' "$missing"
exit 1
