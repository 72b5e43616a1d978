// SPDX-License-Identifier: MIT
// Room train: the transformer of BitNet b1.58 (or, by flags, llama), forward and backward.
// Enters: token ids of whole sequences and a flat array of parameters.
// Leaves: logits; given their gradient, the gradient of every parameter, added to a flat array.
#pragma once

#include <cmath>
#include <span>
#include <vector>

#include "train/attention.hpp"
#include "train/bit_linear.hpp"
#include "train/config.hpp"
#include "train/elementwise.hpp"

namespace tbx::train {

template <class Backend>
class transformer {
public:
    using real = typename Backend::real;

    explicit transformer(const model_config& c)
        : config{c}, layout{c}, rope(c.context, c.head_dim(), c.rope_base, c.rope_interleaved) {
        for (int i = 0; i < c.layers; ++i) layers.emplace_back(c);
        weights.resize(layout.slots.size());
    }

    // Rounds the weights once for all the passes that follow.
    void load(std::span<const real> p) {
        parameters = p;
        for (std::size_t i = 0; i < layout.slots.size(); ++i) {
            const slot& s = layout.slots[i];
            if (s.kind == slot_kind::norm) continue;
            prepare_weights(weights[i], p.data() + s.offset, s.rows, s.cols,
                            rounding_of(config, s.kind));
        }
    }

    // logits (sequences * length, vocab)
    std::span<const real> forward(std::span<const int> tokens, int sequences, int length) {
        n_sequences = sequences;
        n_length = length;
        rows = sequences * length;
        ids.assign(tokens.begin(), tokens.end());
        const int h = config.hidden;
        resize(x, h);
        const real* table = parameter(layout.embedding);
        for (int r = 0; r < rows; ++r) {
            const real* from = at(table, ids[static_cast<std::size_t>(r)], h);
            std::copy(from, from + h, at(x, r, h));
        }
        for (std::size_t i = 0; i < layers.size(); ++i) {
            attend(layers[i], layout.layers[i]);
            feed_forward(layers[i], layout.layers[i]);
        }
        final_in.resize(rows, h);
        norm_into(x, layout.output_norm, h, final_rms, final_in, input_rule::none);
        resize(logits, config.vocab);
        linear(final_in, weight(layout.embedding), rows, config.vocab, logits.data());
        return logits;
    }

    // Adds to `gradients`; call after forward() with the gradient of its logits.
    void backward(std::span<const real> dlogits, std::span<real> gradients) {
        const int h = config.hidden;
        grads = gradients;
        resize(dx, h);
        resize(din, h);
        linear_back(final_in, weight(layout.embedding), rows, config.vocab, dlogits.data(),
                    din.data(), gradient(layout.embedding), false, scaled, room);
        std::fill(dx.begin(), dx.end(), real(0));
        norm_back(x, layout.output_norm, h, final_rms, din, dx);
        for (std::size_t i = layers.size(); i-- > 0;) {
            feed_forward_back(layers[i], layout.layers[i]);
            attend_back(layers[i], layout.layers[i]);
        }
        real* table = gradient(layout.embedding);
        for (int r = 0; r < rows; ++r) {
            real* to = at(table, ids[static_cast<std::size_t>(r)], h);
            const real* from = at(dx, r, h);
            for (int i = 0; i < h; ++i) to[i] += from[i];
        }
    }

    const model_config config;
    const parameter_layout layout;

private:
    using values = std::vector<real>;

    // What a layer must remember between the two directions.
    struct layer_state {
        explicit layer_state(const model_config& c) : heads(c.heads, c.kv_heads, c.head_dim()) {}
        attention<Backend> heads;
        values x_attn, x_ffn;   // the residual stream at each norm, (rows, hidden)
        values attn_out, g, u;  // (rows, hidden), (rows, ffn) twice
        values rms_attn, rms_attn_sub, rms_ffn, rms_ffn_sub;  // (rows)
        operand<Backend> qkv_in, o_in, gate_up_in, down_in;
    };

    void attend(layer_state& s, const layer_slots& l) {
        const int h = config.hidden, kv = config.kv_dim(), d = config.head_dim();
        s.x_attn = x;
        norm_into(x, l.attention_norm, h, s.rms_attn, s.qkv_in, rule_of(config, input_of::qkv));
        resize(q, h), resize(k, kv), resize(v, kv);
        linear(s.qkv_in, weight(l.q), rows, h, q.data());
        linear(s.qkv_in, weight(l.k), rows, kv, k.data());
        linear(s.qkv_in, weight(l.v), rows, kv, v.data());
        const real shrink = real(1) / std::sqrt(real(d));
        for (int r = 0; r < rows; ++r) {
            rope.turn(at(q, r, h), config.heads, r % n_length, real(1));
            rope.turn(at(k, r, kv), config.kv_heads, r % n_length, real(1));
            scale_row(at(q, r, h), h, shrink);
        }
        resize(s.attn_out, h);
        s.heads.forward(q.data(), k.data(), v.data(), n_sequences, n_length, s.attn_out.data());
        norm_into(s.attn_out, l.attention_sub_norm, h, s.rms_attn_sub, s.o_in,
                  rule_of(config, input_of::output));
        add_linear(s.o_in, l.output, x);
    }

