// SPDX-License-Identifier: MIT
// Room layout. Enters: 64 rows x 5 columns of {-1, 0, +1}. Leaves: 64 bytes, 1.6 bits a weight.
//
//   byte r = w0 + 3 w1 + 9 w2 + 27 w3 + 81 w4   as a signed number in -121..121, r = row 0..63
//            wc = weight of row r, column c
//
// Balanced digits make the code odd: negating a byte negates its five weights. A lookup needs a
// table of |code| alone, 122 entries, which fit the 128 bytes of two zmm registers, and then the
// sign. log2(3) = 1.585, so no code of whole bytes is denser by more than 1 %.
#pragma once

#include <array>

#include "trilobit/layout/concept.hpp"

namespace trilobit::layout {

struct ternary_base3 {
    using kind = ternary;
    static constexpr layout_id id = layout_id::ternary_base3;
    static constexpr std::string_view name = "ternary_base3";
    static constexpr int tile_rows = 64;
    static constexpr int tile_cols = 5;
    static constexpr int tile_bytes = 64;
    static constexpr int largest_code = 121;

    /// digits[byte] are the five weights of a code; bytes outside -121..121 read as zeros.
    static constexpr auto digits = [] {
        std::array<std::array<std::int8_t, 5>, 256> table{};
        for (int code = -largest_code; code <= largest_code; ++code) {
            int rest = code;
            for (int c = 0; c < 5; ++c) {
                const int digit =
                    (rest + 364) % 3 - 1;  // 364 = 1 + 3 * 121: non-negative, = 1 mod 3
                table[static_cast<std::uint8_t>(code)][static_cast<std::size_t>(c)] =
                    static_cast<std::int8_t>(digit);
                rest = (rest - digit) / 3;
            }
        }
        return table;
    }();

    static constexpr void encode(const std::int8_t* values, std::byte* tile) noexcept {
        for (int r = 0; r < tile_rows; ++r) {
            int code = 0;
            for (int c = tile_cols - 1; c >= 0; --c) code = 3 * code + values[r * tile_cols + c];
            tile[r] = static_cast<std::byte>(code);
        }
    }

    TRILOBIT_INLINE static constexpr void decode(const std::byte* tile,
                                                 std::int8_t* values) noexcept {
        for (int r = 0; r < tile_rows; ++r)
            for (int c = 0; c < tile_cols; ++c)
                values[r * tile_cols + c] =
                    digits[std::to_integer<std::size_t>(tile[r])][static_cast<std::size_t>(c)];
    }

    static constexpr bool valid(const std::byte* tile) noexcept {
        bool inside = true;
        for (int i = 0; i < tile_bytes; ++i) {
            const int code = static_cast<std::int8_t>(tile[i]);
            inside = inside && code >= -largest_code && code <= largest_code;
        }
        return inside;
    }
};

}  // namespace trilobit::layout
