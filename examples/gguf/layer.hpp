// SPDX-License-Identifier: MIT
// Room gguf. Enters: the widths of a transformer. Leaves: the tensors of one of its layers, with
// names and shapes, in the one list that all who read, write, make or train them go through.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace tbx::gguf {

/// Something for each tensor of a layer. Shapes are (out, in).
template <class Matrix, class Vector, class Stack = std::vector<Matrix>>
struct layer_tensors {
    Vector attention_norm{};  // (dim)
    Matrix q{};               // (heads * key_dim, dim)
    Matrix k{};               // (kv_heads * key_dim, dim)
    Matrix v{};               // (kv_heads * value_dim, dim)
    Matrix output{};          // (dim, heads * value_dim)
    Vector ffn_norm{};        // (dim)
    Matrix gate{};            // (ffn, dim)
    Matrix up{};              // (ffn, dim)
    Matrix down{};            // (dim, ffn)
    // What not every model has; layer_widths says which parts there are.
    Vector attention_sub_norm{};          // (heads * value_dim)
    Vector ffn_sub_norm{};                // (ffn)
    Vector q_bias{}, k_bias{}, v_bias{};  // as wide as what they are added to
    Vector q_norm{}, k_norm{};            // (key_dim), the same for every head
    Vector attention_post_norm{};         // (dim)
    Vector ffn_post_norm{};               // (dim)
    // In place of gate, up and down: those of experts, and what chooses among them.
    Matrix router{};                     // (experts, dim)
    Stack gate_experts{}, up_experts{};  // (experts, ffn, dim)
    Stack down_experts{};                // (experts, dim, ffn)
};

struct layer_widths {
    std::int64_t dim = 0;              // of the residual stream
    std::int64_t q = 0, k = 0, v = 0;  // of all heads together
    std::int64_t attention = 0;        // what attention finds, of all heads together
    std::int64_t ffn = 0;
    std::int64_t head = 0;    // of one head's queries and keys
    bool sub_norms = false;   // before the output and the down projection
    bool biases = false;      // behind q, k and v
    bool head_norms = false;  // of each head's queries and keys
    bool post_norms = false;  // of what attention and the feed-forward network add to the stream
    std::int64_t experts = 0;
};

struct layer_tensor {
    const char* name;         // as in "blk.0.attn_q.weight"
    std::int64_t rows, cols;  // a vector is one row
    bool is_vector;
    const char* ending = ".weight";
    std::int64_t count = 0;  // above 0: so many matrices in one tensor
    bool is_router = false;  // a matrix that stays floats

    [[nodiscard]] std::string name_in(std::int64_t layer) const {
        return "blk." + std::to_string(layer) + "." + name + ending;
    }
    /// Is 0 and not 1 what changes nothing?
    [[nodiscard]] bool is_bias() const noexcept { return ending[1] == 'b'; }
};

/// f(tensor, what each of the layers has for it...) for every tensor, in the order of our files.
template <class F, class... Layers>
void each_tensor(const layer_widths& w, F&& f, Layers&... of) {
    const auto vector = [&](const char* name, std::int64_t cols, auto&... its) {
        f(layer_tensor{name, 1, cols, true}, its...);
    };
    const auto bias = [&](const char* name, std::int64_t cols, auto&... its) {
        f(layer_tensor{name, 1, cols, true, ".bias"}, its...);
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
    if (w.experts > 0) {
        const auto stack = [&](const char* name, std::int64_t rows, std::int64_t cols,
                               auto&... its) {
            f(layer_tensor{name, rows, cols, false, ".weight", w.experts}, its...);
        };
        f(layer_tensor{"ffn_gate_inp", w.experts, w.dim, false, ".weight", 0, true}, of.router...);
        stack("ffn_gate_exps", w.ffn, w.dim, of.gate_experts...);
        stack("ffn_up_exps", w.ffn, w.dim, of.up_experts...);
        stack("ffn_down_exps", w.dim, w.ffn, of.down_experts...);
    } else {
        matrix("ffn_gate", w.ffn, w.dim, of.gate...);
        matrix("ffn_up", w.ffn, w.dim, of.up...);
        matrix("ffn_down", w.dim, w.ffn, of.down...);
    }
    if (w.sub_norms) {
        vector("attn_sub_norm", w.attention, of.attention_sub_norm...);
        vector("ffn_sub_norm", w.ffn, of.ffn_sub_norm...);
    }
    if (w.biases) {
        bias("attn_q", w.q, of.q_bias...);
        bias("attn_k", w.k, of.k_bias...);
        bias("attn_v", w.v, of.v_bias...);
    }
    if (w.head_norms) {
        vector("attn_q_norm", w.head, of.q_norm...);
        vector("attn_k_norm", w.head, of.k_norm...);
    }
    if (w.post_norms) {
        vector("post_attention_norm", w.dim, of.attention_post_norm...);
        vector("post_ffw_norm", w.dim, of.ffn_post_norm...);
    }
}

}  // namespace tbx::gguf
