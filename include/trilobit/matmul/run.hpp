// SPDX-License-Identifier: MIT
// Room matmul. Enters: products of the same activations with one or several packed matrices, the
// kernel that does them, an executor. Leaves: all of them done, in two passes over the threads:
// activations are quantised once, then every thread takes pieces of every product. Where matrices
// lack columns there are two more passes for each set of columns.
#pragma once

#include <atomic>
#include <span>

#include "trilobit/core/executor.hpp"
#include "trilobit/matmul/dropped.hpp"
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

/// Pieces for each thread: a late or slow one costs half a piece of its share. Four units or a
/// multiple, where there are enough: some kernels take four row blocks at once.
inline constexpr std::int64_t pieces_per_thread = 16;

template <class Executor, class F>
void split(Executor& run, std::int64_t count, std::int64_t work, F&& f) {
    if (work < worth_a_thread || run.concurrency() <= 1) return f(std::int64_t{0}, count);
    const std::int64_t grain = ceil_div(count, pieces_per_thread * run.concurrency());
    run(std::int64_t{0}, count, grain > 1 ? round_up(grain, 4) : 1, f);
}

/// One product cut into units of 64 rows x some tokens, token ranges outermost.
struct unit_grid {
    static constexpr std::int64_t rows = 64;
    std::int64_t group_blocks = 1, row_groups = 0, token_ranges = 0, range_tokens = 0;

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

/// Parts that read the same operand. Every thread takes pieces of all of them.
template <class Executor>
void run_batch(const kernel_entry& kernel, std::span<const product_part> parts,
               const activation_view& x, std::byte* operand, Executor& run) {
    // Rows first; where they are too few for the threads, tokens too.
    const std::int64_t pieces = pieces_per_thread * run.concurrency();
    std::int64_t units = 0, work = 0;
    for (const product_part& p : parts) {
        units += unit_grid(p, 1).count();
        work += (p.token_end - p.token_begin) * p.w->stored_rows() * p.w->stored_cols();
    }
    const std::int64_t ranges = units == 0 ? 1 : ceil_div(pieces / 4, units);
    units = 0;
    for (const product_part& p : parts) units += unit_grid(p, ranges).count();
    split(run, units, work, [&](std::int64_t begin, std::int64_t end) {
        std::int64_t before = 0;
        for (const product_part& p : parts) {
            const unit_grid grid(p, ranges);
            const std::int64_t from = std::max(begin - before, std::int64_t{0});
            const std::int64_t to = std::min(end - before, grid.count());
            before += grid.count();
            if (from >= to) continue;
            row_spreader spreader(*p.w, x, p.out);
            const sink out = p.w->dropped_rows == 0 ? p.out : spreader.front();
            run_units(kernel, task{p.w->stored(), x, operand, out}, p, grid, from, to);
        }
    });
}

/// `row_of(m)` is where token m's floats lie. All matrices have rows, and one layout, width and
/// scale spec.
template <class Executor, class RowOf>
status run_products(const kernel_entry& kernel, quantize_function quantize,
                    std::span<const product_part> parts, const activation_shape& shape,
                    RowOf row_of, workspace& scratch, Executor& run) {
    packed_view widest = parts.front().w->stored();
    bool whole = true;
    for (const product_part& p : parts) whole = whole && p.w->dropped_cols == 0;
    widest.cols = shape.cols;  // an operand of fewer columns is no larger
    const workspace_layout at = workspace_layout::of(kernel, widest, shape);
    std::byte* memory = scratch.reserve(at.size + (whole ? 0 : shape.value_bytes()));
    if (memory == nullptr)
        return {errc::out_of_memory, "There is not enough memory to quantise the activations."};
    auto* values = reinterpret_cast<std::int8_t*>(memory + at.values);
    auto* scales = reinterpret_cast<float*>(memory + at.scales);
    auto* gathered = reinterpret_cast<std::int8_t*>(memory + at.size);
    std::byte* operand = memory + at.operand;
    const activation_view all{shape, values, scales};

    shared_status problem;
    const std::int64_t token_work = shape.cols * 16;
    split(run, shape.tokens, shape.tokens * token_work, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t m = begin; m < end; ++m)
            if (const status s = quantize(shape, m, row_of(m), values, scales); !s.ok())
                return problem.fail(s);
        if (whole) kernel.prepare(task{widest, all, operand, {}}, begin, end);
    });
    if (!problem.ok()) return problem.get();
    if (whole) {
        run_batch(kernel, parts, all, operand, run);
        return {};
    }

    while (!parts.empty()) {
        const packed_view& w = *parts.front().w;
        std::size_t count = 1;
        while (count < parts.size() && same_columns(w, *parts[count].w)) ++count;
        const std::span<const product_part> batch = parts.first(count);
        parts = parts.subspan(count);
        activation_view x = all;
        if (w.dropped_cols != 0) {
            x.cols = w.stored_cols();
            x.values = gathered;
        }
        const std::int64_t first = batch.front().token_begin;
        const std::int64_t tokens = batch.back().token_end - first;
        split(run, tokens, tokens * token_work, [&](std::int64_t begin, std::int64_t end) {
            const std::int64_t stride = x.value_stride();
            for (std::int64_t m = first + begin; m < first + end && w.dropped_cols != 0; ++m)
                gather_columns(w, all.token(m), stride, gathered + m * stride);
            kernel.prepare(task{w.stored(), x, operand, {}}, first + begin, first + end);
        });
        run_batch(kernel, batch, x, operand, run);
    }
    return {};
}

}  // namespace trilobit::detail
