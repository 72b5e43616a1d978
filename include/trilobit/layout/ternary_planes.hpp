// SPDX-License-Identifier: MIT
// Room layout. Enters: 16 rows x 32 columns of {-1, 0, +1}. Leaves: 128 bytes, 2 bits a weight.
//
//   bytes  0..63   mask plane: bit 1 where the weight is not 0     each plane a tile of binary_1bit
//   bytes 64..127  sign plane: bit 1 where the weight is -1
//
// For activations of few bits: with the activation's bit planes a_b, popcount(mask & (sign ^ a_b))
// counts the +1s that meet a 1 and the -1s that meet a 0, so one logic operation and one count
// serve 512 weights.
#pragma once

#include "trilobit/version.hpp"

#include "trilobit/layout/binary_1bit.hpp"

#include "trilobit/core/begin.hpp"

namespace trilobit::inline TRILOBIT_ABI::layout {

struct ternary_planes {
    using kind = ternary;
    static constexpr layout_id id = layout_id::ternary_planes;
    static constexpr std::string_view name = "ternary_planes";
    static constexpr int tile_rows = binary_1bit::tile_rows;
    static constexpr int tile_cols = binary_1bit::tile_cols;
    static constexpr int plane_bytes = binary_1bit::tile_bytes;
    static constexpr int tile_bytes = 2 * plane_bytes;

    static constexpr void encode(const std::int8_t* values, std::byte* tile) noexcept {
        std::int8_t mask[tile_rows * tile_cols] = {}, sign[tile_rows * tile_cols] = {};
        for (int i = 0; i < tile_rows * tile_cols; ++i) {
            mask[i] = values[i] != 0;
            sign[i] = values[i] < 0;
        }
        binary_1bit::encode(mask, tile);
        binary_1bit::encode(sign, tile + plane_bytes);
    }

    TRILOBIT_INLINE static constexpr void decode(const std::byte* tile,
                                                 std::int8_t* values) noexcept {
        std::int8_t mask[tile_rows * tile_cols] = {}, sign[tile_rows * tile_cols] = {};
        binary_1bit::decode(tile, mask);
        binary_1bit::decode(tile + plane_bytes, sign);
        for (int i = 0; i < tile_rows * tile_cols; ++i)
            values[i] = static_cast<std::int8_t>(mask[i] > 0 ? -sign[i] : 0);
    }

    /// A sign without a mask is never written, and kernels rely on it.
    static constexpr bool valid(const std::byte* tile) noexcept {
        std::byte stray{};
        for (int i = 0; i < plane_bytes; ++i) stray |= tile[plane_bytes + i] & ~tile[i];
        return stray == std::byte{};
    }
};

}  // namespace trilobit::inline TRILOBIT_ABI::layout

#include "trilobit/core/end.hpp"
