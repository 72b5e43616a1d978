// SPDX-License-Identifier: MIT
// Room weights. Enters: float weights. Leaves: int8 values in {-1, 0, +1}, {-1, +1} or of four
// levels, and a float scale s for each tensor, row or group: trits and signs by the rules that the
// BitNet papers train with, three of four by Sherry's. Weights that are s times such values already
// lose no bit.
#pragma once

#include "trilobit/version.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <span>

#include "trilobit/core/executor.hpp"
#include "trilobit/core/floats.hpp"
#include "trilobit/core/matrix_view.hpp"
#include "trilobit/weights/kind.hpp"
#include "trilobit/weights/scale.hpp"
#include "trilobit/weights/unit_sums.hpp"

#include "trilobit/core/begin.hpp"

namespace trilobit::inline TRILOBIT_ABI {

/// BitNet b1.58: s = 1 / max(mean|W|, 1e-5), t = clamp(round_half_even(W s), -1, 1), w ~ t / s.
/// Of {-a, 0, +a} s is 1 / a and nothing is lost: mean|W| is a times the share of non-zeros.
struct absmean {
    using kind = ternary;

    static float scale(const unit_sums& sums) noexcept {
        if (const float s = sums.values.unit<kind>(); s != 0) return s;
        return std::max(sums.absolute_mean(), 1e-5f);
    }
    static void apply(const float* weights, std::int64_t count, const unit_sums& sums,
                      std::int8_t* values) noexcept {
        const bool exact = sums.values.unit<kind>() != 0;
        const float s = exact ? 1.0f : quotient(1.0f, scale(sums));
        // Half-even rounds 0.5 to 0 and everything above it to 1 or more, which is clamped: two
        // comparisons are the rule exactly, and they vectorise on every machine.
        const float edge = exact ? 0.0f : 0.5f;
        for (std::int64_t i = 0; i < count; ++i) {
            const float p = rounded(weights[i] * s);
            values[i] = static_cast<std::int8_t>((p > edge) - (p < -edge));
        }
    }
};

/// BitNet (2023): +1 where W > mean(W), else -1; scale mean|W|. Of {-a, +a} the signs are those of
/// the weights, whatever their mean, and the scale is a.
struct sign_around_mean {
    using kind = binary;

    static float scale(const unit_sums& sums) noexcept {
        const float s = sums.values.unit<kind>();
        return s != 0 ? s : sums.absolute_mean();
    }
    static void apply(const float* weights, std::int64_t count, const unit_sums& sums,
                      std::int8_t* values) noexcept {
        const float middle = sums.values.unit<kind>() != 0 ? 0.0f : sums.mean();
        for (std::int64_t i = 0; i < count; ++i)
            values[i] = static_cast<std::int8_t>(weights[i] > middle ? 1 : -1);
    }
};

/// The nearest of four levels that lie 5/4 mean|W| apart, the lower of two that are as near. That
/// distance leaves normal weights the least error, within 1 % of it for each of the zero points.
/// Weights that are a unit's times four such levels lose nothing.
template <class Kind>
struct nearest_of_four {
    using kind = Kind;

    static float scale(const unit_sums& sums) noexcept {
        if (const float s = sums.values.unit<kind>(); s != 0) return s;
        return rounded(std::max(sums.absolute_mean(), 1e-5f) * (1.25f / kind::step));
    }
    static void apply(const float* weights, std::int64_t count, const unit_sums& sums,
                      std::int8_t* values) noexcept {
        const double s = scale(sums);
        double edge[3];  // between levels; exact, like what is compared with it
        for (int i = 0; i < 3; ++i) edge[i] = s * (kind::lowest + kind::step * (i + 0.5));
        for (std::int64_t i = 0; i < count; ++i) {
            const double w = weights[i];
            values[i] = static_cast<std::int8_t>(
                kind::lowest + kind::step * ((w > edge[0]) + (w > edge[1]) + (w > edge[2])));
        }
    }
};

/// Sherry (2601.07892): of each four weights the least, the first of equal ones, becomes 0 and the
/// others their signs; the scale is the mean |W| of those. What is missing of the last four is its
/// zero. Weights that are a unit's times trits stay those, whatever zeros they have.
struct largest_three {
    using kind = three_of_four;

