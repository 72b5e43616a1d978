// SPDX-License-Identifier: MIT
// Room examples/model. Enters: a row of numbers. Leaves: the row in another basis, in which weights
// of few levels lose less, or back from it (Bonsai 2's files, whose keys are prism.hadamard.*).
#pragma once

#include <cmath>
#include <cstdint>
#include <vector>

namespace tbx::model {

/// H (s x) for each block of columns: signs, then Walsh's and Hadamard's matrix in Sylvester's
/// order, its rows of length 1.
struct rotation {
    std::int64_t block = 1;    // a power of two that divides the width
    std::vector<float> signs;  // of every column; empty: none is changed

    void forward(float* row, std::int64_t cols) const noexcept {
        change_signs(row);
        mix(row, cols);
    }
    /// Undoes forward(), but for rounding: H is its own inverse.
    void backward(float* row, std::int64_t cols) const noexcept {
        mix(row, cols);
        change_signs(row);
    }

private:
    void change_signs(float* row) const noexcept {
        for (std::size_t i = 0; i < signs.size(); ++i) row[i] *= signs[i];
    }
    void mix(float* row, std::int64_t cols) const noexcept {
        const float size = 1.0f / std::sqrt(static_cast<float>(block));
        for (float* b = row; b < row + cols; b += block) {
            for (std::int64_t half = 1; half < block; half *= 2)
                for (std::int64_t at = 0; at < block; at += 2 * half)
                    for (std::int64_t i = at; i < at + half; ++i) {
                        const float left = b[i], right = b[i + half];
                        b[i] = left + right;
                        b[i + half] = left - right;
                    }
            for (std::int64_t i = 0; i < block; ++i) b[i] *= size;
        }
    }
};

}  // namespace tbx::model
