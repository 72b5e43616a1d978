// SPDX-License-Identifier: MIT
// Room examples/model. Enters: queries or keys and the positions of their tokens. Leaves: the same,
// with pairs of numbers turned by an angle that grows with the position (RoPE).
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "model/config.hpp"
#include "model/linear.hpp"

namespace tbx::model {

/// Cosines and sines for a run of positions of one model; made once for a batch, used by every
/// layer.
class rope_table {
    std::int64_t pairs = 0;
    std::vector<double> steps;   // (pairs): what a position turns by
    std::vector<float> cosines;  // (positions, pairs)
    std::vector<float> sines;    // (positions, pairs)

public:
    /// Pair i of position p turns by p / divisor * base^(-2i / dim) / divisors[i], with YaRN
    /// by up to `divisor` times as much, and by no more than most_angle. Computed in double: at
    /// position 10^5 an angle in float may be off by 0.004.
    void fill(const rope_rule& rule, std::span<const float> divisors, std::int64_t first,
              std::int64_t count);

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
