// SPDX-License-Identifier: MIT
// Room pack. Enters: a source of rows and the number of a row block. Leaves: its tiles and scales
// in the image, in three steps: open a segment and store its scales, fill a panel, encode it.
#pragma once

#include "trilobit/version.hpp"

#include <algorithm>
#include <cstring>

#include "trilobit/pack/header.hpp"
#include "trilobit/pack/row_source.hpp"

#include "trilobit/core/begin.hpp"

namespace trilobit::inline TRILOBIT_ABI::detail {

/// Columns of a panel, in whole tiles. A panel, the values of a row block's next columns as bytes,
/// has 8 KiB at most: it lies on the stack, and stays in the L1 cache until it is encoded.
template <weight_layout L>
inline constexpr int panel_cols = [] {
    if constexpr (grouped_kind<typename L::kind>)
        static_assert(L::tile_cols % L::kind::group == 0, "tiles start where groups do");
    return std::max(1, 8192 / (L::tile_rows * L::tile_cols)) * L::tile_cols;
}();

inline bool storable(float scale, scale_type type) noexcept {
    return is_finite(type == scale_type::f32 ? scale : f16_to_f32(f32_to_f16(scale)));
}

inline void store_scale(std::byte* scales, scale_type type, std::int64_t i, float scale) noexcept {
    if (type == scale_type::f32) {
        const little<float> stored = scale;
        std::memcpy(scales + 4 * i, &stored, 4);
    } else {
        const little<std::uint16_t> stored = f32_to_f16(scale);
        std::memcpy(scales + 2 * i, &stored, 2);
    }
}

/// Is a row of values, from the start of a group on, one of the kind? Else the first that is not is
/// named by `row` and by its column behind `col`.
template <weight_kind Kind>
status check_row(const std::int8_t* values, std::int64_t count, std::int64_t row,
                 std::int64_t col) noexcept {
    if (holds_row<Kind>(values, count)) return {};
    const std::int64_t c = first_refused<Kind>(values, count);
    const char* text = "A quantised weight lies outside the values of the layout.";
    if constexpr (grouped_kind<Kind>)
        if (Kind::holds(values[c])) text = Kind::group_rule;
    return {errc::bad_value, text, row, col + c};
}

/// Do the rows lie somewhere, at one distance, before they are packed?
template <class Rows>
concept rows_in_place = requires(const Rows& rows) { rows.stride(); };

/// Opens segment `s` of the rows of a block, and checks and stores their scales: one for each row,
/// or the first row's for the tensor. Values that are there are checked with the first segment, a
/// row at once: those of a row that was just made are still in the L1 cache.
template <weight_layout L, class Rows>
status open_segment(const packed_shape& shape, std::int64_t segments, std::int64_t block,
                    std::int64_t s, int height, Rows& rows, typename Rows::segment* opened,
                    std::byte* scales) {
    const bool per_tensor = shape.scale.per == granularity::tensor;
    for (int r = 0; r < height; ++r) {
        const std::int64_t row = block * shape.tile.rows + r;
        float scale = 0.0f;
        if (const status found = rows.open(row, s, opened[r], scale); !found.ok()) return found;
        if constexpr (rows_in_place<Rows>)
            if (s == 0)
                if (const status held =
                        check_row<typename L::kind>(opened[r].values, shape.cols, row, 0);
                    !held.ok())
                    return held;
        if (per_tensor && row != 0) continue;
        if (!storable(scale, shape.scale.type))
            return {errc::bad_value,
                    "A weight scale is NaN, infinite or too large for its storage type."};
        store_scale(scales, shape.scale.type,
                    per_tensor ? 0 : (block * segments + s) * shape.tile.rows + r, scale);
    }
    return {};
}

/// Reads and checks columns [first, first + count) of an opened segment, padding around them. `row`
/// and `col` are those of its first one in the matrix.
template <weight_layout L, class Rows>
status fill_panel(Rows& rows, const typename Rows::segment* opened, int height, std::int64_t first,
                  std::int64_t count, std::int64_t row, std::int64_t col, std::int8_t* panel) {
    using kind = typename L::kind;
    std::memset(panel, kind::padding, std::size_t{L::tile_rows} * panel_cols<L>);
    for (int r = 0; r < height; ++r) {
        std::int8_t* values = panel + r * panel_cols<L>;
        rows.read(opened[r], first, count, values);
        if (const status held = check_row<kind>(values, count, row + r, col); !held.ok())
            return held;
    }
    return {};
}

/// Encodes the tiles of `count` columns of rows that lie `stride` apart; returns the end of what it
/// wrote.
template <weight_layout L>
std::byte* encode_tiles(const std::int8_t* values, std::int64_t stride, std::int64_t count,
                        std::byte* tiles) {
    for (std::int64_t col = 0; col < count; col += L::tile_cols, tiles += L::tile_bytes) {
        if constexpr (requires { L::encode(values, stride, tiles); }) {
            L::encode(values + col, stride, tiles);
        } else {
            std::int8_t tile[std::size_t{L::tile_rows} * L::tile_cols];
            for (int r = 0; r < L::tile_rows; ++r)
                std::memcpy(tile + r * L::tile_cols, values + r * stride + col, L::tile_cols);
            L::encode(tile, tiles);
        }
    }
    return tiles;
}

template <weight_layout L, class Rows>
status pack_row_block(const packed_shape& shape, std::int64_t block, Rows& rows, std::byte* image) {
    const packed_sections at = packed_sections::of(shape);
    const auto height =
        static_cast<int>(std::min<std::int64_t>(L::tile_rows, shape.rows - block * L::tile_rows));
    std::byte* tiles = image + at.tiles + block * shape.row_tiles() * L::tile_bytes;
    typename Rows::segment opened[L::tile_rows];
    std::int8_t panel[std::size_t{L::tile_rows} * panel_cols<L>];
    const std::int64_t segments = shape.segments();
    for (std::int64_t s = 0; s < segments; ++s) {
        const status scaled =
            open_segment<L>(shape, segments, block, s, height, rows, opened, image + at.scales);
        if (!scaled.ok()) return scaled;
        const std::int64_t width = shape.segment_width(s);
        std::int64_t done = 0;
        if constexpr (rows_in_place<Rows>)
            if (height == L::tile_rows) {  // whole tiles are encoded from where their rows lie
                done = width / L::tile_cols * L::tile_cols;
                tiles = encode_tiles<L>(opened[0].values, rows.stride(), done, tiles);
            }
        for (std::int64_t first = done; first < width; first += panel_cols<L>) {
            const std::int64_t count = std::min<std::int64_t>(panel_cols<L>, width - first);
            if (const status filled =
                    fill_panel<L>(rows, opened, height, first, count, block * L::tile_rows,
                                  shape.segment_first_col(s) + first, panel);
                !filled.ok())
                return filled;
            tiles = encode_tiles<L>(panel, panel_cols<L>, count, tiles);
        }
    }
    return {};
}

}  // namespace trilobit::inline TRILOBIT_ABI::detail

#include "trilobit/core/end.hpp"
