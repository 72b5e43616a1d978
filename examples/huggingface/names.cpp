// SPDX-License-Identifier: MIT
// Room huggingface. Enters: a config. Leaves: names and shapes; see names.hpp.
#include "huggingface/names.hpp"

#include <initializer_list>
#include <utility>

namespace tbx::huggingface {

std::vector<std::string> spellings(const config& c, const std::string& name) {
    if (c.headless) return {name, "model." + name};
    return {"model." + name};
}

std::vector<wanted_tensor> tensors_of(const config& c) {
    std::vector<wanted_tensor> all;
    const std::int64_t q = c.heads * c.head_dim, kv = c.kv_heads * c.head_dim;
    const bool turned = c.family == "llama" || c.family == "minicpm", gemma = c.family == "gemma3";
    // Gemma's own norms multiply by their weights and 1, which GGUF has in the weights.
    const float shift = gemma ? 1.0f : 0.0f;
    const char* const table =
        c.family == "maple" ? "word_embeddings.weight" : "embed_tokens.weight";
    all.push_back({"token_embd.weight", spellings(c, table), c.vocab, c.dim, role::table});
    for (std::int64_t i = 0; i < c.layers; ++i) {
        const std::string here = "layers." + std::to_string(i) + ".",
                          there = "blk." + std::to_string(i) + ".";
        const auto norm = [&](const char* name, std::initializer_list<const char*> known,
                              std::int64_t cols) {
            wanted_tensor t{there + name + ".weight", {}, 1, cols};
            for (const char* each : known)
                for (std::string& s : spellings(c, here + each + ".weight"))
                    t.spelt.push_back(std::move(s));
            t.added = shift;
            all.push_back(std::move(t));
        };
        const auto linear = [&](const char* name, const char* spelt, std::int64_t rows,
                                std::int64_t cols, std::int64_t heads = 0) {
            all.push_back({there + name + ".weight", spellings(c, here + spelt + ".weight"), rows,
                           cols, role::linear, turned ? heads : 0});
            if (!c.input_norms) return;
            all.push_back({there + name + "_norm_in.weight",
                           spellings(c, here + spelt + ".norm.weight"), 1, cols});
        };
        const auto bias = [&](const char* name, const char* spelt, std::int64_t cols) {
            all.push_back({there + name + ".bias", spellings(c, here + spelt + ".bias"), 1, cols});
        };
        const auto stack = [&](const char* name, const char* spelt, std::int64_t rows,
                               std::int64_t cols) {
            wanted_tensor t{there + name + ".weight", spellings(c, here + "mlp.experts."), rows,
                            cols, role::linear};
            t.count = c.experts;
            t.ending = std::string(".") + spelt + ".weight";
            all.push_back(std::move(t));
        };
        norm("attn_norm", {"input_layernorm"}, c.dim);
        linear("attn_q", "self_attn.q_proj", q, c.dim, c.heads);
        linear("attn_k", "self_attn.k_proj", kv, c.dim, c.kv_heads);
        linear("attn_v", "self_attn.v_proj", kv, c.dim);
        linear("attn_output", "self_attn.o_proj", c.dim, q);
        if (c.post_norms) {
            norm("post_attention_norm", {"post_attention_layernorm"}, c.dim);
            norm("ffn_norm", {"pre_feedforward_layernorm"}, c.dim);
            norm("post_ffw_norm", {"post_feedforward_layernorm"}, c.dim);
        } else {
            norm("ffn_norm", {"post_attention_layernorm"}, c.dim);
        }
        if (c.experts > 0) {
            all.push_back({there + "ffn_gate_inp.weight", spellings(c, here + "mlp.gate.weight"),
                           c.experts, c.dim, role::router});
            stack("ffn_gate_exps", "gate_proj", c.ffn, c.dim);
            stack("ffn_up_exps", "up_proj", c.ffn, c.dim);
            stack("ffn_down_exps", "down_proj", c.dim, c.ffn);
        } else {
            linear("ffn_gate", "mlp.gate_proj", c.ffn, c.dim);
            linear("ffn_up", "mlp.up_proj", c.ffn, c.dim);
            linear("ffn_down", "mlp.down_proj", c.dim, c.ffn);
        }
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
    all.push_back({"output_norm.weight", spellings(c, "norm.weight"), 1, c.dim});
    all.back().added = shift;
    if (!c.headless)
        all.push_back({"output.weight", {"lm_head.weight"}, c.vocab, c.dim, role::table, 0, true});
    return all;
}

}  // namespace tbx::huggingface
