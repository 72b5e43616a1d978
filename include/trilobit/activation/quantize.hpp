// SPDX-License-Identifier: MIT
// Room activation. Enters: one token's floats. Leaves: its values and scales, the same bits on
// every machine.
//
// The functions are templates on a tag and contain only plain loops, so that a translation unit
// built for one instruction set can own a vectorised copy under its own name.
#pragma once

#include "trilobit/version.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <type_traits>

#include "trilobit/activation/view.hpp"
#include "trilobit/core/config.hpp"
#include "trilobit/core/floats.hpp"
#include "trilobit/core/status.hpp"

#include "trilobit/core/begin.hpp"

namespace trilobit::inline TRILOBIT_ABI {

inline constexpr status activation_not_finite{errc::bad_value, "An activation is NaN or infinite."};

namespace detail {

inline constexpr std::uint32_t infinity_bits = 0x7f800000u;

/// Plain loops of one length, which every compiler turns into whole registers.
inline constexpr int quantize_chunk = 64;

/// f(chunk, first, count): quantize_chunk floats from the first on, of which `count` are real and
/// the others zeros.
template <class F>
TRILOBIT_INLINE void for_each_chunk(const float* x, std::int64_t count, F f) noexcept {
    std::int64_t first = 0;
    for (; first + quantize_chunk <= count; first += quantize_chunk)
        f(x + first, first, quantize_chunk);
    if (first == count) return;
    float rest[quantize_chunk] = {};
    std::copy_n(x + first, count - first, rest);
    f(static_cast<const float*>(rest), first, static_cast<int>(count - first));
}

/// Halves the sums of a chunk until there is one.
template <class T, class F>
TRILOBIT_INLINE T reduce_chunk(T (&chunk)[quantize_chunk], F f) noexcept {
    for (int half = quantize_chunk / 2; half > 0; half /= 2) {
        for (int i = 0; i < half; ++i) chunk[i] = f(chunk[i], chunk[i + half]);
        if constexpr (std::is_floating_point_v<T>) TRILOBIT_COMPILER_BARRIER(chunk);
    }
    return chunk[0];
}

/// max|x| over the bits: for non-negative floats integer order is float order, and infinity and
/// every NaN come out above all numbers, so one pass finds the maximum and the faults.
template <class Arch>
std::uint32_t largest_bits(const float* x, std::int64_t count) noexcept {
    std::int32_t largest[quantize_chunk] = {};
    for_each_chunk(x, count, [&](const float* chunk, std::int64_t, int) TRILOBIT_LAMBDA_INLINE {
        for (int i = 0; i < quantize_chunk; ++i) {
            std::int32_t bits;
            std::memcpy(&bits, chunk + i, sizeof bits);
            largest[i] = std::max(largest[i], bits & 0x7fffffff);
        }
    });
    return static_cast<std::uint32_t>(
        reduce_chunk(largest, [](std::int32_t a, std::int32_t b) { return std::max(a, b); }));
}

/// mean|x|, summed in double in a fixed order, which the barriers keep.
template <class Arch>
float absolute_mean(const float* x, std::int64_t count) noexcept {
    double sum[quantize_chunk] = {};
    for_each_chunk(x, count, [&](const float* chunk, std::int64_t, int) TRILOBIT_LAMBDA_INLINE {
        for (int i = 0; i < quantize_chunk; ++i) sum[i] += static_cast<double>(std::fabs(chunk[i]));
        TRILOBIT_COMPILER_BARRIER(sum);
    });
    const double total = reduce_chunk(sum, [](double a, double b) { return a + b; });
    return count == 0 ? 0.0f
                      : rounded(static_cast<float>(quotient(total, static_cast<double>(count))));
}

/// Rounds to nearest even by adding 1.5 * 2^23, which leaves the integer in the low bits: right up
/// to 2^22. No product is larger up to 2^20 columns, four times what a matrix has: max|x| / mean|x|
/// is at most their number, and the largest factor sqrt(7) / mean|x|. The barrier keeps the
/// product's rounding: fused with the addition it would round once, and 2.5 could come
/// from 2.4999999.
template <class Act, class Arch>
void quantize_segment(const float* x, std::int64_t count, float factor,
                      std::int8_t* values) noexcept {
    constexpr float magic = 12582912.0f;
    for_each_chunk(x, count,
                   [&](const float* chunk, std::int64_t first, int wanted) TRILOBIT_LAMBDA_INLINE {
                       struct {
                           float product[quantize_chunk];
                       } block;
                       std::int8_t rounded[quantize_chunk];
                       if constexpr (Act::id == activation_id::sign) {
                           // Not the product's sign: a small negative one may round to -0, which is
                           // >= 0.
                           for (int i = 0; i < quantize_chunk; ++i) {
                               std::uint32_t b;
                               std::memcpy(&b, chunk + i, sizeof b);
                               rounded[i] = static_cast<std::int8_t>(b > 0x80000000u ? -1 : 1);
                           }
                       } else {
                           for (int i = 0; i < quantize_chunk; ++i)
                               block.product[i] = chunk[i] * factor;
                           TRILOBIT_COMPILER_BARRIER(block);
                           std::int32_t bits[quantize_chunk];
                           for (int i = 0; i < quantize_chunk; ++i) {
                               const float sum = block.product[i] + magic;
                               std::int32_t b;
                               std::memcpy(&b, &sum, sizeof b);
                               bits[i] = b - 0x4b400000;
                               // max|x| sets the factor of int8: no product is beyond 127.
                               if constexpr (Act::id != activation_id::int8)
                                   bits[i] = std::clamp(bits[i], Act::lowest, Act::highest);
                           }
                           for (int i = 0; i < quantize_chunk; ++i)
                               rounded[i] = static_cast<std::int8_t>(bits[i]);
                       }
                       if (wanted == quantize_chunk)
                           std::memcpy(values + first, rounded, quantize_chunk);
                       else
                           std::memcpy(values + first, rounded, static_cast<std::size_t>(wanted));
                   });
}

}  // namespace detail

/// Quantises token `m` of a buffer laid out as `shape` says; refuses NaN and infinity.
template <class Act, class Arch>
status quantize_token(const activation_shape& shape, std::int64_t m, const float* x,
                      std::int8_t* all_values, float* all_scales) noexcept {
    const standard_floats standard;
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
        scales[first / width] = quotient(1.0f, factor);
    }
    std::memset(values + shape.cols, 0,
                static_cast<std::size_t>(shape.value_stride() - shape.cols));
    return {};
}

}  // namespace trilobit::inline TRILOBIT_ABI

#include "trilobit/core/end.hpp"
