// SPDX-License-Identifier: MIT
// Room formats. Q4_K of ggml: 256 numbers in 144 bytes: d and dmin, f16; 12 bytes of scales
// (k_scales.hpp); 128 bytes, each 32 of which hold 32 numbers in low nibbles and the next 32 in
// high ones: d * scale * nibble - dmin * minimum.
#pragma once

#include "formats/dense.hpp"
#include "formats/k_scales.hpp"

namespace tbx::formats {

namespace detail {

inline void read_q4_k(const std::byte* block, float* values) noexcept {
    const float d = load_f16(block), dmin = load_f16(block + 2);
    for (int j = 0; j < 8; ++j) {
        const k_scale k = k_scale_of(block + 4, j);
        const float step = d * k.scale, least = dmin * k.minimum;
        for (int i = 0; i < 32; ++i) {
            const unsigned nibble = (bits_of(block[16 + 32 * (j / 2) + i]) >> (4 * (j % 2))) & 15u;
            values[32 * j + i] = step * static_cast<float>(nibble) - least;
        }
    }
}

}  // namespace detail

inline constexpr dense_format q4_k{"Q4_K", 256, 144, stored::f16, 2, 0, &detail::read_q4_k};

}  // namespace tbx::formats
