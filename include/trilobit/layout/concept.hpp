// SPDX-License-Identifier: MIT
// Room layout. Enters: nothing. Leaves: what a type must say to be a layout: where the bits of a
// tile of weights lie. A layout knows no instruction set, so packed bytes are the same everywhere.
#pragma once

#include "trilobit/version.hpp"

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "trilobit/core/config.hpp"
#include "trilobit/weights/kind.hpp"

#include "trilobit/core/begin.hpp"

namespace trilobit::inline TRILOBIT_ABI {

/// Stored in packed files: never renumber. Layouts outside the library take ids from 0x1000 on.
enum class layout_id : std::uint32_t {
    ternary_2bit = 1,
    ternary_base3 = 2,
    ternary_planes = 3,
    binary_1bit = 4,
    quaternary_2bit = 5,
    quaternary_2bit_low = 6,
    quaternary_2bit_odd = 7,
    ternary_3of4 = 8,
};

/// A tile holds tile_rows x tile_cols weights in tile_bytes bytes, a multiple of 64.
///
/// - kind: the values a weight may take (weights/kind.hpp).
/// - encode(values, tile): `values` is row-major (tile_rows, tile_cols), each in kind's set; if the
///   kind binds neighbours, groups are its own ones, or end with padding, or are padding.
///   encode(values, stride, tile) too, if the layout has it, with rows `stride` values apart: then
///   whole tiles are packed from where rows lie.
/// - decode(tile, values): the inverse; defined, without meaning, for bytes encode never writes.
/// - valid(tile): could encode have written these bytes?
///
/// Zero bytes need not be a valid tile; padding is encoded like everything else.
template <class L>
concept weight_layout =
    requires(const std::int8_t* in, std::int8_t* out, const std::byte* tile,
             std::byte* mutable_tile) {
        requires weight_kind<typename L::kind>;
        { L::id } -> std::convertible_to<layout_id>;
        { L::name } -> std::convertible_to<std::string_view>;
        { L::tile_rows } -> std::convertible_to<int>;
        { L::tile_cols } -> std::convertible_to<int>;
        { L::tile_bytes } -> std::convertible_to<int>;
        { L::encode(in, mutable_tile) } -> std::same_as<void>;
        { L::decode(tile, out) } -> std::same_as<void>;
        { L::valid(tile) } -> std::same_as<bool>;
    } &&
    L::tile_bytes % 64 == 0 && L::tile_rows % 16 == 0;

template <weight_layout L>
inline constexpr double bits_per_weight = 8.0 * L::tile_bytes / (L::tile_rows * L::tile_cols);

namespace layout {}

}  // namespace trilobit::inline TRILOBIT_ABI

#include "trilobit/core/end.hpp"
