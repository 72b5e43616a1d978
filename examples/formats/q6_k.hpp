// SPDX-License-Identifier: MIT
// Room formats. Q6_K of ggml: 256 numbers in 210 bytes: 128 of their low nibbles, 64 of their two
// high bits, 16 int8 scales, and d, f16: d * scale * (six bits - 32).
#pragma once

#include <algorithm>
#include <cmath>

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

/// The largest number of sixteen becomes -32 times their scale, the largest of 16 scales 127 times
/// d. ggml searches around these for less error; who reads cannot tell.
inline fault write_q6_k(const float* x, std::byte* block) noexcept {
    float wanted[16], most = 0;
    for (int s = 0; s < 16; ++s) {
        float largest = 0;
        for (int i = 16 * s; i < 16 * s + 16; ++i) {
            if (!support::is_finite(x[i])) return fault::code;
            if (std::fabs(x[i]) > std::fabs(largest)) largest = x[i];
        }
        wanted[s] = largest / -32.0f;
        most = std::max(most, std::fabs(wanted[s]));
    }
    std::fill_n(block, 210, std::byte{0});
    if (!half_of(most / 127.0f, block + 208)) return fault::scale;
    const float d = load_f16(block + 208);
    for (int s = 0; s < 16; ++s) {
        const float ratio = d > 0 ? std::clamp(wanted[s] / d, -127.0f, 127.0f) : 0.0f;
        const auto scale = static_cast<std::int8_t>(std::lround(ratio));
        store_as(block + 192 + s, scale);
        const float unit = d * static_cast<float>(scale);
        for (int i = 16 * s; i < 16 * s + 16; ++i) {
            const float q = unit != 0 ? std::clamp(x[i] / unit, -32.0f, 31.0f) : 0.0f;
            const auto code = static_cast<unsigned>(std::lround(q) + 32);
            const int half = i / 128, part = i / 32 % 4, at = i % 32;
            block[64 * half + at + 32 * (part & 1)] |=
                static_cast<std::byte>((code & 15u) << (part < 2 ? 0 : 4));
            block[128 + 32 * half + at] |= static_cast<std::byte>((code >> 4) << (2 * part));
        }
    }
    return fault::none;
}

}  // namespace detail

inline constexpr dense_format q6_k{
    "Q6_K", 256, 210, stored::f16, 1, 208, &detail::read_q6_k, &detail::write_q6_k};

}  // namespace tbx::formats
