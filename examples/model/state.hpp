// SPDX-License-Identifier: MIT
// Room examples/model. Enters: a config and the largest batch. Leaves: the numbers that flow
// through forward(), allocated once.
#pragma once

#include <vector>

#include "model/kv_cache.hpp"
#include "model/rope.hpp"

namespace tbx::model {

struct state {
    kv_cache cache;
    std::int64_t batch;  // most tokens of one forward()
    rope_table rope;
    std::vector<float> x;       // (batch, dim)                the residual stream
    std::vector<float> h;       // (batch, dim)                normed, or what a layer adds to x
    std::vector<float> q;       // (batch, heads * key_dim)
    std::vector<float> k;       // (batch, kv_heads * key_dim)
    std::vector<float> v;       // (batch, kv_heads * value_dim)
    std::vector<float> a;       // (batch, heads * value_dim)  what attention found
    std::vector<float> g;       // (batch, ffn)
    std::vector<float> u;       // (batch, ffn)
    std::vector<float> logits;  // (tokens asked for, vocab)

    state(const config& c, std::int64_t positions, std::int64_t largest_batch)
        : cache(c, positions), batch(largest_batch) {
        const auto size = [&](std::int64_t width) {
            return static_cast<std::size_t>(batch * width);
        };
        x.resize(size(c.dim));
        h.resize(size(c.dim));
        q.resize(size(c.q_width()));
        k.resize(size(c.k_width()));
        v.resize(size(c.v_width()));
        a.resize(size(c.attention_width()));
        g.resize(size(c.ffn));
        u.resize(size(c.ffn));
    }
};

}  // namespace tbx::model
