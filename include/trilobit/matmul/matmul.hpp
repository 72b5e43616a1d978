// SPDX-License-Identifier: MIT
// Room matmul. Enters: packed weights, float activations, and every choice in a context. Leaves:
// y[m,n] = sum over k of x[m,k] w[n,k], or a sentence that says why not: the plans of one product,
// of several, and of one for each token.
//
// The same packed bytes and activations give the same float bits whatever the arch, kernel family,
// executor or number of tokens in a call.
#pragma once

#include "trilobit/version.hpp"

#include <new>

#include "trilobit/matmul/plan.hpp"
#include "trilobit/pack/pack.hpp"

#include "trilobit/core/begin.hpp"

namespace trilobit::inline TRILOBIT_ABI {

namespace detail {

/// Below this many multiply-adds waking a thread costs more than it saves.
inline constexpr std::int64_t worth_a_thread = std::int64_t{1} << 18;

inline status check_output(std::int64_t tokens, const packed_view& w,
                           matrix_view<const float> y) noexcept {
    if (const status s = check_packed(w); !s.ok()) return s;
    if (const status s = check_view(y); !s.ok()) return s;
    if (y.rows != tokens || y.cols != w.rows)
        return {errc::bad_shape,
                "The output must have a row for each token and a column for each row of weights."};
    return {};
}

}  // namespace detail

/// Several matrices times the same activations (Q, K and V; gate and up), which are quantised once
/// and spread over the threads once. x is (tokens, cols), or `rows` lists those of its rows that
/// are the tokens; all matrices have one layout, width and scale grouping, any numbers of rows.
inline status matmul_shared(context& c, matrix_view<const float> x,
                            std::span<const product> products,
                            std::span<const std::int64_t> rows = {}) {
    const std::int64_t tokens = rows.empty() ? x.rows : std::ssize(rows);
    double work = 0;
    for (const product& p : products)
        work += static_cast<double>(std::min(p.token_end, tokens) - p.token_begin) *
                static_cast<double>(p.w.rows * p.w.cols);
    const int threads = work < detail::worth_a_thread ? 1 : std::max(1, c.threads.concurrency());
    const auto planned = plan::of(c, products, tokens, threads);
    if (!planned.ok()) return planned.error();
    const plan& p = planned.value();
    std::byte* const memory = c.scratch.reserve(p.bytes() + 64 * std::int64_t{threads});
    if (memory == nullptr)
        return {errc::out_of_memory, "There is not enough memory for this multiplication."};

    detail::shared_status problem;
    const auto quantise = [&](std::int64_t begin, std::int64_t end) {
        if (const status s = p.quantise(x, begin, end, memory, rows); !s.ok()) problem.fail(s);
    };
    if (threads == 1 || tokens * x.cols * 16 < detail::worth_a_thread)
        quantise(0, tokens);
    else
        c.threads(0, tokens, std::max<std::int64_t>(1, tokens / threads / 16), quantise);
    if (!problem.ok()) return problem.get();

    if (threads == 1) return p.run(0, p.tasks(), 0, memory);
    auto* const taken = reinterpret_cast<detail::taken_numbers*>(memory + p.bytes());
    for (int i = 0; i < threads; ++i) new (taken + i) detail::taken_numbers;
    const auto run = [&](std::int64_t begin, std::int64_t end, int thread) {
        if (const status s = p.run(begin, end, thread, memory); !s.ok()) problem.fail(s);
    };
    detail::spread_numbered(c.threads, p.tasks(), threads, p.grain(), taken, run);
    return problem.get();
}

/// One matrix; x is (tokens, w.cols).
inline status matmul(context& c, const packed_view& w, matrix_view<const float> x,
                     const sink& out) {
    const product one{w, out};
    return matmul_shared(c, x, {&one, 1});
}

/// Sums go to an epilogue.
template <class Epilogue>
    requires std::invocable<const Epilogue&, float*, int, std::int64_t, std::int64_t>
status matmul(context& c, const packed_view& w, matrix_view<const float> x,
              const Epilogue& epilogue) {
    return matmul(c, w, x, into(epilogue));
}

/// y is (tokens, w.rows).
inline status matmul(context& c, const packed_view& w, matrix_view<const float> x,
                     matrix_view<float> y) {
    if (const status s = detail::check_output(x.rows, w, y); !s.ok()) return s;
    return matmul(c, w, x, into(y));
}

/// Static dispatch: the kernels of this translation unit's own flags, or of a chosen Arch.
template <class Arch = native_arch, weight_layout Layout>
status matmul(const packed_matrix<Layout>& w, std::type_identity_t<matrix_view<const float>> x,
              matrix_view<float> y, const matmul_options& options = {}, executor_ref threads = {}) {
    context once{kernels_for<Arch, Layout>::table, threads, options};
    return matmul(once, w.view(), x, y);
}

/// A mixture-of-experts layer: y[m, n] = sum over k of x[m, k] experts[expert_of[m]][n, k]. Tokens
/// of one expert are taken together, so that its weights are read once. x is (tokens, cols), or
/// `rows` names the row of x for each m: a token that asks two experts stands there twice. All
/// experts have one layout, shape and scale grouping.
inline status matmul_indexed(context& c, std::span<const packed_view> experts,
                             std::span<const std::int32_t> expert_of, matrix_view<const float> x,
                             const sink& out, std::span<const std::int64_t> rows = {}) {
    if (out.write == nullptr || out.write_sums != nullptr)
        return {errc::unsupported, "Experts need a sink of floats; a plan has exact sums too."};
    const std::int64_t tokens = rows.empty() ? x.rows : std::ssize(rows);
    if (std::ssize(expert_of) != tokens)
        return {errc::bad_shape, "Each token needs the number of one expert."};
    for (const std::int32_t e : expert_of)
        if (e < 0 || e >= std::ssize(experts))
            return {errc::bad_value, "A token asks for an expert that does not exist."};
    for (const packed_view& w : experts) {
        if (const status s = detail::check_packed(w); !s.ok()) return s;
        if (const status s = detail::check_shared(experts.front(), w); !s.ok()) return s;
        if (w.rows != experts.front().rows)
            return {errc::bad_shape, "Experts must have the same number of rows."};
    }
    if (expert_of.empty()) return check_view(x);

    // Counting sort: place[i] is the output that is made i-th, read[i] its row of x, next[e] the
    // first free place of expert e.
    const auto most = static_cast<std::int64_t>(std::min(experts.size(), expert_of.size()));
    const std::int64_t product_bytes = most * static_cast<std::int64_t>(sizeof(product));
    std::byte* const memory =
        c.order.reserve(product_bytes + 8 * (2 * tokens + std::ssize(experts)));
    if (memory == nullptr)
        return {errc::out_of_memory, "There is not enough memory to sort the tokens."};
    auto* const products = reinterpret_cast<product*>(memory);
    auto* const place = reinterpret_cast<std::int64_t*>(memory + product_bytes);
    std::int64_t* const read = place + tokens;
    std::int64_t* const next = read + tokens;
    const auto unsorted = [&out, place](const float* sums, int n, std::int64_t i,
                                        std::int64_t row) {
        out.write(out.context, sums, place[i], row, n);
    };
    std::fill_n(next, experts.size(), 0);
    for (const std::int32_t e : expert_of) ++next[e];
    std::size_t busy = 0;
    std::int64_t taken = 0;
    for (std::size_t e = 0; e < experts.size(); ++e) {
        const std::int64_t begin = taken;
        taken += std::exchange(next[e], begin);
        if (begin < taken)
            new (products + busy++) product{experts[e], into(unsorted), begin, taken};
    }
    for (std::int64_t m = 0; m < tokens; ++m) {
        const std::int64_t i = next[expert_of[static_cast<std::size_t>(m)]]++;
        place[i] = m;
        read[i] = rows.empty() ? m : rows[static_cast<std::size_t>(m)];
    }
    return matmul_shared(c, x, {products, busy}, {read, expert_of.size()});
}

/// y is (tokens, rows of an expert).
inline status matmul_indexed(context& c, std::span<const packed_view> experts,
                             std::span<const std::int32_t> expert_of, matrix_view<const float> x,
                             matrix_view<float> y, std::span<const std::int64_t> rows = {}) {
    if (!experts.empty())
        if (const status s = detail::check_output(std::ssize(expert_of), experts.front(), y);
            !s.ok())
            return s;
    return matmul_indexed(c, experts, expert_of, x, into(y), rows);
}

}  // namespace trilobit::inline TRILOBIT_ABI

#include "trilobit/core/end.hpp"
