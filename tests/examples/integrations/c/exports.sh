#!/bin/sh
# SPDX-License-Identifier: MIT
# The shared library exports the functions of the header, all of them and nothing else; the archive
# shows other names to nobody but itself.
#   exports.sh NM HEADER SHARED STATIC
set -u
nm=$1 header=$2 shared=$3 static=$4
wanted=$(grep -oE '\btrilobit_[a-z0-9_]+\(' "$header" | tr -d '(' | sort -u)
declared=$(sed 's|//.*||' "$header" | tr '\n' ' ' | grep -oE 'TRILOBIT_API[^;]*' |
    grep -oE '\btrilobit_[a-z0-9_]+\(' | tr -d '(' | sort -u)
exported=$("$nm" -D --defined-only "$shared" | awk '$2 != "A" { sub(/@.*/, "", $3); print $3 }' | sort -u)
failed=0
if [ -z "$declared" ] || [ "$declared" != "$exported" ]; then
    echo "declared and exported differ:"
    printf '%s\n%s\n' "$declared" "$exported" | sort | uniq -u
    failed=1
fi
# What the words of the header name must be there as well.
for name in $wanted; do
    printf '%s\n' "$exported" | grep -qx "$name" || { echo "the header speaks of $name"; failed=1; }
done
command -v readelf >/dev/null || exit $failed
shown=$(readelf -sW "$static" | awk '$5 == "GLOBAL" && $6 == "DEFAULT" && $7 != "UND" { print $8 }' | sort -u)
if [ "$shown" != "$declared" ]; then
    echo "the archive shows:"
    printf '%s\n%s\n' "$declared" "$shown" | sort | uniq -u
    failed=1
fi
exit $failed
