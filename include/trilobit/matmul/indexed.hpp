// SPDX-License-Identifier: MIT
// Room matmul. Enters: several matrices of one shape and, for each token, the number of the one
// that it is multiplied by. Leaves: the products: a mixture-of-experts layer. Tokens of one expert
// are taken together, so that its weights are read once.
#pragma once

#include "trilobit/version.hpp"

#include <new>

#include "trilobit/matmul/matmul.hpp"

#include "trilobit/core/begin.hpp"

namespace trilobit::inline TRILOBIT_ABI {

namespace detail {

/// The epilogue of the caller, told which token of the caller's a sorted one is.
template <class Epilogue>
struct unsorted {
    const Epilogue& epilogue;
    const std::int64_t* order;
    void operator()(float* values, int count, std::int64_t token, std::int64_t row) const {
        epilogue(values, count, order[token], row);
    }
};

/// Counting sort: order[i] is the token at place i, parts[e] says which places expert e has.
inline void sort_by_expert(std::span<const std::int32_t> expert_of, std::span<product_part> parts,
                           std::int64_t* order) noexcept {
    for (const std::int32_t e : expert_of) ++parts[static_cast<std::size_t>(e)].token_end;
    std::int64_t at = 0;
    for (product_part& p : parts) {
        p.token_begin = at;
        at += p.token_end;
        p.token_end = p.token_begin;
    }
    for (std::size_t m = 0; m < expert_of.size(); ++m)
        order[parts[static_cast<std::size_t>(expert_of[m])].token_end++] =
            static_cast<std::int64_t>(m);
}

}  // namespace detail

/// y[m, n] = sum over k of x[m, k] experts[expert_of[m]][n, k], each output given to `epilogue`.
/// x is (tokens, cols), expert_of has one number for each token; all experts have one layout, shape
/// and scale grouping.
template <class Epilogue, executor Executor>
    requires std::invocable<const Epilogue&, float*, int, std::int64_t, std::int64_t>
status matmul_indexed(const kernel_table& table, std::span<const packed_view> experts,
                      std::span<const std::int32_t> expert_of, matrix_view<const float> x,
                      const Epilogue& epilogue, workspace& scratch, Executor& run,
                      const matmul_options& options = {}) {
    if (const status s = check_view(x); !s.ok()) return s;
    if (std::ssize(expert_of) != x.rows)
        return {errc::bad_shape, "Each token needs the number of one expert."};
    for (const std::int32_t e : expert_of)
        if (e < 0 || e >= std::ssize(experts))
            return {errc::bad_value, "A token asks for an expert that does not exist."};
    for (const packed_view& w : experts) {
        if (const status s = detail::check_product(w, x); !s.ok()) return s;
        if (const status s = detail::check_shared(experts.front(), w); !s.ok()) return s;
        if (w.rows != experts.front().rows)
            return {errc::bad_shape, "Experts must have the same number of rows."};
    }
    if (x.rows == 0 || experts.front().rows == 0) return {};

    const std::int64_t order_bytes = round_up(x.rows * 8, 64);
    const auto part_bytes = static_cast<std::int64_t>(sizeof(detail::product_part));
    std::byte* memory = scratch.reserve_order(order_bytes + std::ssize(experts) * part_bytes);
    if (memory == nullptr)
        return {errc::out_of_memory, "There is not enough memory to sort the tokens."};
    auto* order = reinterpret_cast<std::int64_t*>(memory);
    auto* first = reinterpret_cast<detail::product_part*>(memory + order_bytes);
    const detail::unsorted<Epilogue> unsorted{epilogue, order};
    for (std::size_t e = 0; e < experts.size(); ++e)
        new (first + e) detail::product_part{
            &experts[e], {&detail::call_epilogue<detail::unsorted<Epilogue>>, &unsorted}, 0, 0};
    const std::span<detail::product_part> parts(first, experts.size());
    detail::sort_by_expert(expert_of, parts, order);

    activation_shape shape{options.activation, x.rows, x.cols, options.activation_group};
    // The kernel of the busiest expert serves all.
    activation_shape busiest = shape;
    busiest.tokens = 0;
    for (const auto& p : parts)
        busiest.tokens = std::max(busiest.tokens, p.token_end - p.token_begin);
    const auto kernel = detail::kernel_for(table, experts.front(), busiest, options);
    if (!kernel.ok()) return kernel.error();
    return detail::run_products(
        *kernel.value(), table.quantize[static_cast<int>(options.activation)], parts, shape,
        [&](std::int64_t m) { return x.row(order[m]); }, scratch, run);
}

/// y is (tokens, rows of an expert).
template <executor Executor>
status matmul_indexed(const kernel_table& table, std::span<const packed_view> experts,
                      std::span<const std::int32_t> expert_of, matrix_view<const float> x,
                      matrix_view<float> y, workspace& scratch, Executor& run,
                      const matmul_options& options = {}) {
    for (const packed_view& w : experts)
        if (const status s = detail::check_packed(w); !s.ok()) return s;
    if (const status s = check_view(y); !s.ok()) return s;
    if (y.rows != x.rows || (!experts.empty() && y.cols != experts.front().rows))
        return {errc::bad_shape,
                "The output must have a row for each token and a column for each row of weights."};
    return matmul_indexed(table, experts, expert_of, x, epilogue::write{y}, scratch, run, options);
}

}  // namespace trilobit::inline TRILOBIT_ABI

#include "trilobit/core/end.hpp"
