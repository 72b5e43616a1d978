// SPDX-License-Identifier: MIT
// Room train: one token at a time for many texts at once, each at its own position.
// Enters: the next token of every text. Leaves: logits (texts, vocab).
// The same arithmetic as model.hpp with a key-value cache; used to sample and to show stories.
#pragma once

#include <cmath>
#include <span>
#include <vector>

#include "train/bit_linear.hpp"
#include "train/config.hpp"
#include "train/elementwise.hpp"

namespace tbx::train {

class decoder {
    using backend = portable_backend;
    using values = std::vector<float>;

public:
    decoder(const model_config& c, std::span<const float> p, int texts)
        : config{c},
          layout{c},
          parameters(p.begin(), p.end()),
          rope(c.context, c.head_dim(), c.rope_base, c.rope_interleaved),
          n{texts} {
        weights.resize(layout.slots.size());
        for (std::size_t i = 0; i < weights.size(); ++i) {
            const slot& s = layout.slots[i];
            if (s.kind != slot_kind::norm)
                prepare_weights(weights[i], p.data() + s.offset, s.rows, s.cols,
                                rounding_of(c, s.kind));
        }
        const auto cached = size(c.layers) * size(n) * size(c.kv_dim()) * size(c.context);
        keys.resize(cached);
        cached_values.resize(cached);
    }

    // positions[i] < context is where tokens[i] stands in text i; 0 begins a new text.
    std::span<const float> step(std::span<const int> tokens, std::span<const int> positions) {
        const int h = config.hidden, f = config.ffn, kv = config.kv_dim();
        x.resize(size(n) * size(h));
        for (int r = 0; r < n; ++r) {
            const float* from = parameter(layout.embedding) + offset(tokens[size(r)], h);
            std::copy(from, from + h, x.data() + offset(r, h));
        }
        for (int l = 0; l < config.layers; ++l) {
            const layer_slots& s = layout.layers[size(l)];
            enter(x, s.attention_norm, h, rule_of(config, input_of::qkv));
            apply(s.q, h, q), apply(s.k, kv, k), apply(s.v, kv, v);
            attended.resize(size(n) * size(h));
            for (int r = 0; r < n; ++r) attend(l, r, positions[size(r)]);
            enter(attended, s.attention_sub_norm, h, rule_of(config, input_of::output));
            apply(s.output, h, y);
            for (std::size_t i = 0; i < y.size(); ++i) x[i] += y[i];
            enter(x, s.ffn_norm, h, rule_of(config, input_of::gate_up));
            apply(s.gate, f, g), apply(s.up, f, u);
            z.resize(g.size());
            gated(g.data(), u.data(), z.data(), n * f, config.squared_relu);
            enter(z, s.ffn_sub_norm, f, rule_of(config, input_of::down));
            apply(s.down, h, y);
            for (std::size_t i = 0; i < y.size(); ++i) x[i] += y[i];
        }
        enter(x, layout.output_norm, h, input_rule::none);
        apply(layout.embedding, config.vocab, logits);
        return logits;
    }

    const model_config config;

private:
    static std::size_t size(int i) { return static_cast<std::size_t>(i); }
    static std::ptrdiff_t offset(int row, int cols) {
        return static_cast<std::ptrdiff_t>(row) * cols;
    }
    const float* parameter(int slot_index) const {
        return parameters.data() + layout.at(slot_index).offset;
    }

    void enter(const values& from, int norm, int cols, input_rule rule) {
        in.resize(n, cols);
        in.scale.resize(rule != input_rule::none ? size(n) : 0);
        room.resize(2 * size(cols));
        for (int r = 0; r < n; ++r) {
            const float* row = from.data() + offset(r, cols);
            if (norm >= 0) {
                rms_norm(row, parameter(norm), room.data(), cols, config.eps);
                row = room.data();
            }
            store_row(in, r, row, rule, room.data() + cols);
        }
    }

    void apply(int slot_index, int m, values& to) {
        to.resize(size(n) * size(m));
        linear(in, weights[size(slot_index)], n, m, to.data());
    }

    // The caches are (layer, text, kv_dim, position): loops run along positions and vectorise.
    void attend(int layer, int text, int position) {
        const int d = config.head_dim(), kv = config.kv_dim(), length = config.context;
        float* qr = q.data() + offset(text, config.hidden);
        float* kr = k.data() + offset(text, kv);
        rope.turn(qr, config.heads, position, 1.0f);
        rope.turn(kr, config.kv_heads, position, 1.0f);
        const std::ptrdiff_t base = (static_cast<std::ptrdiff_t>(layer) * n + text) * kv * length;
        for (int i = 0; i < kv; ++i) {
            keys[static_cast<std::size_t>(base + offset(i, length) + position)] = kr[i];
            cached_values[static_cast<std::size_t>(base + offset(i, length) + position)] =
                v[static_cast<std::size_t>(offset(text, kv) + i)];
        }
        const int seen = position + 1;
        scores.resize(size(length));
        const float shrink = 1.0f / std::sqrt(static_cast<float>(d));
        for (int h = 0; h < config.heads; ++h) {
            const int first = h / (config.heads / config.kv_heads) * d;
            const float* ks = keys.data() + base + offset(first, length);
            const float* vs = cached_values.data() + base + offset(first, length);
            std::fill_n(scores.begin(), seen, 0.0f);
            for (int i = 0; i < d; ++i) {
                const float qi = qr[h * d + i] * shrink;
                const float* row = ks + offset(i, length);
                for (int t = 0; t < seen; ++t) scores[size(t)] += qi * row[t];
            }
            float largest = scores[0];
#pragma omp simd reduction(max : largest)
            for (int t = 0; t < seen; ++t)
                largest = scores[size(t)] > largest ? scores[size(t)] : largest;
            for (int t = 0; t < seen; ++t) scores[size(t)] = exponential(scores[size(t)] - largest);
            const float sum = sum_of(seen, scores.data());
            float* out = attended.data() + offset(text, config.hidden) + h * d;
            for (int i = 0; i < d; ++i)
                out[i] = sum_of(seen, scores.data(), vs + offset(i, length)) / sum;
        }
    }

    const parameter_layout layout;
    values parameters;
    std::vector<operand<backend>> weights;
    rotary<float> rope;
    int n;
    values keys, cached_values;
    values x, q, k, v, y, z, g, u, attended, logits, scores, room;
    operand<backend> in;
};

}  // namespace tbx::train
