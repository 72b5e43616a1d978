// SPDX-License-Identifier: MIT
// Room examples/model. Enters: queries or keys and the positions of their tokens. Leaves: the same,
// with pairs of numbers turned by an angle that grows with the position (RoPE).
#pragma once

#include <cmath>
#include <span>
#include <vector>

#include "model/config.hpp"
#include "model/linear.hpp"

namespace tbx::model {

/// Cosines and sines for a run of positions; made once for a batch, used by every layer.
class rope_table {
    std::int64_t pairs = 0;
    std::vector<float> cosines;  // (positions, pairs)
    std::vector<float> sines;    // (positions, pairs)

public:
    /// Pair i of position p turns by p / divisor * base^(-2i / rope_dim) / divisors[i]. Computed in
    /// double: at position 10^5 an angle in float may be off by 0.004.
    void fill(const config& c, std::span<const float> divisors, std::int64_t first,
              std::int64_t count) {
        pairs = c.rope_dim / 2;
        cosines.resize(static_cast<std::size_t>(count * pairs));
        sines.resize(cosines.size());
        for (std::int64_t i = 0; i < pairs; ++i) {
            const double exponent = -2.0 * static_cast<double>(i) / static_cast<double>(c.rope_dim);
            const double divisor =
                divisors.empty() ? 1.0 : double{divisors[static_cast<std::size_t>(i)]};
            const double step =
                std::pow(double{c.rope_base}, exponent) / (double{c.rope_divisor} * divisor);
            for (std::int64_t p = 0; p < count; ++p) {
                const double angle = static_cast<double>(first + p) * step;
                const auto at = static_cast<std::size_t>(p * pairs + i);
                cosines[at] = static_cast<float>(std::cos(angle));
                sines[at] = static_cast<float>(std::sin(angle));
            }
        }
    }

    /// Turns one head of the token at row `p` of the table.
    void turn(float* head, std::int64_t p, rope_pairing pairing) const noexcept {
        const float* c = cosines.data() + p * pairs;
        const float* s = sines.data() + p * pairs;
        const std::int64_t apart = pairing == rope_pairing::interleaved ? 1 : pairs;
        const std::int64_t step = pairing == rope_pairing::interleaved ? 2 : 1;
        for (std::int64_t i = 0; i < pairs; ++i) {
            float& a = head[i * step];
            float& b = head[i * step + apart];
            const float x = a * c[i] - b * s[i];
            b = a * s[i] + b * c[i];
            a = x;
        }
    }
};

}  // namespace tbx::model
