// SPDX-License-Identifier: MIT
// Room matmul. Enters: products of the same activations, a number of threads. Leaves: whether they
// go together, and tasks: row blocks x tokens of one product, of nearly equal size, in the order of
// memory.
#pragma once

#include "trilobit/version.hpp"

#include <algorithm>
#include <limits>
#include <span>

#include "trilobit/core/executor.hpp"
#include "trilobit/matmul/epilogue.hpp"
#include "trilobit/matmul/table.hpp"

#include "trilobit/core/begin.hpp"

namespace trilobit::inline TRILOBIT_ABI {

inline constexpr std::int64_t all_tokens = std::numeric_limits<std::int64_t>::max();

/// One matrix times tokens [token_begin, token_end) of the activations.
struct product {
    packed_view w;
    sink out;
    std::int64_t token_begin = 0, token_end = all_tokens;
};

namespace detail {

/// Is there a matrix? If not, the sentence says why.
inline status check_packed(const packed_view& w) noexcept {
    if (!w.problem.ok()) return w.problem;
    if (w.tiles == nullptr)
        return {errc::bad_shape, "This packed matrix holds nothing: its view has no tiles."};
    return {};
}

/// Matrices that share activations share what a kernel makes of them.
inline status check_shared(const packed_view& a, const packed_view& b) noexcept {
    if (a.layout != b.layout || a.cols != b.cols || a.scale.per != b.scale.per ||
        a.scale.segments(a.cols) != b.scale.segments(b.cols))
        return {errc::bad_shape,
                "Matrices that share activations must have one layout, width and scale grouping."};
    return {};
}

/// May `p` stand beside `first` in a plan for the activations `x`?
inline status check_product(const product& p, const product& first,
                            const activation_shape& x) noexcept {
    if (const status s = check_packed(p.w); !s.ok()) return s;
    if (const status s = check_shared(first.w, p.w); !s.ok()) return s;
    const std::int64_t end = p.token_end == all_tokens ? x.tokens : p.token_end;
    if (p.token_begin < 0 || p.token_begin > end || end > x.tokens)
        return {errc::bad_shape, "A product asks for tokens that its plan does not have."};
    if (p.out.write == nullptr && p.out.write_sums == nullptr)
        return {errc::bad_value, "A product has no sink: its sums have nowhere to go."};
    if (p.out.write_sums != nullptr && kernel::segment::count(p.w, x) > 1)
        return {errc::unsupported, "Exact sums are for products whose columns share their scales."};
    return {};
}

/// Tasks have at most so many row blocks, a product's tokens are in so many ranges. How many tasks
/// that is, and how many are best run at a time.
struct task_size {
    std::int64_t blocks = 1, ranges = 1, tasks = 0, grain = 1;
};

/// One product cut into tasks. All of its rows come before the next range of tokens: consecutive
/// tasks read consecutive weights, and one call of a kernel does many.
struct task_grid {
    std::int64_t blocks = 1, row_tasks = 0, tokens = 1, token_ranges = 0;
    index_range of;  // tokens of the product

    task_grid(const product& p, const activation_shape& x, const task_size& size,
              const kernel::task_shape& unit) noexcept
        : of{p.token_begin, std::min(p.token_end, x.tokens)} {
        const std::int64_t all = of.end - of.begin, all_blocks = p.w.row_blocks();
        if (all == 0 || all_blocks == 0) return;
        // Equal sizes, in whole sixty-fours of rows where tasks have as many.
        const std::int64_t step = std::clamp<std::int64_t>(64 / p.w.tile.rows, 1, size.blocks);
        blocks = round_up(ceil_div(all_blocks, ceil_div(all_blocks, size.blocks)), step);
        row_tasks = ceil_div(all_blocks, blocks);
        // Ranges of fewer than 32 tokens would decode weights for too few.
        const std::int64_t most = std::max<std::int64_t>(1, all / 32);
        tokens = round_up(ceil_div(all, std::min(size.ranges, most)), unit.tokens);
        token_ranges = ceil_div(all, tokens);
    }
    [[nodiscard]] std::int64_t count() const noexcept { return row_tasks * token_ranges; }

    /// Tasks [begin, end) of the product with the matrix t.w.
    void run(const kernel_entry& kernel, const kernel::task& t, std::int64_t begin,
             std::int64_t end) const noexcept {
        for (std::int64_t count; begin < end; begin += count) {
            const std::int64_t first = begin % row_tasks;
            const std::int64_t token = of.begin + begin / row_tasks * tokens;
            count = std::min(end - begin, row_tasks - first);
            kernel.run(t, first * blocks, std::min((first + count) * blocks, t.w.row_blocks()),
                       token, std::min(token + tokens, of.end));
        }
    }
};

/// Tasks of as many rows as the kernel likes; of fewer where ranges of tokens leave threads without
/// any. Four for each thread even out their speeds, but more than 64 rows are not worth cutting for
/// that: such kernels make something anew for each task.
inline task_size cut_tasks(std::span<const product> products, const activation_shape& x,
                           const kernel::task_shape& unit, std::int64_t threads) noexcept {
    const int tile_rows = products.front().w.tile.rows;
    task_size size{std::max(1, unit.rows / tile_rows)};
    const auto count = [&](std::int64_t ranges) {
        std::int64_t sum = 0;
        for (const product& p : products)
            sum += task_grid(p, x, {size.blocks, ranges}, unit).count();
        return sum;
    };
    const auto wanted = [&] { return size.blocks * tile_rows > 64 ? threads : 4 * threads; };
    if (threads > 1) {
        while (size.blocks > 1 && count(x.tokens) < wanted()) size.blocks /= 2;
        size.ranges = ceil_div(4 * threads, std::max<std::int64_t>(1, count(1)));
    }
    size.tasks = count(size.ranges);
    // Sixty-four rows or more, for which kernels have most sums in registers.
    const std::int64_t each = size.tasks / threads, least = 64 / (size.blocks * tile_rows);
    size.grain = std::max({std::int64_t{1}, least, std::min<std::int64_t>(each / 4, 4), each / 8});
    return size;
}

}  // namespace detail

}  // namespace trilobit::inline TRILOBIT_ABI

#include "trilobit/core/end.hpp"
