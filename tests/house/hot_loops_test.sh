#!/bin/sh
# SPDX-License-Identifier: MIT
# The check of hot loops must itself refuse what it is there for.
#   hot_loops_test.sh OBJDUMP COMPILER
set -u
objdump=$1
compiler=$2
check=tests/house/hot_loops.sh
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

# $1: name of a function, $2: its hot instruction, $3: how many of them, $4: another line of the loop
loop() {
    printf '"%s":\n0:\n' "$1"
    for i in $(seq "$3"); do echo "    $2"; done
    printf '    %s\n    dec %%rax\n    jne 0b\n    ret\n' "$4"
}
dot='vpdpbusd (%rsi), %zmm1, %zmm2' find='vpermb (%rsi), %zmm1, %zmm2'
store='vmovdqa64 %zmm3, 0x40(%rsp)' nothing=nop
# $1: the line beside the products, $2: beside base 3's lookups
all() {
    for layout in layout::ternary_2bit layout::binary_1bit layout::ternary_planes kernel::panel; do
        loop "void trilobit::v1::kernel::dot_x<arch::a, kernel::dot_fields<$layout> >()" "$dot" 8 "$1"
    done
    for step in binary_step64 step_of_four; do
        loop "kernel::sum_tile<arch::avx512vnni, kernel::$step<arch::avx512vnni> >" "$find" 8 "$nothing"
    done
    for layout in ternary_planes binary_1bit; do
        loop "kernel::sum_tile<arch::avx512vnni, kernel::planes_step<arch::avx512vnni, layout::$layout> >" "$dot" 8 "$nothing"
    done
    [ -z "$2" ] ||
        loop 'kernel::sum_tile<arch::avx512vnni, kernel::base3_step<arch::avx512vnni> >' \
            "$find" "${3:-8}" "$2"
}

failed=0
expect() { # $1: ok or refused, $2: arch, $3: what; stdin: assembly
    object=$folder/trilobit_arch_$2.cpp.o
    "$compiler" -x assembler -c - -o "$object" || return 1
    if sh $check "$objdump" ${known:-} "$object" >"$folder/log" 2>&1; then got=ok; else got=refused; fi
    [ $got = "$1" ] && return
    echo "$3 was $got, expected $1:"
    cat "$folder/log"
    return 1
}
if ! echo "$dot" | "$compiler" -x assembler -c - -o "$folder/can.o" 2>/dev/null; then
    echo "no assembler of x86-64"
    exit 4
fi
all "$nothing" "$nothing" | expect ok avx512vnni 'loops without stores' || failed=1
all "$store" "$nothing" | expect ok avx512vnni 'one store beside eight products' || failed=1
all "$store; $store" "$nothing" | expect refused avx512vnni 'two stores beside eight products' || failed=1
all "$nothing" "$store; $store" | expect refused avx512vnni "two stores beside base 3's lookups" || failed=1
all "$nothing" '' | expect refused avx512vnni 'an object without the loop of base 3' || failed=1
all "$nothing" "$nothing" 3 | expect refused avx512vnni 'a loop with too few lookups to be known' || failed=1
all "$nothing" '' | expect ok avx2 'an object that promises no lookups' || failed=1
loop 'f()' "$dot" 8 "$nothing" | expect refused avx2 'an object without loops of the dot product' || failed=1
all "$store; $store" "$nothing" >"$folder/spills.s"
printf '# a comment\nkernel::dot_x<arch::a\n' >"$folder/known"
known="--known $folder/known" expect ok avx512vnni 'spills that are known' <"$folder/spills.s" || failed=1
printf 'kernel::dot_y<arch::a\n' >"$folder/known"
known="--known $folder/known" expect refused avx512vnni 'spills beside those that are known' <"$folder/spills.s" ||
    failed=1
if sh $check "$objdump" >/dev/null 2>&1; then echo "no objects at all were accepted"; failed=1; fi
exit $failed
