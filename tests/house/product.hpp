// SPDX-License-Identifier: MIT
// Shared by the programs of this folder: a 3 x 5 product through the umbrella header.
// Enters: nothing. Leaves: y[m, n] for x all ones and weights +1, -1, 0 by turns.
#pragma once

#include <trilobit/trilobit.hpp>

namespace house {

/// Largest distance of the library's product from the one worked out by hand; negative on failure.
inline float product_error() {
    constexpr int rows = 3;
    constexpr int cols = 5;
    float w[rows * cols];
    for (int i = 0; i < rows * cols; ++i) w[i] = i % 3 == 0 ? 1.0f : i % 3 == 1 ? -1.0f : 0.0f;
    const float x[2 * cols] = {1, 1, 1, 1, 1, 2, 2, 2, 2, 2};  // (2, cols)
    float y[2 * rows] = {};                                    // (2, rows)

    // The weights are ternary already, so their scale is 1 and nothing is lost.
    const auto packed = trilobit::pack<trilobit::layout::ternary_2bit>(
        trilobit::matrix_view<const float>(w, rows, cols));
    if (!packed.status().ok()) return -1.0f;
    const auto done = trilobit::matmul(packed, trilobit::matrix_view<const float>(x, 2, cols),
                                       trilobit::matrix_view<float>(y, 2, rows));
    if (!done.ok()) return -1.0f;

    float worst = 0.0f;
    for (int m = 0; m < 2; ++m) {
        for (int n = 0; n < rows; ++n) {
            float sum = 0.0f;
            for (int k = 0; k < cols; ++k) sum += x[m * cols + k] * w[n * cols + k];
            const float error = y[m * rows + n] - sum;
            worst = error > worst ? error : -error > worst ? -error : worst;
        }
    }
    return worst;
}

}  // namespace house
