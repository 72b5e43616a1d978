// SPDX-License-Identifier: MIT
// Room examples/model. Enters: activations on their way to weights of few levels. Leaves: the same,
// rounded as one of the engines does that a model may have been made for.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>

#include <trilobit/core/float16.hpp>
#include <trilobit/matmul/context.hpp>

namespace tbx::model {

/// Whole numbers up to 127 times a scale: of a token (BitNet, bitnet.cpp), or as llama.cpp rounds
/// them, beside Q1_0 and Q2_0 a half for each 32, beside TQ1_0 and TQ2_0 a float for each 256.
/// none: they stay floats, as with weights that were trained for that.
enum class activation_rule : std::uint8_t { token, q8_0, q8_k, none };

/// Columns that share a scale; 0: all of a token.
[[nodiscard]] constexpr int group_of(activation_rule rule) noexcept {
    return rule == activation_rule::q8_0 ? 32 : rule == activation_rule::q8_k ? 256 : 0;
}

[[nodiscard]] constexpr trilobit::matmul_options with_groups_of(
    activation_rule rule, trilobit::matmul_options options) noexcept {
    if (group_of(rule) != 0) options.activation_group = group_of(rule);
    return options;
}

/// Rounds a row to what llama.cpp's blocks hold. The library's own rounding then finds the same
/// whole numbers again: the largest of a group is 127 times the scale, to a float's last bit. Only
/// scales below 10^-5 / 127 are rounded once more, to multiples of that.
inline void round_groups(float* row, std::int64_t cols, activation_rule rule) noexcept {
    const std::int64_t width = group_of(rule);
    for (std::int64_t first = 0; first < cols; first += width) {
        float* x = row + first;
        const std::int64_t count = std::min(width, cols - first);
        float largest = 0;
        for (std::int64_t i = 0; i < count; ++i) largest = std::max(largest, std::fabs(x[i]));
        const float inverse = largest > 0 ? 127.0f / largest : 0.0f;
        float scale = largest / 127.0f;
        if (rule == activation_rule::q8_0)
            scale = trilobit::f16_to_f32(trilobit::f32_to_f16(scale));
        // Sums with 1.5 * 2^23 end in whole numbers, the nearest, half to even.
        for (std::int64_t i = 0; i < count; ++i)
            x[i] = ((x[i] * inverse + 0x1.8p23f) - 0x1.8p23f) * scale;
    }
}

}  // namespace tbx::model
