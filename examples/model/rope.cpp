// SPDX-License-Identifier: MIT
// Room examples/model. Enters: positions. Leaves: cosines and sines of what they turn by; see
// rope.hpp.
#include "model/rope.hpp"

#include "model/elementary.hpp"

namespace tbx::model {

void rope_table::fill(const config& c, std::span<const float> divisors, std::int64_t first,
                      std::int64_t count) {
    pairs = c.rope_dim / 2;
    if (std::ssize(steps) != pairs) {
        steps.resize(static_cast<std::size_t>(pairs));
        for (std::size_t i = 0; i < steps.size(); ++i) {
            const double exponent = -2.0 * static_cast<double>(i) / static_cast<double>(c.rope_dim);
            const double divisor = divisors.empty() ? 1.0 : double{divisors[i]};
            steps[i] = power(c.rope_base, exponent) / (double{c.rope_divisor} * divisor);
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
            cosine[i] = static_cast<float>(d.cosine);
            sine[i] = static_cast<float>(d.sine);
        }
    }
}

}  // namespace tbx::model
