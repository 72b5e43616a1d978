// SPDX-License-Identifier: MIT
// Room pack. Enters: a layout's tile, a shape, a scale spec. Leaves: where every tile and every
// scale of a packed matrix lies, and a non-owning view of one.
//
//   row block 0: | segment 0: tile tile .. tile | segment 1: tile .. | ..   tiles of one row block
//   row block 1: | ..                                                       are contiguous along K
//
// A segment is the columns that share a scale. Each starts a new tile, so a group that no tile
// width divides is padded inside its last tile, and a kernel never meets two scales in one tile.
// Scales: one for the tensor, else tile_rows of them for each (row block, segment), in that order.
#pragma once

#include "trilobit/version.hpp"

#include <cstddef>
#include <cstdint>

#include "trilobit/core/arithmetic.hpp"
#include "trilobit/core/config.hpp"
#include "trilobit/core/endian.hpp"
#include "trilobit/core/float16.hpp"
#include "trilobit/layout/concept.hpp"
#include "trilobit/weights/scale.hpp"

#include "trilobit/core/begin.hpp"

namespace trilobit::inline TRILOBIT_ABI {

/// The widest matrix. It keeps every int32 accumulator of every kernel exact for any bytes: the
/// tightest is ternary_2bit's top field, 64 * 3 * 128 * 4 per 16 columns if the forbidden code 3
/// occurs, which allows 349,525.
inline constexpr std::int64_t max_cols = std::int64_t{1} << 18;

/// The tallest: a token's outputs fill 1 GiB. Bytes of an image bound the rows of any other shape
/// than one without columns, which would cost its writer nothing.
inline constexpr std::int64_t max_rows = std::int64_t{1} << 28;

/// Tile geometry of a layout, as data.
struct tile_shape {
    std::int32_t rows = 0;
    std::int32_t cols = 0;
    std::int32_t bytes = 0;

    template <weight_layout L>
    static constexpr tile_shape of() noexcept {
        return {L::tile_rows, L::tile_cols, L::tile_bytes};
    }
    friend constexpr bool operator==(const tile_shape&, const tile_shape&) noexcept = default;
};

/// Shape and placement; sizes are in bytes. All members cheap enough to recompute.
struct packed_shape {
    layout_id layout{};
    tile_shape tile;
    std::int64_t rows = 0;
    std::int64_t cols = 0;
    scale_spec scale;

    template <weight_layout L>
    static constexpr packed_shape of(std::int64_t rows, std::int64_t cols,
                                     const scale_spec& scale) noexcept {
        return {L::id, tile_shape::of<L>(), rows, cols, scale};
    }
    [[nodiscard]] TRILOBIT_INLINE constexpr std::int64_t row_blocks() const noexcept {
        return ceil_div(rows, tile.rows);
    }
    [[nodiscard]] TRILOBIT_INLINE constexpr std::int64_t segments() const noexcept {
        return scale.segments(cols);
    }
    [[nodiscard]] TRILOBIT_INLINE constexpr std::int64_t segment_first_col(
        std::int64_t s) const noexcept {
        return s * scale.segment_cols(cols);
    }
    [[nodiscard]] TRILOBIT_INLINE constexpr std::int64_t segment_width(
        std::int64_t s) const noexcept {
        const std::int64_t width = scale.segment_cols(cols);
        const std::int64_t left = cols - s * width;
        return left < width ? left : width;
    }
    /// Tiles of segment s; every segment but the last has as many as the first.
    [[nodiscard]] TRILOBIT_INLINE constexpr std::int64_t segment_tiles(
        std::int64_t s) const noexcept {
        return ceil_div(segment_width(s), tile.cols);
    }
    [[nodiscard]] TRILOBIT_INLINE constexpr std::int64_t segment_first_tile(
        std::int64_t s) const noexcept {
        return s * ceil_div(scale.segment_cols(cols), tile.cols);
    }
    /// Tiles along one row block.
    [[nodiscard]] TRILOBIT_INLINE constexpr std::int64_t row_tiles() const noexcept {
        const std::int64_t n = segments();
        return n == 0 ? 0 : segment_first_tile(n - 1) + segment_tiles(n - 1);
    }
    [[nodiscard]] TRILOBIT_INLINE constexpr std::int64_t tiles_bytes() const noexcept {
        return row_blocks() * row_tiles() * tile.bytes;
    }
    [[nodiscard]] TRILOBIT_INLINE constexpr std::int64_t stored_scales() const noexcept {
        return scale.per == granularity::tensor ? 1 : row_blocks() * segments() * tile.rows;
    }
    [[nodiscard]] TRILOBIT_INLINE constexpr std::int64_t scale_bytes() const noexcept {
        return stored_scales() * (scale.type == scale_type::f32 ? 4 : 2);
    }
};

/// Is this a shape that can be stored, and addressed without overflow?
constexpr status check_packed_shape(const packed_shape& shape) noexcept {
    if (shape.rows < 0 || shape.cols < 0)
        return {errc::bad_shape, "A packed matrix has a negative number of rows or columns."};
    if (shape.cols > max_cols)
        return {errc::bad_shape, "A packed matrix has at most 262144 columns."};
    if (shape.rows > max_rows)
        return {errc::bad_shape, "A packed matrix has at most 268435456 rows."};
    if (const status s = check_scale_spec(shape.scale); !s.ok()) return s;
    if (shape.tile.rows <= 0 || shape.tile.cols <= 0 || shape.tile.bytes <= 0)
        return {errc::bad_shape, "A tile has no rows, columns or bytes."};
    // 2^40 bytes of tiles and as many of scales are far from overflow and far beyond any model.
    const auto blocks = checked_mul(shape.row_blocks(), shape.row_tiles());
    const auto bytes = blocks ? checked_mul(*blocks, shape.tile.bytes) : std::nullopt;
    if (!bytes || *bytes > std::int64_t{1} << 40)
        return {errc::bad_shape, "A packed matrix is too large to address."};
    return {};
}

/// A packed matrix in somebody else's memory: 64-byte aligned tiles, and scales. The view of one
/// that could not be made holds the reason, and every use of it returns that.
struct packed_view : packed_shape {
    status problem{};
    const std::byte* tiles = nullptr;
    const void* scales = nullptr;

    /// First tile of a segment of a row block.
    [[nodiscard]] TRILOBIT_INLINE const std::byte* tile_at(std::int64_t block,
                                                           std::int64_t segment) const noexcept {
        return tiles + (block * row_tiles() + segment_first_tile(segment)) * tile.bytes;
    }
    /// Scale number i, in storage order.
    [[nodiscard]] TRILOBIT_INLINE float scale_at(std::int64_t i) const noexcept {
        return scale.type == scale_type::f32
                   ? float{static_cast<const little<float>*>(scales)[i]}
                   : f16_to_f32(static_cast<const little<std::uint16_t>*>(scales)[i]);
    }
    /// Scale of row `r` of a row block, in a segment.
    [[nodiscard]] TRILOBIT_INLINE float scale_of(std::int64_t block, std::int64_t segment,
                                                 int r) const noexcept {
        return scale_at(
            scale.per == granularity::tensor ? 0 : (block * segments() + segment) * tile.rows + r);
    }
};

}  // namespace trilobit::inline TRILOBIT_ABI

#include "trilobit/core/end.hpp"
