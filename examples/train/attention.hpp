// SPDX-License-Identifier: MIT
// Room train: causal grouped-query attention over whole sequences, forward and backward.
// Enters: rotated q (rows, heads*d), k and v (rows, kv_heads*d); rows = sequences * length.
// Leaves: the heads' outputs (rows, heads*d); gradients of q, k and v.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

#include "train/bit_linear.hpp"
#include "train/elementwise.hpp"

namespace tbx::train {

template <class Backend>
class attention {
public:
    using real = typename Backend::real;
    using store = typename Backend::store;

    attention(int heads_, int kv_heads_, int head_dim_)
        : heads{heads_},
          kv_heads{kv_heads_},
          d{head_dim_},
          q_ld{heads_ * head_dim_},
          kv_ld{kv_heads_ * head_dim_} {}

    // q is taken already divided by sqrt(d).
    void forward(const real* q, const real* k, const real* v, int sequences, int length,
                 real* out) {
        const int rows = sequences * length;
        qs.assign(q, rows, q_ld);
        ks.assign(k, rows, kv_ld);
        vs.assign(v, rows, kv_ld);
        weights.resize(static_cast<std::size_t>(rows) * static_cast<std::size_t>(heads) *
                       static_cast<std::size_t>(length));
        scores.resize(block_area(length));
        each_block(sequences, length, [&](const place& p) {
            Backend::gemm({false, true, p.queries, p.keys, d, q_ld, kv_ld, p.keys, false},
                          qs.stored.data() + p.q, ks.stored.data() + p.kv, scores.data());
            for (int i = 0; i < p.queries; ++i)
                softmax(scores.data() + static_cast<std::ptrdiff_t>(i) * p.keys, p.first + i + 1,
                        p.keys);
            store* w = weights.data() + p.weights;
            Backend::convert(scores.data(), w, area(p));
            Backend::gemm({false, false, p.queries, d, p.keys, p.keys, kv_ld, q_ld, false}, w,
                          vs.stored.data() + p.kv, out + p.q);
        });
    }

    // dq comes back with the 1/sqrt(d) still to be applied by the caller, like q.
    void backward(const real* dout, int sequences, int length, real* dq, real* dk, real* dv) {
        const int rows = sequences * length;
        douts.assign(dout, rows, q_ld);
        const auto kv_size = static_cast<std::size_t>(rows) * static_cast<std::size_t>(kv_ld);
        std::fill_n(dk, kv_size, real(0));
        std::fill_n(dv, kv_size, real(0));
        rounded.resize(block_area(length));
        probabilities.resize(block_area(length));
        each_block(sequences, length, [&](const place& p) {
            const store* w = weights.data() + p.weights;
            Backend::gemm({true, false, p.keys, d, p.queries, p.keys, q_ld, kv_ld, true}, w,
                          douts.stored.data() + p.q, dv + p.kv);
            Backend::gemm({false, true, p.queries, p.keys, d, q_ld, kv_ld, p.keys, false},
                          douts.stored.data() + p.q, vs.stored.data() + p.kv, scores.data());
            Backend::widen(w, probabilities.data(), area(p));
            for (int i = 0; i < p.queries; ++i) {
                real* ds = scores.data() + static_cast<std::ptrdiff_t>(i) * p.keys;
                const real* pr = probabilities.data() + static_cast<std::ptrdiff_t>(i) * p.keys;
                const real mean = sum_of(p.keys, ds, pr);
                for (int j = 0; j < p.keys; ++j) ds[j] = pr[j] * (ds[j] - mean);
            }
            Backend::convert(scores.data(), rounded.data(), area(p));
            Backend::gemm({false, false, p.queries, d, p.keys, p.keys, kv_ld, q_ld, false},
                          rounded.data(), ks.stored.data() + p.kv, dq + p.q);
            Backend::gemm({true, false, p.keys, d, p.queries, p.keys, q_ld, kv_ld, true},
                          rounded.data(), qs.stored.data() + p.q, dk + p.kv);
        });
    }

private:
    // Queries are taken in blocks, so that keys to come are mostly not multiplied at all.
    static constexpr int query_block = 64;

    struct place {
        int first, queries, keys;
        std::ptrdiff_t q, kv, weights;
    };

    static std::size_t area(const place& p) {
        return static_cast<std::size_t>(p.queries) * static_cast<std::size_t>(p.keys);
    }
    static std::size_t block_area(int length) {
        return static_cast<std::size_t>(std::min(length, query_block)) *
               static_cast<std::size_t>(length);
    }

    template <class F>
    void each_block(int sequences, int length, F f) {
        for (int s = 0; s < sequences; ++s)
            for (int h = 0; h < heads; ++h)
                for (int first = 0; first < length; first += query_block) {
                    place p{};
                    p.first = first;
                    p.queries = std::min(query_block, length - first);
                    p.keys = first + p.queries;
                    const std::ptrdiff_t row = static_cast<std::ptrdiff_t>(s) * length;
                    p.q = (row + first) * q_ld + static_cast<std::ptrdiff_t>(h) * d;
                    p.kv = row * kv_ld + static_cast<std::ptrdiff_t>(h / (heads / kv_heads)) * d;
                    p.weights =
                        ((row * heads) + static_cast<std::ptrdiff_t>(h) * length + first) * length;
                    f(p);
                }
    }

    // Over the first `seen` of `n` scores; the rest become zero.
    static void softmax(real* x, int seen, int n) {
        real largest = x[0];
#pragma omp simd reduction(max : largest)
        for (int i = 0; i < seen; ++i) largest = x[i] > largest ? x[i] : largest;
        for (int i = 0; i < seen; ++i) x[i] = exponential(x[i] - largest);
        const real inverse = real(1) / sum_of(seen, x);
        for (int i = 0; i < seen; ++i) x[i] *= inverse;
        std::fill(x + seen, x + n, real(0));
    }

    int heads, kv_heads, d, q_ld, kv_ld;
    operand<Backend> qs, ks, vs, douts;
    std::vector<store> weights, rounded;  // weights: (sequences, heads, length, length)
    std::vector<real> scores, probabilities;
};

}  // namespace tbx::train
