// SPDX-License-Identifier: MIT
// Room formats. TL2 of bitnet.cpp: triples of ternary weights in 4 bits and a sign, in the order in
// which a kernel for x86 looks them up, and one f32 scale; 5/3 bits a weight. The columns that are
// left when BK divides K no more are stored in pairs, as those of TL1.
//
//   A  magnitudes, K3 M / 6 bytes: bits 7..4 of columns 6j.., bits 3..0 of columns 6j + 3..
//      9 w + 3 w' + w'' = -13..13; the nibble is its magnitude
//   B  signs, K3 M / 24 bytes: a word of 16 bits for 24 columns of rows r and r + 16,
//      bit 15 - 2t of triple t of row r, bit 14 - 2t of row r + 16; 1 where negative
//   C  pairs, K2 M / 4 bytes: nibbles 3 w + w' + 4, the high one first
//   then zeros up to the size that 256 columns of pairs would need, rounded up to 32; the scale
//
// All three in tiles of BM rows x BK columns (32 in C), in these 32 rows after the other, in these
// the columns of a byte or word after the other, then 32 rows: in A and C in the order 0..7,
// 16..23, 8..15, 24..31.
#pragma once

#include "formats/format.hpp"
#include "formats/scales.hpp"
#include "formats/tl1.hpp"

namespace tbx::formats {

namespace detail {

struct triple_table {
    std::int8_t of[32][4] = {};  // by magnitude, and 16 where negative; the fourth is none

    constexpr triple_table() noexcept {
        for (int code = 0; code < 32; ++code)
            for (int i = 0, v = code % 16 + 13; i < 3; ++i, v /= 3) {
                const int w = v % 3 - 1;
                of[code][2 - i] =
                    code % 16 > 13 ? no_weight : static_cast<std::int8_t>(code < 16 ? w : -w);
            }
    }
};
inline constexpr triple_table weights_of_triples{};

struct tl2_rows {
    lut_tile tile;
    std::int64_t in_threes = 0, in_pairs = 0;  // columns
    std::int64_t signs_at = 0, pairs_at = 0, scale_at = 0;

    static std::optional<tl2_rows> of(const shape& s) noexcept {
        tl2_rows t{tl2_tile(s)};
        if (t.tile.rows <= 0 || t.tile.cols <= 0 || t.tile.lanes != 32) return std::nullopt;
        if (t.tile.cols % 24 != 0 || t.tile.rows % 32 != 0) return std::nullopt;
        if (s.rows < 0 || s.cols < 256 || s.rows % t.tile.rows != 0) return std::nullopt;
        // So the products below stay far from overflowing.
        if (!whole_blocks(s.rows, s.cols, 1, 8)) return std::nullopt;
        t.in_threes = s.cols / t.tile.cols * t.tile.cols;
        t.in_pairs = s.cols - t.in_threes;
        if (t.in_pairs % 32 != 0) return std::nullopt;
        t.signs_at = t.in_threes * s.rows / 6;
        t.pairs_at = t.signs_at + t.in_threes * s.rows / 24;
        const std::int64_t planned = (s.cols - 256) * s.rows / 3 * 5 / 8 + 256 * s.rows / 2 * 4 / 8;
        t.scale_at = trilobit::round_up(planned, 32);
        if (t.pairs_at + t.in_pairs * s.rows / 4 > t.scale_at) return std::nullopt;
        return t;
    }
    static std::optional<std::int64_t> bytes(const shape& s) noexcept {
        const auto t = of(s);
        if (!t) return std::nullopt;
        return t->scale_at + 32;
    }
    /// Where a row's first byte or word lies in a part of `cols` columns, cut by `tile_cols`, and
    /// each `step` of them in 32 bytes.
    [[nodiscard]] std::int64_t first(std::int64_t row, std::int64_t cols, std::int64_t tile_cols,
                                     std::int64_t step) const noexcept {
        return (row / tile.rows * (cols / tile_cols) * (tile.rows / 32) + row % tile.rows / 32) *
               (tile_cols / step) * 32;
    }
    static std::int64_t place(std::int64_t row) noexcept {
        constexpr int eights[] = {0, 2, 1, 3};
        return eights[row % 32 / 8] * 8 + row % 8;
    }
    /// f(column, offset in 32s from first()) for each `step` columns.
    template <class F>
    void each(std::int64_t cols, std::int64_t tile_cols, std::int64_t step, F&& f) const noexcept {
        const std::int64_t tile_bytes = tile.rows * (tile_cols / step);
        for (std::int64_t c = 0, first = 0; c < cols; first += tile_bytes)
            for (std::int64_t end = c + tile_cols, at = first; c < end; c += step, at += 32)
                f(c, at);
    }

