// SPDX-License-Identifier: MIT
// Room integrations. Enters: numbers of 16 bits, or floats. Leaves: the other ones, by the
// processor's own instructions where it has them: the same bits as core/float16.hpp.
#pragma once

#include <trilobit/core/float16.hpp>
#include <trilobit/simd/arch.hpp>

#include <cstdint>
#include <string_view>

namespace tbx::onnx {

struct halves {
    std::string_view name;
    void (*to_floats)(const std::uint16_t* from, float* to, std::int64_t count) noexcept;
    void (*from_floats)(const float* from, std::uint16_t* to, std::int64_t count) noexcept;
};

template <class Arch>
struct halves_of {
    static void to_floats(const std::uint16_t* from, float* to, std::int64_t count) noexcept {
        std::int64_t i = 0;
#if defined(__F16C__)
        for (; i + 8 <= count; i += 8) {
            const __m128i eight = _mm_loadu_si128(reinterpret_cast<const __m128i*>(from + i));
            _mm256_storeu_ps(to + i, _mm256_cvtph_ps(eight));
        }
#endif
        for (; i < count; ++i) to[i] = trilobit::f16_to_f32(from[i]);
    }
    static void from_floats(const float* from, std::uint16_t* to, std::int64_t count) noexcept {
        std::int64_t i = 0;
#if defined(__F16C__)
        for (; i + 8 <= count; i += 8) {
            const __m128i eight = _mm256_cvtps_ph(_mm256_loadu_ps(from + i),
                                                  _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
            _mm_storeu_si128(reinterpret_cast<__m128i*>(to + i), eight);
        }
#endif
        for (; i < count; ++i) to[i] = trilobit::f32_to_f16(from[i]);
    }
    static constexpr halves table{Arch::name, &to_floats, &from_floats};
};

}  // namespace tbx::onnx
