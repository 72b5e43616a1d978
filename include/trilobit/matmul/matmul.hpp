// SPDX-License-Identifier: MIT
// Room matmul. Enters: packed weights, float activations, and every choice as a parameter. Leaves:
// y[m,n] = sum over k of x[m,k] w[n,k], or a sentence that says why not.
//
// The same packed bytes and activations give the same float bits whatever the arch, kernel family,
// executor or number of tokens in a call.
#pragma once

#include "trilobit/version.hpp"

#include <array>
#include <concepts>

#include "trilobit/matmul/epilogue.hpp"
#include "trilobit/matmul/run.hpp"

#include "trilobit/core/begin.hpp"

namespace trilobit::inline TRILOBIT_ABI {

struct matmul_options {
    activation_id activation = activation_id::int8;
    int activation_group = 0;  ///< columns that share an activation scale; 0 is the whole token
    kernel_id kernel = kernel_id::automatic;
};

namespace detail {

template <class Epilogue>
void call_epilogue(const void* epilogue, const float* sums, std::int64_t token, std::int64_t row,
                   int count) {
    // The block is the kernel's own and is not read again: an epilogue may change it in place.
    (*static_cast<const Epilogue*>(epilogue))(const_cast<float*>(sums), count, token, row);
}

/// Is there a matrix? If not, the sentence says why.
inline status check_packed(const packed_view& w) noexcept {
    if (!w.problem.ok()) return w.problem;
    if (w.tiles == nullptr)
        return {errc::bad_shape, "This packed matrix holds nothing: its view has no tiles."};
    return {};
}

/// What any product of these activations needs to be true of its matrix.
inline status check_product(const packed_view& w, matrix_view<const float> x) noexcept {
    if (const status s = check_packed(w); !s.ok()) return s;
    if (x.cols != w.cols)
        return {errc::bad_shape,
                "The activations have another number of columns than the weights."};
    return {};
}

/// Products that share activations share what a kernel makes of them.
inline status check_shared(const packed_view& a, const packed_view& b) noexcept {
    if (a.layout != b.layout || a.cols != b.cols || a.scale.per != b.scale.per ||
        a.scale.segments(a.cols) != b.scale.segments(b.cols))
        return {errc::bad_shape,
                "Matrices that share activations must have one layout, width and scale grouping."};
    return {};
}

/// The kernel for checked products, or why there is none.
inline result<const kernel_entry*> kernel_for(const kernel_table& table, const packed_view& w,
                                              const activation_shape& shape,
                                              const matmul_options& options) noexcept {
    if (options.activation_group != 0 && !valid_group(options.activation_group))
        return status{errc::bad_shape, "An activation group must span 32, 64, 128 or 256 columns."};
    const kernel_entry* kernel = choose_kernel(table, w, shape, options.kernel);
    if (kernel == nullptr)
        return status{errc::unsupported,
                      "No kernel of this back end serves this layout, activation and grouping."};
    return kernel;
}

}  // namespace detail

/// One of several multiplications of the same activations, for matmul_shared().
template <class Epilogue>
struct projection {
    const packed_view& w;
    Epilogue epilogue;
};
template <class Epilogue>
projection(const packed_view&, Epilogue) -> projection<Epilogue>;

/// Several matrices times the same activations (Q, K and V; gate and up), which are quantised once
/// and spread over the threads once. x is (tokens, cols); all matrices have one layout, width and
/// scale grouping, and any numbers of rows.
template <executor Executor, class... Epilogues>
    requires(std::invocable<const Epilogues&, float*, int, std::int64_t, std::int64_t> && ...)
status matmul_shared(const kernel_table& table, matrix_view<const float> x, workspace& scratch,
                     Executor& run, const matmul_options& options,
                     const projection<Epilogues>&... products) {
    if (const status s = check_view(x); !s.ok()) return s;
    std::array<detail::product_part, sizeof...(products)> parts{detail::product_part{
        &products.w,
        {&detail::call_epilogue<std::remove_cvref_t<Epilogues>>, &products.epilogue},
        0,
        x.rows}...};
    for (const auto& p : parts)
        if (const status s = detail::check_product(*p.w, x); !s.ok()) return s;
    const auto no_rows = [](const detail::product_part& p) { return p.w->rows == 0; };
    const auto end = std::remove_if(parts.begin(), parts.end(), no_rows);
    const std::span<const detail::product_part> busy(parts.begin(), end);
    for (const auto& p : busy)
        if (const status s = detail::check_shared(*busy.front().w, *p.w); !s.ok()) return s;
    const activation_shape shape{options.activation, x.rows, x.cols, options.activation_group};
    const auto kernel = detail::kernel_for(table, *parts.front().w, shape, options);
    if (!kernel.ok()) return kernel.error();
    if (x.rows == 0 || busy.empty()) return {};
    return detail::run_products(
        *kernel.value(), table.quantize[static_cast<int>(options.activation)], busy, shape,
        [&](std::int64_t m) { return x.row(m); }, scratch, run);
}

/// The general form: sums go to `epilogue` instead of to a matrix. x is (tokens, w.cols).
template <class Epilogue, executor Executor>
    requires std::invocable<const Epilogue&, float*, int, std::int64_t, std::int64_t>
status matmul(const kernel_table& table, const packed_view& w, matrix_view<const float> x,
              const Epilogue& epilogue, workspace& scratch, Executor& run,
              const matmul_options& options = {}) {
    return matmul_shared(table, x, scratch, run, options, projection<const Epilogue&>{w, epilogue});
}

/// y is (tokens, w.rows).
template <executor Executor>
status matmul(const kernel_table& table, const packed_view& w, matrix_view<const float> x,
              matrix_view<float> y, workspace& scratch, Executor& run,
              const matmul_options& options = {}) {
    if (const status s = detail::check_packed(w); !s.ok()) return s;
    if (const status s = check_view(y); !s.ok()) return s;
    if (y.rows != x.rows || y.cols != w.rows)
        return {errc::bad_shape,
                "The output must have a row for each token and a column for each row of weights."};
    return matmul(table, w, x, epilogue::write{y}, scratch, run, options);
}

/// Static dispatch: the kernels of this translation unit's own flags, or of a chosen Arch.
template <class Arch = native_arch, weight_layout Layout, executor Executor = const serial>
status matmul(const packed_matrix<Layout>& w, std::type_identity_t<matrix_view<const float>> x,
              matrix_view<float> y, const matmul_options& options = {}, Executor& run = serial{}) {
    workspace scratch;
    return matmul(kernels_for<Arch, Layout>::table, w.view(), x, y, scratch, run, options);
}

}  // namespace trilobit::inline TRILOBIT_ABI

#include "trilobit/core/end.hpp"
