// SPDX-License-Identifier: MIT
// Room pack. Enters: a packed matrix, and which of its rows and columns hold a weight that is not
// zero. Leaves: the matrix without the others where that pays, else as it was.
//
// Trained ternary models have dead neurons: 4.76 % of the feed-forward neurons of BitNet b1.58 2B4T
// are rows of zeros in gate and up. Their products are known without being computed.
#pragma once

#include "trilobit/version.hpp"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <new>

#include "trilobit/pack/packed_matrix.hpp"

#include "trilobit/core/begin.hpp"

namespace trilobit::inline TRILOBIT_ABI {

/// What packing leaves out where it holds zeros alone; products stay the same to the bit. Columns
/// go only by request, and only where one scale spans the row: a matrix that lacks some cannot be
/// multiplied by activations in groups, and each product gathers the activations of the others.
enum class drop_zeros : std::uint8_t { nothing, rows, rows_and_columns };

namespace detail {

/// Which rows, or columns, hold a weight; all packing threads mark at once.
class live_marks {
    using mark = std::atomic<bool>;
    aligned_buffer memory;
    std::int64_t count;
    mark* marks;

public:
    explicit live_marks(std::int64_t n) noexcept
        : memory(static_cast<std::size_t>(n) * sizeof(mark)),
          count(n),
          marks(reinterpret_cast<mark*>(memory.data())) {
        if (!failed())
            for (std::int64_t i = 0; i < n; ++i) new (marks + i) mark(false);
    }
    [[nodiscard]] bool failed() const noexcept { return marks == nullptr && count > 0; }
    [[nodiscard]] std::int64_t size() const noexcept { return count; }
    [[nodiscard]] bool live(std::int64_t i) const noexcept {
        return marks[i].load(std::memory_order_relaxed);
    }
    void keep(std::int64_t i) noexcept { marks[i].store(true, std::memory_order_relaxed); }
    /// How many can go. One stays even if all are dead: every product has something to compute.
    [[nodiscard]] std::int64_t count_dead() noexcept {
        std::int64_t dead = 0;
        for (std::int64_t i = 0; i < count; ++i) dead += !live(i);
        if (dead < count || count == 0) return dead;
        keep(0);
        return count - 1;
    }
};

/// Which line of the whole matrix is stored at each place: itself, but for the dead, whose places
/// the last lines take in order. Nothing dropped: the identity, padding included.
class stored_lines {
    aligned_buffer memory;
    const std::uint32_t* numbers = nullptr;

public:
    std::int64_t dropped = 0;

