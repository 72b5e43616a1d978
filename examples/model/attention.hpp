// SPDX-License-Identifier: MIT
// Room examples/model. Enters: queries, keys and values of some tokens, and the keys and values of
// all earlier tokens. Leaves: for every query the mean of the values, weighted by how well the keys
// fit; the new keys and values kept for all tokens to come.
#pragma once

#include <algorithm>
#include <cmath>
#include <vector>

#include "model/compute.hpp"
#include "model/kv_cache.hpp"
#include "model/state.hpp"
#include "model/weights.hpp"

namespace tbx::model {

/// Most tokens whose queries share one pass over the keys and values of a head, and most of their
/// scores: a megabyte, unless those of one token are more. So a thread's scratch grows with the
/// positions alone, and prompts of any length read what lies in its second cache.
inline constexpr std::int64_t attention_tokens = 8;
inline constexpr std::int64_t attention_scores = std::int64_t{1} << 18;

/// Tokens of a pass when the last one sees so many positions.
[[nodiscard]] inline std::int64_t tokens_of_pass(const config& c, std::int64_t positions) {
    const std::int64_t group = c.heads / c.kv_heads;
    return std::clamp<std::int64_t>(attention_scores / (group * positions), 1, attention_tokens);
}

/// One key/value head and the query heads that share it, for up to attention_tokens tokens:
/// q (tokens, heads * key_dim), out (tokens, heads * value_dim), rows [begin, end). Tokens see the
/// `window` latest positions. The sums for a token run over positions in ascending order and never
/// depend on other tokens.
inline void attend_head(const dense_kernels& run, const config& c, const kv_cache& cache,
                        std::int64_t layer, std::int64_t kv_head, std::int64_t window,
                        const_matrix q, matrix out, std::int64_t begin, std::int64_t end) {
    const std::int64_t group = c.heads / c.kv_heads;
    const std::int64_t queries = (end - begin) * group;
    const std::int64_t positions = cache.length + end;  // that the last token sees
    constexpr std::int64_t block = kv_cache::positions_per_block;
    // Behind the first token's window nobody looks.
    const auto first_seen = [&](std::int64_t t) {
        return std::max<std::int64_t>(0, cache.length + t + 1 - window);
    };
    const std::int64_t first = first_seen(begin) / block * block;
    const std::int64_t scores_stride = (positions + block - 1) / block * block - first;
    const std::int64_t width = cache.value_stride();

    thread_local std::vector<float> scratch;
    scratch.resize(static_cast<std::size_t>(queries * (c.key_dim + scores_stride + width)));
    float* query = scratch.data();                    // (queries, key_dim)
    float* scores = query + queries * c.key_dim;      // (queries, scores_stride), from `first` on
    float* mixed = scores + queries * scores_stride;  // (queries, width)

    for (std::int64_t i = 0; i < queries; ++i)
        std::copy_n(q.row(begin + i / group) + (kv_head * group + i % group) * c.key_dim, c.key_dim,
                    query + i * c.key_dim);

    // scores = query . key, 32 positions at a time
    for (std::int64_t at = first; at < positions; at += block)
        cache.score(run, layer, kv_head, at / block, query, queries, scores + at - first,
                    scores_stride);

    // softmax over the positions that the token sees; others weigh nothing
    const float scale = 1.0f / std::sqrt(static_cast<float>(c.key_dim));
    thread_local std::vector<float> sums;
    sums.resize(static_cast<std::size_t>(queries));
    for (std::int64_t i = 0; i < queries; ++i) {
        float* s = scores + i * scores_stride;
        const std::int64_t from = first_seen(begin + i / group) - first;
        const std::int64_t to = cache.length + begin + i / group + 1 - first;
        const float top = *std::max_element(s + from, s + to);
        sums[static_cast<std::size_t>(i)] = run.exp_and_sum(s + from, top, scale, to - from);
        std::fill(s, s + from, 0.0f);
        std::fill(s + to, s + scores_stride, 0.0f);
    }

    // mixed = weights . values
    cache.mix(run, layer, kv_head, scores, scores_stride, queries, first, positions, mixed);

    for (std::int64_t i = 0; i < queries; ++i) {
        float* to = out.row(begin + i / group) + (kv_head * group + i % group) * c.value_dim;
        const float inverse = 1.0f / sums[static_cast<std::size_t>(i)];
        for (std::int64_t d = 0; d < c.value_dim; ++d) to[d] = mixed[i * width + d] * inverse;
    }
}

/// All that happens to one token's numbers of a key/value head, and of the queries that share it,
/// before they meet those of other tokens: biases, norms, and the turn by their position, if any.
inline void prepare_head(const dense_kernels& run, const config& c, const layer_weights& l,
                         const rope_table* rope, std::int64_t kv_head, matrix q, matrix k, matrix v,
                         std::int64_t t) {
    const std::int64_t group = c.heads / c.kv_heads, width = group * c.key_dim;
    float* const queries = q.row(t) + kv_head * width;
    float* const key = k.row(t) + kv_head * c.key_dim;
    float* const value = v.row(t) + kv_head * c.value_dim;
    if (c.biases) {
        const auto add = [](float* to, const norm& bias, std::int64_t first, std::int64_t count) {
            for (std::int64_t i = 0; i < count; ++i)
                to[i] += bias.weights[static_cast<std::size_t>(first + i)];
        };
        add(queries, l.q_bias, kv_head * width, width);
        add(key, l.k_bias, kv_head * c.key_dim, c.key_dim);
        add(value, l.v_bias, kv_head * c.value_dim, c.value_dim);
    }
    for (std::int64_t h = 0; h < group; ++h) {
        float* const query = queries + h * c.key_dim;
        if (c.head_norms) rms_norm(run, query, l.q_norm, c.norm_eps, query);
        if (rope != nullptr) rope->turn(query, t, c.pairing);
    }
    if (c.head_norms) rms_norm(run, key, l.k_norm, c.norm_eps, key);
    if (rope != nullptr) rope->turn(key, t, c.pairing);
}

/// Causal attention of a batch at positions cache.length on. q (tokens, heads * key_dim),
/// k (tokens, kv_heads * key_dim), v (tokens, kv_heads * value_dim) -> out (tokens, heads *
/// value_dim).
inline void attend(compute& cpu, const config& c, const layer_weights& l, state& at,
                   std::int64_t layer, matrix q, matrix k, matrix v, matrix out) {
    kv_cache& cache = at.cache;
    const bool local = c.is_local(layer);
    const std::int64_t window = local ? c.window : cache.capacity();
    const rope_table* rope = local ? &at.local_rope : c.turns_global ? &at.rope : nullptr;
    const std::int64_t each = tokens_of_pass(c, std::min(cache.length + q.rows, window));
    const std::int64_t tiles = (q.rows + each - 1) / each;
    // With one tile to a head, a thread does all of that head: two parallel regions less, and what
    // it has stored is still in its cache.
    const bool together = tiles == 1;
    if (!together) {
        each_token(cpu, q.rows, [&](std::int64_t t) {
            for (std::int64_t h = 0; h < c.kv_heads; ++h)
                prepare_head(cpu.dense, c, l, rope, h, q, k, v, t);
        });
        cpu.pool(0, c.kv_heads, 1, [&](std::int64_t first, std::int64_t last) {
            for (std::int64_t h = first; h < last; ++h) cache.store(cpu.dense, layer, h, k, v);
        });
    }
    cpu.pool(0, c.kv_heads * tiles, 1, [&](std::int64_t first, std::int64_t last) {
        for (std::int64_t i = first; i < last; ++i) {
            const std::int64_t head = i % c.kv_heads;
            if (together) {
                for (std::int64_t t = 0; t < q.rows; ++t)
                    prepare_head(cpu.dense, c, l, rope, head, q, k, v, t);
                cache.store(cpu.dense, layer, head, k, v);
            }
            // Late tokens see more: they go first, so that no thread starts the longest tile last.
            const std::int64_t begin = (tiles - 1 - i / c.kv_heads) * each;
            attend_head(cpu.dense, c, cache, layer, head, window, q, out, begin,
                        std::min(begin + each, q.rows));
        }
    });
}

}  // namespace tbx::model
