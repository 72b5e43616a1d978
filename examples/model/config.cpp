// SPDX-License-Identifier: MIT
// Room examples/model. Enters: metadata keys. Leaves: a checked config; see config.hpp.
#include "model/config.hpp"

#include <cmath>
#include <initializer_list>
#include <utility>

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
constexpr std::int64_t most_experts = 1 << 12;

struct bound {
    const char* what;
    std::int64_t value, most;
};

/// What the name of an architecture alone says.
struct graph {
    std::string_view name;
    rope_pairing pairing = rope_pairing::halves;
    gate_function gate = gate_function::silu;
    bool sub_norms = false, biases = false, head_norms = false, post_norms = false;
    bool scales = false;   // of embedding, residuals and logits
    bool windows = false;  // in some layers
    bool experts = false;
};

constexpr graph graphs[] = {
    {.name = "llama", .pairing = rope_pairing::interleaved},
    {.name = "bitnet", .sub_norms = true},
    {.name = "bitnet-b1.58", .gate = gate_function::squared_relu, .sub_norms = true},
    {.name = "bitnet-25", .gate = gate_function::squared_relu, .sub_norms = true},
    {.name = "qwen2", .biases = true},
    {.name = "qwen3", .head_norms = true},
    {.name = "minicpm", .pairing = rope_pairing::interleaved, .scales = true},
    {.name = "maple", .head_norms = true, .windows = true, .experts = true},
    {.name = "gemma3",
     .gate = gate_function::gelu,
     .head_norms = true,
     .post_norms = true,
     .windows = true},
};

/// Attention and recurrent layers in turn: Qwen3-Next and its successors, Bonsai 27B among them.
bool is_hybrid(std::string_view name) noexcept {
    return name == "qwen3next" || name.starts_with("qwen35") || name.starts_with("qwen36") ||
           name.starts_with("qwen38");
}

const graph* find_graph(std::string_view name) noexcept {
    for (const graph& g : graphs)
        if (name == g.name) return &g;
    return nullptr;
}

// Of an architecture that is not here.
std::string without_graph(std::string_view name) {
    if (is_hybrid(name))
        return "'" + std::string(name) +
               "' has recurrent layers, which are not supported here; use llama.cpp with the "
               "plug-in";
    std::string known;
    for (const graph& g : graphs) known += (known.empty() ? "" : ", ") + std::string(g.name);
    return "'" + std::string(name) + "' is none of " + known;
}

gate_function gate_of(const gguf::reader& file, const std::string& key) {
    const auto said = file.get<std::string>(key);
    if (said == "relu2" || said == "relu_squared" || said == "relu_sqr")
        return gate_function::squared_relu;
    if (said == "silu" || said == "swish") return gate_function::silu;
    file.fail(key + " is '" + said + "'; this program knows 'silu' and 'relu2'");
}

// MiniCPM's. llama.cpp has defaults, which are those of one size; no ternary file leaves them out.
void read_scales(const gguf::reader& file, const std::string& prefix, config& c) {
    c.embedding_scale = file.get<float>(prefix + "embedding_scale");
    c.residual_scale = file.get<float>(prefix + "residual_scale");
    c.logit_scale = file.get<float>(prefix + "logit_scale");
}

// Which layers see a window alone: said for each, or every sixth does not (Gemma 3's).
void read_windows(const gguf::reader& file, const std::string& prefix, config& c) {
    c.window = file.get_or<std::int64_t>(prefix + "attention.sliding_window", 0);
    c.local_rope_base = file.get_or(prefix + "rope.freq_base_swa", c.local_rope_base);
    if (c.window <= 0 || c.layers < 1 || c.layers > most_layers) return;
    const std::string key = prefix + "attention.sliding_window_pattern";
    const gguf::entry* pattern = file.find(key);
    std::int64_t period = 6;  // 0: the list says it
    if (pattern != nullptr && pattern->type != gguf::value_type::array)
        period = file.get<std::int64_t>(key);
    else if (pattern != nullptr && std::cmp_not_equal(pattern->count, c.layers))
        file.fail(key + " says it of " + std::to_string(pattern->count) +
                  " layers, and there are " + std::to_string(c.layers));
    else if (pattern != nullptr)
        period = 0;
    if (period < 0) file.fail(key + " is below 0");
    for (std::int64_t i = 0; i < c.layers; ++i) {
        if (period > 0) {
            c.local.push_back((i + 1) % period != 0);
            continue;
        }
        // Flags, or numbers that stand for them.
        const gguf::entry said = gguf::element_of(*pattern, static_cast<std::uint64_t>(i));
        c.local.push_back(said.type == gguf::value_type::boolean
                              ? file.value<bool>(said)
                              : file.value<std::int64_t>(said) != 0);
    }
}

void read_experts(const gguf::reader& file, const std::string& prefix, config& c) {
    c.experts = file.get<std::int64_t>(prefix + "expert_count");
    c.experts_used = file.get<std::int64_t>(prefix + "expert_used_count");
    c.ffn = file.get_uniform<std::int64_t>(prefix + "expert_feed_forward_length", c.layers);
    const std::string limit = prefix + "swiglu_clamp_exp";
    c.gate_limit = file.has(limit) ? file.get_uniform<float>(limit, c.layers) : 7.0f;
}

