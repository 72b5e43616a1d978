#!/bin/sh
# SPDX-License-Identifier: MIT
# Rooms of include/trilobit include only rooms to their left, the first five never see xsimd, and
# nothing in the library includes the examples. The examples' rooms follow the same rule.
#   one_way_includes.sh [ROOT]
set -u
cd "${1:-.}" || exit 1

# Prints "room file line target" for every include of another room, then judges them.
includes() { # $1: folder of the rooms, $2: prefix of their includes
    find "$1" -mindepth 2 -name '*.[hc]pp' | sort | while read -r file; do
        room=${file#"$1"/}
        room=${room%%/*}
        grep -nE '^[[:space:]]*#[[:space:]]*include' "$file" |
            sed -nE "s|^([0-9]+):[^<\"]*[<\"]([^>\"]*)[>\"].*|$room $file:\1 \2|p"
    done | sed "s| $2| |"
}

check() { # $1: list of rooms, left to right; stdin: includes
    awk -v order="$1" -v free="$2" -v plain="$3" '
        BEGIN {
            n = split(order, rooms, " "); for (i = 1; i <= n; i++) rank[rooms[i]] = i
            m = split(free, names, " "); for (i = 1; i <= m; i++) exempt[names[i]] = 1
        }
        {
            room = $1; place = $2; target = $3
            if (target ~ /^\.\.?\//) { print place ": relative include of " target; bad = 1; next }
            if (!(room in rank)) {
                if (!(room in exempt)) { print place ": unknown room " room; bad = 1 }
                next
            }
            to = target; sub(/\/.*/, "", to)
            if (index(target, "/") && (to in rank) && rank[to] > rank[room]) {
                print place ": " room " is left of " to ", so it may not include " target; bad = 1
            }
            if (index(target, "/") && (to in exempt) && plain > 0) {
                print place ": no room includes " to " (" target ")"; bad = 1
            }
            if (target == "trilobit.hpp") { print place ": no room includes the umbrella"; bad = 1 }
            if (rank[room] <= plain && target ~ /^xsimd/) {
                print place ": " room " knows nothing of SIMD, so it may not include " target; bad = 1
            }
        }
        END { exit bad }'
}

failed=0
includes include/trilobit trilobit/ |
    check "core weights layout pack activation simd kernel matmul dispatch" "reference testing" 5 ||
    failed=1
# The runner's rooms and the trainers' share the left end only, so each chain is checked by itself.
trainers='^(train|fashion) '
includes examples '' | grep -vE "$trainers" |
    check "support formats gguf tokenizer llama2c safetensors huggingface model conversion runner \
        train fashion integrations web" "" 0 || failed=1
includes examples '' | grep -E "$trainers" |
    check "support formats gguf tokenizer llama2c model train fashion conversion runner integrations \
        web" "" 0 || failed=1
if grep -rnE '#[[:space:]]*include.*examples/' include; then failed=1; fi

[ $failed = 0 ] && echo "includes flow one way"
exit $failed
