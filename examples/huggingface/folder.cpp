// SPDX-License-Identifier: MIT
// Room huggingface. Enters: a folder. Leaves: GGUF's metadata; see folder.hpp.
#include "huggingface/folder.hpp"

#include <cmath>
#include <filesystem>
#include <utility>
#include <vector>

#include "huggingface/names.hpp"
#include "huggingface/tensors.hpp"
#include "support/error.hpp"

namespace tbx::huggingface {

namespace {

std::string config_of(const std::string& path) {
    const auto file = (std::filesystem::path(path) / "config.json").string();
    if (!std::filesystem::exists(file))
        throw error(path, "is a folder without config.json, so no model of Hugging Face's");
    return file;
}

void write_experts(gguf::writer& out, const std::string& prefix, const config& c) {
    out.set(prefix + "expert_feed_forward_length", static_cast<std::uint32_t>(c.ffn));
    out.set(prefix + "expert_count", static_cast<std::uint32_t>(c.experts));
    out.set(prefix + "expert_used_count", static_cast<std::uint32_t>(c.experts_used));
    // Of its class; its config does not say it.
    const std::vector<float> most(static_cast<std::size_t>(c.layers), 7.0f);
    out.set_array(prefix + "swiglu_clamp_exp", std::span<const float>(most));
}

void write_windows(gguf::writer& out, const std::string& prefix, const config& c) {
    out.set(prefix + "attention.sliding_window", static_cast<std::uint32_t>(c.window));
    const std::vector<std::int32_t> local(c.local.begin(), c.local.end());
    bool usual = c.family == "gemma3";  // whose name says that every sixth sees all
    for (std::size_t i = 0; i < local.size(); ++i) usual &= (local[i] != 0) == ((i + 1) % 6 != 0);
    if (!usual)
        out.set_array(prefix + "attention.sliding_window_pattern",
                      std::span<const std::int32_t>(local));
    if (c.family == "gemma3") out.set(prefix + "rope.freq_base_swa", c.local_rope_base);
}

}  // namespace

folder::folder(std::string where)
    : path(std::move(where)),
      shape(read_config(config_of(path))),
      files(path),
      words(read_vocabulary(path, checked())),
      vectors(read_pooling(path, shape)) {}

// As many tokens as the config claims are made room for: so many rows must lie in the file. And
// the parts that tensors alone tell of are noted.
const config& folder::checked() {
    const auto found = [&](const std::vector<std::string>& spelt) {
        const safetensors::tensor* t = nullptr;
        for (const std::string& name : spelt)
            if (t == nullptr) t = files.find(name);
        return t;
    };
    const std::vector<std::string> spelt = tensors_of(shape).front().spelt;
    const safetensors::tensor* table = found(spelt);
    if (table == nullptr) throw error(path, "lacks tensor '" + spelt.front() + "'");
    if (table->rows() != shape.vocab || std::ssize(table->data) < shape.vocab)
        throw error(path, "tensor '" + table->name + "' has " + std::to_string(table->rows()) +
                              " x " + std::to_string(table->columns()) +
                              " values, and the config has a vocabulary of " +
                              std::to_string(shape.vocab));
    // bitnet-embedding's layers, whose class rounds their masters whenever it runs.
    if ((shape.family == "qwen3" || shape.family == "gemma3") &&
        found(spellings(shape, "layers.0.self_attn.q_proj.norm.weight")) != nullptr) {
        shape.input_norms = true;
        if (shape.weights == weight_rule::plain) shape.weights = weight_rule::absmean_float;
    }
    return shape;
}

std::vector<gguf::float_rows> folder::tensors() const { return tensors_of(shape, files); }

void folder::write_metadata(gguf::writer& out) const {
    const config& c = shape;
    // llama.cpp 0.7 computes SiLU in every `bitnet`, whatever its keys say. The name that
    // bitnet.cpp has for the graph of squared ReLU is refused there, which is better than nonsense.
    const std::string architecture = c.squared_relu ? "bitnet-b1.58" : c.family,
                      p = architecture + ".";
    const auto count = [&](const char* key, std::int64_t value) {
        out.set(p + key, static_cast<std::uint32_t>(value));
    };
    out.set("general.architecture", architecture);
    const auto absolute = std::filesystem::weakly_canonical(path);
    out.set("general.name", absolute.filename().string());
    out.set("general.quantization_version", std::uint32_t{2});
    count("context_length", c.context);
    count("embedding_length", c.dim);
    count("block_count", c.layers);
    if (c.experts > 0)
        write_experts(out, p, c);
    else
        count("feed_forward_length", c.ffn);
    count("vocab_size", c.vocab);
    count("attention.head_count", c.heads);
    count("attention.head_count_kv", c.kv_heads);
    count("attention.key_length", c.head_dim);
    count("attention.value_length", c.head_dim);
    out.set(p + "attention.layer_norm_rms_epsilon", c.norm_eps);
    count("rope.dimension_count", c.rope_dim);
    out.set(p + "rope.freq_base", c.rope_base);
    if (c.window > 0) write_windows(out, p, c);
    if (vectors != pooling::unsaid) count("pooling_type", static_cast<std::int64_t>(vectors));
    if (c.rope == rope_rule::linear || c.rope == rope_rule::yarn) {
        out.set(p + "rope.scaling.type", c.rope == rope_rule::yarn ? "yarn" : "linear");
        out.set(p + "rope.scaling.factor", static_cast<float>(c.rope_factor));
        if (c.rope_original > 0) count("rope.scaling.original_context_length", c.rope_original);
    }
    if (c.rope == rope_rule::longrope) {
        out.set(p + "rope.scaling.type", "longrope");
        count("rope.scaling.original_context_length", c.rope_original);
        // As the model's class has it: longer texts than it was trained for need sharper scores.
        const double longer = static_cast<double>(c.context) / static_cast<double>(c.rope_original);
        if (longer > 1)
            out.set(p + "rope.scaling.attn_factor",
                    static_cast<float>(std::sqrt(
                        1 + std::log(longer) / std::log(static_cast<double>(c.rope_original)))));
    }
    if (c.family == "minicpm") {
        out.set(p + "embedding_scale", static_cast<float>(c.embedding_scale));
        out.set(p + "residual_scale", static_cast<float>(c.residual_scale));
        out.set(p + "logit_scale", static_cast<float>(c.logit_scale));
    }
    if (c.family == "bitnet") out.set(p + "hidden_activation", c.squared_relu ? "relu2" : "silu");
    write_vocabulary(out, words);
}

}  // namespace tbx::huggingface
