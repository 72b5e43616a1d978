// SPDX-License-Identifier: MIT
// Room matmul. Enters: products of the same activations with one or several packed matrices, the
// kernel that does them, an executor. Leaves: all of them done, in two passes over the threads:
// activations are quantised once, then every thread takes pieces of every product.
#pragma once

#include <span>

#include "trilobit/core/executor.hpp"
#include "trilobit/matmul/units.hpp"
#include "trilobit/matmul/workspace.hpp"
#include "trilobit/pack/pack.hpp"

namespace trilobit::detail {

/// Pieces for each thread: a late or slow one costs half a piece of its share. Even numbers of units,
/// where there are enough: some kernels take two row blocks at once.
inline constexpr std::int64_t pieces_per_thread = 16;

template <class Executor, class F>
void split(Executor& run, std::int64_t count, std::int64_t work, F&& f) {
    if (work < worth_a_thread || run.concurrency() <= 1) return f(std::int64_t{0}, count);
    const std::int64_t grain = ceil_div(count, pieces_per_thread * run.concurrency());
    run(std::int64_t{0}, count, grain > 1 ? round_up(grain, 2) : 1, f);
}

/// `row_of(m)` is where token m's floats lie. All matrices have one layout, width and scale spec.
template <class Executor, class RowOf>
status run_products(const kernel_entry& kernel, quantize_function quantize,
                    std::span<const product_part> parts, const activation_shape& shape,
                    RowOf row_of, workspace& scratch, Executor& run) {
    const workspace_layout at = workspace_layout::of(kernel, *parts.front().w, shape);
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
        grid.cut_columns(*p.w, shape, cuts, at.size / shape.tokens);
        return grid;
    };
    std::int64_t sum_bytes = 0;
    units = 0;
    for (const product_part& p : parts) {
        units += grid_of(p).count();
        sum_bytes += grid_of(p).bytes();
    }

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
