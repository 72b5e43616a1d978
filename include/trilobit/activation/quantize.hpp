// SPDX-License-Identifier: MIT
// Room activation. Enters: one token's floats. Leaves: its values and scales, the same bits on
// every machine.
//
// The functions are templates on a tag and contain only plain loops, so that a translation unit
// built for one instruction set can own a vectorised copy under its own name.
#pragma once

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>

#include "trilobit/activation/view.hpp"
#include "trilobit/core/config.hpp"
#include "trilobit/core/status.hpp"

namespace trilobit {

inline constexpr status activation_not_finite{errc::bad_value, "An activation is NaN or infinite."};

namespace detail {

inline constexpr std::int64_t quantize_chunk = 64;
inline constexpr std::uint32_t infinity_bits = 0x7f800000u;

/// max|x| over the bits: for non-negative floats integer order is float order, and infinity and
/// every NaN come out above all numbers, so one pass finds the maximum and the faults.
template <class Arch>
std::uint32_t largest_bits(const float* x, std::int64_t count) noexcept {
    std::uint32_t largest = 0;
    for (std::int64_t i = 0; i < count; ++i) {
        std::uint32_t bits;
        std::memcpy(&bits, x + i, sizeof bits);
        largest = std::max(largest, bits & 0x7fffffffu);
    }
    return largest;
}

/// mean|x|, summed in double in a fixed order.
template <class Arch>
float absolute_mean(const float* x, std::int64_t count) noexcept {
    double sum[8] = {};
    std::int64_t i = 0;
    for (; i + 8 <= count; i += 8)
        for (int lane = 0; lane < 8; ++lane)
            sum[lane] += static_cast<double>(std::fabs(x[i + lane]));
    for (; i < count; ++i) sum[0] += static_cast<double>(std::fabs(x[i]));
    const double total =
        ((sum[0] + sum[4]) + (sum[1] + sum[5])) + ((sum[2] + sum[6]) + (sum[3] + sum[7]));
    return count == 0 ? 0.0f : static_cast<float>(total / static_cast<double>(count));
}

/// Rounds to nearest even by adding 1.5 * 2^23, which leaves the integer in the low bits; products
/// are clamped first, so they are far inside its range. The barrier keeps the product's rounding:
/// fused with the addition it would round once, and 2.5 could come from 2.4999999.
template <class Act, class Arch>
void quantize_segment(const float* x, std::int64_t count, float factor,
                      std::int8_t* values) noexcept {
    constexpr float magic = 12582912.0f;
    constexpr auto low = static_cast<float>(Act::lowest), high = static_cast<float>(Act::highest);
    for (std::int64_t first = 0; first < count; first += quantize_chunk) {
        struct {
            float product[quantize_chunk];
        } block;
        const std::int64_t n = std::min(quantize_chunk, count - first);
        for (std::int64_t i = 0; i < n; ++i) block.product[i] = x[first + i] * factor;
        TRILOBIT_COMPILER_BARRIER(block);
        for (std::int64_t i = 0; i < n; ++i) {
            if constexpr (Act::id == activation_id::sign) {
                // Not the product's sign: a small negative one may round to -0, which is >= 0.
                values[first + i] = static_cast<std::int8_t>(x[first + i] >= 0.0f ? 1 : -1);
            } else {
                const float p = block.product[i];
                const float rounded = (p < low ? low : p > high ? high : p) + magic;
                std::int32_t bits;
                std::memcpy(&bits, &rounded, sizeof bits);
                values[first + i] = static_cast<std::int8_t>(bits - 0x4b400000);
            }
        }
    }
}

}  // namespace detail

/// Quantises token `m` of a buffer laid out as `shape` says; refuses NaN and infinity.
template <class Act, class Arch>
status quantize_token(const activation_shape& shape, std::int64_t m, const float* x,
                      std::int8_t* all_values, float* all_scales) noexcept {
    std::int8_t* values = all_values + m * shape.value_stride();
    float* scales = all_scales + m * shape.segments();
    const std::int64_t width = shape.segment_cols();
    for (std::int64_t first = 0; first < shape.cols; first += width) {
        const std::int64_t count = std::min(width, shape.cols - first);
        const std::uint32_t largest = detail::largest_bits<Arch>(x + first, count);
        if (largest >= detail::infinity_bits) return activation_not_finite;
        activation_stats stats{std::bit_cast<float>(largest), 0.0f};
        if constexpr (Act::uses_mean) stats.mean = detail::absolute_mean<Arch>(x + first, count);
        const float factor = Act::factor(stats);
        detail::quantize_segment<Act, Arch>(x + first, count, factor, values + first);
        scales[first / width] = 1.0f / factor;
    }
    std::memset(values + shape.cols, 0,
                static_cast<std::size_t>(shape.value_stride() - shape.cols));
    return {};
}

}  // namespace trilobit
