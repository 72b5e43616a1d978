// SPDX-License-Identifier: MIT
// Room simd. Enters: SVE's registers of 256 or 512 bits, whose length a source is compiled for.
// Leaves: the primitives in SVE's instructions; facts are NEON's with dot products. Registers of
// 128 bits are NEON's own, whose instructions do as much. Guarded by what the flags allow.
#pragma once

#include "trilobit/version.hpp"

#include "trilobit/simd/ops_neon.hpp"

#if defined(__ARM_FEATURE_SVE_BITS) && __ARM_FEATURE_SVE_BITS > 128
#include <arm_sve.h>
#endif

#include "trilobit/core/begin.hpp"

namespace trilobit::inline TRILOBIT_ABI::simd {

/// Neoverse V1 starts two of each in a cycle. A table of 64 bytes is one register of A64FX.
template <has_sve Arch>
struct machine<Arch> : machine<arch::neon_dotprod> {
    static constexpr int table_entries = register_bytes<Arch> >= 64 ? 64 : 16;
};

#if defined(__ARM_FEATURE_SVE_BITS) && __ARM_FEATURE_SVE_BITS > 128

// GNU vectors of this length convert to SVE's types and back; a copy would go through memory.

template <has_sve Arch>
struct dot4_op<Arch> {
    TRILOBIT_INLINE static i32<Arch> call(i32<Arch> sum, u8<Arch> u, u8<Arch> s) noexcept {
        return i32<Arch>(
            svdot_s32(sum.data, svreinterpret_s8_u8(u.data), svreinterpret_s8_u8(s.data)));
    }
};

/// The same sixteen bytes beside each 128 bits, of which dot products take a word by its number.
template <has_sve Arch>
struct words_op<Arch> {
    static constexpr int count = 4;
    using type = i8<Arch>;
    TRILOBIT_INLINE static type load(const std::byte* from) noexcept {
        return type(svld1rq_s8(svptrue_b8(), reinterpret_cast<const std::int8_t*>(from)));
    }
    TRILOBIT_INLINE static i32<Arch> dot4(i32<Arch> sum, u8<Arch> u, type x, int i) noexcept {
        const svint32_t to = sum.data;
        const svint8_t w = svreinterpret_s8_u8(u.data), words = x.data;
        switch (i) {
            case 0:
                return i32<Arch>(svdot_lane_s32(to, w, words, 0));
            case 1:
                return i32<Arch>(svdot_lane_s32(to, w, words, 1));
            case 2:
                return i32<Arch>(svdot_lane_s32(to, w, words, 2));
            default:
                return i32<Arch>(svdot_lane_s32(to, w, words, 3));
        }
    }
};

/// By halves of lanes: SVE multiplies no pairs of int16, but dots four of them into an int64.
template <has_sve Arch>
struct dot2_op<Arch> {
    TRILOBIT_INLINE static i32<Arch> call(i32<Arch> sum, i16<Arch> a, i16<Arch> b) noexcept {
        const auto p = bitwise_cast<std::int32_t>(a), q = bitwise_cast<std::int32_t>(b);
        return sum + ((p << 16) >> 16) * ((q << 16) >> 16) + (p >> 16) * (q >> 16);
    }
};

template <has_sve Arch>
struct add_signed_op<Arch> {
    TRILOBIT_INLINE static u8<Arch> call(u8<Arch> sum, u8<Arch> value, u8<Arch> sign) noexcept {
        return sum + value * sign;
    }
};

template <has_sve Arch>
struct popcount_bytes_op<Arch> {
    TRILOBIT_INLINE static u8<Arch> call(u8<Arch> v) noexcept {
        return u8<Arch>(svcnt_u8_x(svptrue_b8(), v.data));
    }
};

template <has_sve Arch>
struct lookup16_op<Arch> {
    TRILOBIT_INLINE static u8<Arch> call(const std::uint8_t* table, u8<Arch> index) noexcept {
        // Indices up to 15, or from 128 on, which are past the end of any register here.
        return u8<Arch>(svtbl_u8(svld1rq_u8(svptrue_b8(), table), index.data));
    }
};

template <has_sve Arch>
    requires(register_bytes<Arch> == 64)
struct lookup64_op<Arch> {
    TRILOBIT_INLINE static u8<Arch> call(const std::uint8_t* table, u8<Arch> index) noexcept {
        return u8<Arch>(svtbl_u8(svld1_u8(svptrue_b8(), table), index.data));
    }
};

#endif

}  // namespace trilobit::inline TRILOBIT_ABI::simd

#include "trilobit/core/end.hpp"
