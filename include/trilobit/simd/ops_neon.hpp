// SPDX-License-Identifier: MIT
// Room simd. Enters: registers of 128 bits on AArch64. Leaves: the facts of ARMv8.0, of its dot
// product (ARMv8.2, optional) and of i8mm, and the primitives in their instructions. Guarded by
// what the flags allow.
#pragma once

#include "trilobit/version.hpp"

#include "trilobit/simd/ops_vector.hpp"

#if defined(__aarch64__) && defined(__ARM_NEON) && defined(__GNUC__)
#include <arm_neon.h>
#endif

#include "trilobit/core/begin.hpp"

namespace trilobit::inline TRILOBIT_ABI::simd {

/// Costs are those of Neoverse N1 and its kin, which start two of each in a cycle.
template <has_neon Arch>
struct machine<Arch> {
    static constexpr int registers = 32, largest_unsigned = 127, table_entries = 16;
    static constexpr byte_dot dot = byte_dot::widened;
    static constexpr bool counts_bits = true;
    static constexpr instruction_costs cost{1.0, 1.0};
};
template <has_neon_dotprod Arch>
struct machine<Arch> : machine<arch::neon> {
    static constexpr byte_dot dot = byte_dot::exact;
};
template <has_neon_i8mm Arch>
struct machine<Arch> : machine<arch::neon_dotprod> {
    static constexpr int largest_unsigned = 255;
};

#if defined(__aarch64__) && defined(__ARM_NEON) && defined(__GNUC__)

/// Rows of the lower eight bytes of a register, and of the upper ones.
struct neon_products {
    int16x8_t low, high;
    TRILOBIT_INLINE explicit neon_products(std::int16_t v = 0) noexcept
        : low(vdupq_n_s16(v)), high(low) {}
};

template <has_neon Arch>
struct products_op<Arch> {
    using sum = neon_products;
    static constexpr int registers = 2, products = 1;
    TRILOBIT_INLINE static sum add(sum to, u8<Arch> u, u8<Arch> s) noexcept {
        const int8x16_t a = vreinterpretq_s8_u8(u), b = vreinterpretq_s8_u8(s);
        to.low = vmlal_s8(to.low, vget_low_s8(a), vget_low_s8(b));
        to.high = vmlal_high_s8(to.high, a, b);
        return to;
    }
    TRILOBIT_INLINE static i32<Arch> widen(i32<Arch> to, sum s) noexcept {
        return to + i32<Arch>(vpaddq_s32(vpaddlq_s16(s.low), vpaddlq_s16(s.high)));
    }
};

// GCC copies accumulators as it does on x86, see ops_sse.hpp.
#if !defined(__clang__)
template <has_neon Arch>
struct pin_op<Arch> {
    template <class Register>
    TRILOBIT_INLINE static void call(Register& r) noexcept {
        __asm__("" : "+w"(r.data));
    }
    TRILOBIT_INLINE static void call(neon_products& r) noexcept {
        __asm__("" : "+w"(r.low), "+w"(r.high));
    }
};
#endif

template <has_neon Arch>
struct keep_rounded_op<Arch> {
    TRILOBIT_INLINE static void call(f32<Arch>& product) noexcept {
        __asm__("" : "+w"(product.data));
    }
};

/// A pair of products is at most 2 * 127 * 128, which an int16 holds.
template <has_neon Arch>
struct dot4_op<Arch> {
    TRILOBIT_INLINE static i32<Arch> call(i32<Arch> sum, u8<Arch> u, u8<Arch> s) noexcept {
        const int8x16_t a = vreinterpretq_s8_u8(u), b = vreinterpretq_s8_u8(s);
        const int16x8_t low = vmull_s8(vget_low_s8(a), vget_low_s8(b));
        return i32<Arch>(vpadalq_s16(sum, vpaddq_s16(low, vmull_high_s8(a, b))));
    }
};

template <has_neon Arch>
struct dot2_op<Arch> {
    TRILOBIT_INLINE static i32<Arch> call(i32<Arch> sum, i16<Arch> a, i16<Arch> b) noexcept {
        const int32x4_t low = vmull_s16(vget_low_s16(a), vget_low_s16(b));
        return i32<Arch>(vaddq_s32(sum, vpaddq_s32(low, vmull_high_s16(a, b))));
    }
};

/// A sign is a factor.
template <has_neon Arch>
struct add_signed_op<Arch> {
    TRILOBIT_INLINE static u8<Arch> call(u8<Arch> sum, u8<Arch> value, u8<Arch> sign) noexcept {
        return u8<Arch>(vmlaq_u8(sum, value, sign));
    }
};

template <has_neon Arch>
struct popcount_bytes_op<Arch> {
    TRILOBIT_INLINE static u8<Arch> call(u8<Arch> v) noexcept { return u8<Arch>(vcntq_u8(v)); }
};

template <has_neon Arch>
struct lookup16_op<Arch> {
    TRILOBIT_INLINE static u8<Arch> call(const std::uint8_t* table, u8<Arch> index) noexcept {
        return u8<Arch>(vqtbl1q_u8(vld1q_u8(table), index));
    }
};

template <has_neon Arch>
    requires(register_bytes<Arch> == 16)
struct load_every_fourth_op<Arch> {
    TRILOBIT_INLINE static void call(const std::byte* from, std::int64_t, u8<Arch>* v) noexcept {
        const uint8x16x4_t all = vld4q_u8(reinterpret_cast<const std::uint8_t*>(from));
        TRILOBIT_UNROLL
        for (int t = 0; t < 4; ++t) v[t] = u8<Arch>(all.val[t]);
    }
};

template <has_neon Arch>
struct load_f16_op<Arch> {
    TRILOBIT_INLINE static void call(const std::uint16_t* from, float* to) noexcept {
        for (int i = 0; i < 16; i += 4)
            vst1q_f32(to + i, vcvt_f32_f16(vreinterpret_f16_u16(vld1_u16(from + i))));
    }
};

#endif
#if defined(__ARM_FEATURE_DOTPROD) && defined(__aarch64__) && defined(__GNUC__)

template <has_neon_dotprod Arch>
struct dot4_op<Arch> {
    TRILOBIT_INLINE static i32<Arch> call(i32<Arch> sum, u8<Arch> u, u8<Arch> s) noexcept {
        return i32<Arch>(vdotq_s32(sum, vreinterpretq_s8_u8(u), vreinterpretq_s8_u8(s)));
    }
};

/// Dot products take a word by its number. ld1r would take a slot of theirs for each.
template <has_neon_dotprod Arch>
struct words_op<Arch> {
    static constexpr int count = 4;
    using type = int8x16_t;
    TRILOBIT_INLINE static type load(const std::byte* from) noexcept {
        return vld1q_s8(reinterpret_cast<const std::int8_t*>(from));
    }
    TRILOBIT_INLINE static i32<Arch> dot4(i32<Arch> sum, u8<Arch> u, type x, int i) noexcept {
        const int8x16_t w = vreinterpretq_s8_u8(u);
        switch (i) {
            case 0:
                return i32<Arch>(vdotq_laneq_s32(sum, w, x, 0));
            case 1:
                return i32<Arch>(vdotq_laneq_s32(sum, w, x, 1));
            case 2:
                return i32<Arch>(vdotq_laneq_s32(sum, w, x, 2));
            default:
                return i32<Arch>(vdotq_laneq_s32(sum, w, x, 3));
        }
    }
};

#endif
#if defined(__ARM_FEATURE_MATMUL_INT8) && defined(__aarch64__) && defined(__GNUC__)

template <has_neon_i8mm Arch>
struct dot4_op<Arch> {
    TRILOBIT_INLINE static i32<Arch> call(i32<Arch> sum, u8<Arch> u, u8<Arch> s) noexcept {
        return i32<Arch>(vusdotq_s32(sum, u, vreinterpretq_s8_u8(s)));
    }
};

template <has_neon_i8mm Arch>
struct words_op<Arch> : words_op<arch::neon_dotprod> {
    using typename words_op<arch::neon_dotprod>::type;
    TRILOBIT_INLINE static i32<Arch> dot4(i32<Arch> sum, u8<Arch> u, type x, int i) noexcept {
        switch (i) {
            case 0:
                return i32<Arch>(vusdotq_laneq_s32(sum, u, x, 0));
            case 1:
                return i32<Arch>(vusdotq_laneq_s32(sum, u, x, 1));
            case 2:
                return i32<Arch>(vusdotq_laneq_s32(sum, u, x, 2));
            default:
                return i32<Arch>(vusdotq_laneq_s32(sum, u, x, 3));
        }
    }
};

#endif

}  // namespace trilobit::inline TRILOBIT_ABI::simd

#include "trilobit/core/end.hpp"
