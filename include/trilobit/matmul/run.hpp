// SPDX-License-Identifier: MIT
// Room matmul. Enters: products of the same activations with one or several packed matrices, the
// kernel that does them, an executor. Leaves: all of them done, in two passes over the threads:
// activations are quantised once, then every thread takes pieces of every product.
#pragma once

#include <atomic>
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

/// One product cut into units of some rows x some tokens, token ranges outermost.
struct unit_grid {
    std::int64_t group_blocks = 1, row_groups = 0, token_ranges = 0, range_tokens = 0;

    /// `ranges` is wished for; ranges of fewer than 32 tokens decode weights for too few.
    unit_grid(const product_part& p, const work_unit& unit, std::int64_t ranges) noexcept {
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
    [[nodiscard]] std::int64_t count() const noexcept { return row_groups * token_ranges; }
};

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
    const packed_view& first = *parts.front().w;
    const workspace_layout at = workspace_layout::of(kernel, first, shape);
    std::byte* memory = scratch.reserve(at.size);
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

    // Rows first; where they are too few for the threads, tokens too.
    const std::int64_t pieces = pieces_per_thread * run.concurrency();
    work_unit unit = kernel.unit;
    const auto count = [&](std::int64_t ranges) {
        std::int64_t units = 0;
        for (const product_part& p : parts) units += unit_grid(p, unit, ranges).count();
        return units;
    };
    // A kernel's large units are made smaller sooner than that threads have none.
    while (unit.rows > 64 && count(shape.tokens) < run.concurrency()) unit.rows /= 2;
    std::int64_t units = count(1), work = 0;
    for (const product_part& p : parts)
        work += (p.token_end - p.token_begin) * p.w->rows * p.w->cols;
    const std::int64_t ranges = units == 0 ? 1 : ceil_div(pieces / 4, units);
    units = count(ranges);
    split(run, units, work, [&](std::int64_t begin, std::int64_t end) {
        std::int64_t before = 0;
        for (const product_part& p : parts) {
            const unit_grid grid(p, unit, ranges);
            const std::int64_t from = std::max(begin - before, std::int64_t{0});
            const std::int64_t to = std::min(end - before, grid.count());
            if (from < to) run_units(kernel, task_of(p), p, grid, from, to);
            before += grid.count();
        }
    });
    return {};
}

}  // namespace trilobit::detail
