// SPDX-License-Identifier: MIT
// Room layout. Enters: 16 rows x 16 columns of {-1, 0, +1}. Leaves: 64 bytes, 2 bits a weight.
//
//   byte     4r+0        4r+1        4r+2        4r+3          r = row 0..15
//   bits   76 54 32 10 76 54 32 10 76 54 32 10 76 54 32 10     code = weight + 1
//   column 12  8  4  0 13  9  5  1 14 10  6  2 15 11  7  3
//
// A 32-bit lane is one row. Masking a field f (0x03 << 2f) leaves four codes of columns 4f..4f+3
// in the four bytes, scaled by 4^f: ready for a dot product with the 32-bit word of activations
// 4f..4f+3, broadcast to all lanes. No shuffle, no shift, no horizontal sum.
#pragma once

#include "trilobit/version.hpp"

#include <cstring>
#include <type_traits>

#include "trilobit/core/endian.hpp"
#include "trilobit/layout/concept.hpp"

#include "trilobit/core/begin.hpp"

namespace trilobit::inline TRILOBIT_ABI {

namespace detail {

/// The 16 codes of a row of a tile, code = (value - Lowest) / Step, as its four bytes.
template <int Lowest, int Step>
constexpr void encode_2bit_row(const std::int8_t* values, std::byte* to) noexcept {
    if (!std::is_constant_evaluated() && little_endian) {
        // Fields 0 and 1 in a word, 2 and 3 in another. Bit 7 turned over and 0x80 + Lowest less
        // makes values from 0 up, and no borrow leaves a byte; nor does halving even ones.
        constexpr std::uint64_t every = 0x0101010101010101u;
        std::uint64_t low, high;
        std::memcpy(&low, values, 8);
        std::memcpy(&high, values + 8, 8);
        low = ((low ^ 0x80 * every) - (0x80 + Lowest) * every) >> (Step - 1);
        high = ((high ^ 0x80 * every) - (0x80 + Lowest) * every) >> (Step - 1);
        low |= high << 4;
        const auto word = static_cast<std::uint32_t>(low | low >> 30);
        std::memcpy(to, &word, 4);
        return;
    }
    for (int t = 0; t < 4; ++t) {
        unsigned byte = 0;
        for (int f = 0; f < 4; ++f)
            byte |= static_cast<unsigned>((values[4 * f + t] - Lowest) / Step) << (2 * f);
        to[t] = static_cast<std::byte>(byte);
    }
}

}  // namespace detail

namespace layout {

struct ternary_2bit {
    using kind = ternary;
    static constexpr layout_id id = layout_id::ternary_2bit;
    static constexpr std::string_view name = "ternary_2bit";
    static constexpr int tile_rows = 16;
    static constexpr int tile_cols = 16;
    static constexpr int tile_bytes = 64;

    /// Rows lie `stride` values apart.
    static constexpr void encode(const std::int8_t* values, std::int64_t stride,
                                 std::byte* tile) noexcept {
        for (int r = 0; r < tile_rows; ++r, values += stride, tile += 4)
            detail::encode_2bit_row<-1, 1>(values, tile);
    }
    static constexpr void encode(const std::int8_t* values, std::byte* tile) noexcept {
        encode(values, tile_cols, tile);
    }

    TRILOBIT_INLINE static constexpr void decode(const std::byte* tile,
                                                 std::int8_t* values) noexcept {
        for (int r = 0; r < tile_rows; ++r)
            for (int t = 0; t < 4; ++t)
                for (int f = 0; f < 4; ++f)
                    values[r * tile_cols + 4 * f + t] = static_cast<std::int8_t>(
                        static_cast<int>(std::to_integer<unsigned>(tile[4 * r + t]) >> (2 * f) &
                                         3u) -
                        1);
    }

    /// Code 3 is never written.
    static constexpr bool valid(const std::byte* tile) noexcept {
        std::byte threes{};
        for (int i = 0; i < tile_bytes; ++i) threes |= tile[i] & (tile[i] >> 1) & std::byte{0x55};
        return threes == std::byte{};
    }
};

}  // namespace layout
}  // namespace trilobit::inline TRILOBIT_ABI

#include "trilobit/core/end.hpp"
