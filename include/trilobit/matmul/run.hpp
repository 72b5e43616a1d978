// SPDX-License-Identifier: MIT
// Room matmul. Enters: products of the same activations with one or several packed matrices, the
// kernel that does them, an executor. Leaves: all of them done, in two passes over the threads:
// activations are quantised once, then every thread takes pieces of every product.
#pragma once

#include "trilobit/version.hpp"

#include <algorithm>
#include <span>

#include "trilobit/core/executor.hpp"
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

/// Products that read one operand; every thread takes pieces of all of them.
class batch {
    std::span<const product_part> parts;
    activation_shape x;
    kernel::work_unit unit;
    std::int64_t token_bytes;
    // Rows first; where they are too few for the threads, tokens too, and then columns.
    std::int64_t ranges = 1, cuts = 1;

    template <class F>
    [[nodiscard]] std::int64_t total(F&& of) const {
        std::int64_t sum = 0;
        for (const product_part& p : parts) sum += of(grid(p));
        return sum;
    }

public:
    /// `token_bytes` is what the workspace holds of each token.
    batch(std::span<const product_part> products, const activation_shape& shape,
          const kernel::work_unit& wanted, std::int64_t bytes_of_token, int concurrency)
        : parts(products), x(shape), unit(wanted), token_bytes(bytes_of_token) {
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
        if (concurrency > 1) cuts = wish();
    }
    [[nodiscard]] unit_grid grid(const product_part& p) const {
        unit_grid g(p, unit, ranges);
        if (cuts > 1) g.cut_columns(*p.w, x, cuts, token_bytes);
        return g;
    }
    [[nodiscard]] std::int64_t grid_bytes() const {
        return round_up(std::ssize(parts) * static_cast<std::int64_t>(sizeof(unit_grid)), 64);
    }
    /// For the parts' grids, then for the sums of cut columns.
    [[nodiscard]] std::int64_t bytes() const {
        return grid_bytes() + total([](const unit_grid& g) { return g.bytes(); });
    }

    /// Where `operand` is null each thread makes a copy of its own. `memory` is what bytes() says.
    template <class Executor>
    void operator()(const kernel_entry& kernel, const activation_view& values, std::byte* operand,
                    thread_memory& threads, std::byte* memory, Executor& run) const {
        auto* const grids = reinterpret_cast<unit_grid*>(memory);
        std::byte* const sums = memory + grid_bytes();
        std::int64_t work = 0, count = 0;
        std::byte* at = sums;
        for (std::size_t i = 0; i < parts.size(); ++i) {
            const product_part& p = parts[i];
            work += (p.token_end - p.token_begin) * p.w->rows * p.w->cols;
            const unit_grid& g = *new (grids + i) unit_grid(grid(p));
            count += g.count();
            for (std::int64_t u = 0; g.parts > 1 && u < g.units(); ++u, at += g.part_bytes)
                new (at) parts_left(static_cast<std::int32_t>(g.parts));
        }
        const auto pieces = [&](std::int64_t begin, std::int64_t end, thread_place& own) {
            std::byte* const own_memory = own.memory.data();
            const bool copy = operand == nullptr;
            std::int64_t before = 0;
            std::byte* own_sums = sums;
            for (std::size_t i = 0; i < parts.size(); ++i) {
                const product_part& p = parts[i];
                const unit_grid& g = grids[i];
                const std::int64_t from = std::max(begin - before, std::int64_t{0});
                const std::int64_t to = std::min(end - before, g.count());
                if (from < to) {
                    const kernel::task t{*p.w,
                                         values,
                                         copy ? own_memory + kernel.scratch_bytes : operand,
                                         p.out,
                                         copy ? &own.made : nullptr,
                                         own_memory};
                    if (g.parts > 1) {
                        // No part passes all columns.
                        if (copy && own.made == 0) {
                            kernel.prepare(t, 0, values.tokens);
                            own.made = p.w->row_tiles();
                        }
                        run_parts(kernel, t, p, g, own_sums, from, to);
                    } else {
                        run_units(kernel, t, p, g, from, to);
                    }
                }
                before += g.count();
                own_sums += g.bytes();
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
    const packed_view& w = *parts.front().w;
    const workspace_layout at = workspace_layout::of(kernel, w, shape);
    const batch all_parts(parts, shape, kernel.unit, at.size / shape.tokens, run.concurrency());
    const bool all_tokens = std::all_of(parts.begin(), parts.end(), [&](const product_part& p) {
        return p.token_begin == 0 && p.token_end == shape.tokens;
    });
    const bool copies = all_tokens && shape.tokens <= kernel.own_tokens;
    const std::int64_t shared_bytes = copies ? at.operand : at.size;
    const std::int64_t own_bytes = kernel.scratch_bytes + at.size - shared_bytes;
    std::byte* memory = scratch.reserve(shared_bytes + all_parts.bytes());
    const status no_memory{errc::out_of_memory,
                           "There is not enough memory for this multiplication."};
    if (memory == nullptr) return no_memory;
    auto* values = reinterpret_cast<std::int8_t*>(memory + at.values);
    auto* scales = reinterpret_cast<float*>(memory + at.scales);
    std::byte* operand = copies ? nullptr : memory + at.operand;
    const activation_view x{shape, values, scales};

    shared_status problem;
    split(run, shape.tokens, shape.tokens * shape.cols * 16,
          [&](std::int64_t begin, std::int64_t end) {
              for (std::int64_t m = begin; m < end; ++m)
                  if (const status s = quantize(shape, m, row_of(m), values, scales); !s.ok())
                      return problem.fail(s);
              if (!copies) kernel.prepare(kernel::task{w, x, operand, {}}, begin, end);
          });
    if (!problem.ok()) return problem.get();

    if (!scratch.threads.renew(run.concurrency(), own_bytes)) return no_memory;
    all_parts(kernel, x, operand, scratch.threads, memory + shared_bytes, run);
    return {};
}

}  // namespace trilobit::inline TRILOBIT_ABI::detail

#include "trilobit/core/end.hpp"
