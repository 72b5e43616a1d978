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
//
// Rows and columns of zeros alone may be left out (drop_zeros.hpp). Then all of the above is said
// of the stored ones. They lie where they would anyway, but the last ones fill the places of zeros:
//
//   rows 0 1 . 3 4 . 6 7, two of them dropped:  stored 0 1 6 3 4 7   places of rows 6 and 7: 2, 5
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
    /// Rows and columns that are zeros alone and not stored; at least one of each stays.
    std::int64_t dropped_rows = 0;
    std::int64_t dropped_cols = 0;

    [[nodiscard]] TRILOBIT_INLINE constexpr std::int64_t stored_rows() const noexcept {
        return rows - dropped_rows;
    }
    [[nodiscard]] TRILOBIT_INLINE constexpr std::int64_t stored_cols() const noexcept {
        return cols - dropped_cols;
    }
    [[nodiscard]] TRILOBIT_INLINE constexpr std::int64_t row_blocks() const noexcept {
        return ceil_div(stored_rows(), tile.rows);
    }
    [[nodiscard]] TRILOBIT_INLINE constexpr std::int64_t segments() const noexcept {
        return scale.segments(stored_cols());
    }
    [[nodiscard]] TRILOBIT_INLINE constexpr std::int64_t segment_first_col(
        std::int64_t s) const noexcept {
        return s * scale.segment_cols(stored_cols());
    }
    [[nodiscard]] TRILOBIT_INLINE constexpr std::int64_t segment_width(
        std::int64_t s) const noexcept {
        const std::int64_t width = scale.segment_cols(stored_cols());
        const std::int64_t left = stored_cols() - s * width;
        return left < width ? left : width;
    }
    /// Tiles of segment s; every segment but the last has as many as the first.
    [[nodiscard]] TRILOBIT_INLINE constexpr std::int64_t segment_tiles(
        std::int64_t s) const noexcept {
        return ceil_div(segment_width(s), tile.cols);
    }
    [[nodiscard]] TRILOBIT_INLINE constexpr std::int64_t segment_first_tile(
        std::int64_t s) const noexcept {
        return s * ceil_div(scale.segment_cols(stored_cols()), tile.cols);
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
    const auto possible = [](std::int64_t dropped, std::int64_t all) {
        return dropped == 0 || (dropped > 0 && dropped < all);
    };
    if (!possible(shape.dropped_rows, shape.rows) || !possible(shape.dropped_cols, shape.cols))
        return {errc::bad_shape, "A packed matrix cannot have dropped so many rows or columns."};
    if (shape.dropped_cols != 0 && shape.scale.per == granularity::group)
        return {errc::bad_shape, "Columns are dropped only where one scale spans the row."};
    // 2^40 bytes of tiles and as many of scales are far from overflow and far beyond any model.
    const auto blocks = checked_mul(shape.row_blocks(), shape.row_tiles());
    const auto bytes = blocks ? checked_mul(*blocks, shape.tile.bytes) : std::nullopt;
    if (!bytes || *bytes > std::int64_t{1} << 40)
        return {errc::bad_shape, "A packed matrix is too large to address."};
    return {};
}

/// The last `count` lines (rows, or columns) of a matrix that stores the number `stored`: where
/// they went. Places never fall; one that is the next one's too belongs to a line that is zeros
/// itself.
struct moved_lines {
    const little<std::uint32_t>* places = nullptr;
    std::int64_t count = 0, stored = 0;

    [[nodiscard]] std::int64_t place(std::int64_t i) const noexcept {
        return i < count ? std::int64_t{places[i]} : stored;
    }
    [[nodiscard]] bool zeros(std::int64_t i) const noexcept { return place(i) == place(i + 1); }
};

/// A packed matrix in somebody else's memory: 64-byte aligned tiles, and scales. The view of one
/// that could not be made holds the reason, and every use of it returns that.
struct packed_view : packed_shape {
    status problem{};
    const std::byte* tiles = nullptr;
    const void* scales = nullptr;
    const little<std::uint32_t>* row_places = nullptr;  ///< of the last `dropped_rows` rows
    const little<std::uint32_t>* col_places = nullptr;

    [[nodiscard]] moved_lines moved_rows() const noexcept {
        return {row_places, dropped_rows, stored_rows()};
    }
    [[nodiscard]] moved_lines moved_cols() const noexcept {
        return {col_places, dropped_cols, stored_cols()};
    }
    /// What is stored as a matrix of its own: all that a kernel knows.
    [[nodiscard]] packed_view stored() const noexcept {
        packed_view v = *this;
        v.rows = stored_rows();
        v.cols = stored_cols();
        v.dropped_rows = v.dropped_cols = 0;
        return v;
    }
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
