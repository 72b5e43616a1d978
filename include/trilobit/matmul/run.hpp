// SPDX-License-Identifier: MIT
// Room matmul. Enters: products of the same activations with one or several packed matrices, the
// kernel that does them, an executor. Leaves: all of them done, in two passes over the threads:
// activations are quantised once, then every thread takes pieces of every product. Where matrices
// lack columns there are two more passes for each set of columns.
#pragma once

#include "trilobit/version.hpp"

#include <algorithm>
#include <span>

#include "trilobit/core/executor.hpp"
#include "trilobit/matmul/dropped.hpp"
#include "trilobit/matmul/units.hpp"
#include "trilobit/matmul/workspace.hpp"
#include "trilobit/pack/pack.hpp"

#include "trilobit/core/begin.hpp"

namespace trilobit::inline TRILOBIT_ABI::detail {

/// Pieces for each thread: a late or slow one costs half a piece of its share. Four units or a
/// multiple, where there are enough: some kernels take four row blocks at once.
inline constexpr std::int64_t pieces_per_thread = 16;

/// Shares differ by one unit at most, not by one piece: only the last piece of a share is shorter.
template <class Executor, class F>
void split(Executor& run, std::int64_t count, std::int64_t work, F&& f) {
    const std::int64_t threads = run.concurrency();
    if (work < worth_a_thread || threads <= 1) return f(std::int64_t{0}, count);
    const std::int64_t wanted = ceil_div(count, pieces_per_thread * threads);
    const std::int64_t grain = wanted > 1 ? std::max<std::int64_t>(4, wanted / 4 * 4) : 1;
    const std::int64_t pieces = ceil_div(ceil_div(count, threads), grain);  // of a share
    const auto begin_of = [=](std::int64_t piece) {
        const std::int64_t thread = piece / pieces;
        return std::min(count * thread / threads + piece % pieces * grain,
                        count * (thread + 1) / threads);
    };
    run(std::int64_t{0}, pieces * threads, std::int64_t{1},
        [&](std::int64_t begin, std::int64_t end) {
            const std::int64_t first = begin_of(begin), last = begin_of(end);
            if (first < last) f(first, last);
        });
}

/// Parts whose matrices store the same columns: they read one operand, and every thread takes
/// pieces of all of them.
class batch {
    std::span<const product_part> parts;
    activation_shape x;
    kernel::task_shape unit;
    // Rows first; where they are too few for the threads, tokens too.
    std::int64_t ranges = 1;

    template <class F>
    [[nodiscard]] std::int64_t total(F&& of) const {
        std::int64_t sum = 0;
        for (const product_part& p : parts) sum += of(grid(p));
        return sum;
    }

public:
    batch(std::span<const product_part> same_columns, const activation_shape& shape,
          const kernel::task_shape& wanted, int concurrency)
        : parts(same_columns), x(shape), unit(wanted) {
        const auto units = [&] { return total([](const unit_grid& g) { return g.units(); }); };
        const auto wish = [&] {
            return ceil_div(pieces_per_thread * concurrency / 4,
                            std::max<std::int64_t>(units(), 1));
        };
        // A kernel's large units are made smaller sooner than that threads have none.
        ranges = shape.tokens;
        while (unit.rows > 64 && units() < concurrency) unit.rows /= 2;
        ranges = 1;
        ranges = wish();
    }
    [[nodiscard]] unit_grid grid(const product_part& p) const { return unit_grid(p, unit, ranges); }
    [[nodiscard]] std::int64_t grid_bytes() const {
        return round_up(std::ssize(parts) * static_cast<std::int64_t>(sizeof(unit_grid)), 64);
    }
    [[nodiscard]] std::int64_t bytes() const { return grid_bytes(); }

