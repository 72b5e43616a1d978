// SPDX-License-Identifier: MIT
// Room huggingface. Enters: fields. Leaves: kinds of layers; see layer_kinds.hpp. Defaults are
// those of the classes.
#include "huggingface/layer_kinds.hpp"

#include <cmath>

#include "gguf/quoted.hpp"

namespace tbx::huggingface {

namespace {

constexpr std::int64_t most_experts = 1 << 12;

// Attention must see all that was before: that is what GGUF's graphs of these families do.
void refuse_windows(fields& f, const config& c) {
    const bool used = f.flag("use_sliding_window").value_or(!c.family.starts_with("qwen"));
    if (const auto window = f.integer("sliding_window", 0, most_context);
        window && *window > 0 && *window < c.context && used)
        f.refuse("sliding_window", "is " + std::to_string(*window) +
                                       ", and this program knows attention to everything alone");
    const json* kinds = f.find("layer_types");
    if (kinds == nullptr) return;
    for (const json& kind : *kinds)
        if (kind != "full_attention")
            f.refuse("layer_types", "names " + safetensors::shown(kind) + " beside full_attention");
}

// A layer of each kind is known to the class by name, or each that is no multiple of a period.
void read_layer_types(fields& f, config& c) {
    std::int64_t period = 6;
    for (const char* name : {"sliding_window_pattern", "_sliding_window_pattern"})
        period = f.integer(name, 1, most_width).value_or(period);
    const json* kinds = f.find("layer_types");
    if (kinds == nullptr) {
        if (c.family == "maple") f.refuse("layer_types", "is missing");
        for (std::int64_t i = 1; i <= c.layers; ++i) c.local.push_back(i % period != 0);
        return;
    }
    if (!kinds->is_array() || std::ssize(*kinds) != c.layers)
        f.refuse("layer_types",
                 "does not name a kind for each of " + std::to_string(c.layers) + " layers");
    for (const json& kind : *kinds) {
        if (kind != "full_attention" && kind != "sliding_attention")
            f.refuse("layer_types", "names " + safetensors::shown(kind) +
                                        " beside full_attention and sliding_attention");
        c.local.push_back(kind == "sliding_attention");
    }
}

}  // namespace

void read_windows(fields& f, config& c) {
    if (c.family != "maple" && c.family != "gemma3") return refuse_windows(f, c);
    read_layer_types(f, c);
    c.window = f.required("sliding_window", 1, most_context);
    // GGUF's graph turns the others not at all.
    if (c.family == "maple" && !f.flag("nope_on_global_attention").value_or(false))
        f.refuse("nope_on_global_attention", "is not true, and this program knows no other kind");
}

void read_experts(fields& f, config& c) {
    c.ffn = f.required("moe_intermediate_size", 1, most_width);
    c.experts = f.required("num_experts", 1, most_experts);
    c.experts_used = f.required("num_experts_per_tok", 1, c.experts);
    for (const char* name : {"norm_topk_prob", "use_qk_norm", "use_rmsnorm"})
        if (!f.flag(name).value_or(true))
            f.refuse(name, "is false, and this program knows no other kind");
    if (const auto type = f.text("router_dtype").value_or("fp32"); type != "fp32")
        f.refuse("router_dtype", "is " + gguf::quoted(type) + "; only 'fp32' is known");
    // Of dense layers, of training, and of a conversion: the class reads none of them.
    for (const char* name :
         {"intermediate_size", "embedding_dropout", "output_dropout", "quantize"})
        f.ignore(name);
}

void read_score_scale(fields& f, const config& c) {
    const double scalar = f.number("query_pre_attn_scalar").value_or(256);
    if (scalar != static_cast<double>(c.head_dim))
        f.refuse("query_pre_attn_scalar", "is not head_dim, and this program knows no other");
}

void read_rope_part(fields& f, config& c) {
    const auto part = f.number("partial_rotary_factor");
    if (!part) return;
    const double width = *part * static_cast<double>(c.head_dim);
    if (c.family != "maple" && *part != 1)
        f.refuse("partial_rotary_factor", "is not 1, and this program turns whole heads");
    if (!(*part > 0 && *part <= 1) || width != std::floor(width) || std::fmod(width, 2) != 0)
        f.refuse("partial_rotary_factor", "leaves no even part of a head");
    c.rope_dim = static_cast<std::int64_t>(width);
}

void read_local_rope(fields f, config& c) {
    c.local_rope_base = static_cast<float>(f.number("rope_theta").value_or(c.local_rope_base));
    if (const auto type = f.text("rope_type").value_or("default"); type != "default")
        f.refuse("rope_type", "is " + gguf::quoted(type) + "; of these layers 'default' is known");
    f.refuse_others();
}

}  // namespace tbx::huggingface
