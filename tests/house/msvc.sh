#!/bin/sh
# SPDX-License-Identifier: MIT
# The headers as MSVC and clang-cl would see them: clang with their extensions, sizes and ABI reads
# them all, with _MSC_VER and without __GNUC__, and makes every kernel of some back ends; what is left
# of them after the preprocessor must have none of GCC's words. Microsoft's own headers cannot be had
# here: those of mingw-w64 stand in, and are read as GCC would.
#   msvc.sh XSIMD_INCLUDE [FOLDER [ARCHS]]    a folder with include/trilobit, instead of this one
set -u
xsimd=$1
cd "${2:-.}" || exit 2

clang=
for c in clang++-22 clang++-19 clang++; do command -v $c >/dev/null && { clang=$c; break; }; done
mingw=/usr/x86_64-w64-mingw32/include
library=$(echo /usr/lib/gcc/x86_64-w64-mingw32/*-posix/include/c++ | tr ' ' '\n' | tail -n 1)
if [ -z "$clang" ] || [ ! -d "$mingw" ] || [ ! -d "$library" ]; then
    echo "skipped: needs clang and mingw-w64 (apt-get install clang g++-mingw-w64-x86-64-posix)"
    exit 4
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp -R "$xsimd/xsimd" "$work/xsimd"
cat >"$work/intrin.h" <<'END'
#pragma once
extern "C" {
void _ReadWriteBarrier(void);
void __cpuidex(int[4], int, int);
unsigned long long _xgetbv(unsigned);
}
END
{
    printf '%s\n' '#include <_mingw.h>' '#undef __MINGW_IMPORT' '#define __MINGW_IMPORT extern' \
        '#define XSIMD_WITH_EMULATED 1'
    grep -rhoE '^#include <[a-z_0-9]+>' include/trilobit | sort -u
    printf '%s\n' '#include <stddef.h>' '#include <stdint.h>' '#include <immintrin.h>' \
        '#include <xsimd/xsimd.hpp>' \
        '#undef __GNUC__' '#undef __GNUC_MINOR__' '#undef __GNUC_PATCHLEVEL__' '#undef __forceinline' \
        '#ifdef AS_CL' '#undef __clang__' '#endif'
    find include/trilobit -name '*.hpp' ! -name begin.hpp ! -name end.hpp | sort |
        sed 's|^include/\(.*\)|#include <\1>|'
    cat <<'END'
#include <trilobit/trilobit.h>
namespace trilobit::dispatch {
template <>
constinit const kernel_table compiled<kernel_table, kernels_of, arch::ARCH>::table =
    kernels_of<arch::ARCH>::table;
template <>
struct compiled_tables<kernel_table, kernels_of> {
    static constexpr const kernel_table* all[] = {
        &compiled<kernel_table, kernels_of, arch::ARCH>::table};
};
template struct per_arch<kernel_table, kernels_of>;
}  // namespace trilobit::dispatch
END
} >"$work/all.cpp"

# read_as ARCH FLAG...
failed=0
read_as() {
    arch=$1
    shift
    # `long` and `wchar_t` are those of Windows. Nothing of the standard library may depend on __int128,
    # which this target has not.
    set -- "$clang" --target=x86_64-pc-windows-msvc -std=c++20 -fms-extensions -fms-compatibility \
        -fms-compatibility-version=19.40 -fgnuc-version=12.2.0 -U__SIZEOF_INT128__ \
        -D__GLIBCXX_TYPE_INT_N_0=__int128 -D__GLIBCXX_BITSIZE_INT_N_0=128 \
        -D__MINGW_ATTRIB_DEPRECATED= -D__MINGW_ATTRIB_DEPRECATED_SEC_WARN= \
        -Iinclude -isystem "$work" -isystem "$library" -isystem "$library/x86_64-w64-mingw32" \
        -isystem "$mingw" -Werror -Wgnu -Wvla -Wzero-length-array "-DARCH=$arch" "$@"
    "$@" -fsyntax-only "$work/all.cpp" >"$work/log" 2>&1 ||
        { head -n 40 "$work/log"; echo "FAILED: back end $arch, ${*##*-D}"; failed=1; }
    # Lines of our own headers, by the marks of the preprocessor.
    case " $* " in *" -DAS_CL "*)
        "$@" -E "$work/all.cpp" 2>/dev/null | awk '
            /^# [0-9]+ "/ { ours = ($3 ~ /include\/trilobit\//); file = $3; next }
            { gsub(/__builtin_(offsetof|ia32_)/, "") }  # macros of stddef.h and immintrin.h
            ours && /__attribute__|__asm|__builtin_|__typeof|__extension__|__int128|GCC |ssize_t|pragma clang/ {
                print file ": " $0; bad = 1
            }
            END { exit bad }' || { echo "FAILED: GCC's words for back end $arch"; failed=1; } ;;
    esac
}
avx2="-mavx2 -mfma -mf16c -mbmi2 -mpopcnt"
avx512="$avx2 -mavx512f -mavx512cd -mavx512dq -mavx512bw -mavx512vl -mavx512vnni -mavx512vbmi -mavx512ifma
    -mavx512vbmi2 -mavx512bitalg -mavx512vpopcntdq -mgfni"
# With AS_CL the compiler says that it is not clang. What MSVC builds comes first.
for arch in ${3:-sse2 avx2 avx512vnni amx}; do
    case $arch in
        avx2) read_as avx2 -DAS_CL $avx2 ;;
        avx512vnni) read_as avx512vnni -DAS_CL $avx512 ;;
        amx) read_as amx $avx512 -mamx-tile -mamx-int8 ;;
        *) read_as $arch -DAS_CL ;;
    esac
done
exit $failed
