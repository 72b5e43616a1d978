// SPDX-License-Identifier: MIT
// Room simd. Enters: registers of an x86 back end. Leaves: the primitives of ops.hpp in that back
// end's own instructions. Included by ops.hpp; everything here is guarded by what the flags allow.
#pragma once

#include "trilobit/simd/ops.hpp"

namespace trilobit::simd {

// GCC 12 moves each accumulator of a long loop into another register before it adds to it: 32 copies
// beside 16 dot products in dot_direct. An empty asm that claims to change the register in place
// leaves it nothing to copy; clang has no such habit and schedules better without.
#if defined(__GNUC__) && !defined(__clang__)
template <has_sse2 Arch>
struct pin_op<Arch> {
    template <class Register>
    TRILOBIT_INLINE static void call(Register& r) noexcept {
        __asm__("" : "+v"(r.data));
    }
};
#endif

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
struct widen_add_op<Arch> {
    TRILOBIT_INLINE static i32<Arch> call(i32<Arch> sum, i16<Arch> v) noexcept {
        return i32<Arch>(_mm_add_epi32(sum, _mm_madd_epi16(v, _mm_set1_epi16(1))));
    }
};

#if defined(__SSSE3__)

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
struct widen_add_op<Arch> {
    TRILOBIT_INLINE static i32<Arch> call(i32<Arch> sum, i16<Arch> v) noexcept {
        return i32<Arch>(_mm256_add_epi32(sum, _mm256_madd_epi16(v, _mm256_set1_epi16(1))));
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

#endif
#if defined(__AVX512BW__) && defined(__AVX512DQ__) && defined(__AVX512VL__)

template <has_avx512bw Arch>
struct widen_add_op<Arch> {
    TRILOBIT_INLINE static i32<Arch> call(i32<Arch> sum, i16<Arch> v) noexcept {
        return i32<Arch>(_mm512_add_epi32(sum, _mm512_madd_epi16(v, _mm512_set1_epi16(1))));
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
struct popcount_bytes_op<Arch> {
    TRILOBIT_INLINE static u8<Arch> call(u8<Arch> v) noexcept {
        return u8<Arch>(_mm512_popcnt_epi8(v));
    }
};

// vpermi2b reads seven bits of each index: 128 bytes of table are two registers.
template <has_avx512vnni Arch>
struct lookup128_op<Arch> {
    TRILOBIT_INLINE static i8<Arch> call(const std::int8_t* table, u8<Arch> index) noexcept {
        const __m512i found = _mm512_permutex2var_epi8(
            _mm512_load_si512(table), _mm512_abs_epi8(index), _mm512_load_si512(table + 64));
        return i8<Arch>(
            _mm512_mask_sub_epi8(found, _mm512_movepi8_mask(index), _mm512_setzero_si512(), found));
    }
};

#endif

}  // namespace trilobit::simd