    /// Where `operand` is null each thread makes a copy of its own. `memory` is what bytes() says.
    template <class Executor>
    void operator()(const kernel_entry& kernel, const activation_view& values, std::byte* operand,
                    thread_memory& threads, std::byte* memory, Executor& run) const {
        auto* const grids = reinterpret_cast<unit_grid*>(memory);
        std::int64_t work = 0, count = 0;
        for (std::size_t i = 0; i < parts.size(); ++i) {
            const product_part& p = parts[i];
            work += (p.token_end - p.token_begin) * p.w->stored_rows() * p.w->stored_cols();
            const unit_grid& g = *new (grids + i) unit_grid(grid(p));
            count += g.units();
        }
        const auto pieces = [&](std::int64_t begin, std::int64_t end, thread_place& own) {
            std::byte* const own_memory = own.memory.data();
            const bool copy = operand == nullptr;
            std::int64_t before = 0;
            for (std::size_t i = 0; i < parts.size(); ++i) {
                const product_part& p = parts[i];
                const unit_grid& g = grids[i];
                const std::int64_t from = std::max(begin - before, std::int64_t{0});
                const std::int64_t to = std::min(end - before, g.units());
                if (from < to) {
                    row_spreader spreader(*p.w, values, p.out);
                    const kernel::sink out = p.w->dropped_rows == 0 ? p.out : spreader.front();
                    const kernel::task t{p.w->stored(), values,
                                         copy ? own_memory + kernel.scratch_bytes : operand, out,
                                         own_memory};
                    if (copy && own.made == 0) {
                        kernel.prepare(t, 0, values.tokens);
                        own.made = 1;
                    }
                    run_units(kernel, t, p, g, from, to);
                }
                before += g.units();
            }
        };
        split(run, count, work, [&](std::int64_t begin, std::int64_t end) {
            threads.with([&](thread_place& own) { pieces(begin, end, own); });
        });
    }
};

/// `row_of(m)` is where token m's floats lie. All matrices have rows, and one layout, width and
/// scale spec.
template <class Executor, class RowOf>
status run_products(const kernel_entry& kernel, quantize_function quantize,
                    std::span<const product_part> parts, const activation_shape& shape,
                    RowOf row_of, workspace& scratch, Executor& run) {
    packed_view widest = parts.front().w->stored();
    widest.cols = shape.cols;  // an operand of fewer columns is no larger
    const workspace_layout at = workspace_layout::of(kernel, widest, shape);
    const auto batch_of = [&](std::size_t first) {
        const packed_view& w = *parts[first].w;
        std::size_t count = 1;
        while (first + count < parts.size() && same_columns(w, *parts[first + count].w)) ++count;
        return parts.subspan(first, count);
    };
    const auto cut = [&](std::span<const product_part> same) {
        activation_shape own = shape;
        own.cols = same.front().w->stored_cols();
        return batch(same, own, kernel.unit, run.concurrency());
    };
    bool whole = true;
    std::int64_t batch_bytes = 0;
    for (std::size_t i = 0; i < parts.size(); i += batch_of(i).size()) {
        whole = whole && parts[i].w->dropped_cols == 0;
        batch_bytes = std::max(batch_bytes, cut(batch_of(i)).bytes());
    }
    const std::int64_t gathered_bytes = whole ? 0 : round_up(shape.value_bytes(), 64);
    const bool all_tokens = std::all_of(parts.begin(), parts.end(), [&](const product_part& p) {
        return p.token_begin == 0 && p.token_end == shape.tokens;
    });
    const bool copies = all_tokens && shape.tokens <= kernel.own_tokens;
    const std::int64_t shared_bytes = copies ? at.operand : at.size;
    const std::int64_t own_bytes = kernel.scratch_bytes + at.size - shared_bytes;
    std::byte* memory = scratch.reserve(shared_bytes + gathered_bytes + batch_bytes);
    const status no_memory{errc::out_of_memory,
                           "There is not enough memory for this multiplication."};
    if (memory == nullptr) return no_memory;
    auto* values = reinterpret_cast<std::int8_t*>(memory + at.values);
    auto* scales = reinterpret_cast<float*>(memory + at.scales);
    auto* gathered = reinterpret_cast<std::int8_t*>(memory + shared_bytes);
    std::byte* of_batch = memory + shared_bytes + gathered_bytes;
    std::byte* operand = copies ? nullptr : memory + at.operand;
    const activation_view all{shape, values, scales};

    shared_status problem;
    const std::int64_t token_work = shape.cols * 16;
    split(run, shape.tokens, shape.tokens * token_work, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t m = begin; m < end; ++m)
            if (const status s = quantize(shape, m, row_of(m), values, scales); !s.ok())
                return problem.fail(s);
        if (whole && !copies) kernel.prepare(kernel::task{widest, all, operand, {}}, begin, end);
    });
    if (!problem.ok()) return problem.get();

    for (std::size_t i = 0; i < parts.size(); i += batch_of(i).size()) {
        const std::span<const product_part> same = batch_of(i);
        const packed_view& w = *same.front().w;
        activation_view x = all;
        x.cols = w.stored_cols();
        if (w.dropped_cols != 0) x.values = gathered;
        const std::int64_t first = same.front().token_begin;
        const std::int64_t tokens = same.back().token_end - first;
        const auto gather = [&](std::int64_t begin, std::int64_t end) {
            const std::int64_t stride = x.value_stride();
            for (std::int64_t m = first + begin; m < first + end && w.dropped_cols != 0; ++m)
                gather_columns(w, all.token(m), stride, gathered + m * stride);
            if (!copies)
                kernel.prepare(kernel::task{w.stored(), x, operand, {}}, first + begin,
                               first + end);
        };
        if (!whole) split(run, tokens, tokens * token_work, gather);
        if (!scratch.threads.renew(run.concurrency(), own_bytes)) return no_memory;
        cut(same)(kernel, x, operand, scratch.threads, of_batch, run);
    }
    return {};
}

}  // namespace trilobit::inline TRILOBIT_ABI::detail

#include "trilobit/core/end.hpp"
