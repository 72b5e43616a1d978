// SPDX-License-Identifier: MIT
// Room matmul. Enters: packed weights, float activations, and every choice as a parameter. Leaves:
// y[m,n] = sum over k of x[m,k] w[n,k], or a sentence that says why not.
//
// The same packed bytes and activations give the same float bits whatever the arch, kernel family,
// executor or number of tokens in a call.
#pragma once

#include <concepts>

#include "trilobit/core/executor.hpp"
#include "trilobit/matmul/epilogue.hpp"
#include "trilobit/matmul/workspace.hpp"
#include "trilobit/pack/pack.hpp"

namespace trilobit {

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

/// Below this many multiply-adds waking a thread costs more than it saves.
inline constexpr std::int64_t worth_a_thread = std::int64_t{1} << 18;

template <class Executor, class F>
void split(Executor& run, std::int64_t count, std::int64_t work, F&& f) {
    // Four pieces for each thread: a late or slow one costs a quarter of its share at most.
    const std::int64_t pieces = std::int64_t{4} * run.concurrency();
    if (work < worth_a_thread || run.concurrency() <= 1)
        f(std::int64_t{0}, count);
    else
        run(std::int64_t{0}, count, ceil_div(count, pieces), f);
}

template <class Epilogue, class Executor>
status run_kernel(const kernel_entry& kernel, quantize_function quantize, const packed_view& w,
                  matrix_view<const float> x, const Epilogue& epilogue,
                  const activation_shape& shape, workspace& scratch, Executor& run) {
    const workspace_layout at = workspace_layout::of(kernel, w, shape);
    std::byte* memory = scratch.reserve(at.size);
    if (memory == nullptr)
        return {errc::out_of_memory, "There is not enough memory to quantise the activations."};
    auto* values = reinterpret_cast<std::int8_t*>(memory + at.values);
    auto* scales = reinterpret_cast<float*>(memory + at.scales);
    const task t{w,
                 activation_view{shape, values, scales},
                 memory + at.operand,
                 {&call_epilogue<Epilogue>, &epilogue}};

    shared_status problem;
    split(run, shape.tokens, shape.tokens * shape.cols * 16,
          [&](std::int64_t begin, std::int64_t end) {
              for (std::int64_t m = begin; m < end; ++m)
                  if (const status s = quantize(shape, m, x.row(m), values, scales); !s.ok())
                      return problem.fail(s);
              kernel.prepare(t, begin, end);
          });
    if (!problem.ok()) return problem.get();
    split(
        run, w.row_blocks(), shape.tokens * w.rows * w.cols,
        [&](std::int64_t begin, std::int64_t end) { kernel.run(t, begin, end, 0, shape.tokens); });
    return {};
}

}  // namespace detail

/// The general form: sums go to `epilogue` instead of to a matrix. x is (tokens, w.cols).
template <class Epilogue, executor Executor>
    requires std::invocable<const Epilogue&, float*, int, std::int64_t, std::int64_t>
status matmul(const kernel_table& table, const packed_view& w, matrix_view<const float> x,
              const Epilogue& epilogue, workspace& scratch, Executor& run,
              const matmul_options& options = {}) {
    if (const status s = check_view(x); !s.ok()) return s;
    if (x.cols != w.cols)
        return {errc::bad_shape,
                "The activations have another number of columns than the weights."};
    if (options.activation_group != 0 && !valid_group(options.activation_group))
        return {errc::bad_shape, "An activation group must span 32, 64, 128 or 256 columns."};
    if (x.rows == 0 || w.rows == 0) return {};
    if (w.tiles == nullptr)
        return {errc::bad_shape,
                "This packed matrix holds nothing: packing it failed, or it was never packed."};
    const activation_shape shape{options.activation, x.rows, x.cols, options.activation_group};
    const kernel_entry* kernel = choose_kernel(table, w, shape, options.kernel);
    if (kernel == nullptr)
        return {errc::unsupported,
                "No kernel of this back end serves this layout, activation and grouping."};
    const quantize_function quantize = table.quantize[static_cast<int>(options.activation)];
    return detail::run_kernel(*kernel, quantize, w, x, epilogue, shape, scratch, run);
}

/// y is (tokens, w.rows).
template <executor Executor>
status matmul(const kernel_table& table, const packed_view& w, matrix_view<const float> x,
              matrix_view<float> y, workspace& scratch, Executor& run,
              const matmul_options& options = {}) {
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
    if (!w.status().ok()) return w.status();
    workspace scratch;
    return matmul(kernels_for<Arch, Layout>::table, w.view(), x, y, scratch, run, options);
}

}  // namespace trilobit
