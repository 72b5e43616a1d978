// SPDX-License-Identifier: MIT
// Room train: cross-entropy with the text and, with a teacher, its soft targets.
// Enters: logits (rows, vocab), the next token of each row, optionally the teacher's logits.
// Leaves: the summed losses and the gradient of their weighted mean, over the logits themselves.
#pragma once

#include <algorithm>
#include <cmath>
#include <span>
#include <vector>

#include "train/elementwise.hpp"
#include "train/portable_math.hpp"

namespace tbx::train {

struct loss_sums {
    double nll = 0;      // -log p(next token), the figure that perplexity is made of
    double trained = 0;  // what the gradient descends
    long rows = 0;

    loss_sums& operator+=(const loss_sums& o) {
        nll += o.nll;
        trained += o.trained;
        rows += o.rows;
        return *this;
    }
};

// Replaces logits by log-free probabilities; returns log(sum exp).
template <class Real>
double to_probabilities(Real* row, int n) {
    Real largest = row[0];
#pragma omp simd reduction(max : largest)
    for (int i = 0; i < n; ++i) largest = row[i] > largest ? row[i] : largest;
    for (int i = 0; i < n; ++i) row[i] = exponential(row[i] - largest);
    const Real sum = sum_of(n, row);
    const Real inverse = Real(1) / sum;
    for (int i = 0; i < n; ++i) row[i] *= inverse;
    return static_cast<double>(largest) + natural_log(static_cast<double>(sum));
}

// A next token below zero is a row without target. The loss of a row is
// (1 - soft) * nll + soft * cross-entropy with the teacher; its gradient is times `weight`.
template <class Real>
loss_sums loss_and_gradient(std::span<const Real> logits, std::span<const int> next,
                            std::span<const Real> teacher, Real soft, Real weight,
                            std::vector<Real>& gradient) {
    loss_sums sums;
    const int n = static_cast<int>(logits.size() / next.size());
    gradient.assign(logits.begin(), logits.end());
    std::vector<Real> target(static_cast<std::size_t>(n));
    for (std::size_t r = 0; r < next.size(); ++r) {
        const Real* z = logits.data() + static_cast<std::ptrdiff_t>(r) * n;
        Real* g = gradient.data() + static_cast<std::ptrdiff_t>(r) * n;
        if (next[r] < 0) {
            std::fill(g, g + n, Real(0));
            continue;
        }
        const double log_sum = to_probabilities(g, n);
        const double nll = log_sum - static_cast<double>(z[next[r]]);
        double trained = nll;
        if (!teacher.empty() && soft > 0) {
            const Real* t = teacher.data() + static_cast<std::ptrdiff_t>(r) * n;
            std::copy(t, t + n, target.begin());
            to_probabilities(target.data(), n);
            const double expected = static_cast<double>(sum_of(n, target.data(), z));
            trained = (1.0 - double(soft)) * nll + double(soft) * (log_sum - expected);
            const Real hard = Real(1) - soft;
            for (int i = 0; i < n; ++i)
                g[i] = weight * (g[i] - soft * target[static_cast<std::size_t>(i)]);
            g[next[r]] -= weight * hard;
        } else {
            for (int i = 0; i < n; ++i) g[i] *= weight;
            g[next[r]] -= weight;
        }
        sums.nll += nll;
        sums.trained += trained;
        ++sums.rows;
    }
    return sums;
}

}  // namespace tbx::train
