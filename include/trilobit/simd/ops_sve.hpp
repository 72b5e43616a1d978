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

typedef svuint8_t sve_u8 __attribute__((arm_sve_vector_bits(__ARM_FEATURE_SVE_BITS)));
typedef svint8_t sve_i8 __attribute__((arm_sve_vector_bits(__ARM_FEATURE_SVE_BITS)));
typedef svint16_t sve_i16 __attribute__((arm_sve_vector_bits(__ARM_FEATURE_SVE_BITS)));
typedef svint32_t sve_i32 __attribute__((arm_sve_vector_bits(__ARM_FEATURE_SVE_BITS)));

template <class Sve, class T, int Bytes>
TRILOBIT_INLINE Sve to_sve(vec<T, Bytes> v) noexcept {
    static_assert(sizeof(Sve) == Bytes);
    Sve out;
    std::memcpy(&out, &v.data, Bytes);
    return out;
}
template <class Vec, class Sve>
TRILOBIT_INLINE Vec from_sve(Sve v) noexcept {
    static_assert(sizeof(Sve) == sizeof(Vec));
    Vec out;
    std::memcpy(&out.data, &v, sizeof v);
    return out;
}

template <has_sve Arch>
struct dot4_op<Arch> {
    TRILOBIT_INLINE static i32<Arch> call(i32<Arch> sum, u8<Arch> u, u8<Arch> s) noexcept {
        const sve_i32 more = svdot_s32(to_sve<sve_i32>(sum), to_sve<sve_i8>(u), to_sve<sve_i8>(s));
        return from_sve<i32<Arch>>(more);
    }
};

/// The same sixteen bytes beside each 128 bits, of which dot products take a word by its number.
template <has_sve Arch>
struct words_op<Arch> {
    static constexpr int count = 4;
    using type = sve_i8;
    TRILOBIT_INLINE static type load(const std::byte* from) noexcept {
        return svld1rq_s8(svptrue_b8(), reinterpret_cast<const std::int8_t*>(from));
    }
    TRILOBIT_INLINE static i32<Arch> dot4(i32<Arch> sum, u8<Arch> u, type x, int i) noexcept {
        const sve_i32 to = to_sve<sve_i32>(sum);
        const sve_i8 w = to_sve<sve_i8>(u);
        sve_i32 more;
        switch (i) {
            case 0:
                more = svdot_lane_s32(to, w, x, 0);
                break;
            case 1:
                more = svdot_lane_s32(to, w, x, 1);
                break;
            case 2:
                more = svdot_lane_s32(to, w, x, 2);
                break;
            default:
                more = svdot_lane_s32(to, w, x, 3);
        }
        return from_sve<i32<Arch>>(more);
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
        const sve_u8 counts = svcnt_u8_x(svptrue_b8(), to_sve<sve_u8>(v));
        return from_sve<u8<Arch>>(counts);
    }
};

template <has_sve Arch>
struct lookup16_op<Arch> {
    TRILOBIT_INLINE static u8<Arch> call(const std::uint8_t* table, u8<Arch> index) noexcept {
        // Indices up to 15, or from 128 on, which are past the end of any register here.
        const sve_u8 found = svtbl_u8(svld1rq_u8(svptrue_b8(), table), to_sve<sve_u8>(index));
        return from_sve<u8<Arch>>(found);
    }
};

template <has_sve Arch>
    requires(register_bytes<Arch> == 64)
struct lookup64_op<Arch> {
    TRILOBIT_INLINE static u8<Arch> call(const std::uint8_t* table, u8<Arch> index) noexcept {
        const sve_u8 found = svtbl_u8(svld1_u8(svptrue_b8(), table), to_sve<sve_u8>(index));
        return from_sve<u8<Arch>>(found);
    }
};

#endif

}  // namespace trilobit::inline TRILOBIT_ABI::simd

#include "trilobit/core/end.hpp"
