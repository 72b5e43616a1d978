// SPDX-License-Identifier: MIT
// Room examples/model. Enters: the weights of an RMS norm and a row of numbers. Leaves: the row
// normed, the same bits whether zeros among its numbers are there or were pruned.
#pragma once

#include <cmath>
#include <vector>

#include "model/dense_kernels.hpp"

namespace tbx::model {

using vector = std::vector<float>;

/// Where neurons were pruned (prune.hpp), `weights` are those of the others.
struct norm {
    vector weights;
    std::int64_t width = 0;                 // of the row in the file: the divisor of the mean
    std::vector<std::int32_t> places = {};  // of the weights in that row; empty: all
};

[[nodiscard]] inline float mean_of_squares(const dense_kernels& run, const norm& w,
                                           const float* row) {
    if (!w.places.empty()) {
        // A sum of floats depends on its order, so every number goes back to its place.
        thread_local vector whole;
        whole.assign(static_cast<std::size_t>(w.width), 0.0f);
        for (std::size_t i = 0; i < w.places.size(); ++i)
            whole[static_cast<std::size_t>(w.places[i])] = row[i];
        row = whole.data();
    }
    return run.dot(number_type::f32, reinterpret_cast<const std::byte*>(row), row, w.width) /
           static_cast<float>(w.width);
}

/// out = row / sqrt(mean(row^2) + eps) * w; out may be row.
inline void rms_norm(const dense_kernels& run, const float* row, const norm& w, float eps,
                     float* out) {
    const float mean = mean_of_squares(run, w, row);
    run.scale_by(out, row, 1.0f / std::sqrt(mean + eps), w.weights.data(),
                 static_cast<std::int64_t>(w.weights.size()));
}

}  // namespace tbx::model
