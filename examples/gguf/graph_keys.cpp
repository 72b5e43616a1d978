// SPDX-License-Identifier: MIT
// Room gguf. Enters: metadata. Leaves: a refusal of other graphs; see graph_keys.hpp. The list is
// that of the keys in llama.cpp's src/llama-arch.cpp, less those that this program reads, those of
// the tokenizer, and those without effect unless one of these has one.
#include "gguf/graph_keys.hpp"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <optional>
#include <string_view>

#include "gguf/quoted.hpp"

namespace tbx::gguf {

namespace {

/// Values that change nothing, beside 0 and false, which say that a thing is not there.
enum class neutral { zero, one, truth, minus_one, context, root };

constexpr std::string_view attention_factor = "rope.scaling.attn_factor";

struct graph_key {
    std::string_view name;  // behind the architecture; all that begin so when it ends with a dot
    neutral value = neutral::zero;
};

constexpr graph_key keys[] = {
    // attention
    {"attention.sliding_window", neutral::context},
    {"attention.causal", neutral::truth},
    {"attention.scale", neutral::root},
    {"attention.clamp_kqv"},
    {"attention.max_alibi_bias"},
    {"attention.output_scale", neutral::one},
    {"attention.value_scale", neutral::one},
    {"attention.temperature_length"},
    {"attention.temperature_scale"},
    {"attention.q_lora_rank"},
    {"attention.kv_lora_rank"},
    {"attention.key_length_mla"},
    {"attention.value_length_mla"},
    {"attention.relative_buckets_count"},
    {"attention.shared_kv_layers"},
    {"attention.recurrent_layers"},
    {"attention.output_group_count"},
    {"attention.compress_ratios"},
    {"attention.indexer."},
    {"attn_logit_softcapping"},
    {"full_attention_interval", neutral::one},
    // RoPE
    {attention_factor, neutral::one},
    {"rope.scaling.alpha", neutral::one},
    {"rope.scaling.yarn_log_multiplier"},
    {"rope.scaling.yarn_ext_factor", neutral::minus_one},
    {"rope.scaling.yarn_attn_factor", neutral::one},
    {"rope.dimension_sections"},
    // the stream
    {"use_parallel_residual"},
    {"residual_scale", neutral::one},
    {"embedding_scale", neutral::one},
    {"embedding_length_per_layer_input"},
    {"rescale_every_n_layers"},
    {"n_deepstack_layers"},
    {"norm_before_residual"},
    {"hyper_connection."},
    {"hash_layer_count"},
    {"swin_norm"},
    {"token_shift_count"},
    // the feed-forward network
    {"expert_count"},
    {"expert_used_count"},
    {"expert_shared_count"},
    {"expert_group_count"},
    {"swiglu_clamp_exp"},
    {"swiglu_clamp_shexp"},
    // the head
    {"logit_scale", neutral::one},
    {"final_logit_softcapping"},
    {"nextn_predict_layers"},
    {"decoder_block_count"},
    // layers of another kind
    {"ssm."},
    {"wkv."},
    {"kda."},
    {"shortconv."},
};

// Without an architecture before them; their presence is enough. An activation with parameters
// (Apertus).
constexpr std::string_view everywhere[] = {"xielu."};

bool matches(std::string_view name, const graph_key& key) {
    return key.name.ends_with('.') ? name.starts_with(key.name) : name == key.name;
}

// A number, a flag, or numbers that all are so; nothing for other entries.
std::optional<bool> all_of(const reader& file, const entry& e, auto is) {
    if (e.type == value_type::string || e.element == value_type::string) return std::nullopt;
    if (e.type == value_type::boolean) return is(e.bytes[0] != std::byte{0} ? 1.0 : 0.0);
    if (e.type != value_type::array) return is(file.value<double>(e));
    for (std::uint64_t i = 0; i < e.count; ++i)
        if (!*all_of(file, element_of(e, i), is)) return false;
    return true;
}

bool changes_nothing(const reader& file, const entry& e, neutral value, std::int64_t context,
                     std::int64_t key_length) {
    const auto is = [&](double v) {
        switch (value) {
            case neutral::zero:
                break;
            case neutral::one:
                if (v == 1) return true;
                break;
            case neutral::truth:
                return v == 1;
            case neutral::minus_one:
                if (v == -1) return true;
                break;
            case neutral::context:
                if (v >= static_cast<double>(context)) return true;
                break;
            case neutral::root: {
                // As a float, in which the key is kept.
                const double usual = 1 / std::sqrt(static_cast<double>(key_length));
                if (std::fabs(v - usual) <= 1e-6 * usual) return true;
                break;
            }
        }
        return v == 0;
    };
    return all_of(file, e, is).value_or(false);
}

}  // namespace

float yarn_magnitude(float divisor) noexcept {
    return static_cast<float>(1.0 + 0.1 * std::log(double{divisor}));
}

rope_scaling rope_scaling_of(const reader& file, const std::string& prefix, std::int64_t context) {
    rope_scaling out;
    const auto type = file.get_or<std::string>(prefix + "rope.scaling.type", "linear");
    if (type == "none") return out;
    if (type != "linear" && type != "yarn" && type != "longrope")
        file.fail(prefix + "rope.scaling.type is '" + type +
                  "'; this program knows 'none', 'linear', 'yarn' and 'longrope'");
    for (const char* key : {"rope.scale_linear", "rope.scaling.factor"})
        if (file.has(prefix + key)) {
            const auto factor = file.get<float>(prefix + key);
            out.divisor = factor == 0.0f ? 1.0f : factor;  // llama.cpp: 0 is no factor
        }
    if (type == "linear") return out;
    out.original =
        file.get_or<std::int64_t>(prefix + "rope.scaling.original_context_length", context);
    if (type == "longrope") {
        out.long_rope = true;
        out.magnitude = file.get_or(prefix + std::string(attention_factor), 1.0f);
        return out;
    }
    out.yarn = true;
    out.fast = file.get_or(prefix + "rope.scaling.yarn_beta_fast", out.fast);
    out.slow = file.get_or(prefix + "rope.scaling.yarn_beta_slow", out.slow);
    out.magnitude = yarn_magnitude(out.divisor);
    return out;
}

void refuse_other_activations(const reader& file) {
    if (const auto rule = file.get_or<std::string>(activation_rule_key, "int8"); rule != "int8")
        file.fail("metadata key " + quoted(activation_rule_key) + " is '" + rule +
                  "': its activations are rounded by a rule that this program does not know");
}

void refuse_other_graphs(const reader& file, const std::string& prefix, std::int64_t context,
                         std::int64_t key_length, const known_parts& known) {
    const bool long_rope =
        file.get_or<std::string_view>(prefix + "rope.scaling.type", "") == "longrope";
    const auto is_read = [&](std::string_view name) {
        if (name == attention_factor) return long_rope;
        if (name == "embedding_scale" || name == "residual_scale" || name == "logit_scale")
            return known.scales;
        if (name == "attention.sliding_window") return known.windows;
        if (name == "expert_count" || name == "expert_used_count" || name == "swiglu_clamp_exp")
            return known.experts;
        return false;
    };
    const auto refuse = [&](const entry& e) {
        file.fail("metadata key " + quoted(e.key) + " is " + describe(e) +
                  ": it changes what the model computes, and this program does not know how");
    };
    for (const entry& e : file.entries()) {
        for (const std::string_view group : everywhere)
            if (e.key.starts_with(group)) refuse(e);
        if (!e.key.starts_with(prefix)) continue;
        const std::string_view name = e.key.substr(prefix.size());
        for (const graph_key& key : keys)
            if (matches(name, key) && !is_read(name) &&
                !changes_nothing(file, e, key.value, context, key_length))
                refuse(e);
    }
}

}  // namespace tbx::gguf
