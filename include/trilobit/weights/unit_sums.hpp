// SPDX-License-Identifier: MIT
// Room weights. Enters: float weights that share one scale. Leaves: the sums of them that rules of
// quantisation take.
#pragma once

#include "trilobit/version.hpp"

#include <cmath>
#include <cstdint>

#include "trilobit/core/floats.hpp"
#include "trilobit/weights/few_values.hpp"

#include "trilobit/core/begin.hpp"

namespace trilobit::inline TRILOBIT_ABI {

/// What a rule needs to know of the weights that share one scale. Sums are kept in double so that
/// the order in which threads add rows cannot move the mean by a float.
struct unit_sums {
    double signed_sum = 0;
    double absolute_sum = 0;
    std::int64_t count = 0;
    few_values values;

    constexpr unit_sums& operator+=(const unit_sums& other) noexcept {
        TRILOBIT_ADDS_IN_ORDER
        signed_sum = in_order(signed_sum + other.signed_sum);
        absolute_sum = in_order(absolute_sum + other.absolute_sum);
        count += other.count;
        values += other.values;
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
            values_of(weights, count)};
}

}  // namespace trilobit::inline TRILOBIT_ABI

#include "trilobit/core/end.hpp"
