// SPDX-License-Identifier: MIT
// Room formats. TL1 of bitnet.cpp: pairs of ternary weights in 4 bits, in the order in which a
// kernel for ARM looks them up, and one f32 scale; 2 bits a weight. A matrix is cut into tiles of
// BM rows x BK columns, these into `lanes` rows x `by` columns of 64 bytes (tl_tiles.hpp).
//
//   byte     bits 7..4             bits 3..0         nibble = 3 w + w' + 4 of columns k and k + 1
//   columns  4j, 4j + 1            4j + 2, 4j + 3
//   order    tiles row by row; in a tile `lanes` rows after the other, in these `by` columns after
//            the other, in these 16 rows, in these 4 columns; then the byte of each of 16 rows
#pragma once

#include "formats/bits.hpp"
#include "formats/format.hpp"
#include "formats/scales.hpp"
#include "formats/tl_tiles.hpp"

namespace tbx::formats {

namespace detail {

/// A nibble of two weights: 3 w + w' + 4. Other nibbles: none.
inline constexpr std::int8_t no_weight = 2;

struct pair_table {
    std::uint32_t of[256] = {};  // the four weights of a byte, the first in the lowest bits

    constexpr pair_table() noexcept {
        for (unsigned byte = 0; byte < 256; ++byte)
            for (unsigned half = 0; half < 2; ++half) {
                const int nibble = static_cast<int>(half == 0 ? byte >> 4 : byte & 15u);
                const int first = nibble < 9 ? nibble / 3 - 1 : no_weight;
                const int second = nibble < 9 ? nibble % 3 - 1 : no_weight;
                of[byte] |= (static_cast<std::uint32_t>(first) & 255u) << (16 * half) |
                            (static_cast<std::uint32_t>(second) & 255u) << (16 * half + 8);
            }
    }
};
inline constexpr pair_table weights_of_pairs{};

inline std::byte pairs_byte(const std::int8_t* w) noexcept {
    return static_cast<std::byte>((3 * w[0] + w[1] + 4) << 4 | (3 * w[2] + w[3] + 4));
}

struct tl1_rows {
    static bool fits(const shape& s, const lut_tile& t) noexcept {
        if ((t.lanes != 32 && t.lanes != 64) || t.rows <= 0 || t.cols <= 0) return false;
        return t.rows % t.lanes == 0 && t.cols % (256 / t.lanes) == 0 && s.rows % t.rows == 0 &&
               s.cols % t.cols == 0;
    }
    static std::optional<std::int64_t> bytes(const shape& s) noexcept {
        if (!fits(s, tl1_tile(s))) return std::nullopt;
        return whole_blocks(s.rows, s.cols, 4, 1, 0, 32);
    }
    /// f(column, where its byte lies) for each fourth column.
    template <class F>
    static void each_byte(const shape& s, std::int64_t row, F&& f) noexcept {
        const lut_tile t = tl1_tile(s);
        const std::int64_t by = 256 / t.lanes, tile = std::int64_t{t.rows} * t.cols / 4;
        const std::int64_t in_tile = row % t.rows;
        const std::int64_t start = row / t.rows * (s.cols / t.cols) * tile +
                                   in_tile / t.lanes * (t.cols / by) * 64 +
                                   in_tile % t.lanes / 16 * (by / 4) * 16 + row % 16;
        for (std::int64_t c = 0, first = start; c < s.cols; first += tile) {
            const std::int64_t end = c + t.cols;
            for (std::int64_t at = first; c < end; at += 64)
                for (std::int64_t q = 0; q < by; q += 4, c += 4) f(c, at + 4 * q);
        }
    }
    static fault read(std::span<const std::byte> tensor, const shape& s, std::int64_t row,
                      std::int8_t* values, float* scales) noexcept {
        const bool finite = read_float(tensor.data() + s.rows * s.cols / 4, scales[0]);
        if (values == nullptr) return first_fault(true, finite);
        each_byte(s, row, [&](std::int64_t c, std::int64_t at) {
            store_as(reinterpret_cast<std::byte*>(values + c),
                     weights_of_pairs.of[bits_of(tensor[static_cast<std::size_t>(at)])]);
        });
        return first_fault(all_held<kind::ternary>(values, s.cols), finite);
    }
    static fault write(std::span<std::byte> tensor, const shape& s, std::int64_t row,
                       const std::int8_t* values, const float* scales) noexcept {
        if (!all_held<kind::ternary>(values, s.cols)) return fault::code;
        each_byte(s, row, [&](std::int64_t c, std::int64_t at) {
            tensor[static_cast<std::size_t>(at)] = pairs_byte(values + c);
        });
        if (row != 0) return fault::none;
        std::byte* tail = tensor.data() + s.rows * s.cols / 4;
        std::fill_n(tail, 32, std::byte{0});
        return first_fault(true, write_float(scales[0], tail));
    }
};

}  // namespace detail

inline constexpr format tl1{"TL1",
                            kind::ternary,
                            scale_per::tensor,
                            0,
                            &detail::tl1_rows::bytes,
                            &detail::tl1_rows::read,
                            &detail::tl1_rows::write};

}  // namespace tbx::formats
