// SPDX-License-Identifier: MIT
// Room formats. Q5_K of ggml: 256 numbers in 176 bytes: Q4_K's d, dmin and scales; then 32 bytes,
// bit j of byte i the fifth bit of number 32j + i; then Q4_K's 128 bytes of nibbles.
#pragma once

#include "formats/dense.hpp"
#include "formats/k_scales.hpp"

namespace tbx::formats {

namespace detail {

inline void read_q5_k(const std::byte* block, float* values) noexcept {
    const float d = load_f16(block), dmin = load_f16(block + 2);
    for (int j = 0; j < 8; ++j) {
        const k_scale k = k_scale_of(block + 4, j);
        const float step = d * k.scale, least = dmin * k.minimum;
        for (int i = 0; i < 32; ++i) {
            const unsigned nibble = (bits_of(block[48 + 32 * (j / 2) + i]) >> (4 * (j % 2))) & 15u;
            const unsigned fifth = (bits_of(block[16 + i]) >> j) & 1u;
            values[32 * j + i] = step * static_cast<float>(nibble | fifth << 4) - least;
        }
    }
}

}  // namespace detail

inline constexpr dense_format q5_k{"Q5_K", 256, 176, stored::f16, 2, 0, &detail::read_q5_k};

}  // namespace tbx::formats
