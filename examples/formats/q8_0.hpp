// SPDX-License-Identifier: MIT
// Room formats. Q8_0 of ggml: 32 numbers in 34 bytes: a scale d, f16, then int8 q; d * q.
#pragma once

#include <algorithm>
#include <cmath>

#include "formats/dense.hpp"

namespace tbx::formats {

namespace detail {

inline void read_q8_0(const std::byte* block, float* values) noexcept {
    const float d = load_f16(block);
    for (int i = 0; i < 32; ++i)
        values[i] = d * static_cast<float>(load_as<std::int8_t>(block + 2 + i));
}

/// As the reference: d = max|x| / 127, and halves are rounded away from zero.
inline fault write_q8_0(const float* x, std::byte* block) noexcept {
    float largest = 0;
    for (int i = 0; i < 32; ++i) {
        if (!support::is_finite(x[i])) return fault::code;
        largest = std::max(largest, std::fabs(x[i]));
    }
    const float d = largest / 127.0f;
    const float inverse = d != 0 ? 1.0f / d : 0.0f;
    if (!half_of(d, block)) return fault::scale;
    for (int i = 0; i < 32; ++i) {
        // A subnormal d makes `inverse` infinite.
        const float q = support::is_finite(inverse) ? std::round(x[i] * inverse) : 0.0f;
        store_as(block + 2 + i, static_cast<std::int8_t>(q));
    }
    return fault::none;
}

}  // namespace detail

inline constexpr dense_format q8_0{
    "Q8_0", 32, 34, stored::f16, 1, 0, &detail::read_q8_0, &detail::write_q8_0};

}  // namespace tbx::formats
