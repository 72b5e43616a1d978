#!/bin/sh
# SPDX-License-Identifier: MIT
# Looks at the hot loops of objects compiled for one instruction set: an innermost loop with four or
# more dot products or lookups must not store a vector register to the stack. Spilled sums cost half
# the speed, silently, and depend on the compiler's mood. One store beside eight products is let pass,
# and constants read from the stack cost little. An object without any of the loops that it is
# expected to hold fails too: then this check no longer knows what they are made of.
# FILE names functions, a pattern a line, of which it is known that a compiler spills: they are told
# and let pass. OBJDUMP is that of binutils: others print in another form, and no loop would be found.
#   hot_loops.sh OBJDUMP [--known FILE] OBJECT... (objects may also come as one list with semicolons)
set -u
objdump=$1
shift
known=
if [ "${1:-}" = --known ]; then
    known=$(grep -v '^#' "$2" | tr '\n' '\t')
    shift 2
fi

# Patterns of functions each of which has hot loops, by back end. Lookups without vpermb fetch entry by
# entry, and their sums do not fit sixteen registers: nothing is promised there.
expected() {
    echo 'kernel::dot.*<layout::ternary_2bit' 'kernel::dot.*<layout::binary_1bit' \
        'kernel::dot.*<layout::ternary_planes'
    [ "$1" = amx ] || echo 'kernel::dot.*<kernel::panel'  # tiles take panels there
    case $1 in
        avx512vnni | amx)
            echo 'kernel::base3_step<' 'kernel::step_of_four<' 'kernel::binary_step64<' 'kernel::planes_step<.*layout::ternary_planes' \
                'kernel::planes_step<.*layout::binary_1bit'
            ;;
    esac
}

seen=0
failed=0
for object in $(printf '%s\n' "$@" | tr ';' '\n'); do
    case $(basename "$object") in
        trilobit_arch_*avx* | trilobit_arch_*amx*) ;;  # smaller sets have too few registers to care
        *) continue ;;
    esac
    seen=$((seen + 1))
    arch=$(basename "$object")
    arch=${arch#trilobit_arch_}
    "$objdump" -d -C --no-show-raw-insn "$object" |
        awk -v object="$(basename "$object")" -v known="$known" -v expected="$(expected "${arch%%.*}" | tr '\n' ' ')" '
        function hex(text,    i, value) {
            value = 0
            for (i = 1; i <= length(text); ++i)
                value = value * 16 + index("0123456789abcdef", substr(text, i, 1)) - 1
            return value
        }
        # An innermost loop is a backward jump over lines with no other backward jump among them.
        function close_loop(from, to,    i, products, lookups, hot, spills, what) {
            for (i = from; i < to; ++i) if (back[i]) return
            products = lookups = spills = 0
            for (i = from; i <= to; ++i) {
                if (line[i] ~ /vpdpbusd|pmaddubsw/) ++products
                if (line[i] ~ /vpermb|vperm[it]2b/) ++lookups
                if (line[i] ~ /%[xyz]mm[0-9]+,-?[0-9a-fx]*\(%rsp/ ||
                    (frame && line[i] ~ /%[xyz]mm[0-9]+,-?[0-9a-fx]*\(%rbp/)) {
                    ++spills
                    what = line[i]
                }
            }
            hot = products > lookups ? products : lookups
            if (hot < 4 || name ~ /kernel::generic/) return
            if (name ~ /kernel::(base3_step|binary_step|step_of_four)/ && name !~ /arch::(avx512vnni|amx)/) return
            ++loops
            for (i in pattern) if (name ~ pattern[i]) ++found[i]
            if (8 * spills > hot) {
                for (i = 1; i <= knowns; ++i)
                    if (name ~ let_pass[i]) { printf "%s: known to spill: %s\n", object, name; return }
                printf "%s: %s: %d stores to the stack beside %d products:%s\n", object, name, spills, hot, what
                bad = 1
            }
        }
        BEGIN { patterns = split(expected, pattern, " "); knowns = split(known, let_pass, "\t") - 1 }
        /^[0-9a-f]+ </ {
            name = $0; sub(/^[0-9a-f]+ </, "", name)
            gsub(/trilobit::(v[0-9a-z_]+::)?/, "", name)
            n = 0; frame = 0; split("", at); split("", back)
            next
        }
        /^ +[0-9a-f]+:/ {
            ++n
            here = $1
            sub(/:/, "", here)
            at[hex(here)] = n
            line[n] = $0
            if ($0 ~ /mov +%rsp,%rbp/) frame = 1
            if ($2 ~ /^j/ && $3 ~ /^[0-9a-f]+$/ && hex($3) in at) {
                close_loop(at[hex($3)], n)
                back[n] = 1
            }
        }
        END {
            for (i = 1; i <= patterns; ++i)
                if (!found[i]) { printf "%s: no hot loop of %s\n", object, pattern[i]; bad = 1 }
            printf "%s: %d hot loops\n", object, loops
            exit bad
        }' || failed=1
done
if [ $seen = 0 ]; then echo "no object was given"; exit 1; fi
exit $failed
