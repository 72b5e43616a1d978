// SPDX-License-Identifier: MIT
// Room huggingface. Enters: a folder. Leaves: GGUF's metadata; see folder.hpp.
#include "huggingface/folder.hpp"

#include <cmath>
#include <filesystem>
#include <utility>

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

}  // namespace

folder::folder(std::string where)
    : path(std::move(where)),
      shape(read_config(config_of(path))),
      files(path),
      words(read_vocabulary(path, checked())) {}

// As many tokens as the config claims are made room for: so many rows must lie in the file.
const config& folder::checked() const {
    const std::string name = "model.embed_tokens.weight";
    const safetensors::tensor* table = files.find(name);
    if (table == nullptr) throw error(path, "lacks tensor '" + name + "'");
    if (table->rows() != shape.vocab || std::ssize(table->data) < shape.vocab)
        throw error(path, "tensor '" + name + "' has " + std::to_string(table->rows()) + " x " +
                              std::to_string(table->columns()) +
                              " values, and the config has a vocabulary of " +
                              std::to_string(shape.vocab));
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
    count("feed_forward_length", c.ffn);
    count("vocab_size", c.vocab);
    count("attention.head_count", c.heads);
    count("attention.head_count_kv", c.kv_heads);
    count("attention.key_length", c.head_dim);
    count("attention.value_length", c.head_dim);
    out.set(p + "attention.layer_norm_rms_epsilon", c.norm_eps);
    count("rope.dimension_count", c.rope_dim);
    out.set(p + "rope.freq_base", c.rope_base);
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