    /// Of the weights that are kept.
    static unit_sums sum(const float* weights, std::int64_t count) noexcept {
        TRILOBIT_ADDS_IN_ORDER
        const standard_floats standard;
        unit_sums sums = sum_weights(weights, count);
        double least = 0;
        for (std::int64_t i = 0; i + kind::group <= count; i += kind::group)
            least = in_order(least + std::fabs(double{weights[i + least_of(weights + i)]}));
        sums.absolute_sum = in_order(sums.absolute_sum - least);
        sums.count -= count / kind::group;
        return sums;
    }
    static float scale(const unit_sums& sums) noexcept {
        const float s = sums.values.unit<kind>();
        return s != 0 ? s : sums.absolute_mean();
    }
    static void apply(const float* weights, std::int64_t count, const unit_sums& sums,
                      std::int8_t* values) noexcept {
        const bool exact = sums.values.unit<kind>() != 0;
        for (std::int64_t i = 0; i < count; ++i)
            values[i] = static_cast<std::int8_t>(weights[i] < 0 ? -1 : !exact || weights[i] > 0);
        for (std::int64_t i = 0; !exact && i + kind::group <= count; i += kind::group)
            values[i + least_of(weights + i)] = 0;
    }

private:
    static int least_of(const float* weights) noexcept {
        int least = 0;
        for (int i = 1; i < kind::group; ++i)
            if (std::fabs(weights[i]) < std::fabs(weights[least])) least = i;
        return least;
    }
};

/// The rule that makes a kind's values of floats. Kinds of somebody else's have none: this one's
/// kind is not theirs.
template <class Kind>
struct rule_for {
    using type = sign_around_mean;
};
template <>
struct rule_for<ternary> {
    using type = absmean;
};
template <>
struct rule_for<three_of_four> {
    using type = largest_three;
};
template <int DoubledZero>
struct rule_for<quaternary<DoubledZero>> {
    using type = nearest_of_four<quaternary<DoubledZero>>;
};

/// The sums of a rule's own, if it has any.
template <class Rule>
unit_sums sums_for(const float* weights, std::int64_t count) noexcept {
    if constexpr (requires { Rule::sum(weights, count); })
        return Rule::sum(weights, count);
    else
        return sum_weights(weights, count);
}

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
            spec.per == granularity::tensor ? tensor : sums_for<Rule>(weights + first, count);
        if (!sums.finite()) return weights_not_finite;
        Rule::apply(weights + first, count, sums, values + first);
        scales[first / width] = Rule::scale(sums);
    }
    return {};
}

/// Sums over a whole matrix, rows added in order whoever computed them. `row_sums` is the caller's
/// memory for one row at least; threads are called once for as many rows as it has room for.
template <class Rule, executor Executor>
unit_sums sum_matrix(matrix_view<const float> weights, std::span<unit_sums> row_sums,
                     Executor& run) {
    unit_sums total;
    std::int64_t count = 0;
    for (std::int64_t first = 0; first < weights.rows; first += count) {
        count = std::min<std::int64_t>(std::ssize(row_sums), weights.rows - first);
        run(0, count, 1, [&](std::int64_t begin, std::int64_t end) {
            for (std::int64_t i = begin; i < end; ++i)
                row_sums[static_cast<std::size_t>(i)] =
                    sums_for<Rule>(weights.row(first + i), weights.cols);
        });
        const standard_floats standard;
        for (std::int64_t i = 0; i < count; ++i) total += row_sums[static_cast<std::size_t>(i)];
    }
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
            tensor += sums_for<Rule>(weights.row(i), weights.cols);
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

/// Float -> {-1, 0, +1} by `largest_three`. `scales` has spec.count(rows, cols) elements.
inline status keep_three_of_four(matrix_view<const float> weights, const scale_spec& spec,
                                 matrix_view<std::int8_t> values, float* scales) noexcept {
    return detail::quantize_matrix<largest_three>(weights, spec, values, scales);
}

/// Float -> the levels of a quaternary kind by `nearest_of_four`. `scales` has
/// spec.count(rows, cols) elements.
template <class Kind>
status quantize_four_levels(matrix_view<const float> weights, const scale_spec& spec,
                            matrix_view<std::int8_t> values, float* scales) noexcept {
    return detail::quantize_matrix<nearest_of_four<Kind>>(weights, spec, values, scales);
}

/// Weights that are already a kind's values, with their scales in the order of scale_spec::count.
struct quantized_view {
    matrix_view<const std::int8_t> values;
    const float* scales = nullptr;
    scale_spec scale;
};

}  // namespace trilobit::inline TRILOBIT_ABI

#include "trilobit/core/end.hpp"
