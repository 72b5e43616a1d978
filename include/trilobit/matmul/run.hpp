// SPDX-License-Identifier: MIT
// Room matmul. Enters: products of the same activations with one or several packed matrices, the
// kernel that does them, an executor. Leaves: all of them done, in two passes over the threads:
// activations are quantised once, then every thread takes pieces of every product.
#pragma once

#include <atomic>
#include <new>
#include <span>

#include "trilobit/core/executor.hpp"
#include "trilobit/matmul/workspace.hpp"
#include "trilobit/pack/pack.hpp"

namespace trilobit::detail {

/// Tokens [token_begin, token_end) of the activations times one matrix.
struct product_part {
    const packed_view* w = nullptr;
    sink out;
    std::int64_t token_begin = 0, token_end = 0;
};

/// Below this many multiply-adds waking a thread costs more than it saves.
inline constexpr std::int64_t worth_a_thread = std::int64_t{1} << 18;

/// Pieces for each thread: a late or slow one costs half a piece of its share. Even numbers of units,
/// where there are enough: some kernels take two row blocks at once.
inline constexpr std::int64_t pieces_per_thread = 16;

template <class Executor, class F>
void split(Executor& run, std::int64_t count, std::int64_t work, F&& f) {
    if (work < worth_a_thread || run.concurrency() <= 1) return f(std::int64_t{0}, count);
    const std::int64_t grain = ceil_div(count, pieces_per_thread * run.concurrency());
    run(std::int64_t{0}, count, grain > 1 ? round_up(grain, 2) : 1, f);
}

/// A part of the columns with fewer multiply-adds than this costs more than it saves, and sums of
/// parts beyond this size no longer stay in a cache.
inline constexpr std::int64_t worth_a_part = worth_a_thread / 2, largest_part_sums = 256 << 10;

/// One product cut into units of 64 rows x some tokens, token ranges outermost, and where these are
/// too few, each unit into parts of its columns, innermost.
struct unit_grid {
    static constexpr std::int64_t rows = 64;
    std::int64_t group_blocks = 1, row_groups = 0, token_ranges = 0, range_tokens = 0;
    std::int64_t parts = 1, part_bytes = 0;  // what all parts of a unit share in memory

    /// `ranges` is wished for; ranges of fewer than 32 tokens decode weights for too few.
    unit_grid(const product_part& p, std::int64_t ranges) noexcept {
        const std::int64_t tokens = p.token_end - p.token_begin;
        if (tokens == 0 || p.w->rows == 0) return;
        group_blocks = std::max<std::int64_t>(1, rows / p.w->tile.rows);
        row_groups = ceil_div(p.w->row_blocks(), group_blocks);
        const std::int64_t most = std::max<std::int64_t>(1, tokens / 32);
        range_tokens = ceil_div(tokens, std::min(ranges, most));
        token_ranges = ceil_div(tokens, range_tokens);
    }
    void cut_columns(const packed_view& w, const activation_shape& x,
                     std::int64_t wished) noexcept {
        const std::int64_t outputs = range_tokens * group_blocks * w.tile.rows;
        if (wished < 2 || outputs == 0 || outputs > kernel::chunk_outputs) return;
        const std::int64_t work = range_tokens * std::min(w.rows, rows) * w.cols;
        wished = std::min({wished, work / worth_a_part, column_part::most(w, x)});
        const std::int64_t most_slots = largest_part_sums / (outputs * 4);
        if (segment::count(w, x) == 1) wished = std::min(wished, most_slots);
        const std::int64_t slots = column_part::slots(w, x, wished);
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

/// Parts [begin, end) of the units of one product, whose sums are at `memory`: for each unit a cache
/// line with the number of parts that are not done, then the sums.
inline void run_parts(const kernel_entry& kernel, const task& t, const product_part& p,
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

/// Units [begin, end) of one product, in as few kernel calls as there are token ranges.
inline void run_units(const kernel_entry& kernel, const task& t, const product_part& p,
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

/// `row_of(m)` is where token m's floats lie. All matrices have one layout, width and scale spec.
template <class Executor, class RowOf>
status run_products(const kernel_entry& kernel, quantize_function quantize,
                    std::span<const product_part> parts, const activation_shape& shape,
                    RowOf row_of, workspace& scratch, Executor& run) {
    // Rows first; where they are too few for the threads, tokens too, and then columns.
    const std::int64_t pieces = pieces_per_thread * run.concurrency();
    const auto wish = [&](std::int64_t units) {
        return units == 0 ? 1 : ceil_div(pieces / 4, units);
    };
    std::int64_t units = 0, work = 0;
    for (const product_part& p : parts) {
        units += unit_grid(p, 1).count();
        work += (p.token_end - p.token_begin) * p.w->rows * p.w->cols;
    }
    const std::int64_t ranges = wish(units);
    units = 0;
    for (const product_part& p : parts) units += unit_grid(p, ranges).count();
    const std::int64_t cuts = run.concurrency() > 1 ? wish(units) : 1;
    const auto grid_of = [&](const product_part& p) {
        unit_grid grid(p, ranges);
        grid.cut_columns(*p.w, shape, cuts);
        return grid;
    };
    std::int64_t sum_bytes = 0;
    units = 0;
    for (const product_part& p : parts) {
        units += grid_of(p).count();
        sum_bytes += grid_of(p).bytes();
    }

    const packed_view& first = *parts.front().w;
    const workspace_layout at = workspace_layout::of(kernel, first, shape);
    std::byte* memory = scratch.reserve(at.size + sum_bytes);
    if (memory == nullptr)
        return {errc::out_of_memory, "There is not enough memory to quantise the activations."};
    auto* values = reinterpret_cast<std::int8_t*>(memory + at.values);
    auto* scales = reinterpret_cast<float*>(memory + at.scales);
    const auto task_of = [&](const product_part& p) {
        return task{*p.w, activation_view{shape, values, scales}, memory + at.operand, p.out};
    };

    shared_status problem;
    const task prepared = task_of(parts.front());
    split(run, shape.tokens, shape.tokens * shape.cols * 16,
          [&](std::int64_t begin, std::int64_t end) {
              for (std::int64_t m = begin; m < end; ++m)
                  if (const status s = quantize(shape, m, row_of(m), values, scales); !s.ok())
                      return problem.fail(s);
              kernel.prepare(prepared, begin, end);
          });
    if (!problem.ok()) return problem.get();

    std::byte* sums = memory + at.size;
    for (const product_part& p : parts) {
        const unit_grid grid = grid_of(p);
        for (std::int64_t end = grid.bytes(); end > 0;
             end -= grid.part_bytes, sums += grid.part_bytes)
            new (sums) parts_left(static_cast<std::int32_t>(grid.parts));
    }
    split(run, units, work, [&](std::int64_t begin, std::int64_t end) {
        std::int64_t before = 0;
        std::byte* sums_of = memory + at.size;
        for (const product_part& p : parts) {
            const unit_grid grid = grid_of(p);
            const std::int64_t from = std::max(begin - before, std::int64_t{0});
            const std::int64_t to = std::min(end - before, grid.count());
            if (from < to && grid.parts > 1)
                run_parts(kernel, task_of(p), p, grid, sums_of, from, to);
            else if (from < to)
                run_units(kernel, task_of(p), p, grid, from, to);
            before += grid.count();
            sums_of += grid.bytes();
        }
    });
    return {};
}

}  // namespace trilobit::detail