    static fault read(std::span<const std::byte> tensor, const shape& s, std::int64_t row,
                      std::int8_t* values, float* scales) noexcept {
        const tl2_rows t = of(s).value_or(tl2_rows{});
        const bool finite = read_float(tensor.data() + t.scale_at, scales[0]);
        if (values == nullptr) return first_fault(true, finite);
        const std::byte* sizes =
            tensor.data() + t.first(row, t.in_threes, t.tile.cols, 6) + place(row);
        const std::byte* signs =
            tensor.data() + t.signs_at + t.first(row, t.in_threes, t.tile.cols, 24) + row % 16 * 2;
        t.each(t.in_threes, t.tile.cols, 24, [&](std::int64_t c, std::int64_t at) {
            unsigned word = load_as<std::uint16_t>(signs + at);
            if (row % 32 >= 16) word <<= 1;
            for (int j = 0; j < 4; ++j, word <<= 4) {
                const unsigned byte = bits_of(sizes[4 * at + 32 * j]);
                std::int8_t* to = values + c + 6 * j;
                // A fourth value is written over by the next three; behind the last there is none.
                std::copy_n(weights_of_triples.of[byte >> 4 | (word >> 11 & 16u)], 4, to);
                std::copy_n(weights_of_triples.of[(byte & 15u) | (word >> 9 & 16u)], j < 3 ? 4 : 3,
                            to + 3);
            }
        });
        const std::byte* pairs =
            tensor.data() + t.pairs_at + t.first(row, t.in_pairs, 32, 4) + place(row);
        t.each(t.in_pairs, 32, 4, [&](std::int64_t c, std::int64_t at) {
            store_as(reinterpret_cast<std::byte*>(values + t.in_threes + c),
                     weights_of_pairs.of[bits_of(pairs[at])]);
        });
        return first_fault(all_held<kind::ternary>(values, s.cols), finite);
    }

    static fault write(std::span<std::byte> tensor, const shape& s, std::int64_t row,
                       const std::int8_t* values, const float* scales) noexcept {
        if (!all_held<kind::ternary>(values, s.cols)) return fault::code;
        const tl2_rows t = of(s).value_or(tl2_rows{});
        std::byte* sizes = tensor.data() + t.first(row, t.in_threes, t.tile.cols, 6) + place(row);
        std::byte* signs =
            tensor.data() + t.signs_at + t.first(row, t.in_threes, t.tile.cols, 24) + row % 16 * 2;
        const unsigned half = row % 32 >= 16 ? 1 : 0;
        t.each(t.in_threes, t.tile.cols, 24, [&](std::int64_t c, std::int64_t at) {
            unsigned word = load_as<std::uint16_t>(signs + at) & (half != 0 ? 0xaaaau : 0x5555u);
            for (unsigned j = 0; j < 8; ++j) {
                const std::int8_t* w = values + c + 3 * j;
                const int v = 9 * w[0] + 3 * w[1] + w[2];
                std::byte& byte = sizes[4 * at + 32 * (j / 2)];
                const auto size = static_cast<std::byte>(v < 0 ? -v : v);
                byte = j % 2 == 0 ? size << 4 : byte | size;
                if (v < 0) word |= 1u << (15 - (2 * j + half));
            }
            store_as(signs + at, static_cast<std::uint16_t>(word));
        });
        std::byte* pairs =
            tensor.data() + t.pairs_at + t.first(row, t.in_pairs, 32, 4) + place(row);
        t.each(t.in_pairs, 32, 4, [&](std::int64_t c, std::int64_t at) {
            pairs[at] = pairs_byte(values + t.in_threes + c);
        });
        if (row != 0) return fault::none;
        const std::int64_t used = t.pairs_at + t.in_pairs * s.rows / 4;
        std::fill_n(tensor.data() + used, t.scale_at + 32 - used, std::byte{0});
        return first_fault(true, write_float(scales[0], tensor.data() + t.scale_at));
    }
};

}  // namespace detail

inline constexpr format tl2{"TL2",
                            kind::ternary,
                            scale_per::tensor,
                            0,
                            &detail::tl2_rows::bytes,
                            &detail::tl2_rows::read,
                            &detail::tl2_rows::write};

}  // namespace tbx::formats
