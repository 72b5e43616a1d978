// SPDX-License-Identifier: MIT
// Room huggingface. Enters: the config.json of a model folder. Leaves: what of it GGUF has a place
// for, every number checked. A field that is not known here may change what the model computes: it
// is refused by its name, unless its value says that a thing is not there.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "safetensors/json.hpp"

namespace tbx::huggingface {

// As model/config.cpp: far above every published model, and no product of three overflows.
inline constexpr std::int64_t most_width = 1 << 20, most_vocab = 1 << 24, most_layers = 4096,
                              most_context = 1 << 26;

/// How the weights of linear layers lie in the folder.
enum class weight_rule : std::uint8_t {
    plain,            // numbers, as they are
    packed_multiply,  // four trits in a byte; y is multiplied by weight_scale
    packed_divide,    // the same; y is divided by it
    absmean,          // masters: the model rounds them to trits whenever it runs
    absmean_float,    // the same, and their size stays a float whatever their type
    affine,           // MLX: words of codes, scales and biases of groups
    words             // Humming, in which GSQ's files come: words of signed codes, and scales
};

enum class rope_rule : std::uint8_t { plain, linear, llama3, yarn, longrope };

struct config {
    std::string architecture;  // as the file says it: "LlamaForCausalLM"
    std::string family;        // of GGUF: "llama", "bitnet", "qwen2", "qwen3", "minicpm", "maple"
                               // or "gemma3"
    std::int64_t dim = 0, layers = 0, ffn = 0, heads = 0, kv_heads = 0, head_dim = 0;
    std::int64_t vocab = 0, context = 0, rope_dim = 0;
    float norm_eps = 0, rope_base = 10000.0f;
    bool squared_relu = false;
    bool biases = false;      // of q, k and v
    bool head_norms = false;  // of each head's queries and keys
    bool post_norms = false;  // Gemma: of what each half of a layer adds
    bool headless = false;    // of vectors, not of words: names of tensors may lack "model."
    // bitnet-embedding: each projection norms what it reads. The tensors say it, not the config.
    bool input_norms = false;
    std::int64_t experts = 0, experts_used = 0;  // of each layer; ffn is then one's
    std::int64_t window = 0;                     // latest positions that local layers see
    std::vector<bool> local;                     // of each layer, where there is a window
    float local_rope_base = 10000.0f;            // Gemma's
    // MiniCPM's: of what enters, and of what each half of a layer adds; logits are divided.
    double embedding_scale = 1, residual_scale = 1, logit_scale = 1;
    std::optional<bool> tied;  // where it is said
    rope_rule rope = rope_rule::plain;
    double rope_factor = 1, rope_low = 1, rope_high = 4;
    std::int64_t rope_original = 0;            // positions before scaling
    std::vector<float> rope_short, rope_long;  // LongRoPE's divisors
    weight_rule weights = weight_rule::plain;
    int bits = 0, group = 0;               // of weights in words; a group of 0 is a row
    std::vector<std::string> unconverted;  // parts of names of modules that are not packed
    std::int64_t bos = -1, pad = -1;
    std::vector<std::int64_t> ends;  // tokens that end a text, the usual one first
};

/// `path` is the file's, for messages.
[[nodiscard]] config read_config(const safetensors::json& from, const std::string& path);
[[nodiscard]] config read_config(const std::string& path);

}  // namespace tbx::huggingface
