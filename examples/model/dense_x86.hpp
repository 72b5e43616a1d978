// SPDX-License-Identifier: MIT
// Room examples/model. Enters: AVX2 and AVX-512 registers. Leaves: what dense_registers.hpp asks
// for, in one or two instructions each. Only that file includes it.
#pragma once

#include <immintrin.h>

#include "model/dense_registers.hpp"

namespace tbx::model::dense {

template <class Arch>
struct avx2_numbers : portable_numbers<Arch> {
    using r = registers<Arch>;
    using floats = typename r::floats;

    TRILOBIT_INLINE static floats half_to_float(const void* from) noexcept {
        return bits<floats>(_mm256_cvtph_ps(load<__m128i>(from)));
    }
    /// Scales of small weights are subnormal halves; multiplied, as the portable way does, each
    /// would cost Intel's processors more than a hundred cycles.
    TRILOBIT_INLINE static float half_scalar(const std::byte* from) noexcept {
        return _mm_cvtss_f32(_mm_cvtph_ps(_mm_cvtsi32_si128(load<std::uint16_t>(from))));
    }
    /// By the scalar way Q8_0 spent more on scales than on weights.
    TRILOBIT_INLINE static floats half_everywhere(const std::byte* from) noexcept {
        return bits<floats>(_mm256_cvtph_ps(_mm_set1_epi16(load<std::int16_t>(from))));
    }
    TRILOBIT_INLINE static floats int8_to_float(const std::int8_t* from) noexcept {
        return bits<floats>(
            _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(_mm_cvtsi64_si128(load<long long>(from)))));
    }
    TRILOBIT_INLINE static std::int32_t dot_int8(const std::int8_t* w, const std::int16_t* x,
                                                 std::int64_t cols, std::int64_t& done) noexcept {
        __m256i part[4] = {};
        for (done = 0; done + 64 <= cols; done += 64) {
            r::prefetch(w + done, read_ahead);
            for (int p = 0; p < 4; ++p) {
                const auto codes = _mm256_cvtepi8_epi16(load<__m128i>(w + done + 16 * p));
                part[p] = _mm256_add_epi32(
                    part[p], _mm256_madd_epi16(codes, load<__m256i>(x + done + 16 * p)));
            }
        }
        const __m256i all = _mm256_add_epi32(_mm256_add_epi32(part[0], part[1]),
                                             _mm256_add_epi32(part[2], part[3]));
        alignas(32) std::int32_t eight[8];
        _mm256_store_si256(reinterpret_cast<__m256i*>(eight), all);
        std::int32_t sum = 0;
        for (const std::int32_t lane : eight) sum += lane;
        return sum;
    }
};

template <class Arch>
struct avx512_numbers : portable_numbers<Arch> {
    using r = registers<Arch>;
    using floats = typename r::floats;
    using octets = typename r::octets;

    TRILOBIT_INLINE static floats half_to_float(const void* from) noexcept {
        return bits<floats>(_mm512_cvtph_ps(load<__m256i>(from)));
    }
    TRILOBIT_INLINE static float half_scalar(const std::byte* from) noexcept {
        return avx2_numbers<Arch>::half_scalar(from);
    }
    TRILOBIT_INLINE static floats half_everywhere(const std::byte* from) noexcept {
        return bits<floats>(_mm512_cvtph_ps(_mm256_set1_epi16(load<std::int16_t>(from))));
    }
    TRILOBIT_INLINE static floats int8_to_float(const std::int8_t* from) noexcept {
        return bits<floats>(_mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(load<__m128i>(from))));
    }
    TRILOBIT_INLINE static octets shifted_twice(const std::byte* from, int) noexcept {
        const auto even = load<__m256i>(from);
        return bits<octets>(
            _mm512_inserti64x4(_mm512_castsi256_si512(even), _mm256_srli_epi16(even, 2), 1));
    }
    TRILOBIT_INLINE static std::int32_t dot_int8(const std::int8_t* w, const std::int16_t* x,
                                                 std::int64_t cols, std::int64_t& done) noexcept {
        __m512i first = _mm512_setzero_si512(), second = first;
        for (done = 0; done + 64 <= cols; done += 64) {
            r::prefetch(w + done, read_ahead);
            const auto low = _mm512_cvtepi8_epi16(load<__m256i>(w + done));
            const auto high = _mm512_cvtepi8_epi16(load<__m256i>(w + done + 32));
            first = _mm512_add_epi32(first, _mm512_madd_epi16(low, load<__m512i>(x + done)));
            second =
                _mm512_add_epi32(second, _mm512_madd_epi16(high, load<__m512i>(x + done + 32)));
        }
        return _mm512_reduce_add_epi32(_mm512_add_epi32(first, second));
    }
};

template <trilobit::has_avx2 Arch>
struct numbers<Arch> : avx2_numbers<Arch> {};
template <trilobit::has_avx512bw Arch>
struct numbers<Arch> : avx512_numbers<Arch> {};

}  // namespace tbx::model::dense
