#!/bin/sh
# SPDX-License-Identifier: MIT
# scripts/loops must see spills in another family's objects, pass what is known, and count what
# llvm-mca is given. Skipped (4) without a cross assembler.
#   loops_test.sh PYTHON
set -u
python=$1
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
name='void kernel::sum_tile<arch::neon_dotprod, kernel::dot_step<arch::neon_dotprod, kernel::dot_fields<layout::ternary_2bit>, 1, 1, 4, 1> >(kernel::tile_span const&)'

# $1: another line of a loop of eight products of four weights for each of four rows
object() {
    {
        printf '"%s":\n0:\n' "$name"
        for i in 0 1 2 3 4 5 6 7; do echo "    sdot v$i.4s, v16.16b, v17.4b[0]"; done
        printf '    %s\n    subs x1, x1, #1\n    b.ne 0b\n    ret\n' "$1"
    } | aarch64-linux-gnu-gcc -march=armv8.2-a+dotprod -x assembler -c - -o "$folder/a.o"
}
if ! object nop 2>/dev/null; then
    echo "no aarch64-linux-gnu-gcc here"
    exit 4
fi
failed=0
expect() { # $1: exit status, $2: what; the rest: arguments
    want=$1 what=$2
    shift 2
    "$python" scripts/loops neon_dotprod --object "$folder/a.o" "$@" >"$folder/log" 2>&1
    got=$?
    [ $got = "$want" ] && return
    echo "$what: exit $got, expected $want:"
    cat "$folder/log"
    failed=1
}
says() { # $1: a pattern
    grep -Eq "$1" "$folder/log" && return
    echo "'$1' is not in:"
    cat "$folder/log"
    failed=1
}
expect 0 'a loop that stores nothing' --spills
object 'str q18, [sp, #16]'
expect 0 'one store beside eight products' --spills
object 'str q18, [x2]; str q19, [x2, #16]'
expect 0 'stores that are no spills' --spills
object 'stp q18, q19, [sp]; str q18, [sp, #32]'
expect 1 'two stores beside eight products' --spills
says 'SPILLS: 2 stores'
printf '# a comment\nternary_2bit>, 1, 1, \n' >"$folder/known"
expect 0 'spills that are known' --spills --known "$folder/known"
printf 'ternary_2bit>, 2, 1, \n' >"$folder/known"
expect 1 'spills of another function' --spills --known "$folder/known"
printf '(\n' >"$folder/known"
expect 2 'no pattern' --spills --known "$folder/known"
says '^loops: .*known'
expect 2 'two questions' --spills --cores usual
expect 2 'a table of nothing' --table
object nop
expect 0 'a listing'
says '^ternary_2bit +8 sdot +11$'
if command -v llvm-mca >/dev/null; then
    expect 2 'a core that nobody makes' --cores toaster
    says '^loops: .*toaster'
    expect 0 'a model' --cores cortex-a55
    # 8 products of 16: 11 instructions for 128 multiply-adds.
    says '^2 bits, 1 token +22\.0 +32\.0 '
fi
exit $failed
