// SPDX-License-Identifier: MIT
// Room matmul. Enters: one product and how many pieces of work are wished for. Leaves: it cut into
// units of rows, tokens and, where these are too few, columns; and any run of the pieces done.
#pragma once

#include "trilobit/version.hpp"

#include <new>

#include "trilobit/matmul/table.hpp"

#include "trilobit/core/begin.hpp"

namespace trilobit::inline TRILOBIT_ABI::detail {

/// Tokens [token_begin, token_end) of the activations times one matrix.
struct product_part {
    const packed_view* w = nullptr;
    kernel::sink out;
    std::int64_t token_begin = 0, token_end = 0;
};

/// Below this many multiply-adds waking a thread costs more than it saves.
inline constexpr std::int64_t worth_a_thread = std::int64_t{1} << 18;

/// One product cut into units of some rows x some tokens, token ranges outermost, and where these
/// are too few, each unit into parts of its columns, innermost.
struct unit_grid {
    std::int64_t group_blocks = 1, row_groups = 0, token_ranges = 0, range_tokens = 0;

    /// `ranges` is wished for; ranges of fewer than 32 tokens decode weights for too few.
    unit_grid(const product_part& p, const kernel::task_shape& unit, std::int64_t ranges) noexcept {
        const std::int64_t tokens = p.token_end - p.token_begin;
        if (tokens == 0 || p.w->rows == 0) return;
        // Groups of nearly equal size, in whole sixty-fours of rows.
        const std::int64_t blocks = p.w->row_blocks();
        const std::int64_t step = std::max(1, 64 / p.w->tile.rows);
        row_groups = ceil_div(blocks, std::max<std::int64_t>(step, unit.rows / p.w->tile.rows));
        group_blocks = round_up(ceil_div(blocks, row_groups), step);
        row_groups = ceil_div(blocks, group_blocks);
        const std::int64_t most = std::max<std::int64_t>(1, tokens / 32);
        range_tokens = round_up(ceil_div(tokens, std::min(ranges, most)), unit.tokens);
        token_ranges = ceil_div(tokens, range_tokens);
    }
    [[nodiscard]] std::int64_t units() const noexcept { return row_groups * token_ranges; }
};

/// Units [begin, end) of one product whose columns are whole, in as few kernel calls as there are
/// token ranges.
inline void run_units(const kernel_entry& kernel, const kernel::task& t, const product_part& p,
                      const unit_grid& grid, std::int64_t begin, std::int64_t end) {
    while (begin < end) {
        const std::int64_t range = begin / grid.row_groups, first = begin % grid.row_groups;
        const std::int64_t groups = std::min(end - begin, grid.row_groups - first);
        const std::int64_t token = p.token_begin + range * grid.range_tokens;
        kernel.run(t, first * grid.group_blocks,
                   std::min((first + groups) * grid.group_blocks, p.w->row_blocks()), token,
                   std::min(token + grid.range_tokens, p.token_end));
        begin += groups;
    }
}

}  // namespace trilobit::inline TRILOBIT_ABI::detail

#include "trilobit/core/end.hpp"
