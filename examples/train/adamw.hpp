// SPDX-License-Identifier: MIT
// Room train: AdamW with gradient clipping, and how the learning rate goes over the run.
// Enters: parameters, gradients, both moments; the step and the total.
// Leaves: parameters one step further; the gradient's norm before clipping.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <span>
#include <vector>

#include "train/config.hpp"
#include "train/portable_math.hpp"
#include "train/sums.hpp"

namespace tbx::train {

struct optimiser_options {
    double lr = 3e-3;
    double beta1 = 0.9, beta2 = 0.95, epsilon = 1e-8;
    double weight_decay = 0.05;  // of linear weights, until the rate begins to fall
    double clip = 1.0;           // largest norm of the whole gradient
    std::int64_t warm_up = 100;
    double decay_part = 0.5;  // the last part of the run, where the rate falls to zero
};

// Rises linearly, stays, falls linearly. Before the fall it does not depend on the total, so a run
// can be resumed with another total and remains the run it would have been.
struct rate {
    double lr = 0;
    double weight_decay = 0;
};

inline rate rate_at(const optimiser_options& o, std::int64_t step, std::int64_t steps) {
    const auto fall = static_cast<double>(steps) * (1.0 - o.decay_part);
    const double s = static_cast<double>(step);
    rate r{o.lr, o.weight_decay};
    if (step < o.warm_up) r.lr *= (s + 1) / static_cast<double>(o.warm_up);
    if (s >= fall) {
        r.lr *= (static_cast<double>(steps) - s) / std::max(1.0, static_cast<double>(steps) - fall);
        // Ternary weights settle best when nothing pulls them towards the rounding threshold.
        r.weight_decay = 0;
    }
    return r;
}

struct moments {
    std::vector<float> first, second;
};

inline double norm_of(std::span<const float> g) {
    double total = 0;
    for (std::size_t i = 0; i < g.size(); i += 4096) {
        const std::size_t n = std::min<std::size_t>(4096, g.size() - i);
        const float* part = g.data() + i;
        total += static_cast<double>(sum_of(static_cast<std::ptrdiff_t>(n), part, part));
    }
    return std::sqrt(total);
}

inline double adamw_step(const parameter_layout& layout, const optimiser_options& o, rate now,
                         std::int64_t step, std::span<float> p, std::span<const float> g,
                         moments& m) {
    const double norm = norm_of(g);
    const auto shrink = static_cast<float>(norm > o.clip ? o.clip / norm : 1.0);
    const auto b1 = static_cast<float>(o.beta1), b2 = static_cast<float>(o.beta2);
    const auto root = static_cast<float>(std::sqrt(1 - whole_power(o.beta2, step + 1)));
    const auto move = static_cast<float>(now.lr / (1 - whole_power(o.beta1, step + 1))) * root;
    const auto tiny = static_cast<float>(o.epsilon) * root;
    for (const slot& s : layout.slots) {
        const bool decays = s.kind == slot_kind::linear;
        const auto keep = static_cast<float>(decays ? 1.0 - now.lr * now.weight_decay : 1.0);
        float* w = p.data() + s.offset;
        const float* d = g.data() + s.offset;
        float* first = m.first.data() + s.offset;
        float* second = m.second.data() + s.offset;
        const auto n = static_cast<std::ptrdiff_t>(s.size());
#pragma omp simd
        for (std::ptrdiff_t i = 0; i < n; ++i) {
            const float c = d[i] * shrink;
            first[i] = b1 * first[i] + (1 - b1) * c;
            second[i] = b2 * second[i] + (1 - b2) * c * c;
            w[i] = w[i] * keep - move * first[i] / (std::sqrt(second[i]) + tiny);
        }
    }
    return norm;
}

}  // namespace tbx::train