pooling_rule read_pooling(const gguf::reader& file, const std::string& key) {
    const auto said = file.get_or<std::int64_t>(key, 0);
    if (said != 0 && said != 1 && said != 3)
        file.fail(key + " is " + std::to_string(said) +
                  "; this program knows 0 (none), 1 (mean) and 3 (last)");
    return static_cast<pooling_rule>(said);
}

}  // namespace

config config_of_architecture(std::string_view name) {
    const graph* g = find_graph(name);
    if (g == nullptr) throw error("architecture", without_graph(name));
    config c;
    c.architecture = name;
    c.pairing = g->pairing;
    c.gate = g->gate;
    c.sub_norms = g->sub_norms;
    c.biases = g->biases;
    c.head_norms = g->head_norms;
    c.post_norms = g->post_norms;
    c.turns_global = name != "maple";
    return c;
}

std::int64_t config::linear_weights() const noexcept {
    const std::int64_t networks = experts > 0 ? experts_used : 1;
    return layers * (dim * (q_width() + k_width() + v_width() + attention_width()) +
                     3 * dim * ffn * networks + experts * dim);
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
    if (!(c.rope_magnitude > 0.0f && support::is_finite(c.rope_magnitude)))
        return "RoPE's cosines and sines are multiplied by " + std::to_string(c.rope_magnitude) +
               ", which is not above 0";
    if (c.yarn.original < 0 || c.yarn.original > most_context ||
        !(c.yarn.slow > 0.0f && c.yarn.fast >= c.yarn.slow && support::is_finite(c.yarn.fast)))
        return "YaRN's original context or its betas are out of range";
    if (c.window < 0 || c.window > most_context)
        return "attention.sliding_window is " + std::to_string(c.window) + ", which is no window";
    if (!(c.local_rope_base >= 1.0f && support::is_finite(c.local_rope_base)))
        return "rope.freq_base_swa is not a number from 1 on";
    for (const float scale : {c.embedding_scale, c.residual_scale, c.logit_scale})
        if (!(scale > 0.0f && support::is_finite(scale)))
            return "embedding_scale, residual_scale or logit_scale is not above 0";
    if (c.experts < 0 || c.experts > most_experts || c.experts_used < 0 ||
        c.experts_used > c.experts || (c.experts > 0 && c.experts_used == 0))
        return "expert_used_count is " + std::to_string(c.experts_used) + " of " +
               std::to_string(c.experts) + " experts, of which there may be " +
               std::to_string(most_experts);
    if (!(c.gate_limit >= 0.0f)) return "swiglu_clamp_exp is below 0";
    if (!(c.norm_eps > 0.0f && c.norm_eps < 1.0f))
        return "attention.layer_norm_rms_epsilon is " + std::to_string(c.norm_eps) +
               ", not between 0 and 1";
    return {};
}

config read_config(const gguf::reader& file) {
    const auto architecture = file.get<std::string_view>("general.architecture");
    if (find_graph(architecture) == nullptr)
        file.fail("architecture " + without_graph(architecture));
    config c = config_of_architecture(architecture);
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
    const graph& g = *find_graph(architecture);
    if (g.experts)
        read_experts(file, prefix, c);
    else
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
    // Its makers' own files say it of the layers that turn, and 0 of the others.
    if (architecture == "maple") c.rope_dim = integer_or("rope.dimension_count_swa", c.rope_dim);
    c.rope_base = file.get_or(prefix + "rope.freq_base", 10000.0f);
    const gguf::rope_scaling scaling = gguf::rope_scaling_of(file, prefix, c.context);
    c.rope_divisor = scaling.divisor;
    c.rope_magnitude = scaling.magnitude;
    c.yarn = {scaling.yarn ? scaling.original : 0, scaling.fast, scaling.slow};
    c.long_rope = scaling.long_rope ? scaling.original : 0;
    if (architecture != "gemma3") {  // whose local layers turn as they ever did
        c.local_rope_base = c.rope_base;
        c.local_rope_divisor = c.rope_divisor;
    }
    if (g.scales) read_scales(file, prefix, c);
    if (g.windows) read_windows(file, prefix, c);
    if (architecture == "gemma3") c.embedding_scale = std::sqrt(static_cast<float>(c.dim));
    c.pooling = read_pooling(file, prefix + "pooling_type");
    gguf::refuse_other_graphs(file, prefix, c.context, c.key_dim,
                              {.scales = g.scales, .windows = g.windows, .experts = g.experts});
    gguf::refuse_other_activations(file);

    // The key is young: most files leave it to the architecture's name.
    if (const std::string key = prefix + "hidden_activation"; file.has(key))
        c.gate = gate_of(file, key);
    c.tied_head = file.find_tensor("output.weight") == nullptr;
    const auto there = [&](const char* name) { return file.find_tensor(name) != nullptr; };
    c.sub_norms = there("blk.0.attn_sub_norm.weight");
    c.biases |= there("blk.0.attn_q.bias");
    c.head_norms |= there("blk.0.attn_q_norm.weight");
    c.input_norms = there("blk.0.attn_q_norm_in.weight");
    if (const std::string problem = check(c); !problem.empty()) file.fail(problem);
    return c;
}

}  // namespace tbx::model
