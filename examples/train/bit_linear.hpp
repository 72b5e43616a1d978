// SPDX-License-Identifier: MIT
// Room train: the linear layer with BitNet's fake quantisers and their straight-through gradients.
// Enters: float activations (rows, K) and weights (M, K).
// Leaves: y = (t q^T) s_w s_x, and on the way back gradients as if neither had been rounded.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include "train/config.hpp"
#include "train/gemm.hpp"
#include "trilobit/core/float16.hpp"
#include "trilobit/weights/quantize.hpp"

namespace tbx::train {

// A matrix ready for a backend: its values are stored * scale, a row of activations having a scale
// of its own, all weights the same.
template <class Backend>
struct operand {
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

inline float half_even(float v) { return (v + 12582912.0f) - 12582912.0f; }  // |v| < 2^22
inline double half_even(double v) { return std::nearbyint(v); }

// Per-token absmax int8; the integers are written as reals. Returns what undoes the scaling.
template <class Real>
Real quantise_activations(const Real* x, Real* q, int n) {
    Real largest = Real(1e-5);
#pragma omp simd reduction(max : largest)
    for (int i = 0; i < n; ++i) {
        const Real size = std::abs(x[i]);
        largest = size > largest ? size : largest;
    }
    const Real s = Real(127) / largest;
    for (int i = 0; i < n; ++i) q[i] = half_even(x[i] * s);
    return Real(1) / s;
}

// Stores row `r` of an activation operand, quantised or as it is. `room` holds n reals.
template <class Backend, class Real>
void store_row(operand<Backend>& to, int r, const Real* x, bool quantise, Real* room) {
    const auto n = static_cast<std::size_t>(to.cols);
    if (quantise) {
        to.scale[static_cast<std::size_t>(r)] = quantise_activations(x, room, to.cols);
        Backend::convert(room, to.row(r), n);
    } else {
        Backend::convert(x, to.row(r), n);
    }
}

// What the linear weights become on their way into the products.
enum class rounding { none, absmean, exact };

inline rounding rounding_of(const model_config& c, slot_kind kind) {
    if (!c.ternary || kind != slot_kind::linear) return rounding::none;
    return c.already_ternary ? rounding::exact : rounding::absmean;
}

// For weights that are t * scale already: the scale is the largest size.
inline float split_ternary(std::span<const float> w, std::span<std::int8_t> trits) {
    float scale = 0.0f;
    for (const float x : w) scale = std::max(scale, std::abs(x));
    for (std::size_t i = 0; i < w.size(); ++i)
        trits[i] = static_cast<std::int8_t>((w[i] > 0.0f) - (w[i] < 0.0f));
    return scale;
}

// The absmean rule of the library, with the scale rounded to half precision as files store it.
inline float ternarise(std::span<const float> w, std::span<std::int8_t> trits) {
    const auto n = static_cast<std::int64_t>(w.size());
    float scale = 0.0f;
    const trilobit::status s = trilobit::ternarize_absmean(
        trilobit::matrix_view<const float>(w.data(), 1, n), trilobit::scale_spec::tensor(),
        trilobit::matrix_view<std::int8_t>(trits.data(), 1, n), &scale);
    if (!s.ok()) throw std::runtime_error(std::string("weights: ") + s.text);
    return trilobit::f16_to_f32(trilobit::f32_to_f16(scale));
}

template <class Backend, class Real>
void prepare_weights(operand<Backend>& to, const Real* w, int rows, int cols, rounding rule) {
    to.assign(w, rows, cols);
    if (rule == rounding::none) return;
    const std::size_t n = to.stored.size();
    std::vector<float> plain(n);
    for (std::size_t i = 0; i < n; ++i) plain[i] = static_cast<float>(w[i]);
    std::vector<std::int8_t> trits(n);
    to.scale.assign(
        1, Real(rule == rounding::exact ? split_ternary(plain, trits) : ternarise(plain, trits)));
    std::vector<Real> values(trits.begin(), trits.end());
    Backend::convert(values.data(), to.stored.data(), n);
}

// y (rows, M) = x (rows, K) w (M, K)^T
template <class Backend, class Real>
void linear(const operand<Backend>& x, const operand<Backend>& w, int rows, int m, Real* y) {
    const int k = x.cols;
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
