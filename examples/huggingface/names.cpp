// SPDX-License-Identifier: MIT
// Room huggingface. Enters: a config. Leaves: names and shapes; see names.hpp.
#include "huggingface/names.hpp"

#include <utility>

namespace tbx::huggingface {

std::vector<wanted_tensor> tensors_of(const config& c) {
    std::vector<wanted_tensor> all;
    const std::int64_t q = c.heads * c.head_dim, kv = c.kv_heads * c.head_dim;
    const bool turned = c.family == "llama" || c.family == "minicpm";
    all.push_back(
        {"token_embd.weight", {"model.embed_tokens.weight"}, c.vocab, c.dim, role::table});
    for (std::int64_t i = 0; i < c.layers; ++i) {
        const std::string here = "model.layers." + std::to_string(i) + ".",
                          there = "blk." + std::to_string(i) + ".";
        const auto norm = [&](const char* name, std::vector<std::string> spelt, std::int64_t cols) {
            for (std::string& s : spelt) s = here + s + ".weight";
            all.push_back({there + name + ".weight", std::move(spelt), 1, cols});
        };
        const auto linear = [&](const char* name, const char* spelt, std::int64_t rows,
                                std::int64_t cols, std::int64_t heads = 0) {
            all.push_back({there + name + ".weight",
                           {here + spelt + ".weight"},
                           rows,
                           cols,
                           role::linear,
                           turned ? heads : 0});
        };
        const auto bias = [&](const char* name, const char* spelt, std::int64_t cols) {
            all.push_back({there + name + ".bias", {here + spelt + ".bias"}, 1, cols});
        };
        norm("attn_norm", {"input_layernorm"}, c.dim);
        linear("attn_q", "self_attn.q_proj", q, c.dim, c.heads);
        linear("attn_k", "self_attn.k_proj", kv, c.dim, c.kv_heads);
        linear("attn_v", "self_attn.v_proj", kv, c.dim);
        linear("attn_output", "self_attn.o_proj", c.dim, q);
        norm("ffn_norm", {"post_attention_layernorm"}, c.dim);
        linear("ffn_gate", "mlp.gate_proj", c.ffn, c.dim);
        linear("ffn_up", "mlp.up_proj", c.ffn, c.dim);
        linear("ffn_down", "mlp.down_proj", c.dim, c.ffn);
        if (c.family == "bitnet") {
            norm("attn_sub_norm", {"self_attn.attn_sub_norm", "self_attn.inner_attn_ln"}, q);
            norm("ffn_sub_norm", {"mlp.ffn_sub_norm", "mlp.ffn_layernorm"}, c.ffn);
        }
        if (c.biases) {
            bias("attn_q", "self_attn.q_proj", q);
            bias("attn_k", "self_attn.k_proj", kv);
            bias("attn_v", "self_attn.v_proj", kv);
        }
        if (c.head_norms) {
            norm("attn_q_norm", {"self_attn.q_norm"}, c.head_dim);
            norm("attn_k_norm", {"self_attn.k_norm"}, c.head_dim);
        }
    }
    all.push_back({"output_norm.weight", {"model.norm.weight"}, 1, c.dim});
    all.push_back({"output.weight", {"lm_head.weight"}, c.vocab, c.dim, role::table, 0, true});
    return all;
}

}  // namespace tbx::huggingface
