// SPDX-License-Identifier: MIT
// Room examples/model. Enters: a config and the largest batch. Leaves: what forward() remembers
// from token to token, and memory for the numbers that flow through it.
#pragma once

#include <vector>

#include "model/experts.hpp"
#include "model/kv_cache.hpp"
#include "model/rope.hpp"

namespace tbx::model {

/// Rows of numbers, one for each token of a batch; memory for as many as there have been at once.
class token_rows {
    std::vector<float> memory;
    std::int64_t width;

public:
    explicit token_rows(std::int64_t numbers) : width(numbers) {}
    /// Of the first `tokens`; earlier views are no longer valid.
    [[nodiscard]] matrix first(std::int64_t tokens) { return first(tokens, width); }
    /// The same where a layer has fewer numbers than others.
    [[nodiscard]] matrix first(std::int64_t tokens, std::int64_t numbers) {
        const auto needed = static_cast<std::size_t>(tokens * numbers);
        if (memory.size() < needed) memory.resize(needed);
        return {memory.data(), tokens, numbers};
    }
};

struct state {
    kv_cache cache;
    std::int64_t batch;  // most tokens of one forward()
    rope_table rope, local_rope;
    token_rows x, h, q, k, v, a, g, u, logits;  // forward() says what they are
    expert_choice choice;                       // of models that have experts

    state(const config& c, std::int64_t positions, std::int64_t largest_batch,
          kept_as kept = kept_as::f16)
        : cache(c, positions, kept),
          batch(largest_batch),
          x(c.dim),
          h(c.dim),
          q(c.q_width()),
          k(c.k_width()),
          v(c.v_width()),
          a(c.attention_width()),
          g(c.ffn),
          u(c.ffn),
          logits(c.vocab) {}
};

}  // namespace tbx::model
