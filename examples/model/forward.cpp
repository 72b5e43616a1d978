// SPDX-License-Identifier: MIT
// Room examples/model. Enters: tokens. Leaves: logits. The whole transformer is forward(); what it
// calls is above it, but for attend() (attention.hpp) and the products (linear.hpp).
// examples/08_transformer.cpp is the same without speed: one page with everything on it.
#include "model/forward.hpp"

#include "model/attention.hpp"
#include "support/finite.hpp"

namespace tbx::model {

void rms_norm(compute& cpu, const_matrix x, const norm& w, float eps, matrix out) {
    each_token(cpu, x.rows,
               [&](std::int64_t t) { rms_norm(cpu.dense, x.row(t), w, eps, out.row(t)); });
}

namespace {

// y += norm(x Wᵀ): what a half of a layer adds to the stream. Without a norm in one step.
void add_half(compute& cpu, const config& c, const_matrix x, const linear& w, const norm& after,
              state& s, matrix y) {
    if (!c.post_norms) return add_product(cpu, x, {w, y});
    const matrix made = s.h.first(x.rows);
    multiply(cpu, x, {{w, made}});
    rms_norm(cpu, made, after, c.norm_eps, made);
    each_token(cpu, y.rows, [&](std::int64_t t) {
        for (std::int64_t i = 0; i < y.cols; ++i) y(t, i) += made(t, i);
    });
}

void scale_rows(matrix x, float factor) {
    if (factor == 1.0f) return;
    for (std::int64_t t = 0; t < x.rows; ++t)
        for (std::int64_t i = 0; i < x.cols; ++i) x(t, i) *= factor;
}

void check_tokens(const transformer& m, const state& s, std::span<const token_id> tokens) {
    if (tokens.empty() || std::ssize(tokens) > s.batch)
        throw error("forward", "a batch holds 1 to " + std::to_string(s.batch) + " tokens");
    if (s.cache.length + std::ssize(tokens) > s.cache.capacity())
        throw error("forward",
                    "the context of " + std::to_string(s.cache.capacity()) + " positions is full");
    for (const token_id id : tokens)
        if (id < 0 || id >= m.weights.embedding.rows())
            throw error("token " + std::to_string(id),
                        "the model has " + std::to_string(m.weights.embedding.rows()) + " tokens");
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

}  // namespace

const_matrix forward(compute& cpu, const transformer& m, state& s, std::span<const token_id> tokens,
                     logits_of wanted) {
    check_tokens(m, s, tokens);
    const config& c = m.config;
    const weights& w = m.weights;
    const std::int64_t n = std::ssize(tokens);
    const matrix x = s.x.first(n);  // (tokens, dim): the residual stream
    const matrix h = s.h.first(n);  // (tokens, dim): the same, normed
    const matrix q = s.q.first(n);  // (tokens, heads * key_dim): what a token looks for
    const matrix k = s.k.first(n);  // (tokens, kv_heads * key_dim): what it is found by
    const matrix v = s.v.first(n);  // (tokens, kv_heads * value_dim): what is found then
    const matrix a = s.a.first(n);  // (tokens, heads * value_dim): what it found

    for (std::int64_t t = 0; t < n; ++t)
        w.embedding.read(cpu.dense, tokens[static_cast<std::size_t>(t)], x.row(t));
    scale_rows(x, c.embedding_scale);
    const bool is_long = c.long_rope > 0 && s.cache.capacity() > c.long_rope;
    s.rope.fill(c.rope(), is_long ? w.long_rope_divisors : w.rope_divisors, s.cache.length, n);
    if (c.window > 0) s.local_rope.fill(c.local_rope(), w.rope_divisors, s.cache.length, n);
    for (std::int64_t layer = 0; layer < c.layers; ++layer) {
        const layer_weights& l = w.layers[static_cast<std::size_t>(layer)];

        // Attention: each token looks at itself and at tokens before it.
        rms_norm(cpu, x, l.attention_norm, c.norm_eps, h);
        multiply(cpu, h, {{l.q, q}, {l.k, k}, {l.v, v}});
        attend(cpu, c, l, s, layer, q, k, v, a);
        if (c.sub_norms) rms_norm(cpu, a, l.attention_sub_norm, c.norm_eps, a);
        add_half(cpu, c, a, l.output, l.attention_post_norm, s, x);

        // Feed-forward: each token thinks about what it found.
        rms_norm(cpu, x, l.ffn_norm, c.norm_eps, h);
        if (c.experts > 0) {
            add_experts(cpu, c, l, h, s.choice, x);
            continue;
        }
        const matrix g = s.g.first(n, l.gate.rows());  // (tokens, ffn): gates, then its neurons
        const matrix u = s.u.first(n, l.gate.rows());  // (tokens, ffn): what the gates let through
        multiply(cpu, h, {{l.gate, g}, {l.up, u}});
        apply_gate(cpu, c, g, u);
        if (c.sub_norms) rms_norm(cpu, g, l.ffn_sub_norm, c.norm_eps, g);
        add_half(cpu, c, g, l.down, l.ffn_post_norm, s, x);
    }
    s.cache.length += n;

    // Head: how well each token of the vocabulary would follow.
    if (wanted == logits_of::none || w.head.rows() == 0) return {};
    const matrix last = wanted == logits_of::all ? x : x.rows_from(n - 1, 1);
    const matrix logits = s.logits.first(last.rows);  // (1 or tokens, vocab)
    rms_norm(cpu, last, w.output_norm, c.norm_eps, last);
    multiply(cpu, last, {{w.head, logits}});
    check_logits(m, s, logits);
    return logits;
}

}  // namespace tbx::model
