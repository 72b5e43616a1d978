// SPDX-License-Identifier: MIT
// Room gguf. Enters: the widths of a transformer. Leaves: the tensors of one of its layers, with
// names and shapes, in the one list that all who read, write, make or train them go through.
#pragma once

#include <cstdint>
#include <string>

namespace tbx::gguf {

/// Something for each tensor of a layer. Shapes are (out, in).
template <class Matrix, class Vector>
struct layer_tensors {
    Vector attention_norm{};      // (dim)
    Matrix q{};                   // (heads * key_dim, dim)
    Matrix k{};                   // (kv_heads * key_dim, dim)
    Matrix v{};                   // (kv_heads * value_dim, dim)
    Matrix output{};              // (dim, heads * value_dim)
    Vector ffn_norm{};            // (dim)
    Matrix gate{};                // (ffn, dim)
    Matrix up{};                  // (ffn, dim)
    Matrix down{};                // (dim, ffn)
    Vector attention_sub_norm{};  // (heads * value_dim), BitNet only
    Vector ffn_sub_norm{};        // (ffn), BitNet only
};

struct layer_widths {
    std::int64_t dim = 0;              // of the residual stream
    std::int64_t q = 0, k = 0, v = 0;  // of all heads together
    std::int64_t attention = 0;        // what attention finds, of all heads together
    std::int64_t ffn = 0;
    bool sub_norms = false;
};

struct layer_tensor {
    const char* name;         // as in "blk.0.attn_q.weight"
    std::int64_t rows, cols;  // a vector is one row
    bool is_vector;

    [[nodiscard]] std::string name_in(std::int64_t layer) const {
        return "blk." + std::to_string(layer) + "." + name + ".weight";
    }
};

/// f(tensor, what each of the layers has for it...) for every tensor, in the order of our files.
template <class F, class... Layers>
void each_tensor(const layer_widths& w, F&& f, Layers&... of) {
    const auto vector = [&](const char* name, std::int64_t cols, auto&... its) {
        f(layer_tensor{name, 1, cols, true}, its...);
    };
    const auto matrix = [&](const char* name, std::int64_t rows, std::int64_t cols, auto&... its) {
        f(layer_tensor{name, rows, cols, false}, its...);
    };
    vector("attn_norm", w.dim, of.attention_norm...);
    matrix("attn_q", w.q, w.dim, of.q...);
    matrix("attn_k", w.k, w.dim, of.k...);
    matrix("attn_v", w.v, w.dim, of.v...);
    matrix("attn_output", w.dim, w.attention, of.output...);
    vector("ffn_norm", w.dim, of.ffn_norm...);
    matrix("ffn_gate", w.ffn, w.dim, of.gate...);
    matrix("ffn_up", w.ffn, w.dim, of.up...);
    matrix("ffn_down", w.dim, w.ffn, of.down...);
    if (!w.sub_norms) return;
    vector("attn_sub_norm", w.attention, of.attention_sub_norm...);
    vector("ffn_sub_norm", w.ffn, of.ffn_sub_norm...);
}

}  // namespace tbx::gguf
