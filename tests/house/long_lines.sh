#!/bin/sh
# SPDX-License-Identifier: MIT
# No line of C++ or C is longer than 100 columns, comments included, which clang-format leaves alone.
#   long_lines.sh [FOLDER...]
set -u
[ $# -gt 0 ] || set -- include examples tests benchmarks
long=$(find "$@" -name '*.[hc]' -o -name '*.[hc]pp' | LC_ALL=C.UTF-8 sort | while read -r file; do
    LC_ALL=C.UTF-8 grep -nE '^.{101,}' "$file" | sed "s|^\([0-9]*\):.*|$file:\1: longer than 100 columns|"
done)
[ -z "$long" ] && exit 0
printf '%s\n' "$long"
exit 1
