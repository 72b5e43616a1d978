// SPDX-License-Identifier: MIT
// Room layout. Enters: 16 rows x 16 columns of four levels: {-1, 0, 1, 2}, {-2, -1, 0, 1} or
// {-3, -1, 1, 3}. Leaves: 64 bytes, 2 bits a weight.
//
//   byte     4r+0        4r+1        4r+2        4r+3          r = row 0..15
//   bits   76 54 32 10 76 54 32 10 76 54 32 10 76 54 32 10     code = (weight - lowest) / step
//   column 12  8  4  0 13  9  5  1 14 10  6  2 15 11  7  3
//
// The tile of ternary_2bit with its fourth code in use. A zero point is of the type, not of the
// matrix: kernels know it as they know that of trits, and no header or loop carries one.
#pragma once

#include "trilobit/version.hpp"

#include "trilobit/layout/ternary_2bit.hpp"

#include "trilobit/core/begin.hpp"

namespace trilobit::inline TRILOBIT_ABI::layout {

template <int DoubledZero>
struct four_levels {
    using kind = quaternary<DoubledZero>;
    static constexpr layout_id id = DoubledZero == 2   ? layout_id::quaternary_2bit
                                    : DoubledZero == 4 ? layout_id::quaternary_2bit_low
                                                       : layout_id::quaternary_2bit_odd;
    static constexpr std::string_view name = DoubledZero == 2   ? "quaternary_2bit"
                                             : DoubledZero == 4 ? "quaternary_2bit_low"
                                                                : "quaternary_2bit_odd";
    static constexpr int tile_rows = ternary_2bit::tile_rows;
    static constexpr int tile_cols = ternary_2bit::tile_cols;
    static constexpr int tile_bytes = ternary_2bit::tile_bytes;

    /// Rows lie `stride` values apart.
    static constexpr void encode(const std::int8_t* values, std::int64_t stride,
                                 std::byte* tile) noexcept {
        for (int r = 0; r < tile_rows; ++r, values += stride, tile += 4)
            detail::encode_2bit_row<kind::lowest, kind::step>(values, tile);
    }
    static constexpr void encode(const std::int8_t* values, std::byte* tile) noexcept {
        encode(values, tile_cols, tile);
    }

    TRILOBIT_INLINE static constexpr void decode(const std::byte* tile,
                                                 std::int8_t* values) noexcept {
        ternary_2bit::decode(tile, values);
        for (int i = 0; i < tile_rows * tile_cols; ++i)
            values[i] = static_cast<std::int8_t>((values[i] + 1) * kind::step + kind::lowest);
    }

    static constexpr bool valid(const std::byte*) noexcept { return true; }
};

using quaternary_2bit = four_levels<2>;      // -1, 0, 1, 2
using quaternary_2bit_low = four_levels<4>;  // -2, -1, 0, 1
using quaternary_2bit_odd = four_levels<3>;  // -3, -1, 1, 3

}  // namespace trilobit::inline TRILOBIT_ABI::layout

#include "trilobit/core/end.hpp"
