// SPDX-License-Identifier: MIT
// Room kernel. Enters: packed weights and quantised activations. Leaves: a task, the order that
// every kernel takes, and the columns that are summed as one integer.
//
// The words of this room, and of matmul/; docs/kernels.md has pictures:
//   tile            64 bytes of packed weights, or 128
//   row block       the rows of one tile
//   segment         columns under one weight scale and one activation scale: one exact integer sum
//   register tile   rows x tokens whose sums one loop holds in registers (mr x nr)
//   panel           weights decoded to bytes, kept in the L1 cache for many tokens (kc columns)
//   block           rows x tokens that are summed in one pass over a segment (mc x nc)
//   task            the rows and tokens of a product that one thread takes at a time
//   plan            all decisions about a product: kernel, blocks, tasks, memory
#pragma once

#include "trilobit/version.hpp"

#include <algorithm>

#include "trilobit/activation/view.hpp"
#include "trilobit/pack/packed_view.hpp"

#include "trilobit/core/begin.hpp"

namespace trilobit::inline TRILOBIT_ABI::kernel {

/// Where finished sums go: `count` consecutive rows of one token. A kernel writes each output once.
/// Calls for different rows or tokens come from different threads.
struct sink {
    void (*write)(const void* context, const float* sums, std::int64_t token, std::int64_t row,
                  int count) = nullptr;
    const void* context = nullptr;
    /// If set, a product of one segment leaves its exact sums here, unscaled, and none in `write`.
    void (*write_sums)(const void* context, const std::int32_t* sums, std::int64_t token,
                       std::int64_t row, int count) = nullptr;
};

/// What a kernel is told of a product. `operand`: the activations as this kernel reads them, which
/// its prepare() made: tables, planes, columns in another order. `scratch`: memory of this thread
/// alone. Both start on 64 bytes.
struct task {
    packed_view w;
    activation_view x;
    std::byte* operand = nullptr;
    sink out;
    std::byte* scratch = nullptr;
};

/// Tasks have at most so many rows, and a multiple of so many tokens where tokens are divided.
struct task_shape {
    int rows = 64, tokens = 1;
};

/// Outputs that are summed together: some row blocks of some tokens.
struct block {
    std::int64_t row_block = 0, row_blocks = 0;
    std::int64_t token = 0;
    int tokens = 0;
};

/// Columns that share a weight scale and an activation scale: the finer of the two groupings.
/// Groups are powers of two from 32 on, so the finer always divides the coarser.
struct segment {
    std::int64_t first = 0;  // column
    std::int64_t width = 0;  // columns
    std::int64_t weight_segment = 0;
    std::int64_t activation_segment = 0;

    TRILOBIT_INLINE static constexpr std::int64_t step(const packed_shape& w,
                                                       const activation_shape& x) noexcept {
        return std::min(w.scale.segment_cols(w.cols), x.segment_cols());
    }
    TRILOBIT_INLINE static constexpr std::int64_t count(const packed_shape& w,
                                                        const activation_shape& x) noexcept {
        return ceil_div(w.cols, step(w, x));
    }
    TRILOBIT_INLINE static constexpr segment at(const packed_shape& w, const activation_shape& x,
                                                std::int64_t i) noexcept {
        const std::int64_t first = i * step(w, x);
        return {first, std::min(step(w, x), w.cols - first), first / w.scale.segment_cols(w.cols),
                first / x.segment_cols()};
    }
    /// First tile, counted along the row; meaningful when segments start on tiles.
    [[nodiscard]] TRILOBIT_INLINE constexpr std::int64_t first_tile(
        const packed_shape& w) const noexcept {
        return w.segment_first_tile(weight_segment) +
               (first - w.segment_first_col(weight_segment)) / w.tile.cols;
    }
    [[nodiscard]] TRILOBIT_INLINE constexpr std::int64_t tiles(
        const packed_shape& w) const noexcept {
        return ceil_div(width, w.tile.cols);
    }
};

/// Does every segment start on a tile? Weight groups do by construction; finer activation groups
/// only where the tile width divides them.
TRILOBIT_INLINE constexpr bool segments_start_on_tiles(const packed_shape& w,
                                                       const activation_shape& x) noexcept {
    return x.segment_cols() >= w.scale.segment_cols(w.cols) || x.segment_cols() % w.tile.cols == 0;
}

}  // namespace trilobit::inline TRILOBIT_ABI::kernel

#include "trilobit/core/end.hpp"
