// SPDX-License-Identifier: MIT
// Room examples/model. Enters: tokens. Leaves: what experts make of them; see experts.hpp.
#include "model/experts.hpp"

#include <algorithm>
#include <numeric>

namespace tbx::model {

void expert_choice::choose(const dense_kernels& run, std::int64_t tokens, std::int64_t experts,
                           std::int64_t used) {
    const auto pairs = static_cast<std::size_t>(tokens * used);
    expert.resize(pairs);
    token.resize(pairs);
    share.resize(pairs);
    std::vector<std::int32_t> order(static_cast<std::size_t>(experts));
    for (std::int64_t t = 0; t < tokens; ++t) {
        const float* s = scores.data() + t * experts;
        std::iota(order.begin(), order.end(), 0);
        std::partial_sort(
            order.begin(), order.begin() + used, order.end(),
            [&](std::int32_t a, std::int32_t b) { return s[a] > s[b] || (s[a] == s[b] && a < b); });
        const auto first = static_cast<std::size_t>(t * used);
        for (std::size_t i = 0; i < static_cast<std::size_t>(used); ++i) {
            expert[first + i] = order[i];
            token[first + i] = t;
            share[first + i] = s[order[i]];
        }
        // Shares among the chosen alone: what softmax divides all by falls out.
        float* const mine = share.data() + first;
        const float sum = run.exp_and_sum(mine, mine[0], 1.0f, used);
        for (std::int64_t i = 0; i < used; ++i) mine[i] /= sum;
    }
}

void apply_gate(compute& cpu, const config& c, matrix g, matrix u) {
    const auto run = c.gate == gate_function::silu           ? cpu.dense.silu_gate
                     : c.gate == gate_function::squared_relu ? cpu.dense.squared_relu_gate
                                                             : cpu.dense.gelu_gate;
    const float most = c.gate_limit;
    each_token(cpu, g.rows, [&](std::int64_t t) {
        if (most > 0)
            for (std::int64_t i = 0; i < g.cols; ++i) {
                g(t, i) = std::min(g(t, i), most);
                u(t, i) = std::clamp(u(t, i), -most, most);
            }
        run(g.row(t), u.row(t), g.cols);
    });
}

void add_experts(compute& cpu, const config& c, const layer_weights& l, const_matrix h,
                 expert_choice& choice, matrix y) {
    const std::int64_t tokens = h.rows, pairs = tokens * c.experts_used;
    const auto rows_of = [](std::vector<float>& memory, std::int64_t rows, std::int64_t cols) {
        memory.resize(static_cast<std::size_t>(rows * cols));
        return matrix(memory.data(), rows, cols);
    };
    multiply(cpu, h, {{l.router, rows_of(choice.scores, tokens, c.experts)}});
    choice.choose(cpu.dense, tokens, c.experts, c.experts_used);

    const matrix g = rows_of(choice.gate, pairs, c.ffn);
    const matrix u = rows_of(choice.up, pairs, c.ffn);
    const matrix made = rows_of(choice.made, pairs, c.dim);
    if (tokens == 1) {  // for all of its experts the same activations, quantised once
        std::vector<into> asked;
        for (std::int64_t i = 0; i < pairs; ++i) {
            const auto e = static_cast<std::size_t>(choice.expert[static_cast<std::size_t>(i)]);
            asked.push_back({l.gate_experts[e], g.rows_from(i, 1)});
            asked.push_back({l.up_experts[e], u.rows_from(i, 1)});
        }
        multiply(cpu, h, asked);
    } else {
        multiply_chosen(cpu, h, l.gate_experts, choice.expert, choice.token, g);
        multiply_chosen(cpu, h, l.up_experts, choice.expert, choice.token, u);
    }
    apply_gate(cpu, c, g, u);
    multiply_chosen(cpu, g, l.down_experts, choice.expert, {}, made);
    each_token(cpu, tokens, [&](std::int64_t t) {
        for (std::int64_t i = t * c.experts_used; i < (t + 1) * c.experts_used; ++i) {
            const float share = choice.share[static_cast<std::size_t>(i)];
            for (std::int64_t d = 0; d < c.dim; ++d) y(t, d) += share * made(i, d);
        }
    });
}

}  // namespace tbx::model
