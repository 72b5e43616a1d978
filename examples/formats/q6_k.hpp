// SPDX-License-Identifier: MIT
// Room formats. Q6_K of ggml: 256 numbers in 210 bytes: 128 of their low nibbles, 64 of their two
// high bits, 16 int8 scales, and d, f16: d * scale * (six bits - 32).
#pragma once

#include "formats/dense.hpp"

namespace tbx::formats {

namespace detail {

inline void read_q6_k(const std::byte* block, float* values) noexcept {
    const float d = load_f16(block + 208);
    for (int half = 0; half < 2; ++half) {
        const std::byte* low = block + 64 * half;
        const std::byte* high = block + 128 + 32 * half;
        const std::byte* scales = block + 192 + 8 * half;
        // Quarter q of the half: its low nibbles are in one half of the bytes, its two high bits
        // in bits 2q.
        for (int q = 0; q < 4; ++q)
            for (int i = 0; i < 32; ++i) {
                const unsigned nibbles = bits_of(low[i + 32 * (q & 1)]);
                const unsigned four = q < 2 ? nibbles & 15u : nibbles >> 4;
                const unsigned two = (bits_of(high[i]) >> (2 * q)) & 3u;
                const int value = static_cast<int>(four | two << 4) - 32;
                const auto scale = load_as<std::int8_t>(scales + 2 * q + i / 16);
                values[128 * half + 32 * q + i] =
                    d * static_cast<float>(scale) * static_cast<float>(value);
            }
    }
}

}  // namespace detail

inline constexpr dense_format q6_k{"Q6_K", 256, 210, stored::f16, 1, 208, &detail::read_q6_k};

}  // namespace tbx::formats
