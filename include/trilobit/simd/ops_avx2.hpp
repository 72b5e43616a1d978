// SPDX-License-Identifier: MIT
// Room simd. Enters: registers of 256 bits on x86. Leaves: the facts of AVX2 and AVX-VNNI where
// they differ from SSSE3's, and the primitives in their instructions. Guarded by what the flags
// allow.
#pragma once

#include "trilobit/version.hpp"

#include "trilobit/simd/ops_sse.hpp"

#include "trilobit/core/begin.hpp"

namespace trilobit::inline TRILOBIT_ABI::simd {

template <has_avxvnni Arch>
struct machine<Arch> : machine<arch::ssse3> {
    static constexpr byte_dot dot = byte_dot::exact;
};

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

}  // namespace trilobit::inline TRILOBIT_ABI::simd

#include "trilobit/core/end.hpp"
