// SPDX-License-Identifier: MIT
// Room formats. Q4_0 and IQ4_NL of ggml: 32 numbers in 18 bytes: a scale d, f16, then 16 bytes
// whose low nibbles are numbers 0..15 and whose high ones 16..31. Q4_0: d * (nibble - 8). IQ4_NL:
// d * one of sixteen levels.
#pragma once

#include "formats/dense.hpp"

namespace tbx::formats {

namespace detail {

inline constexpr std::int8_t linear_levels[16] = {-8, -7, -6, -5, -4, -3, -2, -1,
                                                  0,  1,  2,  3,  4,  5,  6,  7};
inline constexpr std::int8_t iq4_nl_levels[16] = {-127, -104, -83, -65, -49, -35, -22, -10,
                                                  1,    13,   25,  38,  53,  69,  89,  113};

template <const std::int8_t (&Levels)[16]>
void read_nibbles(const std::byte* block, float* values) noexcept {
    const float d = load_f16(block);
    for (int i = 0; i < 16; ++i) {
        const unsigned byte = bits_of(block[2 + i]);
        values[i] = d * static_cast<float>(Levels[byte & 15u]);
        values[i + 16] = d * static_cast<float>(Levels[byte >> 4]);
    }
}

}  // namespace detail

inline constexpr dense_format q4_0{
    "Q4_0", 32, 18, stored::f16, 1, 0, &detail::read_nibbles<detail::linear_levels>};
inline constexpr dense_format iq4_nl{
    "IQ4_NL", 32, 18, stored::f16, 1, 0, &detail::read_nibbles<detail::iq4_nl_levels>};

}  // namespace tbx::formats
