// SPDX-License-Identifier: MIT
// Room kernel. Enters: packed weights and quantised activations. Leaves: the work order that every
// kernel takes, and the columns it sums as one integer before scaling.
#pragma once

#include "trilobit/version.hpp"

#include <algorithm>
#include <atomic>

#include "trilobit/activation/view.hpp"
#include "trilobit/pack/packed_view.hpp"

#include "trilobit/core/begin.hpp"

namespace trilobit::inline TRILOBIT_ABI {

enum class kernel_id : std::uint8_t {
    automatic = 0,
    generic = 1,
    dot = 2,
    lookup = 3,
    popcount = 4,
    vector_lookup = 5
};

constexpr std::string_view kernel_name(kernel_id id) {
    switch (id) {
        case kernel_id::automatic:
            return "automatic";
        case kernel_id::generic:
            return "generic";
        case kernel_id::dot:
            return "dot";
        case kernel_id::lookup:
            return "lookup";
        case kernel_id::popcount:
            return "popcount";
        case kernel_id::vector_lookup:
            return "vector_lookup";
    }
    return "unknown";
}

}  // namespace trilobit::inline TRILOBIT_ABI

namespace trilobit::inline TRILOBIT_ABI::kernel {

/// Where finished sums go: `count` consecutive rows of one token. A kernel writes each output once;
/// calls for different row blocks come from different threads. With `write_sums` it gets the exact
/// sums instead, before any scale; there is one segment then.
struct sink {
    void (*write)(const void* context, const float* sums, std::int64_t token, std::int64_t row,
                  int count) = nullptr;
    const void* context = nullptr;
    void (*write_sums)(const void* context, const std::int32_t* sums, std::int64_t token,
                       std::int64_t row, int count) = nullptr;
};

/// One multiplication. `operand`: the activations as this kernel reads them (tables, planes, rows
/// in another order). If `made` is null, prepare() has completed it; else this thread completes it
/// as its first rows pass, and `*made` counts the tiles done. `scratch`: this thread's, 64-byte
/// aligned.
struct task {
    packed_view w;
    activation_view x;
    std::byte* operand = nullptr;
    sink out;
    std::int64_t* made = nullptr;
    std::byte* scratch = nullptr;
};

/// What threads divide a product into: pieces of at most so many rows, and of a multiple of so many
/// tokens where tokens are cut.
struct work_unit {
    int rows = 64, tokens = 1;
};

/// Outputs that are summed together: some row blocks of some tokens.
struct chunk {
    std::int64_t block = 0, blocks = 0;
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

/// Where columns may be cut inside a segment: on tiles, on words of 32 columns, and, 32 being a
/// multiple of 4, where a decoder of panels may start.
TRILOBIT_INLINE constexpr std::int64_t cut_cols(const packed_shape& w) noexcept {
    const std::int64_t power = w.tile.cols & -w.tile.cols;  // of two, that divides a tile
    return w.tile.cols * (32 / std::min<std::int64_t>(power, 32));
}

/// The share of one of several threads that sum the same outputs: some of their columns. What is
/// added up as one integer is cut anywhere that cut_cols() allows; where there are several such
/// sums, a part has some of them.
struct column_part {
    std::int64_t index = 0, count = 1;          // which part, of how many
    std::int32_t* sums = nullptr;               // (slots, tokens, rows), of all parts
    std::atomic<std::int32_t>* left = nullptr;  // parts not done: the last one done finishes

    /// Parts that columns can be cut into at most, and sums that they leave.
    TRILOBIT_INLINE static constexpr std::int64_t most(const packed_shape& w,
                                                       const activation_shape& x) noexcept {
        const std::int64_t segments = segment::count(w, x);
        return segments == 1 ? ceil_div(w.cols, cut_cols(w)) : segments;
    }
    TRILOBIT_INLINE static constexpr std::int64_t slots(const packed_shape& w,
                                                        const activation_shape& x,
                                                        std::int64_t parts) noexcept {
        const std::int64_t segments = segment::count(w, x);
        return segments == 1 ? parts : segments;
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
