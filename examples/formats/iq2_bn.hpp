// SPDX-License-Identifier: MIT
// Room formats. IQ2_BN of ik_llama.cpp: rows of ternary weights, each an f32 scale and blocks of 64
// weights in 16 bytes, 2 bits a weight.
//
//   byte j     bits 7 6   5 4   3 2   1 0     j = 0..15; code = weight + 1
//   weight          48+j  32+j  16+j  j
#pragma once

#include "formats/bits.hpp"
#include "formats/format.hpp"
#include "formats/scales.hpp"

namespace tbx::formats {

namespace detail {

inline std::optional<std::int64_t> iq2_bn_bytes(const shape& s) noexcept {
    return whole_blocks(s.rows, s.cols, 64, 16, 4);
}

inline fault iq2_bn_read(std::span<const std::byte> tensor, const shape& s, std::int64_t row,
                         std::int8_t* values, float* scales) noexcept {
    const std::byte* at = tensor.data() + row * (4 + s.cols / 4);
    const bool finite = read_float(at, scales[0]);
    at += 4;
    std::uint64_t threes = 0;
    for (std::int64_t c = 0; values != nullptr && c < s.cols; c += 64, at += 16)
        for (int n = 0; n < 4; ++n) threes |= read_field(at, 16, 2 * n, values + c + 16 * n);
    return first_fault(threes == 0, finite);
}

inline fault iq2_bn_write(std::span<std::byte> tensor, const shape& s, std::int64_t row,
                          const std::int8_t* values, const float* scales) noexcept {
    if (!all_held<kind::ternary>(values, s.cols)) return fault::code;
    std::byte* at = tensor.data() + row * (4 + s.cols / 4);
    const bool fits = write_float(scales[0], at);
    at += 4;
    for (std::int64_t c = 0; c < s.cols; c += 64, at += 16)
        for (int i = 0; i < 64; ++i) write_field(at[i % 16], i / 16 * 2, values[c + i]);
    return first_fault(true, fits);
}

}  // namespace detail

inline constexpr format iq2_bn{"IQ2_BN",
                               kind::ternary,
                               scale_per::row,
                               0,
                               &detail::iq2_bn_bytes,
                               &detail::iq2_bn_read,
                               &detail::iq2_bn_write};

}  // namespace tbx::formats
