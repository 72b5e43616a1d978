// SPDX-License-Identifier: MIT
// Reference, the oracle. Enters: weights and activations as plain integers with their scales.
// Leaves: what every kernel must give, bit for bit: a triple loop in int64 and nothing clever.
// It shares no code with packing, layouts or kernels.
#pragma once

#include "trilobit/version.hpp"

#include <algorithm>
#include <cstdint>

#include "trilobit/core/matrix_view.hpp"

#include "trilobit/core/begin.hpp"

namespace trilobit::inline TRILOBIT_ABI::reference {

/// One operand: values (rows, cols), and a scale for each `group` columns of each row; group 0 is
/// all columns. `scales` is (rows, groups of a row).
struct operand {
    matrix_view<const std::int8_t> values;
    const float* scales = nullptr;
    std::int64_t group = 0;

    [[nodiscard]] std::int64_t width() const noexcept {
        return group != 0 ? group : std::max<std::int64_t>(values.cols, 1);
    }
    [[nodiscard]] float scale(std::int64_t row, std::int64_t col) const noexcept {
        const std::int64_t per_row = (values.cols + width() - 1) / width();
        return scales[row * per_row + col / width()];
    }
};

/// sum over columns [first, last) of x[m, k] w[n, k]
inline std::int64_t integer_sum(const operand& w, const operand& x, std::int64_t n, std::int64_t m,
                                std::int64_t first, std::int64_t last) noexcept {
    std::int64_t sum = 0;
    for (std::int64_t k = first; k < last; ++k)
        sum += std::int64_t{x.values(m, k)} * std::int64_t{w.values(n, k)};
    return sum;
}

/// y (tokens, rows): segments of columns with one scale on each side, added in rising order, each
/// float(sum) * (weight scale * activation scale), every operation rounded to float on its own.
inline void matmul(const operand& w, const operand& x, matrix_view<float> y) noexcept {
    const std::int64_t cols = w.values.cols, step = std::min(w.width(), x.width());
    for (std::int64_t m = 0; m < x.values.rows; ++m)
        for (std::int64_t n = 0; n < w.values.rows; ++n) {
            volatile float sum = 0.0f;  // volatile: no contraction, whatever the flags
            for (std::int64_t k = 0; k < cols; k += step) {
                const std::int64_t exact = integer_sum(w, x, n, m, k, std::min(k + step, cols));
                volatile float factor = w.scale(n, k) * x.scale(m, k);
                volatile float product = static_cast<float>(exact) * factor;
                sum = sum + product;
            }
            y(m, n) = sum;
        }
}

}  // namespace trilobit::inline TRILOBIT_ABI::reference

#include "trilobit/core/end.hpp"
