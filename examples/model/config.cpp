// SPDX-License-Identifier: MIT
// Room examples/model. Enters: metadata keys. Leaves: a checked config; see config.hpp.
#include "model/config.hpp"

#include <initializer_list>

#include "gguf/graph_keys.hpp"
#include "gguf/reader.hpp"
#include "support/finite.hpp"

namespace tbx::model {
namespace {

// Far above every published model, and small enough that products of three fit 63 bits.
constexpr std::int64_t most_width = 1 << 20;
constexpr std::int64_t most_vocab = 1 << 24;
constexpr std::int64_t most_layers = 4096;
constexpr std::int64_t most_heads = 4096;
constexpr std::int64_t most_context = 1 << 26;

struct bound {
    const char* what;
    std::int64_t value, most;
};

}  // namespace

std::int64_t config::linear_weights() const noexcept {
    return layers * (dim * (q_width() + k_width() + v_width() + attention_width()) + 3 * dim * ffn);
}

std::string check(const config& c) {
    for (const bound& b :
         std::initializer_list<bound>{{"embedding_length", c.dim, most_width},
                                      {"feed_forward_length", c.ffn, most_width},
                                      {"block_count", c.layers, most_layers},
                                      {"attention.head_count", c.heads, most_heads},
                                      {"attention.head_count_kv", c.kv_heads, c.heads},
                                      {"attention.key_length", c.key_dim, most_width},
                                      {"attention.value_length", c.value_dim, most_width},
                                      {"context_length", c.context, most_context},
                                      {"vocab_size", c.vocab, most_vocab}})
        if (b.value < 1 || b.value > b.most)
            return std::string(b.what) + " is " + std::to_string(b.value) + ", not in 1.." +
                   std::to_string(b.most);
    if (c.heads % c.kv_heads != 0)
        return "attention.head_count " + std::to_string(c.heads) +
               " is not a multiple of attention.head_count_kv " + std::to_string(c.kv_heads);
    if (c.q_width() > most_width || c.attention_width() > most_width)
        return "the attention heads together are wider than " + std::to_string(most_width);
    if (c.rope_dim < 2 || c.rope_dim > c.key_dim || c.rope_dim % 2 != 0)
        return "rope.dimension_count is " + std::to_string(c.rope_dim) +
               ", not an even number up to attention.key_length " + std::to_string(c.key_dim);
    if (!(c.rope_base >= 1.0f && support::is_finite(c.rope_base)))
        return "rope.freq_base is " + std::to_string(c.rope_base) + ", not a number from 1 on";
    if (!(c.rope_divisor > 0.0f && support::is_finite(c.rope_divisor)))
        return "the RoPE scaling factor is " + std::to_string(c.rope_divisor) + ", not above 0";
    if (!(c.norm_eps > 0.0f && c.norm_eps < 1.0f))
        return "attention.layer_norm_rms_epsilon is " + std::to_string(c.norm_eps) +
               ", not between 0 and 1";
    return {};
}

config read_config(const gguf::reader& file) {
    config c;
    c.architecture = file.get<std::string>("general.architecture");
    const bool llama = c.architecture == "llama";
    const bool squared = c.architecture == "bitnet-b1.58" || c.architecture == "bitnet-25";
    if (!llama && !squared && c.architecture != "bitnet")
        file.fail("architecture '" + c.architecture +
                  "' is none of llama, bitnet, bitnet-b1.58 and bitnet-25");
    c.name = file.get_or<std::string>("general.name", "");

    const std::string prefix = c.architecture + ".";
    const auto integer = [&](const char* key) { return file.get<std::int64_t>(prefix + key); };
    const auto integer_or = [&](const char* key, std::int64_t fallback) {
        return file.get_or(prefix + key, fallback);
    };
    c.dim = integer("embedding_length");
    c.layers = integer("block_count");
    const auto of_layers = [&](const char* key) {
        return file.get_uniform<std::int64_t>(prefix + key, c.layers);
    };
    c.ffn = of_layers("feed_forward_length");
    c.heads = of_layers("attention.head_count");
    const char* const shared = "attention.head_count_kv";
    c.kv_heads = file.has(prefix + shared) ? of_layers(shared) : c.heads;
    c.context = integer("context_length");
    const auto width = [&](const char* key) {
        if (file.has(prefix + key)) return integer(key);
        if (c.heads < 1 || c.dim % c.heads != 0)
            file.fail("attention.head_count " + std::to_string(c.heads) +
                      " does not divide embedding_length " + std::to_string(c.dim) + " and " + key +
                      " is absent");
        return c.dim / c.heads;
    };
    c.key_dim = width("attention.key_length");
    c.value_dim = width("attention.value_length");
    c.norm_eps = file.get<float>(prefix + "attention.layer_norm_rms_epsilon");
    c.vocab = file.require_tensor("token_embd.weight").rows();
    if (const std::int64_t said = integer_or("vocab_size", c.vocab); said != c.vocab)
        file.fail(prefix + "vocab_size is " + std::to_string(said) + " but token_embd.weight has " +
                  std::to_string(c.vocab) + " rows");
    c.rope_dim = integer_or("rope.dimension_count", c.key_dim);
    c.rope_base = file.get_or(prefix + "rope.freq_base", 10000.0f);
    c.rope_divisor = gguf::rope_divisor(file, prefix);
    gguf::refuse_other_graphs(file, prefix, c.context, c.key_dim);

    c.pairing = llama ? rope_pairing::interleaved : rope_pairing::halves;
    c.gate = squared ? gate_function::squared_relu : gate_function::silu;
    // The key is young: most files leave it to the architecture's name.
    if (const std::string key = prefix + "hidden_activation"; file.has(key)) {
        const auto said = file.get<std::string>(key);
        if (said == "relu2" || said == "relu_squared" || said == "relu_sqr")
            c.gate = gate_function::squared_relu;
        else if (said == "silu" || said == "swish")
            c.gate = gate_function::silu;
        else
            file.fail(key + " is '" + said + "'; this program knows 'silu' and 'relu2'");
    }
    c.tied_head = file.find_tensor("output.weight") == nullptr;
    c.sub_norms = file.find_tensor("blk.0.attn_sub_norm.weight") != nullptr;
    if (const std::string problem = check(c); !problem.empty()) file.fail(problem);
    return c;
}

}  // namespace tbx::model
