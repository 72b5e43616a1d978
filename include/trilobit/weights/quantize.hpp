// SPDX-License-Identifier: MIT
// Room weights. Enters: float weights. Leaves: int8 values in {-1, 0, +1} or {-1, +1} and a float
// scale for each tensor, row or group, by the rules that the BitNet papers train with. Weights that
// such a unit holds already, {-s, 0, +s} or {-s, +s}, keep their s: no bit of them is lost.
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

#include "trilobit/core/begin.hpp"

namespace trilobit::inline TRILOBIT_ABI {

/// The size that all weights but zeros have, if they have one.
struct common_magnitude {
    float size = 0;      // 0: every weight so far is zero
    bool zeros = false;  // means nothing once sizes differ, since nobody looks on then
    bool differs = false;

    constexpr common_magnitude& operator+=(const common_magnitude& other) noexcept {
        differs |= other.differs || (size != 0 && other.size != 0 && size != other.size);
        if (size == 0) size = other.size;
        zeros |= other.zeros;
        return *this;
    }
    /// {-s, 0, +s} with some s in it.
    [[nodiscard]] constexpr bool ternary() const noexcept { return !differs && size != 0; }
    /// {-s, +s}.
    [[nodiscard]] constexpr bool binary() const noexcept { return ternary() && !zeros; }
};

/// Weights of training differ at once, so this reads a block of them; only weights that are
/// quantised already are read to their end.
inline common_magnitude magnitude_of(const float* weights, std::int64_t count) noexcept {
    common_magnitude found;
    std::int64_t i = 0;
    for (; i < count && weights[i] == 0; ++i) found.zeros = true;
    if (i == count) return found;
    found.size = std::fabs(weights[i]);
    constexpr std::int64_t block = 64;  // without a branch, so that it vectorises
    for (; i < count && !found.differs; i += block) {
        bool same = true, zeros = false;
        const std::int64_t end = count - i < block ? count : i + block;
        for (std::int64_t k = i; k < end; ++k) {
            const float size = std::fabs(weights[k]);
            const bool zero = size == 0;
            zeros |= zero;
            same &= zero | (size == found.size);
        }
        found.zeros |= zeros;
        found.differs = !same;
    }
    return found;
}

/// What a rule needs to know of the weights that share one scale. Sums are kept in double so that
/// the order in which threads add rows cannot move the mean by a float.
struct unit_sums {
    double signed_sum = 0;
    double absolute_sum = 0;
    std::int64_t count = 0;
    common_magnitude magnitude;

    constexpr unit_sums& operator+=(const unit_sums& other) noexcept {
        TRILOBIT_ADDS_IN_ORDER
        signed_sum = in_order(signed_sum + other.signed_sum);
        absolute_sum = in_order(absolute_sum + other.absolute_sum);
        count += other.count;
        magnitude += other.magnitude;
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
            in_order(absolutes[0] + absolutes[1]) + in_order(absolutes[2] + absolutes[3]), count,
            magnitude_of(weights, count)};
}

/// BitNet b1.58: s = 1 / max(mean|W|, 1e-5), t = clamp(round_half_even(W s), -1, 1), w ~ t / s.
/// Of {-a, 0, +a} s is 1 / a and nothing is lost: mean|W| is a times the share of non-zeros.
struct absmean {
    using kind = ternary;

    static float scale(const unit_sums& sums) noexcept {
        if (sums.magnitude.ternary()) return sums.magnitude.size;
        return std::max(sums.absolute_mean(), 1e-5f);
    }
    static void apply(const float* weights, std::int64_t count, const unit_sums& sums,
                      std::int8_t* values) noexcept {
        const bool exact = sums.magnitude.ternary();
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
        return sums.magnitude.binary() ? sums.magnitude.size : sums.absolute_mean();
    }
    static void apply(const float* weights, std::int64_t count, const unit_sums& sums,
                      std::int8_t* values) noexcept {
        const float middle = sums.magnitude.binary() ? 0.0f : sums.mean();
        for (std::int64_t i = 0; i < count; ++i)
            values[i] = static_cast<std::int8_t>(weights[i] > middle ? 1 : -1);
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

/// Sums over a whole matrix, rows added in order whoever computed them. `row_sums` is the caller's
/// memory for one row at least; threads are called once for as many rows as it has room for.
template <executor Executor>
unit_sums sum_matrix(matrix_view<const float> weights, std::span<unit_sums> row_sums,
                     Executor& run) {
    unit_sums total;
    std::int64_t count = 0;
    for (std::int64_t first = 0; first < weights.rows; first += count) {
        count = std::min<std::int64_t>(std::ssize(row_sums), weights.rows - first);
        run(0, count, 1, [&](std::int64_t begin, std::int64_t end) {
            for (std::int64_t i = begin; i < end; ++i)
                row_sums[static_cast<std::size_t>(i)] =
                    sum_weights(weights.row(first + i), weights.cols);
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

}  // namespace trilobit::inline TRILOBIT_ABI

#include "trilobit/core/end.hpp"
