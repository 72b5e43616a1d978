// SPDX-License-Identifier: MIT
// Room simd. Enters: registers of an x86 back end. Leaves: the primitives of ops.hpp in that back
// end's own instructions. Included by ops.hpp; everything here is guarded by what the flags allow.
#pragma once

#include "trilobit/version.hpp"

#include "trilobit/simd/ops.hpp"

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
template <has_avxvnni Arch>
struct machine<Arch> : machine<arch::ssse3> {
    static constexpr byte_dot dot = byte_dot::exact;
};
template <has_avx512bw Arch>
struct machine<Arch> : machine<arch::ssse3> {
    static constexpr int registers = 32;
};
/// Intel's servers start two dot products, one vpermb and two simple instructions of 512 bits a
/// cycle, Zen 4 one, one and two. No flag tells them apart: costs are those of the former.
template <has_avx512vnni Arch>
struct machine<Arch> : machine<arch::avx512bw> {
    static constexpr int table_entries = 64;
    static constexpr byte_dot dot = byte_dot::exact;
    static constexpr bool counts_bits = true;
    static constexpr instruction_costs cost{2.0, 1.0};
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
#if defined(__AVX2__) && defined(__F16C__)

template <has_avx2 Arch>
struct dot2_op<Arch> {
    TRILOBIT_INLINE static i32<Arch> call(i32<Arch> sum, i16<Arch> a, i16<Arch> b) noexcept {
        return i32<Arch>(_mm256_add_epi32(sum, _mm256_madd_epi16(a, b)));
    }
};

template <has_avx2 Arch>
struct add_signed_op<Arch> {
    TRILOBIT_INLINE static u8<Arch> call(u8<Arch> sum, u8<Arch> value, u8<Arch> sign) noexcept {
        return u8<Arch>(_mm256_add_epi8(sum, _mm256_sign_epi8(value, sign)));
    }
};

template <has_avx2 Arch>
struct zero_where_equal_op<Arch> {
    TRILOBIT_INLINE static u8<Arch> call(u8<Arch> v, u8<Arch> a, u8<Arch> b) noexcept {
        return u8<Arch>(_mm256_andnot_si256(_mm256_cmpeq_epi8(a, b), v));
    }
};

template <has_avx2 Arch>
struct madd2_op<Arch> {
    TRILOBIT_INLINE static i16<Arch> call(u8<Arch> u, u8<Arch> s) noexcept {
        return i16<Arch>(_mm256_maddubs_epi16(u, s));
    }
};

template <has_avx2 Arch>
struct dot4_op<Arch> {
    TRILOBIT_INLINE static i32<Arch> call(i32<Arch> sum, u8<Arch> u, u8<Arch> s) noexcept {
        return widen_add<Arch>(sum, madd2<Arch>(u, s));
    }
};

template <has_avx2 Arch>
struct popcount_bytes_op<Arch> {
    TRILOBIT_INLINE static u8<Arch> call(u8<Arch> v) noexcept {
        const __m256i counts = _mm256_broadcastsi128_si256(
            _mm_setr_epi8(0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4));
        const __m256i low = _mm256_set1_epi8(0x0f);
        const __m256i a = _mm256_shuffle_epi8(counts, _mm256_and_si256(v, low));
        const __m256i b =
            _mm256_shuffle_epi8(counts, _mm256_and_si256(_mm256_srli_epi16(v, 4), low));
        return u8<Arch>(_mm256_add_epi8(a, b));
    }
};

template <has_avx2 Arch>
struct lookup16_op<Arch> {
    TRILOBIT_INLINE static u8<Arch> call(const std::uint8_t* table, u8<Arch> index) noexcept {
        const __m256i both =
            _mm256_broadcastsi128_si256(_mm_load_si128(reinterpret_cast<const __m128i*>(table)));
        return u8<Arch>(_mm256_shuffle_epi8(both, index));
    }
};

template <has_avx2 Arch>
    requires(register_bytes<Arch> == 32)
struct load_every_fourth_op<Arch> {
    TRILOBIT_INLINE static void call(const std::byte* from, std::int64_t stride,
                                     u8<Arch>* v) noexcept {
        const __m256i order = _mm256_broadcastsi128_si256(
            _mm_setr_epi8(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15));
        const auto load = [&](int i) TRILOBIT_LAMBDA_INLINE {
            const auto* low = reinterpret_cast<const __m128i*>(from + 16 * i);
            const auto* high = reinterpret_cast<const __m128i*>(from + stride + 16 * i);
            const __m256i both = _mm256_inserti128_si256(
                _mm256_castsi128_si256(_mm_load_si128(low)), _mm_load_si128(high), 1);
            return _mm256_shuffle_epi8(both, order);
        };
        const __m256i a = load(0), b = load(1), c = load(2), d = load(3);
        const __m256i ab_low = _mm256_unpacklo_epi32(a, b), ab_high = _mm256_unpackhi_epi32(a, b);
        const __m256i cd_low = _mm256_unpacklo_epi32(c, d), cd_high = _mm256_unpackhi_epi32(c, d);
        v[0] = u8<Arch>(_mm256_unpacklo_epi64(ab_low, cd_low));
        v[1] = u8<Arch>(_mm256_unpackhi_epi64(ab_low, cd_low));
        v[2] = u8<Arch>(_mm256_unpacklo_epi64(ab_high, cd_high));
        v[3] = u8<Arch>(_mm256_unpackhi_epi64(ab_high, cd_high));
    }
};

/// v: lane 0 of the four registers, then lane 1. Interleaving stays inside 128-bit lanes.
template <class Batch>
TRILOBIT_INLINE void lanes_in_order(__m256i p, __m256i q, __m256i r, __m256i s, Batch* v) noexcept {
    v[0] = Batch(_mm256_permute2x128_si256(p, q, 0x20));
    v[1] = Batch(_mm256_permute2x128_si256(r, s, 0x20));
    v[2] = Batch(_mm256_permute2x128_si256(p, q, 0x31));
    v[3] = Batch(_mm256_permute2x128_si256(r, s, 0x31));
}

template <has_avx2 Arch>
struct interleave4_op<Arch> {
    TRILOBIT_INLINE static void call(u8<Arch>* v) noexcept {
        const __m256i a = v[0], b = v[1], c = v[2], d = v[3];
        const __m256i ab_low = _mm256_unpacklo_epi8(a, b), ab_high = _mm256_unpackhi_epi8(a, b);
        const __m256i cd_low = _mm256_unpacklo_epi8(c, d), cd_high = _mm256_unpackhi_epi8(c, d);
        const __m256i p = _mm256_unpacklo_epi16(ab_low, cd_low),
                      q = _mm256_unpackhi_epi16(ab_low, cd_low),
                      r = _mm256_unpacklo_epi16(ab_high, cd_high),
                      s = _mm256_unpackhi_epi16(ab_high, cd_high);
        lanes_in_order(p, q, r, s, v);
    }
};

template <has_avx2 Arch>
struct interleave4_i32_op<Arch> {
    TRILOBIT_INLINE static void call(i32<Arch>* v) noexcept {
        const __m256i a = v[0], b = v[1], c = v[2], d = v[3];
        const __m256i ab_low = _mm256_unpacklo_epi32(a, b), ab_high = _mm256_unpackhi_epi32(a, b);
        const __m256i cd_low = _mm256_unpacklo_epi32(c, d), cd_high = _mm256_unpackhi_epi32(c, d);
        const __m256i p = _mm256_unpacklo_epi64(ab_low, cd_low),
                      q = _mm256_unpackhi_epi64(ab_low, cd_low),
                      r = _mm256_unpacklo_epi64(ab_high, cd_high),
                      s = _mm256_unpackhi_epi64(ab_high, cd_high);
        lanes_in_order(p, q, r, s, v);
    }
};

template <has_avx2 Arch>
struct load_f16_op<Arch> {
    TRILOBIT_INLINE static void call(const std::uint16_t* from, float* to) noexcept {
        for (int i = 0; i < 16; i += 8)
            _mm256_store_ps(to + i, _mm256_cvtph_ps(_mm_loadu_si128(
                                        reinterpret_cast<const __m128i*>(from + i))));
    }
};

#endif
#if defined(__AVXVNNI__)

template <has_avxvnni Arch>
struct dot4_op<Arch> {
    TRILOBIT_INLINE static i32<Arch> call(i32<Arch> sum, u8<Arch> u, u8<Arch> s) noexcept {
        return i32<Arch>(_mm256_dpbusd_avx_epi32(sum, u, s));
    }
};

template <has_avxvnni Arch>
struct dot2_op<Arch> {
    TRILOBIT_INLINE static i32<Arch> call(i32<Arch> sum, i16<Arch> a, i16<Arch> b) noexcept {
        return i32<Arch>(_mm256_dpwssd_avx_epi32(sum, a, b));
    }
};

#endif
#if defined(__AVX512BW__) && defined(__AVX512DQ__) && defined(__AVX512VL__)

template <has_avx512bw Arch>
struct masked_xor_op<Arch> {
    TRILOBIT_INLINE static u8<Arch> call(u8<Arch> mask, u8<Arch> a, u8<Arch> b) noexcept {
        return u8<Arch>(_mm512_ternarylogic_epi32(mask, a, b, 0x60));
    }
};

template <has_avx512bw Arch>
struct dot2_op<Arch> {
    TRILOBIT_INLINE static i32<Arch> call(i32<Arch> sum, i16<Arch> a, i16<Arch> b) noexcept {
        return i32<Arch>(_mm512_add_epi32(sum, _mm512_madd_epi16(a, b)));
    }
};

template <has_avx512bw Arch>
struct add_signed_op<Arch> {
    TRILOBIT_INLINE static u8<Arch> call(u8<Arch> sum, u8<Arch> value, u8<Arch> sign) noexcept {
        const __m512i more = _mm512_mask_add_epi8(
            sum, _mm512_cmpeq_epi8_mask(sign, _mm512_set1_epi8(1)), sum, value);
        return u8<Arch>(_mm512_mask_sub_epi8(more, _mm512_movepi8_mask(sign), more, value));
    }
};

template <has_avx512bw Arch>
struct zero_where_equal_op<Arch> {
    TRILOBIT_INLINE static u8<Arch> call(u8<Arch> v, u8<Arch> a, u8<Arch> b) noexcept {
        return u8<Arch>(_mm512_maskz_mov_epi8(_mm512_cmpneq_epi8_mask(a, b), v));
    }
};

template <has_avx512bw Arch>
struct madd2_op<Arch> {
    TRILOBIT_INLINE static i16<Arch> call(u8<Arch> u, u8<Arch> s) noexcept {
        return i16<Arch>(_mm512_maddubs_epi16(u, s));
    }
};

template <has_avx512bw Arch>
struct dot4_op<Arch> {
    TRILOBIT_INLINE static i32<Arch> call(i32<Arch> sum, u8<Arch> u, u8<Arch> s) noexcept {
        return widen_add<Arch>(sum, madd2<Arch>(u, s));
    }
};

template <has_avx512bw Arch>
struct popcount_bytes_op<Arch> {
    TRILOBIT_INLINE static u8<Arch> call(u8<Arch> v) noexcept {
        const __m512i counts =
            _mm512_broadcast_i32x4(_mm_setr_epi8(0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4));
        const __m512i low = _mm512_set1_epi8(0x0f);
        const __m512i a = _mm512_shuffle_epi8(counts, _mm512_and_si512(v, low));
        const __m512i b =
            _mm512_shuffle_epi8(counts, _mm512_and_si512(_mm512_srli_epi16(v, 4), low));
        return u8<Arch>(_mm512_add_epi8(a, b));
    }
};

template <has_avx512bw Arch>
struct lookup16_op<Arch> {
    TRILOBIT_INLINE static u8<Arch> call(const std::uint8_t* table, u8<Arch> index) noexcept {
        const __m512i all =
            _mm512_broadcast_i32x4(_mm_load_si128(reinterpret_cast<const __m128i*>(table)));
        return u8<Arch>(_mm512_shuffle_epi8(all, index));
    }
};

/// The same of four lanes: 0 and 1 of two registers, and 2 and 3; then of these the even and the
/// odd ones.
template <class Batch>
TRILOBIT_INLINE void lanes_in_order(__m512i p, __m512i q, __m512i r, __m512i s, Batch* v) noexcept {
    const __m512i pq_low = _mm512_shuffle_i32x4(p, q, 0x44),
                  pq_high = _mm512_shuffle_i32x4(p, q, 0xee),
                  rs_low = _mm512_shuffle_i32x4(r, s, 0x44),
                  rs_high = _mm512_shuffle_i32x4(r, s, 0xee);
    v[0] = Batch(_mm512_shuffle_i32x4(pq_low, rs_low, 0x88));
    v[1] = Batch(_mm512_shuffle_i32x4(pq_low, rs_low, 0xdd));
    v[2] = Batch(_mm512_shuffle_i32x4(pq_high, rs_high, 0x88));
    v[3] = Batch(_mm512_shuffle_i32x4(pq_high, rs_high, 0xdd));
}

template <has_avx512bw Arch>
struct interleave4_op<Arch> {
    TRILOBIT_INLINE static void call(u8<Arch>* v) noexcept {
        const __m512i a = v[0], b = v[1], c = v[2], d = v[3];
        const __m512i ab_low = _mm512_unpacklo_epi8(a, b), ab_high = _mm512_unpackhi_epi8(a, b);
        const __m512i cd_low = _mm512_unpacklo_epi8(c, d), cd_high = _mm512_unpackhi_epi8(c, d);
        const __m512i p = _mm512_unpacklo_epi16(ab_low, cd_low),
                      q = _mm512_unpackhi_epi16(ab_low, cd_low),
                      r = _mm512_unpacklo_epi16(ab_high, cd_high),
                      s = _mm512_unpackhi_epi16(ab_high, cd_high);
        lanes_in_order(p, q, r, s, v);
    }
};

template <has_avx512bw Arch>
struct interleave4_i32_op<Arch> {
    TRILOBIT_INLINE static void call(i32<Arch>* v) noexcept {
        const __m512i a = v[0], b = v[1], c = v[2], d = v[3];
        const __m512i ab_low = _mm512_unpacklo_epi32(a, b), ab_high = _mm512_unpackhi_epi32(a, b);
        const __m512i cd_low = _mm512_unpacklo_epi32(c, d), cd_high = _mm512_unpackhi_epi32(c, d);
        const __m512i p = _mm512_unpacklo_epi64(ab_low, cd_low),
                      q = _mm512_unpackhi_epi64(ab_low, cd_low),
                      r = _mm512_unpacklo_epi64(ab_high, cd_high),
                      s = _mm512_unpackhi_epi64(ab_high, cd_high);
        lanes_in_order(p, q, r, s, v);
    }
};

template <has_avx512bw Arch>
struct load_f16_op<Arch> {
    TRILOBIT_INLINE static void call(const std::uint16_t* from, float* to) noexcept {
        _mm512_store_ps(
            to, _mm512_cvtph_ps(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(from))));
    }
};