    /// Drops all that are dead and writes `places`, which moved_lines describes.
    [[nodiscard]] bool move(const live_marks& marks, std::int64_t dead,
                            little<std::uint32_t>* places) {
        const std::int64_t stored = marks.size() - dead;
        memory = aligned_buffer(static_cast<std::size_t>(stored) * 4);
        if (memory.data() == nullptr) return false;
        auto* to = reinterpret_cast<std::uint32_t*>(memory.data());
        for (std::int64_t i = 0; i < stored; ++i) to[i] = static_cast<std::uint32_t>(i);
        std::int64_t place = 0;
        for (std::int64_t i = stored; i < marks.size(); ++i) {
            while (place < stored && marks.live(place)) ++place;
            *places++ = static_cast<std::uint32_t>(place);
            if (marks.live(i)) to[place++] = static_cast<std::uint32_t>(i);
        }
        numbers = to;
        dropped = dead;
        return true;
    }
    [[nodiscard]] std::int64_t operator[](std::int64_t place) const noexcept {
        return numbers == nullptr ? place : std::int64_t{numbers[place]};
    }
};

/// What one line that is missing costs each token, and one that is there if any is missing, in
/// multiply-adds: measured as about 7 and 0.4 cycles where AVX2 does 40 of them in a cycle.
inline constexpr std::int64_t cost_of_missing = 256, cost_of_stored = 16;

/// The shape less what pays to drop: the image gets smaller, so that one token reads less, and many
/// tokens are spared more than moving costs them.
inline packed_shape worth_storing(const packed_shape& whole, std::int64_t dead_rows,
                                  std::int64_t dead_cols) noexcept {
    packed_shape best = whole;
    const auto consider = [&](std::int64_t packed_shape::* dropped, std::int64_t dead,
                              std::int64_t lines, std::int64_t across) {
        packed_shape less = best;
        less.*dropped = dead;
        if (dead <= max_dropped && check_packed_shape(less).ok() &&
            packed_sections::of(less).size < packed_sections::of(best).size &&
            dead * across > dead * cost_of_missing + (lines - dead) * cost_of_stored)
            best = less;
    };
    consider(&packed_shape::dropped_rows, dead_rows, whole.rows, whole.cols);
    consider(&packed_shape::dropped_cols, dead_cols, whole.cols, whole.rows);
    return best;
}

/// Lines that follow each other in what is stored and lie in one tile of the whole matrix.
inline std::int64_t end_of_run(const stored_lines& lines, std::int64_t from, std::int64_t end,
                               std::int64_t extent) noexcept {
    std::int64_t i = from + 1;
    while (i < end && lines[i] / extent == lines[from] / extent) ++i;
    return i;
}

/// Tile `t` of row block `block` of what is stored, out of tiles of the whole matrix.
template <weight_layout L>
void regather_tile(const packed_view& whole, const packed_shape& less, const stored_lines& rows,
                   const stored_lines& cols, std::int64_t block, std::int64_t t, std::byte* tile) {
    constexpr int height = L::tile_rows, width = L::tile_cols;
    std::int8_t to[height * width], from[height * width];
    std::fill_n(to, height * width, L::kind::padding);
    const std::int64_t r0 = block * height, r1 = std::min(r0 + height, less.stored_rows());
    // Where no column goes, tiles keep their places and the padding of groups inside them.
    const std::int64_t c0 = t * width, all = less.row_tiles() * width;
    const std::int64_t c1 = std::min(c0 + width, cols.dropped == 0 ? all : less.stored_cols());
    for (std::int64_t r = r0, r_end; r < r1; r = r_end) {
        r_end = end_of_run(rows, r, r1, height);
        for (std::int64_t c = c0, c_end; c < c1; c = c_end) {
            c_end = end_of_run(cols, c, c1, width);
            L::decode(whole.tiles +
                          (rows[r] / height * whole.row_tiles() + cols[c] / width) * L::tile_bytes,
                      from);
            for (std::int64_t i = r; i < r_end; ++i)
                for (std::int64_t k = c; k < c_end; ++k)
                    to[(i - r0) * width + k - c0] =
                        from[rows[i] % height * width + cols[k] % width];
        }
    }
    L::encode(to, tile);
}

/// The scales of a stored row block, where rows have their own.
inline void regather_scales(const packed_view& whole, const packed_shape& less,
                            const stored_lines& rows, std::int64_t block,
                            std::byte* scales) noexcept {
    const std::int64_t size = less.scale.type == scale_type::f32 ? 4 : 2, height = less.tile.rows;
    const auto at = [&](std::int64_t row, std::int64_t s) {
        return ((row / height * less.segments() + s) * height + row % height) * size;
    };
    const std::int64_t end = std::min((block + 1) * height, less.stored_rows());
    for (std::int64_t i = block * height; i < end; ++i)
        for (std::int64_t s = 0; s < less.segments(); ++s)
            std::memcpy(scales + at(i, s),
                        static_cast<const std::byte*>(whole.scales) + at(rows[i], s),
                        static_cast<std::size_t>(size));
}

/// `rows` and `cols` are marked for every row and column that is not zeros alone, or have size 0.
template <weight_layout L, class Executor>
packed_matrix<L> without_zeros(packed_matrix<L> whole, live_marks& rows, live_marks& cols,
                               Executor& run) {
    const packed_shape less = worth_storing(whole.view(), rows.count_dead(), cols.count_dead());
    if (less.dropped_rows == 0 && less.dropped_cols == 0) return whole;
    packed_matrix<L> out{any_packed_matrix(less)};
    if (!out.status().ok()) return out;
    stored_lines row_at, col_at;
    if ((less.dropped_rows != 0 &&
         !row_at.move(rows, less.dropped_rows, out.mutable_row_places())) ||
        (less.dropped_cols != 0 && !col_at.move(cols, less.dropped_cols, out.mutable_col_places())))
        return packed_matrix<L>{any_packed_matrix(
            {errc::out_of_memory, "There is not enough memory to drop rows or columns."})};
    const packed_view& from = whole.view();
    const bool per_tensor = less.scale.per == granularity::tensor;
    if (per_tensor)
        std::memcpy(out.mutable_scales(), from.scales,
                    static_cast<std::size_t>(less.scale_bytes()));
    run(0, less.row_blocks(), 1, [&](std::int64_t begin, std::int64_t end) {
        const std::int64_t along = less.row_tiles();
        for (std::int64_t block = begin; block < end; ++block) {
            for (std::int64_t t = 0; t < along; ++t)
                regather_tile<L>(from, less, row_at, col_at, block, t,
                                 out.mutable_tiles() + (block * along + t) * L::tile_bytes);
            if (!per_tensor) regather_scales(from, less, row_at, block, out.mutable_scales());
        }
    });
    return out;
}

}  // namespace detail
}  // namespace trilobit::inline TRILOBIT_ABI

#include "trilobit/core/end.hpp"
