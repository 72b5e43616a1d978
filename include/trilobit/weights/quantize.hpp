// SPDX-License-Identifier: MIT
// Room weights. Enters: float weights. Leaves: int8 values in {-1, 0, +1} or {-1, +1} and a float
// scale for each tensor, row or group, by the rules that the BitNet papers train with.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "trilobit/core/executor.hpp"
#include "trilobit/core/floats.hpp"
#include "trilobit/core/matrix_view.hpp"
#include "trilobit/weights/kind.hpp"
#include "trilobit/weights/scale.hpp"

namespace trilobit {

/// What a rule needs to know of the weights that share one scale. Sums are kept in double so that
/// the order in which threads add rows cannot move the mean by a float.
struct unit_sums {
    double signed_sum = 0;
    double absolute_sum = 0;
    std::int64_t count = 0;

    constexpr unit_sums& operator+=(const unit_sums& other) noexcept {
        TRILOBIT_ADDS_IN_ORDER
        signed_sum = in_order(signed_sum + other.signed_sum);
        absolute_sum = in_order(absolute_sum + other.absolute_sum);
        count += other.count;
        return *this;
    }
    [[nodiscard]] float mean() const noexcept { return divided(signed_sum); }
    [[nodiscard]] float absolute_mean() const noexcept { return divided(absolute_sum); }
    /// NaN or infinity among the weights survives every sum.
    [[nodiscard]] bool finite() const noexcept { return is_finite(absolute_sum); }

private:
    [[nodiscard]] float divided(double sum) const noexcept {
        return count == 0 ? 0.0f
                          : rounded(static_cast<float>(quotient(sum, static_cast<double>(count))));
    }
};

inline unit_sums sum_weights(const float* weights, std::int64_t count) noexcept {
    TRILOBIT_ADDS_IN_ORDER
    const standard_floats standard;
    // Four chains: a double addition takes four cycles and this pass should run at memory speed.
    double sums[4] = {}, absolutes[4] = {};
    std::int64_t i = 0;
    for (; i + 4 <= count; i += 4)
        for (int lane = 0; lane < 4; ++lane) {
            const double w = weights[i + lane];
            sums[lane] = in_order(sums[lane] + w);
            absolutes[lane] = in_order(absolutes[lane] + std::fabs(w));
        }
    for (; i < count; ++i) {
        const double w = weights[i];
        sums[0] = in_order(sums[0] + w);
        absolutes[0] = in_order(absolutes[0] + std::fabs(w));
    }
    return {in_order(sums[0] + sums[1]) + in_order(sums[2] + sums[3]),
            in_order(absolutes[0] + absolutes[1]) + in_order(absolutes[2] + absolutes[3]), count};
}

/// BitNet b1.58: s = 1 / max(mean|W|, 1e-5), t = clamp(round_half_even(W s), -1, 1), w ~ t / s.
struct absmean {
    using kind = ternary;

    static float scale(const unit_sums& sums) noexcept {
        return std::max(sums.absolute_mean(), 1e-5f);
    }
    static void apply(const float* weights, std::int64_t count, const unit_sums& sums,
                      std::int8_t* values) noexcept {
        const float s = quotient(1.0f, scale(sums));
        // Half-even rounds 0.5 to 0 and everything above it to 1 or more, which is clamped: two
        // comparisons are the rule exactly, and they vectorise on every machine.
        for (std::int64_t i = 0; i < count; ++i) {
            const float p = rounded(weights[i] * s);
            values[i] = static_cast<std::int8_t>((p > 0.5f) - (p < -0.5f));
        }
    }
};

/// BitNet (2023): +1 where W > mean(W), else -1; scale mean|W|.
struct sign_around_mean {
    using kind = binary;

