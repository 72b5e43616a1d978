// SPDX-License-Identifier: MIT
// Room train: the linear layer with fake quantisers and their straight-through gradients.
// Enters: float activations (rows, K) and weights (M, K).
// Leaves: y = (t q^T) s_w s_x, and on the way back gradients as if neither had been rounded.
#pragma once

#include <cstdint>
#include <vector>

#include "train/gemm.hpp"
#include "train/library_operand.hpp"
#include "train/rounding.hpp"

namespace tbx::train {

// A matrix ready for a backend: its values are stored * scale, a row of activations having a scale
// of its own, all weights the same.
template <class Backend>
struct operand : library_operand<Backend> {
    using real = typename Backend::real;
    std::vector<typename Backend::store> stored;  // (rows, cols)
    std::vector<real> scale;                      // empty: all ones
    int cols = 0;

    void resize(int rows, int columns) {
        cols = columns;
        stored.resize(static_cast<std::size_t>(rows) * static_cast<std::size_t>(columns));
    }
    [[nodiscard]] typename Backend::store* row(int r) {
        return stored.data() + static_cast<std::ptrdiff_t>(r) * cols;
    }
    void assign(const real* from, int rows, int columns) {
        resize(rows, columns);
        scale.clear();
        Backend::convert(from, stored.data(), stored.size());
    }
};

// Stores row `r` of an activation operand, rounded or as it is. `room` holds n reals.
template <class Backend, class Real>
void store_row(operand<Backend>& to, int r, const Real* x, input_rule rule, Real* room) {
    const auto n = static_cast<std::size_t>(to.cols);
    if (rule == input_rule::none) return Backend::convert(x, to.row(r), n);
    to.scale[static_cast<std::size_t>(r)] = round_row(rule, x, room, to.cols);
    Backend::convert(room, to.row(r), n);
    to.keep_row(r, room, to.cols, rule);
}

template <class Backend, class Real>
void prepare_weights(operand<Backend>& to, const Real* w, int rows, int cols, rounding rule) {
    to.assign(w, rows, cols);
    if (rule == rounding::none) return;
    const std::size_t n = to.stored.size();
    std::vector<float> plain(n);
    for (std::size_t i = 0; i < n; ++i) plain[i] = static_cast<float>(w[i]);
    std::vector<std::int8_t> levels(n);
    const float scale = round_weights(rule, plain, levels);
    to.scale.assign(1, Real(scale));
    std::vector<Real> values(levels.begin(), levels.end());
    Backend::convert(values.data(), to.stored.data(), n);
    to.keep_weights({levels.data(), rows, cols}, scale);
}

// y (rows, M) = x (rows, K) w (M, K)^T
template <class Backend, class Real>
void linear(const operand<Backend>& x, const operand<Backend>& w, int rows, int m, Real* y) {
    const int k = x.cols;
    if constexpr (through_library<Backend>)
        if (!x.scale.empty()) return multiply_by_library(x, x.scale, w, rows, y);
    Backend::gemm({false, true, rows, m, k, k, k, m, false}, x.stored.data(), w.stored.data(), y);
    if (x.scale.empty()) return;
    for (int r = 0; r < rows; ++r) {
        Real* row = y + static_cast<std::ptrdiff_t>(r) * m;
        const Real s = x.scale[static_cast<std::size_t>(r)] * w.scale[0];
        for (int i = 0; i < m; ++i) row[i] *= s;
    }
}

// dw (M, K) += dy^T x and dx (rows, K) (+)= dy w. The scales of x and w go into dy, so that both
// products read the integers themselves. `room` holds M reals; `scaled` is scratch.
template <class Backend, class Real>
void linear_back(const operand<Backend>& x, const operand<Backend>& w, int rows, int m,
                 const Real* dy, Real* dx, Real* dw, bool accumulate_dx, operand<Backend>& scaled,
                 std::vector<Real>& room) {
    const int k = x.cols;
    scaled.resize(rows, m);
    room.resize(static_cast<std::size_t>(m));
    const auto fill = [&](auto factor) {
        for (int r = 0; r < rows; ++r) {
            const Real s = factor(static_cast<std::size_t>(r));
            const Real* from = dy + static_cast<std::ptrdiff_t>(r) * m;
            for (int i = 0; i < m; ++i) room[static_cast<std::size_t>(i)] = from[i] * s;
            Backend::convert(room.data(), scaled.row(r), static_cast<std::size_t>(m));
        }
    };
    fill([&](std::size_t) { return w.scale.empty() ? Real(1) : w.scale[0]; });
    Backend::gemm({false, false, rows, k, m, m, k, k, accumulate_dx}, scaled.stored.data(),
                  w.stored.data(), dx);
    if (!x.scale.empty()) fill([&](std::size_t r) { return x.scale[r]; });
    Backend::gemm({true, false, m, k, rows, m, k, k, true}, scaled.stored.data(), x.stored.data(),
                  dw);
}

}  // namespace tbx::train
