// SPDX-License-Identifier: MIT
// Room layout. Enters: 16 rows x 32 columns of {-1, +1}. Leaves: 64 bytes, 1 bit a weight.
//
//   byte     4r+0                4r+1               4r+2               4r+3        r = row 0..15
//   bit     7  6  5  4 3 2 1 0   7 ..  1 0          7 ..  1 0          7 ..  1 0   1 is +1, 0 is -1
//   column 28 24 20 16 12 8 4 0  29 .. 5 1          30 .. 6 2          31 .. 7 3
//
// A 32-bit lane is one row; bit f of its bytes is columns 4f..4f+3, the shape that a dot product
// with a broadcast word of four activations wants, as in ternary_2bit.
#pragma once

#include "trilobit/version.hpp"

#include <cstring>
#include <type_traits>

#include "trilobit/core/endian.hpp"
#include "trilobit/layout/concept.hpp"

#include "trilobit/core/begin.hpp"

namespace trilobit::inline TRILOBIT_ABI::layout {

struct binary_1bit {
    using kind = binary;
    static constexpr layout_id id = layout_id::binary_1bit;
    static constexpr std::string_view name = "binary_1bit";
    static constexpr int tile_rows = 16;
    static constexpr int tile_cols = 32;
    static constexpr int tile_bytes = 64;

    /// Rows lie `stride` values apart; of planes they are 0 and 1.
    static constexpr void encode(const std::int8_t* values, std::int64_t stride,
                                 std::byte* tile) noexcept {
        for (int r = 0; r < tile_rows; ++r, values += stride, tile += 4) {
            if (!std::is_constant_evaluated() && little_endian) {
                // Bytes 0..3 of a word are one field, 4..7 the next. Of 1 bit 0 alone is set; of
                // 0 it is not, and of -1 all are.
                std::uint64_t all = 0;
                for (int f = 0; f < 8; f += 2) {
                    std::uint64_t word;
                    std::memcpy(&word, values + 4 * f, 8);
                    all |= (word & ~(word >> 7) & 0x0101010101010101u) << f;
                }
                const auto bits = static_cast<std::uint32_t>(all | all >> 31);
                std::memcpy(tile, &bits, 4);
                continue;
            }
            for (int t = 0; t < 4; ++t) {
                unsigned byte = 0;
                for (int f = 0; f < 8; ++f)
                    byte |= static_cast<unsigned>(values[4 * f + t] > 0) << f;
                tile[t] = static_cast<std::byte>(byte);
            }
        }
    }
    static constexpr void encode(const std::int8_t* values, std::byte* tile) noexcept {
        encode(values, tile_cols, tile);
    }

    TRILOBIT_INLINE static constexpr void decode(const std::byte* tile,
                                                 std::int8_t* values) noexcept {
        for (int r = 0; r < tile_rows; ++r)
            for (int t = 0; t < 4; ++t)
                for (int f = 0; f < 8; ++f)
                    values[r * tile_cols + 4 * f + t] = static_cast<std::int8_t>(
                        (std::to_integer<unsigned>(tile[4 * r + t]) >> f & 1u) != 0 ? 1 : -1);
    }

    static constexpr bool valid(const std::byte*) noexcept { return true; }
};

}  // namespace trilobit::inline TRILOBIT_ABI::layout

#include "trilobit/core/end.hpp"
