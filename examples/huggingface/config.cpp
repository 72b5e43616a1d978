// SPDX-License-Identifier: MIT
// Room huggingface. Enters: config.json. Leaves: a checked config; see config.hpp. Defaults are
// those of the configuration classes of transformers.
#include "huggingface/config.hpp"

#include <array>
#include <cmath>
#include <string_view>

#include "gguf/quoted.hpp"
#include "huggingface/fields.hpp"
#include "huggingface/layer_kinds.hpp"
#include "huggingface/rope_fields.hpp"
#include "huggingface/weight_fields.hpp"
#include "support/error.hpp"

namespace tbx::huggingface {

namespace {

// How it was made, is trained or sampled: nothing of it changes a logit.
constexpr std::array harmless{"_name_or_path",
                              "_attn_implementation",
                              "_attn_implementation_autoset",
                              "_commit_hash",
                              "add_cross_attention",
                              "attention_dropout",
                              "attn_implementation",
                              "auto_map",
                              "bad_words_ids",
                              "bos_token_id",
                              "chunk_size_feed_forward",
                              "classifier_dropout",
                              "decoder_start_token_id",
                              "diversity_penalty",
                              "do_sample",
                              "dtype",
                              "early_stopping",
                              "embd_pdrop",
                              "encoder_no_repeat_ngram_size",
                              "exponential_decay_length_penalty",
                              "finetuning_task",
                              "forced_bos_token_id",
                              "forced_eos_token_id",
                              "hidden_dropout",
                              "hidden_dropout_prob",
                              "id2label",
                              "initializer_range",
                              "is_decoder",
                              "is_encoder_decoder",
                              "label2id",
                              "length_penalty",
                              "max_length",
                              "max_window_layers",
                              "min_length",
                              "mlp_dropout",
                              "model_max_length",
                              "neftune_noise_alpha",
                              "no_repeat_ngram_size",
                              "num_beam_groups",
                              "num_beams",
                              "num_return_sequences",
                              "output_attentions",
                              "output_hidden_states",
                              "output_scores",
                              "prefix",
                              "pretraining_model_parallel",
                              "pretraining_tp",
                              "problem_type",
                              "remove_invalid_values",
                              "repetition_penalty",
                              "resid_pdrop",
                              "return_dict",
                              "return_dict_in_generate",
                              "sep_token_id",
                              "suppress_tokens",
                              "task_specific_params",
                              "temperature",
                              "tie_encoder_decoder",
                              "tokenizer_class",
                              "top_k",
                              "top_p",
                              "torch_dtype",
                              "torchscript",
                              "transformers_version",
                              "typical_p",
                              "unk_token_id",
                              "unsloth_fixed",
                              "unsloth_version",
                              "use_bfloat16",
                              "use_cache",
                              "use_mambapy"};

// Fields whose value 1 says that nothing is multiplied or divided.
constexpr std::array factors{"attention_multiplier", "embedding_multiplier", "logit_scale",
                             "logits_scaling", "residual_multiplier"};

// With what the class takes where its config says nothing; kv_heads: as many as heads.
struct family_of {
    std::string_view architecture, family, gate;
    double norm_eps, rope_base;
    bool kv_heads;
    bool biases = false, head_norms = false, headless = false;
};
constexpr std::string_view gelu = "gelu_pytorch_tanh";
// 1bitLLM's class is spelt otherwise than the one in transformers.
constexpr std::array families{
    family_of{"LlamaForCausalLM", "llama", "silu", 1e-6, 10000, true},
    family_of{"BitNetForCausalLM", "bitnet", "relu2", 1e-5, 500000, false},
    family_of{"BitnetForCausalLM", "bitnet", "silu", 1e-6, 10000, true},
    family_of{"Qwen2ForCausalLM", "qwen2", "silu", 1e-6, 10000, false, true, false},
    family_of{"Qwen3ForCausalLM", "qwen3", "silu", 1e-6, 10000, false, false, true},
    family_of{"Qwen3Model", "qwen3", "silu", 1e-6, 10000, false, false, true, true},
    family_of{"MiniCPMForCausalLM", "minicpm", "silu", 1e-6, 10000, true},
    family_of{"MapleForCausalLM", "maple", "silu", 1e-6, 10000, false, false, true},
    family_of{"Gemma3ForCausalLM", "gemma3", gelu, 1e-6, 1000000, false, false, true},
    family_of{"Gemma3TextModel", "gemma3", gelu, 1e-6, 1000000, false, false, true, true}};

const family_of& read_family(fields& f) {
    const json* list = f.find("architectures");
    if (list == nullptr || !list->is_array() || list->size() != 1 || !(*list)[0].is_string())
        f.refuse("architectures", "does not name the one class of the model");
    const auto& name = (*list)[0].get_ref<const std::string&>();
    std::string known;
    for (const family_of& each : families) {
        if (each.architecture == name) return each;
        known += (known.empty() ? "" : ", ") + std::string(each.architecture);
    }
    f.refuse("architectures", "is " + gguf::quoted(name) + ", none of " + known);
}

void read_activation(fields& f, const family_of& family, config& c) {
    if (family.gate == gelu) {
        for (const char* name : {"hidden_activation", "hidden_act"})
            if (const auto said = f.text(name).value_or(std::string(gelu)); said != gelu)
                f.refuse(name, "is " + gguf::quoted(said) + "; this class is known with " +
                                   gguf::quoted(gelu) + " alone");
        return;
    }
    const auto said = f.text("hidden_act").value_or(std::string(family.gate));
    if (said == "relu2")
        c.squared_relu = true;
    else if (said != "silu" && said != "swish")
        f.refuse("hidden_act", "is " + gguf::quoted(said) + "; only 'silu' and 'relu2' are known");
    if (c.squared_relu && c.family != "bitnet")
        f.refuse("hidden_act", "is 'relu2', which GGUF cannot say of this architecture");
}

// MiniCPM's own defaults are those of MiniCPM-2B; a config that leaves one out is not guessed at.
void read_scales(fields& f, config& c) {
    const auto positive = [&](const char* name) {
        const auto value = f.number(name);
        if (!value || *value <= 0) f.refuse(name, "is missing, or not above 0");
        return *value;
    };
    c.embedding_scale = positive("scale_emb");
    c.residual_scale = positive("scale_depth") / std::sqrt(static_cast<double>(c.layers));
    c.logit_scale = static_cast<double>(c.dim) / positive("dim_model_base");
    f.ignore("mup_denominator");  // of training
}

void read_tokens(fields& f, config& c) {
    c.bos = f.integer("bos_token_id", -1, most_vocab).value_or(-1);
    c.pad = f.integer("pad_token_id", -1, most_vocab).value_or(-1);
    const json* ends = f.find("eos_token_id");
    if (ends == nullptr) return;
    for (const json& id : ends->is_array() ? *ends : json::array({*ends})) {
        if (!id.is_number_integer() || id.get<std::int64_t>() < 0 ||
            id.get<std::int64_t>() > most_vocab)
            f.refuse("eos_token_id", "is no token");
        c.ends.push_back(id.get<std::int64_t>());
    }
}

}  // namespace

config read_config(const json& from, const std::string& path) {
    fields f(from, path);
    config c;
    const family_of& family = read_family(f);
    c.architecture = family.architecture;
    c.family = family.family;
    c.biases = family.biases;
    c.head_norms = family.head_norms;
    c.post_norms = c.family == "gemma3";
    c.headless = family.headless;
    (void)f.text("model_type");
    c.dim = f.required("hidden_size", 1, most_width);
    c.layers = f.required("num_hidden_layers", 1, most_layers);
    if (c.family == "maple")
        read_experts(f, c);
    else
        c.ffn = f.required("intermediate_size", 1, most_width);
    c.heads = f.required("num_attention_heads", 1, most_layers);
    c.kv_heads = family.kv_heads ? f.integer("num_key_value_heads", 1, c.heads).value_or(c.heads)
                                 : f.required("num_key_value_heads", 1, c.heads);
    if (c.heads % c.kv_heads != 0)
        f.refuse("num_key_value_heads", "does not divide num_attention_heads");
    const auto head_dim = f.integer("head_dim", 2, most_width);
    if (!head_dim && c.head_norms) f.refuse("head_dim", "is missing");
    if (!head_dim && c.dim % c.heads != 0)
        f.refuse("num_attention_heads", "does not divide hidden_size, and head_dim is absent");
    c.head_dim = head_dim.value_or(c.dim / c.heads);
    if (c.head_dim % 2 != 0 || c.heads > most_width / c.head_dim)
        f.refuse("head_dim", "is odd, or the heads together are too wide");
    c.vocab = f.required("vocab_size", 1, most_vocab);
    c.context = f.required("max_position_embeddings", 1, most_context);
    const double eps = f.number("rms_norm_eps").value_or(family.norm_eps);
    if (!(eps > 0 && eps < 1)) f.refuse("rms_norm_eps", "is not between 0 and 1");
    c.norm_eps = static_cast<float>(eps);
    c.tied = f.flag("tie_word_embeddings");
    c.rope_base = static_cast<float>(family.rope_base);
    if (c.family == "minicpm") read_scales(f, c);
    read_activation(f, family, c);
    read_rope(f, c);
    if (c.family == "gemma3") read_score_scale(f, c);
    read_windows(f, c);
    read_weights(f, c);
    read_tokens(f, c);
    for (const char* name : {"attention_bias", "mlp_bias", "qkv_bias", "use_bias", "bias"})
        if (f.flag(name).value_or(false))
            f.refuse(name, "is true: this program knows these models without biases alone");
    for (const char* name : factors)
        if (f.number(name).value_or(1) != 1)
            f.refuse(name, "is not 1, and this program knows no such factor");
    for (const char* name : harmless) f.ignore(name);
    f.refuse_others();
    return c;
}

config read_config(const std::string& path) {
    return read_config(safetensors::read_json(path, std::uint64_t{1} << 24), path);
}

}  // namespace tbx::huggingface
