// SPDX-License-Identifier: MIT
// Room layout. Enters: 64 rows x 32 columns of {-1, 0, +1}, one 0 in each four columns. Leaves: 320
// bytes, 1.25 bits a weight.
//
//   bytes 64 p + r, p = 0..3     indices of groups 2 p and 2 p + 1 of row r = 0..63
//   bytes 256 + r                signs of groups 0..7             group g = columns 4 g .. 4 g + 3
//
//   bits     7 6  5  4  3 2  1  0        zero   which of the four is 0
//          [zero, c, b, zero, c, b]      b, c   has the second, or third, of the others another
//   group      2 p + 1      2 p                 sign than the first?
//
//   bits     7  6  5  4  3  2  1  0      1: the first of the three that are not 0 is -1
//   group    0  1  2  3  4  5  6  7
//
// Four bits are what byte shuffles take on every machine: an index finds the sum of three
// activations for 16, 32 or 64 rows at once, and the sign turns it round. Machines with tables of
// 64 take index and sign together. Five codes in the low bits of five bytes, and three more in what
// those leave, save the latter 10 instructions of 61, and cost the former 8 of 87, who have less to
// spare. Every bit pattern is a tile.
#pragma once

#include "trilobit/version.hpp"

#include <array>

#include "trilobit/layout/concept.hpp"

#include "trilobit/core/begin.hpp"

namespace trilobit::inline TRILOBIT_ABI {

namespace detail {

/// Four weights and the code that stands for them: the index, and 16 if the sign is set.
struct code_of_four {
    using four = std::array<std::int8_t, 4>;

    std::array<four, 32> weights{};
    /// By number(). Without a zero, the last of the four is padding and taken for one.
    std::array<std::uint8_t, 81> code_of{};

    static constexpr std::size_t number(const std::int8_t* w) noexcept {
        return static_cast<std::size_t>(w[0] + 3 * w[1] + 9 * w[2] + 27 * w[3] + 40);
    }

    constexpr code_of_four() noexcept {
        for (unsigned code = 0; code < 32; ++code) {
            const unsigned zero = code >> 2 & 3, first = code >> 4;
            const unsigned negative[] = {first, first ^ (code & 1), first ^ (code >> 1 & 1)};
            four& w = weights[code];
            for (unsigned c = 0, n = 0; c < 4; ++c)
                if (c != zero) w[c] = negative[n++] != 0 ? -1 : 1;
            code_of[number(w.data())] = static_cast<std::uint8_t>(code);
            for (const int last : {-1, 1})
                if (zero == 3)
                    code_of[number(w.data()) + static_cast<std::size_t>(27 * last)] =
                        static_cast<std::uint8_t>(code);
        }
    }
};
inline constexpr code_of_four three_of_four_codes{};

}  // namespace detail

namespace layout {

struct ternary_3of4 {
    using kind = three_of_four;
    static constexpr layout_id id = layout_id::ternary_3of4;
    static constexpr std::string_view name = "ternary_3of4";
    static constexpr int tile_rows = 64;
    static constexpr int tile_cols = 32;
    static constexpr int tile_bytes = 320;
    static constexpr int groups = tile_cols / kind::group, sign_bytes = 256;  // where signs begin
    static constexpr const detail::code_of_four& codes = detail::three_of_four_codes;

    static constexpr void encode(const std::int8_t* values, std::byte* tile) noexcept {
        for (int r = 0; r < tile_rows; ++r, values += tile_cols) {
            unsigned signs = 0;
            for (int p = 0; p < groups / 2; ++p) {
                const unsigned low = codes.code_of[codes.number(values + 8 * p)];
                const unsigned high = codes.code_of[codes.number(values + 8 * p + 4)];
                tile[64 * p + r] = static_cast<std::byte>((low & 15) | (high & 15) << 4);
                signs = signs << 2 | (low >> 4 << 1) | high >> 4;
            }
            tile[sign_bytes + r] = static_cast<std::byte>(signs);
        }
    }

    TRILOBIT_INLINE static constexpr void decode(const std::byte* tile,
                                                 std::int8_t* values) noexcept {
        for (int r = 0; r < tile_rows; ++r, values += tile_cols)
            for (int g = 0; g < groups; ++g) {
                const auto pair = std::to_integer<unsigned>(tile[64 * (g / 2) + r]);
                const auto signs = std::to_integer<unsigned>(tile[sign_bytes + r]);
                const unsigned code = (pair >> (g % 2 * 4) & 15) | (signs >> (7 - g) & 1) << 4;
                for (unsigned c = 0; c < 4; ++c)
                    values[4 * static_cast<unsigned>(g) + c] = codes.weights[code][c];
            }
    }

    static constexpr bool valid(const std::byte*) noexcept { return true; }
};

}  // namespace layout
}  // namespace trilobit::inline TRILOBIT_ABI

#include "trilobit/core/end.hpp"
