// SPDX-License-Identifier: MIT
// Room examples/model. Enters: tokens. Leaves: logits. The whole transformer is before_head(); the
// few above it are what it does to one row of numbers, and the head is what follows it.
#include "model/forward.hpp"

#include <cmath>

#include "model/attention.hpp"
#include "support/finite.hpp"

namespace tbx::model {
namespace {

// out = x / sqrt(mean(x^2) + eps) * w, for each row; out may be x.
void rms_norm(compute& cpu, const_matrix x, const vector& w, float eps, matrix out) {
    each_token(cpu, x.rows, [&](std::int64_t t) {
        const float* row = x.row(t);
        const float squares =
            cpu.dense.dot(number_type::f32, reinterpret_cast<const std::byte*>(row), row, x.cols);
        const float mean = squares / static_cast<float>(x.cols);
        cpu.dense.scale_by(out.row(t), row, 1.0f / std::sqrt(mean + eps), w.data(), x.cols);
    });
}

// g = silu(g) * u, or relu(g)^2 * u
void gate(compute& cpu, gate_function kind, matrix g, const_matrix u) {
    const auto run =
        kind == gate_function::silu ? cpu.dense.silu_gate : cpu.dense.squared_relu_gate;
    each_token(cpu, g.rows, [&](std::int64_t t) { run(g.row(t), u.row(t), g.cols); });
}

void check_tokens(const transformer& m, const state& s, std::span<const token_id> tokens) {
    if (tokens.empty() || std::ssize(tokens) > s.batch)
        throw error("forward", "a batch holds 1 to " + std::to_string(s.batch) + " tokens");
    if (s.cache.length + std::ssize(tokens) > s.cache.capacity())
        throw error("forward",
                    "the context of " + std::to_string(s.cache.capacity()) + " positions is full");
    for (const token_id id : tokens)
        if (id < 0 || id >= m.weights.embedding.rows)
            throw error("token " + std::to_string(id),
                        "the model has " + std::to_string(m.weights.embedding.rows) + " tokens");
}

// Weights are finite, or were not loaded; but their products may still leave the range of floats.
void check_logits(const transformer& m, const state& s, const_matrix logits) {
    for (std::int64_t t = 0; t < logits.rows; ++t)
        if (!support::all_finite({logits.row(t), static_cast<std::size_t>(logits.cols)}))
            throw error(m.name.empty() ? "model" : m.name,
                        "the logits at position " +
                            std::to_string(s.cache.length - logits.rows + t) +
                            " hold NaN or infinity: its weights lead beyond the range of floats");
}

// Every row of the head against every row of x.
const_matrix all_logits(compute& cpu, const transformer& m, state& s, const_matrix x) {
    if (x.empty()) return {};
    s.logits.resize(static_cast<std::size_t>(x.rows * m.config.vocab));
    const matrix logits(s.logits.data(), x.rows, m.config.vocab);
    apply(cpu, m.weights.head, x, logits);  // (rows, vocab)
    check_logits(m, s, logits);
    return logits;
}

}  // namespace

const_matrix before_head(compute& cpu, const transformer& m, state& s,
                         std::span<const token_id> tokens, logits_of wanted) {
    check_tokens(m, s, tokens);
    const config& c = m.config;
    const weights& w = m.weights;
    const std::int64_t n = std::ssize(tokens);

    const matrix x(s.x.data(), n, c.dim);
    const matrix h(s.h.data(), n, c.dim);
    const matrix q(s.q.data(), n, c.q_width());
    const matrix k(s.k.data(), n, c.k_width());
    const matrix v(s.v.data(), n, c.v_width());
    const matrix a(s.a.data(), n, c.attention_width());
    const matrix g(s.g.data(), n, c.ffn);
    const matrix u(s.u.data(), n, c.ffn);

    for (std::int64_t t = 0; t < n; ++t)
        cpu.dense.decode(w.embedding.type, w.embedding.row(tokens[static_cast<std::size_t>(t)]),
                         c.dim, x.row(t));
    s.rope.fill(c, w.rope_divisors, s.cache.length, n);

    for (std::int64_t layer = 0; layer < c.layers; ++layer) {
        const layer_weights& l = w.layers[static_cast<std::size_t>(layer)];

        // Attention: each token looks at itself and at all tokens before it.
        rms_norm(cpu, x, l.attention_norm, c.norm_eps, h);   // (n, dim)
        apply_all(cpu, h, into{l.q, q},                      // (n, heads * key_dim)
                  into{l.k, k},                              // (n, kv_heads * key_dim)
                  into{l.v, v});                             // (n, kv_heads * value_dim)
        attend(cpu, c, s.rope, s.cache, layer, q, k, v, a);  // (n, heads * value_dim)
        if (c.sub_norms) rms_norm(cpu, a, l.attention_sub_norm, c.norm_eps, a);
        apply_onto(cpu, l.output, a, x, h);  // (n, dim)

        // Feed-forward: each token thinks about what it found.
        rms_norm(cpu, x, l.ffn_norm, c.norm_eps, h);        // (n, dim)
        apply_all(cpu, h, into{l.gate, g}, into{l.up, u});  // (n, ffn) both
        gate(cpu, c.gate, g, u);
        if (c.sub_norms) rms_norm(cpu, g, l.ffn_sub_norm, c.norm_eps, g);
        apply_onto(cpu, l.down, g, x, h);  // (n, dim)
    }
    s.cache.length += n;

    const std::int64_t rows = w.head.rows() == 0 || wanted == logits_of::none ? 0
                              : wanted == logits_of::last                     ? 1
                                                                              : n;
    if (rows == 0) return {};
    const matrix tail = x.rows_from(n - rows, rows);
    rms_norm(cpu, tail, w.output_norm, c.norm_eps, tail);
    return tail;  // (rows, dim)
}

const_matrix forward(compute& cpu, const transformer& m, state& s, std::span<const token_id> tokens,
                     logits_of wanted) {
    return all_logits(cpu, m, s, before_head(cpu, m, s, tokens, wanted));
}

outlook look_ahead(compute& cpu, const transformer& m, state& s, std::span<const token_id> tokens,
                   head_use head) {
    const const_matrix x = before_head(cpu, m, s, tokens, logits_of::last);
    if (x.empty()) return {};
    outlook out;
    if (head.two_stage != nullptr && head.best > 0)
        out.best = head.two_stage->best(cpu, x.data, head.best);
    if (out.best.empty()) {
        const const_matrix logits = all_logits(cpu, m, s, x);
        out.logits = {logits.data, static_cast<std::size_t>(logits.cols)};
    }
    return out;
}

}  // namespace tbx::model
