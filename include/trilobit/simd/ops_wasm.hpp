// SPDX-License-Identifier: MIT
// Room simd. Enters: registers of 128 bits in WebAssembly. Leaves: the facts of simd128 and of
// relaxed SIMD, and the primitives in their instructions. Guarded by what the flags allow.
//
// An engine makes more than one instruction of some: what counts is what V8 makes of them. Its
// i32x4.dot_i16x8_s is one, its i8x16.swizzle two, and an extended product of bytes four or five.
#pragma once

#include "trilobit/version.hpp"

#include "trilobit/simd/ops_vector.hpp"

#if defined(__wasm_simd128__)
#include <wasm_simd128.h>
#endif

#include "trilobit/core/begin.hpp"

namespace trilobit::inline TRILOBIT_ABI::simd {

template <has_simd128 Arch>
struct machine<Arch> {
    static constexpr int registers = 16, largest_unsigned = 127, table_entries = 16;
    static constexpr byte_dot dot = byte_dot::none;
    static constexpr bool counts_bits = false;
    static constexpr instruction_costs cost{1.0, 0.75};
};
/// In pairs: i16x8.relaxed_dot is one instruction everywhere, the form that adds to int32 three.
template <has_relaxed_simd Arch>
struct machine<Arch> : machine<arch::simd128> {
    static constexpr byte_dot dot = byte_dot::paired;
};

#if defined(__wasm_simd128__)

template <class T>
TRILOBIT_INLINE v128_t as_v128(T v) noexcept {
    static_assert(sizeof(T) == 16);
    v128_t out;
    std::memcpy(&out, &v, 16);
    return out;
}
template <class Vec>
TRILOBIT_INLINE Vec from_v128(v128_t v) noexcept {
    Vec out;
    std::memcpy(&out.data, &v, 16);
    return out;
}

/// Even and odd bytes, widened in place, as SSE2 does it.
template <has_simd128 Arch>
struct dot4_op<Arch> {
    TRILOBIT_INLINE static i32<Arch> call(i32<Arch> sum, u8<Arch> u, u8<Arch> s) noexcept {
        const v128_t a = as_v128(u), b = as_v128(s);
        const v128_t even_u = wasm_v128_and(a, wasm_i16x8_const_splat(0xff)),
                     odd_u = wasm_u16x8_shr(a, 8);
        const v128_t even_s = wasm_i16x8_shr(wasm_i16x8_shl(b, 8), 8), odd_s = wasm_i16x8_shr(b, 8);
        const v128_t pairs = wasm_i32x4_add(wasm_i32x4_dot_i16x8(even_u, even_s),
                                            wasm_i32x4_dot_i16x8(odd_u, odd_s));
        return sum + from_v128<i32<Arch>>(pairs);
    }
};

template <has_simd128 Arch>
struct dot2_op<Arch> {
    TRILOBIT_INLINE static i32<Arch> call(i32<Arch> sum, i16<Arch> a, i16<Arch> b) noexcept {
        return sum + from_v128<i32<Arch>>(wasm_i32x4_dot_i16x8(as_v128(a), as_v128(b)));
    }
};

template <has_simd128 Arch>
struct popcount_bytes_op<Arch> {
    TRILOBIT_INLINE static u8<Arch> call(u8<Arch> v) noexcept {
        return from_v128<u8<Arch>>(wasm_i8x16_popcnt(as_v128(v)));
    }
};

template <has_simd128 Arch>
struct lookup16_op<Arch> {
    TRILOBIT_INLINE static u8<Arch> call(const std::uint8_t* table, u8<Arch> index) noexcept {
        return from_v128<u8<Arch>>(wasm_i8x16_swizzle(wasm_v128_load(table), as_v128(index)));
    }
};

/// Engines do not contract: the specification leaves them no choice.
template <has_simd128 Arch>
struct keep_rounded_op<Arch> {
    TRILOBIT_INLINE static void call(f32<Arch>&) noexcept {}
};

#endif
#if defined(__wasm_relaxed_simd__)

/// Unsigned bytes have seven bits: no engine may differ for those.
template <has_relaxed_simd Arch>
struct madd2_op<Arch> {
    TRILOBIT_INLINE static i16<Arch> call(u8<Arch> u, u8<Arch> s) noexcept {
        return from_v128<i16<Arch>>(wasm_i16x8_relaxed_dot_i8x16_i7x16(as_v128(s), as_v128(u)));
    }
};

template <has_relaxed_simd Arch>
struct dot4_op<Arch> {
    TRILOBIT_INLINE static i32<Arch> call(i32<Arch> sum, u8<Arch> u, u8<Arch> s) noexcept {
        return widen_add<Arch>(sum, madd2<Arch>(u, s));
    }
};

/// Indices are below 16, or have bit 7: for those a relaxed swizzle finds zero on every engine.
template <has_relaxed_simd Arch>
struct lookup16_op<Arch> {
    TRILOBIT_INLINE static u8<Arch> call(const std::uint8_t* table, u8<Arch> index) noexcept {
        return from_v128<u8<Arch>>(
            wasm_i8x16_relaxed_swizzle(wasm_v128_load(table), as_v128(index)));
    }
};

#endif

}  // namespace trilobit::inline TRILOBIT_ABI::simd

#include "trilobit/core/end.hpp"
