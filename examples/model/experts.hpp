// SPDX-License-Identifier: MIT
// Room examples/model. Enters: tokens, and a layer that has many feed-forward networks. Leaves: for
// each token the sum of what the few likeliest of these experts make of it, weighed by how likely
// they are.
#pragma once

#include <cstdint>
#include <vector>

#include "model/weights.hpp"

namespace tbx::model {

/// Which experts the tokens of a batch ask, and memory for what these make.
struct expert_choice {
    std::vector<float> scores;         // (tokens, experts)
    std::vector<std::int32_t> expert;  // (tokens, used): the likeliest first
    std::vector<std::int64_t> token;   // (tokens, used): who asks
    std::vector<float> share;          // (tokens, used): they sum to 1
    std::vector<float> gate, up;       // (tokens * used, ffn)
    std::vector<float> made;           // (tokens * used, dim)

    /// Of scores (tokens, experts): softmax, the `used` largest, among equals the first.
    void choose(const dense_kernels& run, std::int64_t tokens, std::int64_t experts,
                std::int64_t used);
};

/// y += the experts' answer to h; both (tokens, dim).
void add_experts(compute& cpu, const config& c, const layer_weights& l, const_matrix h,
                 expert_choice& choice, matrix y);

/// g = gate(g) * u, as the config says.
void apply_gate(compute& cpu, const config& c, matrix g, matrix u);

}  // namespace tbx::model
