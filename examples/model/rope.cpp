// SPDX-License-Identifier: MIT
// Room examples/model. Enters: positions. Leaves: cosines and sines of what they turn by; see
// rope.hpp.
#include "model/rope.hpp"

#include <algorithm>
#include <cmath>

#include "model/elementary.hpp"

namespace tbx::model {
namespace {

/// How much of each pair's own pace YaRN leaves it: 1 for fast ones, 0 for slow ones. The borders
/// are whole numbers of pairs, as ggml and transformers round them.
class yarn_ramp {
    double low, high;

public:
    explicit yarn_ramp(const rope_rule& rule) {
        const auto pairs = static_cast<double>(rule.dim);  // twice as many: ggml counts numbers
        const auto turning = [&](float times) {
            constexpr double pi = 3.14159265358979323846;
            return pairs *
                   std::log(static_cast<double>(rule.yarn.original) / (double{times} * 2.0 * pi)) /
                   (2.0 * std::log(double{rule.base}));
        };
        low = std::max(0.0, std::floor(turning(rule.yarn.fast)));
        high = std::min(pairs - 1.0, std::ceil(turning(rule.yarn.slow)));
    }
    [[nodiscard]] double at(std::size_t pair) const noexcept {
        const double way = (static_cast<double>(pair) - low) / std::max(0.001, high - low);
        return 1.0 - std::clamp(way, 0.0, 1.0);
    }
};

}  // namespace

void rope_table::fill(const rope_rule& rule, std::span<const float> divisors, std::int64_t first,
                      std::int64_t count) {
    pairs = rule.dim / 2;
    if (std::ssize(steps) != pairs) {
        steps.resize(static_cast<std::size_t>(pairs));
        for (std::size_t i = 0; i < steps.size(); ++i) {
            const double exponent = -2.0 * static_cast<double>(i) / static_cast<double>(rule.dim);
            const double divisor = divisors.empty() ? 1.0 : double{divisors[i]};
            steps[i] = power(rule.base, exponent) / (double{rule.divisor} * divisor);
        }
        if (rule.yarn.original > 0) {
            const yarn_ramp own(rule);
            for (std::size_t i = 0; i < steps.size(); ++i)
                steps[i] *= 1.0 + own.at(i) * (double{rule.divisor} - 1.0);
        }
    }
    cosines.resize(static_cast<std::size_t>(count * pairs));
    sines.resize(cosines.size());
    for (std::int64_t p = 0; p < count; ++p) {
        const auto position = static_cast<double>(first + p);
        float* cosine = cosines.data() + p * pairs;
        float* sine = sines.data() + p * pairs;
        for (std::int64_t i = 0; i < pairs; ++i) {
            const direction d = direction_of(position * steps[static_cast<std::size_t>(i)]);
            cosine[i] = static_cast<float>(d.cosine * double{rule.magnitude});
            sine[i] = static_cast<float>(d.sine * double{rule.magnitude});
        }
    }
}

}  // namespace tbx::model