    static float scale(const unit_sums& sums) noexcept { return sums.absolute_mean(); }
    static void apply(const float* weights, std::int64_t count, const unit_sums& sums,
                      std::int8_t* values) noexcept {
        const float mean = sums.mean();
        for (std::int64_t i = 0; i < count; ++i)
            values[i] = static_cast<std::int8_t>(weights[i] > mean ? 1 : -1);
    }
};

inline constexpr status weights_not_finite{errc::bad_value, "A weight is NaN or infinite."};

/// Quantises one row of `cols` weights. `tensor` holds the sums of the whole matrix and is read for
/// per-tensor scales only; `scales` receives one float per segment of the row.
template <class Rule>
status quantize_row(const float* weights, std::int64_t cols, const scale_spec& spec,
                    const unit_sums& tensor, std::int8_t* values, float* scales) noexcept {
    const standard_floats standard;
    const std::int64_t width = spec.segment_cols(cols);
    for (std::int64_t first = 0; first < cols; first += width) {
        const std::int64_t count = std::min(width, cols - first);
        const unit_sums sums =
            spec.per == granularity::tensor ? tensor : sum_weights(weights + first, count);
        if (!sums.finite()) return weights_not_finite;
        Rule::apply(weights + first, count, sums, values + first);
        scales[first / width] = Rule::scale(sums);
    }
    return {};
}

/// Sums over a whole matrix, rows added in order whoever computed them. `row_sums` is caller's
/// memory for `weights.rows` elements.
template <executor Executor>
unit_sums sum_matrix(matrix_view<const float> weights, unit_sums* row_sums, Executor& run) {
    run(0, weights.rows, 1, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t i = begin; i < end; ++i)
            row_sums[i] = sum_weights(weights.row(i), weights.cols);
    });
    const standard_floats standard;
    unit_sums total;
    for (std::int64_t i = 0; i < weights.rows; ++i) total += row_sums[i];
    return total;
}

namespace detail {

template <class Rule>
status quantize_matrix(matrix_view<const float> weights, const scale_spec& spec,
                       matrix_view<std::int8_t> values, float* scales) noexcept {
    if (const status s = check_view(weights); !s.ok()) return s;
    if (const status s = check_view(values); !s.ok()) return s;
    if (const status s = check_scale_spec(spec); !s.ok()) return s;
    if (values.rows != weights.rows || values.cols != weights.cols)
        return {errc::bad_shape, "The quantised values have another shape than the weights."};
    const standard_floats standard;
    unit_sums tensor;
    if (spec.per == granularity::tensor) {
        for (std::int64_t i = 0; i < weights.rows; ++i)
            tensor += sum_weights(weights.row(i), weights.cols);
        scales[0] = Rule::scale(tensor);
    }
    const std::int64_t segments = spec.segments(weights.cols);
    for (std::int64_t i = 0; i < weights.rows; ++i) {
        float* row_scales = spec.per == granularity::tensor ? scales : scales + i * segments;
        if (const status s = quantize_row<Rule>(weights.row(i), weights.cols, spec, tensor,
                                                values.row(i), row_scales);
            !s.ok())
            return s;
    }
    return {};
}

}  // namespace detail

/// Float -> {-1, 0, +1} by `absmean`. `scales` has spec.count(rows, cols) elements.
inline status ternarize_absmean(matrix_view<const float> weights, const scale_spec& spec,
                                matrix_view<std::int8_t> values, float* scales) noexcept {
    return detail::quantize_matrix<absmean>(weights, spec, values, scales);
}

/// Float -> {-1, +1} by `sign_around_mean`. `scales` has spec.count(rows, cols) elements.
inline status binarize_sign(matrix_view<const float> weights, const scale_spec& spec,
                            matrix_view<std::int8_t> values, float* scales) noexcept {
    return detail::quantize_matrix<sign_around_mean>(weights, spec, values, scales);
}

/// Weights that are already -1, 0 and +1, with their scales in the order of scale_spec::count.
struct quantized_view {
    matrix_view<const std::int8_t> values;
    const float* scales = nullptr;
    scale_spec scale;
};

}  // namespace trilobit
