// SPDX-License-Identifier: MIT
// Room formats. I2_S of bitnet.cpp: ternary weights in 2 bits, and one f32 scale behind them all,
// followed by 28 bytes without meaning. Three orders go by that name and number:
//
//   I2_S       blocks of 128 of a row in 32 bytes           what every published file holds
//     byte p   bits 7 6   5 4   3 2   1 0     p = 0..31; code = weight + 1
//     weight        p     32+p  64+p  96+p
//   I2_S_ARM   the same with blocks of 64 in 16 bytes       builds for ARM from November 2025 on
//   I2_S_1x4   four rows together                           x86 builds without ACT_PARALLEL
//     byte rK/4 + c   bits 7 6: row r, 5 4: row r + 1, 3 2: row r + 2, 1 0: row r + 3; column c
//
// Nothing in a file tells them apart.
#pragma once

#include "formats/bits.hpp"
#include "formats/format.hpp"
#include "formats/scales.hpp"

namespace tbx::formats {

inline constexpr std::int64_t i2_s_tail_bytes = 32;

namespace detail {

inline std::int64_t i2_s_scale_at(const shape& s) noexcept { return s.rows * s.cols / 4; }

inline void i2_s_write_tail(std::span<std::byte> tensor, const shape& s, float scale) noexcept {
    std::byte* tail = tensor.data() + i2_s_scale_at(s);
    std::fill_n(tail, i2_s_tail_bytes, std::byte{0});
    store_as(tail, scale);
}

template <int Width>  // bytes of a block
struct i2_s_rows {
    static std::optional<std::int64_t> bytes(const shape& s) noexcept {
        return whole_blocks(s.rows, s.cols, 4 * Width, Width, 0, i2_s_tail_bytes);
    }
    static fault read(std::span<const std::byte> tensor, const shape& s, std::int64_t row,
                      std::int8_t* values, float* scales) noexcept {
        const bool finite = read_float(tensor.data() + i2_s_scale_at(s), scales[0]);
        const std::byte* at = tensor.data() + row * s.cols / 4;
        std::uint64_t threes = 0;
        for (std::int64_t c = 0; values != nullptr && c < s.cols; c += 4 * Width, at += Width)
            for (int g = 0; g < 4; ++g)
                threes |= read_field(at, Width, 6 - 2 * g, values + c + Width * g);
        return first_fault(threes == 0, finite);
    }
    static fault write(std::span<std::byte> tensor, const shape& s, std::int64_t row,
                       const std::int8_t* values, const float* scales) noexcept {
        if (row == 0) i2_s_write_tail(tensor, s, scales[0]);
        if (!all_held<kind::ternary>(values, s.cols)) return fault::code;
        std::byte* at = tensor.data() + row * s.cols / 4;
        for (std::int64_t c = 0; c < s.cols; c += 4 * Width, at += Width)
            for (int i = 0; i < 4 * Width; ++i)
                write_field(at[i % Width], 6 - i / Width * 2, values[c + i]);
        return first_fault(true, row != 0 || support::is_finite(scales[0]));
    }
};

struct i2_s_four_rows {
    static std::optional<std::int64_t> bytes(const shape& s) noexcept {
        if (s.rows % 4 != 0) return std::nullopt;
        return whole_blocks(s.rows / 4, s.cols, 1, 1, 0, i2_s_tail_bytes);
    }
    static fault read(std::span<const std::byte> tensor, const shape& s, std::int64_t row,
                      std::int8_t* values, float* scales) noexcept {
        const bool finite = read_float(tensor.data() + i2_s_scale_at(s), scales[0]);
        if (values == nullptr) return first_fault(true, finite);
        const int shift = 6 - static_cast<int>(row % 4) * 2;
        const auto threes = read_field(tensor.data() + row / 4 * s.cols, s.cols, shift, values);
        return first_fault(threes == 0, finite);
    }
    static fault write(std::span<std::byte> tensor, const shape& s, std::int64_t row,
                       const std::int8_t* values, const float* scales) noexcept {
        if (row == 0) i2_s_write_tail(tensor, s, scales[0]);
        if (!all_held<kind::ternary>(values, s.cols)) return fault::code;
        std::byte* at = tensor.data() + row / 4 * s.cols;
        for (std::int64_t c = 0; c < s.cols; ++c)
            write_field(at[c], 6 - static_cast<int>(row % 4) * 2, values[c]);
        return first_fault(true, row != 0 || support::is_finite(scales[0]));
    }
};

template <class Rows>
constexpr format i2_s_format(std::string_view name) noexcept {
    return {name, kind::ternary, scale_per::tensor, 0, &Rows::bytes, &Rows::read, &Rows::write};
}

}  // namespace detail

inline constexpr format i2_s = detail::i2_s_format<detail::i2_s_rows<32>>("I2_S");
inline constexpr format i2_s_arm = detail::i2_s_format<detail::i2_s_rows<16>>("I2_S_ARM");
inline constexpr format i2_s_1x4 = detail::i2_s_format<detail::i2_s_four_rows>("I2_S_1x4");

}  // namespace tbx::formats
