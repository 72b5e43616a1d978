// SPDX-License-Identifier: MIT
// Room matmul. Enters: one product and how many pieces of work are wished for. Leaves: it cut into
// units of rows, tokens and, where these are too few, columns; and any run of the pieces done.
#pragma once

#include "trilobit/version.hpp"

#include <atomic>
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

/// Sums of parts beyond this size no longer stay in a cache.
inline constexpr std::int64_t largest_part_sums = 256 << 10;

/// One product cut into units of some rows x some tokens, token ranges outermost, and where these
/// are too few, each unit into parts of its columns, innermost.
struct unit_grid {
    std::int64_t group_blocks = 1, row_groups = 0, token_ranges = 0, range_tokens = 0;
    std::int64_t parts = 1, part_bytes = 0;  // what all parts of a unit share in memory

    /// `ranges` is wished for; ranges of fewer than 32 tokens decode weights for too few.
    unit_grid(const product_part& p, const kernel::work_unit& unit, std::int64_t ranges) noexcept {
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
    /// `wished` parts, as far as each is worth a thread. Who takes one has to fetch what another
    /// made of the activations, `token_bytes` for each token: a byte costs as much as some
    /// multiply-adds.
    void cut_columns(const packed_view& w, const activation_shape& x, std::int64_t wished,
                     std::int64_t token_bytes) noexcept {
        const std::int64_t outputs = range_tokens * group_blocks * w.tile.rows;
        if (wished < 2 || outputs == 0 || outputs > kernel::chunk_outputs) return;
        const std::int64_t token_work = std::min(w.rows, group_blocks * w.tile.rows) * w.cols;
        if (token_work < 4 * token_bytes) return;
        wished = std::min(
            {wished, range_tokens * token_work / worth_a_thread, kernel::column_part::most(w, x)});
        const std::int64_t most_slots = largest_part_sums / (outputs * 4);
        if (kernel::segment::count(w, x) == 1) wished = std::min(wished, most_slots);
        const std::int64_t slots = kernel::column_part::slots(w, x, wished);
        if (wished < 2 || slots > most_slots) return;
        parts = wished;
        part_bytes = 64 + slots * outputs * 4;
    }
    [[nodiscard]] std::int64_t units() const noexcept { return row_groups * token_ranges; }
    [[nodiscard]] std::int64_t count() const noexcept { return units() * parts; }
    /// Of the sums of parts.
    [[nodiscard]] std::int64_t bytes() const noexcept { return units() * part_bytes; }
};

using parts_left = std::atomic<std::int32_t>;

/// Parts [begin, end) of the units of one product, whose sums are at `memory`: for each unit a
/// cache line with the number of parts that are not done, then the sums.
inline void run_parts(const kernel_entry& kernel, const kernel::task& t, const product_part& p,
                      const unit_grid& grid, std::byte* memory, std::int64_t begin,
                      std::int64_t end) {
    for (; begin < end; ++begin) {
        const std::int64_t unit = begin / grid.parts, range = unit / grid.row_groups;
        const std::int64_t block = unit % grid.row_groups * grid.group_blocks;
        const std::int64_t token = p.token_begin + range * grid.range_tokens;
        std::byte* at = memory + unit * grid.part_bytes;
        kernel.run_part(t,
                        {block, std::min(grid.group_blocks, p.w->row_blocks() - block), token,
                         static_cast<int>(std::min(grid.range_tokens, p.token_end - token))},
                        {begin % grid.parts, grid.parts, reinterpret_cast<std::int32_t*>(at + 64),
                         std::launder(reinterpret_cast<parts_left*>(at))});
    }
}

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
