// SPDX-License-Identifier: MIT
// Room train: the pieces of the graph that are not matrix products, one row at a time, both ways.
// Enters: rows of activations and of gradients.
// Leaves: the next rows; every backward here is checked against finite differences.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>
#include <vector>

#include "model/elementary.hpp"
#include "train/sums.hpp"

namespace tbx::train {

// exp without a call, so that loops over it vectorise: 2^n * 2^f, |f| <= 1/2, relative error 2e-7.
inline float exponential(float x) {
    x = x < -87.0f ? -87.0f : (x > 88.0f ? 88.0f : x);
    const float magic = 12582912.0f;  // 1.5 * 2^23: adding it rounds to an integer
    const float n = (x * 1.44269504f + magic) - magic;
    const float f = (x - n * 0.693359375f) + n * 2.12194440e-4f;
    float p = 1.9875691500e-4f;
    p = p * f + 1.3981999507e-3f;
    p = p * f + 8.3334519073e-3f;
    p = p * f + 4.1665795894e-2f;
    p = p * f + 1.6666665459e-1f;
    p = p * f + 5.0000001201e-1f;
    p = p * f * f + f + 1.0f;
    const auto scale = static_cast<std::uint32_t>(static_cast<std::int32_t>(n) + 127) << 23;
    return p * std::bit_cast<float>(scale);
}
inline double exponential(double x) { return std::exp(x); }

// y = x * r * w with r = 1/sqrt(mean x^2 + eps); returns r, which the way back needs.
template <class Real>
Real rms_norm(const Real* x, const Real* w, Real* y, int n, Real eps) {
    const Real r = Real(1) / std::sqrt(sum_of(n, x, x) / Real(n) + eps);
    for (int i = 0; i < n; ++i) y[i] = x[i] * r * w[i];
    return r;
}

// Adds into dx and dw.
template <class Real>
void rms_norm_back(const Real* x, const Real* w, Real r, const Real* dy, Real* dx, Real* dw,
                   int n) {
    const Real pull = r * r * r * sum_of(n, dy, w, x) / Real(n);
    for (int i = 0; i < n; ++i) {
        dx[i] += r * dy[i] * w[i] - pull * x[i];
        dw[i] += dy[i] * x[i] * r;
    }
}

// z = f(g) * u with f = relu^2 or SiLU.
template <class Real>
void gated(const Real* g, const Real* u, Real* z, int n, bool squared_relu) {
    if (squared_relu) {
        for (int i = 0; i < n; ++i) {
            const Real p = g[i] > 0 ? g[i] : Real(0);
            z[i] = p * p * u[i];
        }
    } else {
        for (int i = 0; i < n; ++i) z[i] = g[i] / (Real(1) + exponential(-g[i])) * u[i];
    }
}

// Replaces g and u by their gradients.
template <class Real>
void gated_back(Real* g, Real* u, const Real* dz, int n, bool squared_relu) {
    if (squared_relu) {
        for (int i = 0; i < n; ++i) {
            const Real p = g[i] > 0 ? g[i] : Real(0);
            const Real dg = dz[i] * u[i] * Real(2) * p;
            u[i] = dz[i] * p * p;
            g[i] = dg;
        }
    } else {
        for (int i = 0; i < n; ++i) {
            const Real s = Real(1) / (Real(1) + exponential(-g[i]));
            const Real silu = g[i] * s;
            const Real dg = dz[i] * u[i] * (s + silu * (Real(1) - s));
            u[i] = dz[i] * silu;
            g[i] = dg;
        }
    }
}

// Rotary embedding: cosines and sines for every position and pair; rotating by -angle undoes it.
template <class Real>
class rotary {
public:
    rotary(int positions, int head_dim, float base, bool interleaved)
        : half{head_dim / 2}, pairs_adjacent{interleaved} {
        std::vector<double> steps;
        for (int i = 0; i < half; ++i) steps.push_back(model::power(base, -2.0 * i / head_dim));
        for (int t = 0; t < positions; ++t)
            for (const double step : steps) {
                const model::direction d = model::direction_of(t * step);
                cosine.push_back(static_cast<Real>(d.cosine));
                sine.push_back(static_cast<Real>(d.sine));
            }
    }

    // `sign` is +1 on the way forward and -1 on the way back.
    void turn(Real* row, int heads, int position, Real sign) const {
        const Real* c = cosine.data() + static_cast<std::ptrdiff_t>(position) * half;
        const Real* s = sine.data() + static_cast<std::ptrdiff_t>(position) * half;
        for (int h = 0; h < heads; ++h) {
            Real* x = row + static_cast<std::ptrdiff_t>(h) * 2 * half;
            if (pairs_adjacent) {
                for (int i = 0; i < half; ++i) rotate(x[2 * i], x[2 * i + 1], c[i], sign * s[i]);
            } else {
                Real* high = x + half;
#pragma omp simd
                for (int i = 0; i < half; ++i) rotate(x[i], high[i], c[i], sign * s[i]);
            }
        }
    }

private:
    static void rotate(Real& a, Real& b, Real c, Real s) {
        const Real old = a;
        a = old * c - b * s;
        b = old * s + b * c;
    }

    int half;
    bool pairs_adjacent;
    std::vector<Real> cosine, sine;
};

}  // namespace tbx::train
