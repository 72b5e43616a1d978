// SPDX-License-Identifier: MIT
// Room matmul. Enters: products of the same activations, how many tokens and threads. Leaves: how
// much memory and how many tasks that is, and two steps that any threads do in that memory:
//
//   const auto p = plan::of(context, products, tokens, threads);  // allocates nothing
//   p.value().quantise(x, token_begin, token_end, memory);        // any thread, any tokens
//   ...                                                           // the caller's barrier
//   p.value().run(task_begin, task_end, thread, memory);          // any thread, any tasks
//
// Nothing in a plan changes: all threads may share one, or each makes the same for itself.
#pragma once

#include "trilobit/version.hpp"

#include <algorithm>
#include <span>

#include "trilobit/matmul/context.hpp"
#include "trilobit/matmul/tasks.hpp"

#include "trilobit/core/begin.hpp"

namespace trilobit::inline TRILOBIT_ABI {

class plan {
    const kernel_entry* kernel = nullptr;
    quantize_function quantize = nullptr;
    std::span<const product> products;
    activation_shape shape;
    int thread_count = 1;
    bool copies = false;  // each thread makes the operand for itself, behind a line that says so
    detail::task_size size;
    // In bytes: places from the start of the memory, and sizes.
    std::int64_t scales_at = 0, operand_at = 0, threads_at = 0, operand_bytes = 0, thread_bytes = 0;

    void place() noexcept;
    static status check_memory(const void* memory) noexcept {
        if (memory != nullptr && reinterpret_cast<std::uintptr_t>(memory) % 64 == 0) return {};
        return {errc::bad_value, "A plan needs memory that starts on a multiple of 64 bytes."};
    }
    [[nodiscard]] std::byte* thread_memory(void* memory, int thread) const noexcept {
        return static_cast<std::byte*>(memory) + threads_at + thread * thread_bytes;
    }
    [[nodiscard]] kernel::task task(void* memory) const noexcept {
        kernel::task t;
        t.w = products.front().w;
        t.x = activations(memory);
        t.operand = static_cast<std::byte*>(memory) + operand_at;
        return t;
    }
    /// f(m, row) for tokens m, whose numbers are in these rows of `x`; then the kernel's operand.
    template <class T, class F>
    status each_token(const matrix_view<const T>& x, std::span<const std::int64_t> rows,
                      std::int64_t begin, std::int64_t end, void* memory, F f) const noexcept;

public:
    /// The most tokens: no count of bytes or of tasks overflows.
    static constexpr std::int64_t max_tokens = std::int64_t{1} << 32;

    /// `products`, and all that they and the context point to, outlive the plan. Their matrices
    /// have one layout, width and scale grouping, and any numbers of rows.
    static result<plan> of(const context& c, std::span<const product> products, std::int64_t tokens,
                           int threads) noexcept;

    /// Of memory that the caller brings, from a multiple of 64 on. What is in it does not matter;
    /// from the first quantise() to the last run() it is the plan's.
    [[nodiscard]] std::int64_t bytes() const noexcept {
        return threads_at + thread_count * thread_bytes;
    }
    [[nodiscard]] std::int64_t tasks() const noexcept { return size.tasks; }
    /// How many consecutive tasks are best run at a time by threads that share them as they come.
    [[nodiscard]] std::int64_t grain() const noexcept { return size.grain; }
    [[nodiscard]] int threads() const noexcept { return thread_count; }
    /// Equal numbers for each of the threads. Consecutive tasks stream through memory.
    [[nodiscard]] index_range tokens_of(int thread) const noexcept {
        return range_of(shape.tokens, thread, thread_count);
    }
    [[nodiscard]] index_range tasks_of(int thread) const noexcept {
        return range_of(size.tasks, thread, thread_count);
    }