#endif
#if defined(__AVX512VNNI__) && defined(__AVX512VBMI__) && defined(__AVX512BITALG__)

template <has_avx512vnni Arch>
struct dot4_op<Arch> {
    TRILOBIT_INLINE static i32<Arch> call(i32<Arch> sum, u8<Arch> u, u8<Arch> s) noexcept {
        return i32<Arch>(_mm512_dpbusd_epi32(sum, u, s));
    }
};

template <has_avx512vnni Arch>
struct dot2_op<Arch> {
    TRILOBIT_INLINE static i32<Arch> call(i32<Arch> sum, i16<Arch> a, i16<Arch> b) noexcept {
        return i32<Arch>(_mm512_dpwssd_epi32(sum, a, b));
    }
};

/// vpermb reads six bits of an index.
template <has_avx512vnni Arch>
struct index64_op<Arch> {
    TRILOBIT_INLINE static u8<Arch> call(u8<Arch> v) noexcept { return v; }
};

template <has_avx512vnni Arch>
struct lookup64_op<Arch> {
    TRILOBIT_INLINE static u8<Arch> call(const std::uint8_t* table, u8<Arch> index) noexcept {
        return u8<Arch>(_mm512_permutexvar_epi8(index, _mm512_load_si512(table)));
    }
};

template <has_avx512vnni Arch>
struct popcount_bytes_op<Arch> {
    TRILOBIT_INLINE static u8<Arch> call(u8<Arch> v) noexcept {
        return u8<Arch>(_mm512_popcnt_epi8(v));
    }
};

#endif

}  // namespace trilobit::inline TRILOBIT_ABI::simd

#include "trilobit/core/end.hpp"
