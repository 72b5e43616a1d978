// SPDX-License-Identifier: MIT
// Room formats. IQ2_BN_R4 of ik_llama.cpp: four rows of ternary weights together, their four f32
// scales and then 64 bytes for each 64 columns, 2 bits a weight.
//
//   byte 16l + 4k + i   bits 7 6       5 4       3 2       1 0      l = 0..3, i = 0..3; k = row
//   column                   16l+i+12  16l+i+8   16l+i+4   16l+i    code = weight + 1
#pragma once

#include "formats/bits.hpp"
#include "formats/format.hpp"
#include "formats/scales.hpp"

namespace tbx::formats {

namespace detail {

inline std::optional<std::int64_t> iq2_bn_r4_bytes(const shape& s) noexcept {
    if (s.rows % 4 != 0) return std::nullopt;
    return whole_blocks(s.rows, s.cols, 64, 16, 4);
}

/// Where the four rows begin that row `row` is one of.
inline std::int64_t iq2_bn_r4_at(const shape& s, std::int64_t row) noexcept {
    return row / 4 * (16 + s.cols);
}

inline fault iq2_bn_r4_read(std::span<const std::byte> tensor, const shape& s, std::int64_t row,
                            std::int8_t* values, float* scales) noexcept {
    const std::byte* at = tensor.data() + iq2_bn_r4_at(s, row);
    const bool finite = read_float(at + 4 * (row % 4), scales[0]);
    at += 16 + 4 * (row % 4);
    std::uint32_t threes = 0;
    for (std::int64_t c = 0; values != nullptr && c < s.cols; c += 16, at += 16) {
        const auto word = load_as<std::uint32_t>(at);
        threes |= word & (word >> 1);
        for (int n = 0; n < 4; ++n)
            store_as(reinterpret_cast<std::byte*>(values + c + 4 * n),
                     (((word >> (2 * n)) & 0x03030303u) + 0x7f7f7f7fu) ^ 0x80808080u);
    }
    return first_fault((threes & 0x55555555u) == 0, finite);
}

inline fault iq2_bn_r4_write(std::span<std::byte> tensor, const shape& s, std::int64_t row,
                             const std::int8_t* values, const float* scales) noexcept {
    if (!all_held<kind::ternary>(values, s.cols)) return fault::code;
    std::byte* at = tensor.data() + iq2_bn_r4_at(s, row);
    const bool fits = write_float(scales[0], at + 4 * (row % 4));
    at += 16 + 4 * (row % 4);
    for (std::int64_t c = 0; c < s.cols; c += 16, at += 16)
        for (int i = 0; i < 16; ++i) write_field(at[i % 4], i / 4 * 2, values[c + i]);
    return first_fault(true, fits);
}

}  // namespace detail

inline constexpr format iq2_bn_r4{"IQ2_BN_R4",
                                  kind::ternary,
                                  scale_per::row,
                                  0,
                                  &detail::iq2_bn_r4_bytes,
                                  &detail::iq2_bn_r4_read,
                                  &detail::iq2_bn_r4_write};

}  // namespace tbx::formats
