// SPDX-License-Identifier: MIT
// Room pack. Enters: a packed matrix, and which of its rows and columns hold a weight that is not
// zero. Leaves: the matrix without the others where that pays, else as it was.
//
// Trained ternary models have dead neurons: 4.76 % of the feed-forward neurons of BitNet b1.58 2B4T
// are rows of zeros in gate and up. Their products are known without being computed.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstring>
#include <new>

#include "trilobit/pack/packed_matrix.hpp"

namespace trilobit {

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
    [[nodiscard]] std::int64_t dead() const noexcept {
        std::int64_t n = 0;
        for (std::int64_t i = 0; i < count; ++i) n += live(i);
        return count - std::max<std::int64_t>(n, std::min<std::int64_t>(count, 1));
    }
    /// `numbers` are zeros: where all are dead, the first stays.
    void list(std::uint32_t* numbers) const noexcept {
        for (std::int64_t i = 0; i < count; ++i)
            if (live(i)) *numbers++ = static_cast<std::uint32_t>(i);
    }
};

/// A product moves each number that it gathers or scatters at the cost of about so many
/// multiply-adds at the rate of the fastest prefill.
inline constexpr std::int64_t multiply_adds_of_a_move = 64;

/// The shape less what pays to drop: the image gets smaller, so one token reads less, and the
/// multiply-adds that many tokens save are more than what moving the rest costs.
inline packed_shape worth_storing(const packed_shape& whole, std::int64_t dead_rows,
                                  std::int64_t dead_cols) noexcept {
    packed_shape best = whole;
    const auto consider = [&](std::int64_t packed_shape::* dropped, std::int64_t dead,
                              std::int64_t live, std::int64_t across) {
        packed_shape less = best;
        less.*dropped = dead;
        if (dead <= max_dropped && check_packed_shape(less).ok() &&
            packed_sections::of(less).size < packed_sections::of(best).size &&
            dead * across > live * multiply_adds_of_a_move)
            best = less;
    };
    consider(&packed_shape::dropped_rows, dead_rows, whole.rows - dead_rows, whole.cols);
    consider(&packed_shape::dropped_cols, dead_cols, whole.cols - dead_cols, whole.rows);
    return best;
}

/// A run of row or column numbers that lie in one tile of the whole matrix.
struct tile_run {
    std::int64_t tile;
    int length;

    /// Of the numbers from `i` on and below `end`, which number(i) looks up.
    template <class Number>
    static tile_run at(std::int64_t i, std::int64_t end, int extent, Number number) {
        tile_run run{number(i) / extent, 1};
        while (i + run.length < end && number(i + run.length) / extent == run.tile) ++run.length;
        return run;
    }
};

/// One tile of what is stored, out of tiles of the whole matrix: tile `t` along row block `block`.
template <weight_layout L>
void regather_tile(const packed_view& whole, const packed_view& less, std::int64_t block,
                   std::int64_t t, std::byte* tile) {
    constexpr int height = L::tile_rows, width = L::tile_cols;
    std::int8_t to[height * width], from[height * width];
    std::fill_n(to, height * width, L::kind::padding);
    const auto row = [&](std::int64_t i) {
        return less.dropped_rows == 0 ? i : std::int64_t{less.live_rows[i]};
    };
    // Where no column goes, tiles keep their places and the padding of groups inside them.
    const auto col = [&](std::int64_t i) {
        return less.dropped_cols == 0 ? i : std::int64_t{less.live_cols[i]};
    };
    const std::int64_t r0 = block * height, r1 = std::min(r0 + height, less.stored_rows());
    const std::int64_t c0 = t * width;
    const std::int64_t c1 =
        less.dropped_cols == 0 ? c0 + width : std::min(c0 + width, less.stored_cols());
    tile_run rows, cols;
    for (std::int64_t c = c0; c < c1; c += cols.length) {
        cols = tile_run::at(c, c1, width, col);
        for (std::int64_t r = r0; r < r1; r += rows.length) {
            rows = tile_run::at(r, r1, height, row);
            L::decode(whole.tiles + (rows.tile * whole.row_tiles() + cols.tile) * L::tile_bytes,
                      from);
            for (std::int64_t i = r; i < r + rows.length; ++i)
                for (std::int64_t k = c; k < c + cols.length; ++k)
                    to[(i - r0) * width + k - c0] = from[row(i) % height * width + col(k) % width];
        }
    }
    L::encode(to, tile);
}

/// The scales of a stored row block, where rows have their own.
inline void regather_scales(const packed_view& whole, const packed_view& less, std::int64_t block,
                            std::byte* scales) noexcept {
    const std::int64_t size = less.scale.type == scale_type::f32 ? 4 : 2, height = less.tile.rows;
    const auto place = [&](std::int64_t row, std::int64_t s) {
        return ((row / height * less.segments() + s) * height + row % height) * size;
    };
    const std::int64_t end = std::min((block + 1) * height, less.stored_rows());
    for (std::int64_t i = block * height; i < end; ++i)
        for (std::int64_t s = 0; s < less.segments(); ++s)
            std::memcpy(scales + place(i, s),
                        static_cast<const std::byte*>(whole.scales) +
                            place(less.dropped_rows == 0 ? i : std::int64_t{less.live_rows[i]}, s),
                        static_cast<std::size_t>(size));
}

/// `rows` and `cols` are marked for every row and column that is not zeros alone, or have size 0.
template <weight_layout L, class Executor>
packed_matrix<L> without_zeros(packed_matrix<L> whole, const live_marks& rows,
                               const live_marks& cols, page_kind pages, Executor& run) {
    const packed_shape shape = worth_storing(whole.view(), rows.dead(), cols.dead());
    if (shape.dropped_rows == 0 && shape.dropped_cols == 0) return whole;
    packed_matrix<L> out{any_packed_matrix(shape, pages)};
    if (!out.status().ok()) return out;
    if (shape.dropped_rows != 0) rows.list(out.mutable_live_rows());
    if (shape.dropped_cols != 0) cols.list(out.mutable_live_cols());
    const packed_view &from = whole.view(), &to = out.view();
    const bool per_tensor = shape.scale.per == granularity::tensor;
    if (per_tensor)
        std::memcpy(out.mutable_scales(), from.scales,
                    static_cast<std::size_t>(shape.scale_bytes()));
    run(0, shape.row_blocks(), 1, [&](std::int64_t begin, std::int64_t end) {
        const std::int64_t along = to.row_tiles();
        for (std::int64_t block = begin; block < end; ++block) {
            for (std::int64_t t = 0; t < along; ++t)
                regather_tile<L>(from, to, block, t,
                                 out.mutable_tiles() + (block * along + t) * L::tile_bytes);
            if (!per_tensor) regather_scales(from, to, block, out.mutable_scales());
        }
    });
    return out;
}

}  // namespace detail
}  // namespace trilobit
