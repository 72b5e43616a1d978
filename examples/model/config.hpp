// SPDX-License-Identifier: MIT
// Room examples/model. Enters: the metadata of a GGUF file, or a named shape. Leaves: everything
// about a model but its weights, with no value that the rest of the room could not bear.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "gguf/layer.hpp"

namespace tbx::gguf {
class reader;
}

namespace tbx::model {

/// Which two numbers of a head RoPE turns as one: (2i, 2i + 1) or (i, i + half).
enum class rope_pairing : std::uint8_t { interleaved, halves };

/// What the gate of the feed-forward network goes through: x / (1 + e^-x), max(x, 0)^2, or
/// x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))) / 2.
enum class gate_function : std::uint8_t { silu, squared_relu, gelu };

/// What becomes of the vectors of all tokens when a text is made one: the numbers are GGUF's.
enum class pooling_rule : std::uint8_t { none = 0, mean = 1, last = 3 };

/// YaRN: pairs that turn more than `fast` times within the original context turn as they did, those
/// that turn less than `slow` times are slowed down by rope_divisor, and there is a ramp between.
struct yarn_rule {
    std::int64_t original = 0;  // positions before scaling; 0: all pairs are slowed down alike
    float fast = 32.0f, slow = 1.0f;
};

/// How pairs turn: plain numbers, which each pass of a model may take along.
struct rope_rule {
    std::int64_t dim;  // numbers of a head that turn
    float base, divisor, magnitude;
    yarn_rule yarn;
};

struct config {
    std::string architecture;  // as GGUF calls it
    std::string name;          // for people; may be empty
    std::int64_t vocab = 0;    // rows of the embedding
    std::int64_t dim = 0;      // width of the residual stream
    std::int64_t ffn = 0;      // width of the feed-forward network
    std::int64_t layers = 0;
    std::int64_t heads = 0;      // query heads
    std::int64_t kv_heads = 0;   // key and value heads; divides heads
    std::int64_t key_dim = 0;    // per head, of queries and keys
    std::int64_t value_dim = 0;  // per head
    std::int64_t rope_dim = 0;   // leading numbers of a head that RoPE turns; even
    std::int64_t context = 0;    // positions that the model was trained for
    float rope_base = 10000.0f;
    float rope_divisor = 1.0f;    // positions are divided by it
    float rope_magnitude = 1.0f;  // cosines and sines are multiplied by it
    yarn_rule yarn = {};
    std::int64_t long_rope = 0;    // with more positions the second divisors are taken; 0: one set
    std::int64_t window = 0;       // latest positions that local layers see; 0: all see everything
    std::vector<bool> local = {};  // of each layer, where there is a window
    float local_rope_base = 10000.0f;
    float local_rope_divisor = 1.0f;
    bool turns_global = true;  // RoPE in the layers that see everything
    float norm_eps = 1e-5f;
    rope_pairing pairing = rope_pairing::interleaved;
    gate_function gate = gate_function::silu;
    bool sub_norms = false;    // BitNet: norms before the output and the down projection
    bool biases = false;       // q, k and v have one
    bool head_norms = false;   // queries and keys are normed, each head for itself, before RoPE
    bool post_norms = false;   // Gemma: what is added to the stream is normed
    bool input_norms = false;  // bitnet-embedding: each projection norms what it reads
    bool tied_head = false;    // logits are made with the embedding
    // MiniCPM's: of what enters, and of what each half of a layer adds; logits are divided.
    float embedding_scale = 1.0f, residual_scale = 1.0f, logit_scale = 1.0f;
    std::int64_t experts = 0, experts_used = 0;  // of each layer, and for each token; ffn is one's
    float gate_limit = 0.0f;  // above 0: the gate is at most this, what it lets through not larger
    pooling_rule pooling = pooling_rule::none;

    [[nodiscard]] std::int64_t q_width() const noexcept { return heads * key_dim; }
    [[nodiscard]] std::int64_t k_width() const noexcept { return kv_heads * key_dim; }
    [[nodiscard]] std::int64_t v_width() const noexcept { return kv_heads * value_dim; }
    [[nodiscard]] std::int64_t attention_width() const noexcept { return heads * value_dim; }
    [[nodiscard]] gguf::layer_widths widths() const noexcept {
        return {.dim = dim,
                .q = q_width(),
                .k = k_width(),
                .v = v_width(),
                .attention = attention_width(),
                .ffn = ffn,
                .head = key_dim,
                .sub_norms = sub_norms,
                .biases = biases,
                .head_norms = head_norms,
                .post_norms = post_norms,
                .experts = experts};
    }
    [[nodiscard]] bool is_local(std::int64_t layer) const {
        return window > 0 && local[static_cast<std::size_t>(layer)];
    }
    [[nodiscard]] rope_rule rope() const noexcept {
        return {rope_dim, rope_base, rope_divisor, rope_magnitude, yarn};
    }
    [[nodiscard]] rope_rule local_rope() const noexcept {
        return {rope_dim, local_rope_base, local_rope_divisor, 1.0f, {}};
    }
    /// Weights of the linear layers that a token meets, without embedding and head.
    [[nodiscard]] std::int64_t linear_weights() const noexcept;
};

/// A config of nothing but an architecture's graph, with the parts that its models have. Throws
/// tbx::error for one that is not known, with the names of those that are.
[[nodiscard]] config config_of_architecture(std::string_view name);

/// Throws tbx::error with a sentence for a missing, absurd or unsupported value.
[[nodiscard]] config read_config(const gguf::reader& file);

/// What is wrong with these numbers; empty when they are sound.
[[nodiscard]] std::string check(const config& c);

}  // namespace tbx::model