    /// Tokens [token_begin, token_end) of x (tokens, cols), or of those of its rows that `rows`
    /// lists, one for each token of the plan. Different tokens may be quantised at once; all are,
    /// each time, before run(). NaN and infinity are refused.
    status quantise(matrix_view<const float> x, std::int64_t token_begin, std::int64_t token_end,
                    void* memory, std::span<const std::int64_t> rows = {}) const noexcept;
    /// The same for activations that are quantised already and are copied: `values` (tokens, cols)
    /// of what options.activation allows, `scales` (tokens, groups of a token), x ~ value * scale.
    status take(matrix_view<const std::int8_t> values, matrix_view<const float> scales,
                std::int64_t token_begin, std::int64_t token_end, void* memory,
                std::span<const std::int64_t> rows = {}) const noexcept;
    /// What those two left in the memory.
    [[nodiscard]] activation_view activations(const void* memory) const noexcept {
        const auto* at = static_cast<const std::byte*>(memory);
        return {shape, reinterpret_cast<const std::int8_t*>(at),
                reinterpret_cast<const float*>(at + scales_at)};
    }
    /// Tasks [task_begin, task_end); sums go to the products' sinks, different ones at once.
    /// `thread` is below threads(), and another for each thread that runs meanwhile. Activations
    /// stay: a task may run again.
    status run(std::int64_t task_begin, std::int64_t task_end, int thread,
               void* memory) const noexcept;
};

inline result<plan> plan::of(const context& c, std::span<const product> products,
                             std::int64_t tokens, int threads) noexcept {
    const matmul_options& o = c.options;
    if (products.empty()) return status{errc::bad_shape, "A plan needs at least one product."};
    if (tokens < 0 || tokens > max_tokens)
        return status{errc::bad_shape, "A plan has 0 to 4294967296 tokens."};
    if (threads < 1) return status{errc::bad_value, "A plan needs at least one thread."};
    if (o.activation_group != 0 && !valid_group(o.activation_group))
        return status{errc::bad_shape, "An activation group must span 32, 64, 128 or 256 columns."};
    plan p;
    p.products = products;
    p.thread_count = threads;
    const product& first = products.front();
    p.shape = {o.activation, tokens, first.w.cols, o.activation_group};
    activation_shape busiest = p.shape;
    busiest.tokens = 0;
    for (const product& each : products) {
        if (const status s = detail::check_product(each, first, p.shape); !s.ok()) return s;
        busiest.tokens =
            std::max(busiest.tokens, std::min(each.token_end, tokens) - each.token_begin);
    }
    // The best for the product of the most tokens serves all.
    p.kernel = choose_kernel(c.kernels, first.w, busiest, o.kernel);
    if (p.kernel == nullptr)
        return status{errc::unsupported,
                      "No kernel of this back end serves this layout, activation and grouping."};
    p.quantize = c.kernels.quantize[static_cast<int>(o.activation)];
    p.size = detail::cut_tasks(products, p.shape, p.kernel->unit, threads);
    p.place();
    return p;
}

inline void plan::place() noexcept {
    copies = shape.tokens <= kernel->own_tokens;
    for (const product& p : products)
        copies = copies && p.token_begin == 0 && p.token_end >= shape.tokens;
    operand_bytes = round_up(kernel->operand_bytes(products.front().w, shape), 64);
    scales_at = round_up(shape.value_bytes(), 64);
    operand_at = scales_at + round_up(shape.scale_bytes(), 64);
    threads_at = operand_at + (copies ? 0 : operand_bytes);
    thread_bytes = round_up(kernel->scratch_bytes, 64) + (copies ? 64 + operand_bytes : 0);
}

template <class T, class F>
status plan::each_token(const matrix_view<const T>& x, std::span<const std::int64_t> rows,
                        std::int64_t begin, std::int64_t end, void* memory, F f) const noexcept {
    if (const status s = check_view(x); !s.ok()) return s;
    if (x.cols != shape.cols)
        return {errc::bad_shape,
                "The activations have another number of columns than the weights."};
    if ((rows.empty() ? x.rows : std::ssize(rows)) != shape.tokens)
        return {errc::bad_shape, "The activations have another number of tokens than the plan."};
    if (begin < 0 || begin > end || end > shape.tokens)
        return {errc::bad_shape, "These tokens are none of the plan's."};
    if (const status s = check_memory(memory); !s.ok()) return s;
    if (copies && begin == 0)
        for (int i = 0; i < thread_count; ++i) *thread_memory(memory, i) = std::byte{0};
    for (std::int64_t m = begin; m < end; ++m) {
        const std::int64_t row = rows.empty() ? m : rows[static_cast<std::size_t>(m)];
        if (row < 0 || row >= x.rows)
            return {errc::bad_value, "A token asks for a row that the activations do not have."};
        if (const status s = f(m, row); !s.ok()) return s;
    }
    if (!copies) kernel->prepare(task(memory), begin, end);
    return {};
}

inline status plan::quantise(matrix_view<const float> x, std::int64_t token_begin,
                             std::int64_t token_end, void* memory,
                             std::span<const std::int64_t> rows) const noexcept {
    const auto one = [&](std::int64_t m, std::int64_t row) {
        auto* const values = static_cast<std::int8_t*>(memory);
        auto* const scales = reinterpret_cast<float*>(static_cast<std::byte*>(memory) + scales_at);
        return quantize(shape, m, x.row(row), values, scales);
    };
    return each_token(x, rows, token_begin, token_end, memory, one);
}

inline status plan::take(matrix_view<const std::int8_t> values, matrix_view<const float> scales,
                         std::int64_t token_begin, std::int64_t token_end, void* memory,
                         std::span<const std::int64_t> rows) const noexcept {
    if (const status s = check_view(scales); !s.ok()) return s;
    if (scales.rows != values.rows || scales.cols != shape.segments())
        return {errc::bad_shape,
                "Quantised activations need a scale for each token, or for each group of it."};
    int low = 0, high = 0;
    visit_activation(shape.kind, [&]<class Act>() { low = Act::lowest, high = Act::highest; });
    const bool no_zero = shape.kind == activation_id::sign;
    const auto one = [&](std::int64_t m, std::int64_t row) -> status {
        const std::int8_t* from = values.row(row);
        int wrong = 0;
        for (std::int64_t k = 0; k < shape.cols; ++k)
            wrong |= int{from[k] < low} | int{from[k] > high} | int{no_zero && from[k] == 0};
        if (wrong != 0)
            return {errc::bad_value, "A quantised activation is none of its kind's values."};
        for (std::int64_t s = 0; s < scales.cols; ++s)
            if (!is_finite(scales(row, s)))
                return {errc::bad_value, "A scale of an activation is NaN or infinite."};
        auto* to = static_cast<std::int8_t*>(memory) + m * shape.value_stride();
        std::fill(std::copy_n(from, shape.cols, to), to + shape.value_stride(), std::int8_t{0});
        auto* to_scales = reinterpret_cast<float*>(static_cast<std::byte*>(memory) + scales_at);
        std::copy_n(scales.row(row), scales.cols, to_scales + m * scales.cols);
        return {};
    };
    return each_token(values, rows, token_begin, token_end, memory, one);
}

inline status plan::run(std::int64_t task_begin, std::int64_t task_end, int thread,
                        void* memory) const noexcept {
    if (task_begin < 0 || task_begin > task_end || task_end > size.tasks)
        return {errc::bad_shape, "These tasks are none of the plan's."};
    if (thread < 0 || thread >= thread_count)
        return {errc::bad_value, "This thread's number is none of the plan's."};
    if (const status s = check_memory(memory); !s.ok()) return s;
    if (task_begin == task_end) return {};
    kernel::task t = task(memory);
    t.scratch = thread_memory(memory, thread);
    if (copies) {
        std::byte& made = *t.scratch;
        t.operand = t.scratch + 64;
        t.scratch = t.operand + operand_bytes;
        if (made == std::byte{0}) kernel->prepare(t, 0, shape.tokens);
        made = std::byte{1};
    }
    std::int64_t before = 0;
    for (const product& p : products) {
        const detail::task_grid grid(p, shape, size, kernel->unit);
        const std::int64_t begin = std::max(task_begin - before, std::int64_t{0});
        const std::int64_t end = std::min(task_end - before, grid.count());
        t.w = p.w;
        t.out = p.out;
        grid.run(*kernel, t, begin, end);
        before += grid.count();
    }
    return {};
}

}  // namespace trilobit::inline TRILOBIT_ABI

#include "trilobit/core/end.hpp"
