// SPDX-License-Identifier: MIT
// Room simd. Enters: registers of 512 bits on x86. Leaves: the facts of AVX-512 with BW and with
// VNNI, VBMI and BITALG, and the primitives in their instructions. Guarded by what the flags
// allow.
#pragma once

#include "trilobit/version.hpp"

#include "trilobit/simd/ops_avx2.hpp"

#include "trilobit/core/begin.hpp"

namespace trilobit::inline TRILOBIT_ABI::simd {

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
struct sign_of_op<Arch> {
    TRILOBIT_INLINE static u8<Arch> call(u8<Arch> v) noexcept {
        return u8<Arch>(
            _mm512_or_si512(_mm512_movm_epi8(_mm512_movepi8_mask(v)), _mm512_set1_epi8(1)));
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
