// SPDX-License-Identifier: MIT
// Room examples/model. Enters: a dense matrix. Leaves: its rows rounded to int8, and for every row
// and every x an interval that surely holds what multiply() computes for them.
//
// With w' the rounded row and x' the rounded x, the true product is
//     w x = w' x' + (w - w') x' + w (x - x'),
// so |w x - w' x'| <= |w - w'| |x'| + |w| |x - x'| by Cauchy and Schwarz (| | are 2-norms), and
// multiply() adds its own rounding: at most `roundings` of them touch a term, hence
// roundings 2^-24 |w| |x| and a little for subnormal products. w' x' is a sum of integers, exact in
// any order. All bounds are kept and added up in double and rounded up.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "model/linear.hpp"

namespace tbx::model {

/// Integers in place of x, and what that costs. scale * values[i] is about x[i].
struct coarse_input {
    std::vector<std::int16_t> values;
    float scale = 0;
    // upper bounds of 2-norms
    double norm = 0;          // of x
    double rounded_norm = 0;  // of scale * values
    double residual = 0;      // of x - scale * values
};

/// What a row's exact score is known to be near: [middle - slack, upper].
struct coarse_score {
    double middle = 0;
    double upper = 0;  // infinite when nothing is known
};

class coarse_rows {
    struct row_bound {
        float scale;     // scale * code is about the weight
        float norm;      // >= |w|; infinite for a row with NaN or infinity
        float residual;  // >= |w - scale * code|
    };
    std::int64_t row_count = 0, columns = 0;
    float factor = 1;                // linear::scale
    trilobit::aligned_buffer codes;  // (rows, cols) int8
    std::vector<row_bound> bounds;

    void round_row(std::int64_t row, const float* w) noexcept;

public:
    /// Wider rows leave an int32 sum less than 8 bits for x.
    static constexpr std::int64_t most_columns = 1 << 17;

    coarse_rows() = default;
    /// Throws tbx::error when memory is lacking. Empty for packed weights, which are smaller than
    /// int8 already, for rows beyond most_columns and for a scale that is not finite.
    coarse_rows(compute& cpu, const linear& exact);

    [[nodiscard]] std::int64_t rows() const noexcept { return row_count; }
    [[nodiscard]] std::int64_t cols() const noexcept { return columns; }
    /// Bytes that scoring all rows reads.
    [[nodiscard]] std::int64_t bytes() const noexcept;

    /// False when x holds NaN or infinity: then no interval holds.
    [[nodiscard]] bool round_input(const float* x, coarse_input& out) const;
    /// Scores of rows [begin, end) to out[begin..end).
    void score(const dense_kernels& run, const coarse_input& x, std::int64_t begin,
               std::int64_t end, coarse_score* out) const noexcept;
};

}  // namespace tbx::model
