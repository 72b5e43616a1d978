// SPDX-License-Identifier: MIT
// Room train: the shape of the model being trained and the flags that pick its graph.
// Enters: numbers from the command line or from a file's metadata.
// Leaves: a checked `model_config` and the place of every tensor in one flat array.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "gguf/layer.hpp"

namespace tbx::train {

// How linear weights and the inputs of linear layers are rounded. docs/runner.md says what each is.
enum class weight_rule { ternary, binary };
enum class activation_rule { int8, a4_8, sign };

inline constexpr std::string_view weight_rule_names[] = {"ternary", "binary"};
inline constexpr std::string_view activation_rule_names[] = {"int8", "a4.8", "sign"};

struct model_config {
    int vocab = 0;
    int hidden = 256;
    int ffn = 768;
    int layers = 4;
    int heads = 4;
    int kv_heads = 4;
    int context = 256;
    float rope_base = 10000.0f;
    float eps = 1e-5f;
    bool quantised = true;         // else float weights and activations, and no rules
    bool already_rounded = false;  // linear weights are t * scale: take them as they are
    weight_rule weights = weight_rule::ternary;
    activation_rule activations = activation_rule::int8;
    // The graph: `graphs` below lists those that have a name.
    bool sub_norms = true;          // BitNet's norms before o_proj and down_proj
    bool squared_relu = true;       // else SiLU
    bool rope_interleaved = false;  // pairs (2i, 2i+1) as in llama files, else (i, i + d/2)

    [[nodiscard]] int head_dim() const { return hidden / heads; }
    [[nodiscard]] int kv_dim() const { return head_dim() * kv_heads; }
};

// What llama.cpp and its kin call a graph, and the flags it stands for.
struct graph {
    std::string_view name;
    bool sub_norms, squared_relu, rope_interleaved;

    void set(model_config& c) const {
        c.sub_norms = sub_norms;
        c.squared_relu = squared_relu;
        c.rope_interleaved = rope_interleaved;
    }
};
inline constexpr graph graphs[] = {{"bitnet-b1.58", true, true, false},
                                   {"bitnet", true, false, false},
                                   {"llama", false, false, true}};

// Null where there is no such name.
inline const graph* find_graph(std::string_view name) {
    for (const graph& g : graphs)
        if (g.name == name) return &g;
    return nullptr;
}

// A llama with squared ReLU is a llama: its gate has a key of its own.
inline const graph& graph_of(const model_config& c) {
    for (const graph& g : graphs)
        if (g.sub_norms == c.sub_norms && g.squared_relu == c.squared_relu) return g;
    return *find_graph("llama");
}

inline gguf::layer_widths widths_of(const model_config& c) {
    return {.dim = c.hidden,
            .q = c.hidden,
            .k = c.kv_dim(),
            .v = c.kv_dim(),
            .attention = c.hidden,
            .ffn = c.ffn,
            .head = c.head_dim(),
            .sub_norms = c.sub_norms};
}

// An empty string, or one sentence saying what is wrong.
inline std::string complaint(const model_config& c) {
    if (c.vocab < 2 || c.hidden < 1 || c.ffn < 1 || c.layers < 1 || c.context < 2)
        return "every size of the model must be positive";
    if (c.heads < 1 || c.hidden % c.heads != 0) return "hidden must be a multiple of heads";
    if (c.head_dim() % 2 != 0) return "hidden / heads must be even";
    if (c.kv_heads < 1 || c.heads % c.kv_heads != 0) return "heads must be a multiple of kv-heads";
    return {};
}

enum class slot_kind { norm, linear, embedding };

struct slot {
    std::string name;  // as in a GGUF file
    std::size_t offset = 0;
    int rows = 1;
    int cols = 0;
    slot_kind kind = slot_kind::linear;

    [[nodiscard]] std::size_t size() const {
        return static_cast<std::size_t>(rows) * static_cast<std::size_t>(cols);
    }
};

// Indices of slots; -1 where a model has no such tensor.
using layer_slots = gguf::layer_tensors<int, int, int>;

// Parameters, gradients and both moments of AdamW are flat arrays with this one layout.
struct parameter_layout {
    std::vector<slot> slots;
    std::vector<layer_slots> layers;
    int embedding = 0;
    int output_norm = 0;
    std::size_t size = 0;

    explicit parameter_layout(const model_config& c) {
        embedding = add("token_embd.weight", c.vocab, c.hidden, slot_kind::embedding);
        for (int i = 0; i < c.layers; ++i) {
            layer_slots l;
            l.attention_sub_norm = l.ffn_sub_norm = -1;
            const auto place = [&](const gguf::layer_tensor& t, int& at) {
                at = add(t.name_in(i), static_cast<int>(t.rows), static_cast<int>(t.cols),
                         t.is_vector ? slot_kind::norm : slot_kind::linear);
            };
            gguf::each_tensor(widths_of(c), place, l);
            layers.push_back(l);
        }
        output_norm = add("output_norm.weight", 1, c.hidden, slot_kind::norm);
    }

    [[nodiscard]] const slot& at(int i) const { return slots[static_cast<std::size_t>(i)]; }

private:
    int add(std::string name, int rows, int cols, slot_kind kind) {
        slots.push_back({std::move(name), size, rows, cols, kind});
        size += slots.back().size();
        return static_cast<int>(slots.size()) - 1;
    }
};

}  // namespace tbx::train