    void attend_back(layer_state& s, const layer_slots& l) {
        const int h = config.hidden, kv = config.kv_dim(), d = config.head_dim();
        resize(din, h);
        back(s.o_in, l.output, h, dx, din, false);
        resize(dout, h);
        std::fill(dout.begin(), dout.end(), real(0));
        norm_back(s.attn_out, l.attention_sub_norm, h, s.rms_attn_sub, din, dout);
        resize(q, h), resize(k, kv), resize(v, kv);
        s.heads.backward(dout.data(), n_sequences, n_length, q.data(), k.data(), v.data());
        const real shrink = real(1) / std::sqrt(real(d));
        for (int r = 0; r < rows; ++r) {
            scale_row(at(q, r, h), h, shrink);
            rope.turn(at(q, r, h), config.heads, r % n_length, real(-1));
            rope.turn(at(k, r, kv), config.kv_heads, r % n_length, real(-1));
        }
        back(s.qkv_in, l.q, h, q, din, false);
        back(s.qkv_in, l.k, kv, k, din, true);
        back(s.qkv_in, l.v, kv, v, din, true);
        norm_back(s.x_attn, l.attention_norm, h, s.rms_attn, din, dx);
    }

    void feed_forward(layer_state& s, const layer_slots& l) {
        const int h = config.hidden, f = config.ffn;
        s.x_ffn = x;
        norm_into(x, l.ffn_norm, h, s.rms_ffn, s.gate_up_in, rule_of(config, input_of::gate_up));
        resize(s.g, f), resize(s.u, f), resize(z, f);
        linear(s.gate_up_in, weight(l.gate), rows, f, s.g.data());
        linear(s.gate_up_in, weight(l.up), rows, f, s.u.data());
        gated(s.g.data(), s.u.data(), z.data(), rows * f, config.squared_relu);
        norm_into(z, l.ffn_sub_norm, f, s.rms_ffn_sub, s.down_in, rule_of(config, input_of::down));
        add_linear(s.down_in, l.down, x);
    }

    void feed_forward_back(layer_state& s, const layer_slots& l) {
        const int h = config.hidden, f = config.ffn;
        resize(dz_in, f), resize(dz, f), resize(z, f), resize(din, h);
        back(s.down_in, l.down, h, dx, dz_in, false);
        gated(s.g.data(), s.u.data(), z.data(), rows * f, config.squared_relu);
        std::fill(dz.begin(), dz.end(), real(0));
        norm_back(z, l.ffn_sub_norm, f, s.rms_ffn_sub, dz_in, dz);
        gated_back(s.g.data(), s.u.data(), dz.data(), rows * f, config.squared_relu);
        back(s.gate_up_in, l.gate, f, s.g, din, false);
        back(s.gate_up_in, l.up, f, s.u, din, true);
        norm_back(s.x_ffn, l.ffn_norm, h, s.rms_ffn, din, dx);
    }

    // A norm (or, for slot -1, nothing) followed by what a linear layer does to its input.
    void norm_into(const values& from, int norm, int n, values& rms, operand<Backend>& to,
                   input_rule rule) {
        to.resize(rows, n);
        to.scale.resize(rule != input_rule::none ? static_cast<std::size_t>(rows) : 0);
        rms.resize(static_cast<std::size_t>(rows));
        room.resize(2 * static_cast<std::size_t>(n));
        for (int r = 0; r < rows; ++r) {
            const real* row = at(from, r, n);
            if (norm >= 0) {
                rms[static_cast<std::size_t>(r)] =
                    rms_norm(row, parameter(norm), room.data(), n, real(config.eps));
                row = room.data();
            }
            store_row(to, r, row, rule, room.data() + n);
        }
    }

    // Adds the gradient of the norm's input to `to`.
    void norm_back(const values& input, int norm, int n, const values& rms, const values& dy,
                   values& to) {
        for (int r = 0; r < rows; ++r) {
            const real* g = at(dy, r, n);
            real* d = at(to, r, n);
            if (norm >= 0)
                rms_norm_back(at(input, r, n), parameter(norm), rms[static_cast<std::size_t>(r)], g,
                              d, gradient(norm), n);
            else
                for (int i = 0; i < n; ++i) d[i] += g[i];
        }
    }

    void add_linear(const operand<Backend>& in, int w, values& to) {
        resize(y, layout.at(w).rows);
        linear(in, weight(w), rows, layout.at(w).rows, y.data());
        for (std::size_t i = 0; i < y.size(); ++i) to[i] += y[i];
    }

    void back(const operand<Backend>& in, int w, int m, const values& dy, values& to, bool add) {
        linear_back(in, weight(w), rows, m, dy.data(), to.data(), gradient(w), add, scaled, room);
    }

    static void scale_row(real* row, int n, real s) {
        for (int i = 0; i < n; ++i) row[i] *= s;
    }
    void resize(values& m, int cols) const {
        m.resize(static_cast<std::size_t>(rows) * static_cast<std::size_t>(cols));
    }
    static real* at(values& m, int row, int cols) {
        return m.data() + static_cast<std::ptrdiff_t>(row) * cols;
    }
    static const real* at(const values& m, int row, int cols) {
        return m.data() + static_cast<std::ptrdiff_t>(row) * cols;
    }
    template <class T>
    static T* at(T* m, int row, int cols) {
        return m + static_cast<std::ptrdiff_t>(row) * cols;
    }
    const real* parameter(int i) const { return parameters.data() + layout.at(i).offset; }
    real* gradient(int i) const { return grads.data() + layout.at(i).offset; }
    const operand<Backend>& weight(int i) const { return weights[static_cast<std::size_t>(i)]; }

    std::span<const real> parameters;
    std::span<real> grads;
    std::vector<operand<Backend>> weights;  // by slot; norms stay empty
    std::vector<layer_state> layers;
    rotary<real> rope;
    int n_sequences = 0, n_length = 0, rows = 0;
    std::vector<int> ids;
    values x, logits, q, k, v, y, z;        // forward
    values dx, din, dout, dz, dz_in, room;  // backward
    values final_rms;
    operand<Backend> final_in, scaled;
};

}  // namespace tbx::train
