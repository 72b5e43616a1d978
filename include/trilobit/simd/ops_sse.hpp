// SPDX-License-Identifier: MIT
// Room simd. Enters: registers of 128 bits on x86. Leaves: the facts of SSE2 and SSSE3, and the
// primitives in their instructions. Guarded by what the flags allow.
#pragma once

#include "trilobit/version.hpp"

#include "trilobit/simd/primitives.hpp"

#include "trilobit/core/begin.hpp"

namespace trilobit::inline TRILOBIT_ABI::simd {

template <has_sse2 Arch>
struct machine<Arch> {
    static constexpr int registers = 16, largest_unsigned = 255, table_entries = 0;
    static constexpr byte_dot dot = byte_dot::none;
    static constexpr bool counts_bits = false;
    static constexpr instruction_costs cost{1.0, 0.75};
};
template <has_ssse3 Arch>
struct machine<Arch> : machine<arch::sse2> {
    static constexpr int table_entries = 16;
    static constexpr byte_dot dot = byte_dot::paired;
};

// GCC 12 moves each accumulator of a long loop into another register before it adds to it: 32
// copies beside 16 dot products in dot_direct. An empty asm that claims to change the register in
// place leaves it nothing to copy; clang has no such habit and schedules better without.
#if defined(__GNUC__) && !defined(__clang__)
template <has_sse2 Arch>
struct pin_op<Arch> {
    template <class Register>
    TRILOBIT_INLINE static void call(Register& r) noexcept {
        __asm__("" : "+v"(r.data));
    }
};
#endif

#if defined(__GNUC__)
// clang 14 looks up all that a tile finds, stores it, and then adds: at half the speed.
template <has_sse2 Arch>
struct load_after_op<Arch> {
    template <class T, class Register>
    TRILOBIT_INLINE static void call(const T*& p, Register& before) noexcept {
        __asm__("" : "+r"(p), "+v"(before.data));
    }
};

template <has_sse2 Arch>
struct keep_rounded_op<Arch> {
    TRILOBIT_INLINE static void call(f32<Arch>& product) noexcept {
        __asm__("" : "+v"(product.data));
    }
};
#endif

// Three rounds of interleaving the first half of the registers with the second.
template <has_sse2 Arch>
struct transpose8_op<Arch> {
    TRILOBIT_INLINE static void call(const std::int16_t* from, std::int64_t from_stride,
                                     std::int16_t* to, std::int64_t to_stride) noexcept {
        __m128i a[8], b[8];
        TRILOBIT_UNROLL
        for (int i = 0; i < 8; ++i)
            a[i] = _mm_load_si128(reinterpret_cast<const __m128i*>(from + i * from_stride));
        TRILOBIT_UNROLL
        for (int round = 0; round < 3; ++round) {
            TRILOBIT_UNROLL
            for (int i = 0; i < 4; ++i) {
                b[2 * i] = _mm_unpacklo_epi16(a[i], a[i + 4]);
                b[2 * i + 1] = _mm_unpackhi_epi16(a[i], a[i + 4]);
            }
            TRILOBIT_UNROLL
            for (int i = 0; i < 8; ++i) a[i] = b[i];
        }
        TRILOBIT_UNROLL
        for (int i = 0; i < 8; ++i)
            _mm_store_si128(reinterpret_cast<__m128i*>(to + i * to_stride), a[i]);
    }
};

// SSE2: no pmaddubsw, but pmaddwd on even and odd bytes, widened in place, lands in the right lane.
template <has_sse2 Arch>
struct dot4_op<Arch> {
    TRILOBIT_INLINE static i32<Arch> call(i32<Arch> sum, u8<Arch> u, u8<Arch> s) noexcept {
        const __m128i even_u = _mm_and_si128(u, _mm_set1_epi16(0xff)), odd_u = _mm_srli_epi16(u, 8);
        const __m128i even_s = _mm_srai_epi16(_mm_slli_epi16(s, 8), 8),
                      odd_s = _mm_srai_epi16(s, 8);
        const __m128i pairs =
            _mm_add_epi32(_mm_madd_epi16(even_u, even_s), _mm_madd_epi16(odd_u, odd_s));
        return i32<Arch>(_mm_add_epi32(sum, pairs));
    }
};

template <has_sse2 Arch>
struct dot2_op<Arch> {
    TRILOBIT_INLINE static i32<Arch> call(i32<Arch> sum, i16<Arch> a, i16<Arch> b) noexcept {
        return i32<Arch>(_mm_add_epi32(sum, _mm_madd_epi16(a, b)));
    }
};

// Interleaved twice: byte by byte, and pair by pair.
template <has_sse2 Arch>
struct interleave4_op<Arch> {
    TRILOBIT_INLINE static void call(u8<Arch>* v) noexcept {
        const __m128i a = v[0], b = v[1], c = v[2], d = v[3];
        const __m128i ab_low = _mm_unpacklo_epi8(a, b), ab_high = _mm_unpackhi_epi8(a, b);
        const __m128i cd_low = _mm_unpacklo_epi8(c, d), cd_high = _mm_unpackhi_epi8(c, d);
        v[0] = u8<Arch>(_mm_unpacklo_epi16(ab_low, cd_low));
        v[1] = u8<Arch>(_mm_unpackhi_epi16(ab_low, cd_low));
        v[2] = u8<Arch>(_mm_unpacklo_epi16(ab_high, cd_high));
        v[3] = u8<Arch>(_mm_unpackhi_epi16(ab_high, cd_high));
    }
};

template <has_sse2 Arch>
struct interleave4_i32_op<Arch> {
    TRILOBIT_INLINE static void call(i32<Arch>* v) noexcept {
        const __m128i a = v[0], b = v[1], c = v[2], d = v[3];
        const __m128i ab_low = _mm_unpacklo_epi32(a, b), ab_high = _mm_unpackhi_epi32(a, b);
        const __m128i cd_low = _mm_unpacklo_epi32(c, d), cd_high = _mm_unpackhi_epi32(c, d);
        v[0] = i32<Arch>(_mm_unpacklo_epi64(ab_low, cd_low));
        v[1] = i32<Arch>(_mm_unpackhi_epi64(ab_low, cd_low));
        v[2] = i32<Arch>(_mm_unpacklo_epi64(ab_high, cd_high));
        v[3] = i32<Arch>(_mm_unpackhi_epi64(ab_high, cd_high));
    }
};

#if defined(__SSSE3__)

template <has_ssse3 Arch>
struct lookup16_op<Arch> {
    TRILOBIT_INLINE static u8<Arch> call(const std::uint8_t* table, u8<Arch> index) noexcept {
        return u8<Arch>(
            _mm_shuffle_epi8(_mm_load_si128(reinterpret_cast<const __m128i*>(table)), index));
    }
};

template <has_ssse3 Arch>
    requires(register_bytes<Arch> == 16)
struct load_every_fourth_op<Arch> {
    TRILOBIT_INLINE static void call(const std::byte* from, std::int64_t, u8<Arch>* v) noexcept {
        const __m128i order = _mm_setr_epi8(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
        const auto load = [&](int i) TRILOBIT_LAMBDA_INLINE {
            const auto* at = reinterpret_cast<const __m128i*>(from + 16 * i);
            return _mm_shuffle_epi8(_mm_load_si128(at), order);
        };
        const __m128i a = load(0), b = load(1), c = load(2), d = load(3);
        const __m128i ab_low = _mm_unpacklo_epi32(a, b), ab_high = _mm_unpackhi_epi32(a, b);
        const __m128i cd_low = _mm_unpacklo_epi32(c, d), cd_high = _mm_unpackhi_epi32(c, d);
        v[0] = u8<Arch>(_mm_unpacklo_epi64(ab_low, cd_low));
        v[1] = u8<Arch>(_mm_unpackhi_epi64(ab_low, cd_low));
        v[2] = u8<Arch>(_mm_unpacklo_epi64(ab_high, cd_high));
        v[3] = u8<Arch>(_mm_unpackhi_epi64(ab_high, cd_high));
    }
};

template <has_ssse3 Arch>
struct add_signed_op<Arch> {
    TRILOBIT_INLINE static u8<Arch> call(u8<Arch> sum, u8<Arch> value, u8<Arch> sign) noexcept {
        return u8<Arch>(_mm_add_epi8(sum, _mm_sign_epi8(value, sign)));
    }
};

/// psignb asks for bit 7 of what is not 0.
template <has_ssse3 Arch>
struct sign_of_op<Arch> {
    TRILOBIT_INLINE static u8<Arch> call(u8<Arch> v) noexcept {
        return v | u8<Arch>(std::uint8_t{1});
    }
};

template <has_ssse3 Arch>
struct zero_where_equal_op<Arch> {
    TRILOBIT_INLINE static u8<Arch> call(u8<Arch> v, u8<Arch> a, u8<Arch> b) noexcept {
        return u8<Arch>(_mm_andnot_si128(_mm_cmpeq_epi8(a, b), v));
    }
};

template <has_ssse3 Arch>
struct madd2_op<Arch> {
    TRILOBIT_INLINE static i16<Arch> call(u8<Arch> u, u8<Arch> s) noexcept {
        return i16<Arch>(_mm_maddubs_epi16(u, s));
    }
};

template <has_ssse3 Arch>
struct dot4_op<Arch> {
    TRILOBIT_INLINE static i32<Arch> call(i32<Arch> sum, u8<Arch> u, u8<Arch> s) noexcept {
        return widen_add<Arch>(sum, madd2<Arch>(u, s));
    }
};

template <has_ssse3 Arch>
struct popcount_bytes_op<Arch> {
    TRILOBIT_INLINE static u8<Arch> call(u8<Arch> v) noexcept {
        const __m128i counts = _mm_setr_epi8(0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4);
        const __m128i low = _mm_set1_epi8(0x0f);
        const __m128i a = _mm_shuffle_epi8(counts, _mm_and_si128(v, low));
        const __m128i b = _mm_shuffle_epi8(counts, _mm_and_si128(_mm_srli_epi16(v, 4), low));
        return u8<Arch>(_mm_add_epi8(a, b));
    }
};

#endif

}  // namespace trilobit::inline TRILOBIT_ABI::simd

#include "trilobit/core/end.hpp"
