// SPDX-License-Identifier: MIT
// Room huggingface. Enters: config.json. Leaves: its RoPE; see rope_fields.hpp.
#include "huggingface/rope_fields.hpp"

#include <string>
#include <utility>

#include "gguf/quoted.hpp"
#include "huggingface/layer_kinds.hpp"

namespace tbx::huggingface {

namespace {

std::vector<float> read_factors(fields& f, const char* name, const config& c) {
    std::vector<float> all;
    if (const json* list = f.find(name); list != nullptr && list->is_array())
        for (const json& each : *list)
            if (each.is_number() && each.get<double>() > 0) all.push_back(each.get<float>());
    if (std::ssize(all) != c.rope_dim / 2)
        f.refuse(name, "is no list of " + std::to_string(c.rope_dim / 2) + " numbers above 0");
    return all;
}

// Of rope_scaling, or rope_parameters as newer configs call it.
void read_scaling(fields f, config& c) {
    auto type = f.text("rope_type");
    if (const auto old = f.text("type"); !type) type = old;
    if (const auto base = f.number("rope_theta")) c.rope_base = static_cast<float>(*base);
    read_rope_part(f, c);
    const auto factor = f.number("factor");
    const auto original = f.integer("original_max_position_embeddings", 1, most_context);
    if (!type || *type == "default") {
        f.refuse_others();
        return;
    }
    if (*type == "longrope") {
        c.rope = rope_rule::longrope;
        c.rope_short = read_factors(f, "short_factor", c);
        c.rope_long = read_factors(f, "long_factor", c);
        c.rope_original = original.value_or(c.context);
        f.refuse_others();
        return;
    }
    if (!factor || *factor <= 0) f.refuse("factor", "is missing, or not above 0");
    c.rope_factor = *factor;
    c.rope_original = original.value_or(0);
    if (*type == "linear") {
        c.rope = rope_rule::linear;
    } else if (*type == "llama3") {
        c.rope = rope_rule::llama3;
        c.rope_low = f.number("low_freq_factor").value_or(1);
        c.rope_high = f.number("high_freq_factor").value_or(4);
        if (!(c.rope_low > 0 && c.rope_high > c.rope_low))
            f.refuse("high_freq_factor", "is not above low_freq_factor, or that not above 0");
        if (!original) f.refuse("original_max_position_embeddings", "is missing");
    } else if (*type == "yarn") {
        c.rope = rope_rule::yarn;
        if (!original) f.refuse("original_max_position_embeddings", "is missing");
        for (const auto& [name, usual] : {std::pair{"beta_fast", 32.0}, {"beta_slow", 1.0}})
            if (f.number(name).value_or(usual) != usual)
                f.refuse(name, "is not the usual one, and this program knows no other");
    } else {
        f.refuse("rope_type", "is " + gguf::quoted(*type) +
                                  "; default, linear, llama3, yarn and longrope are known");
    }
    f.refuse_others();
}

}  // namespace

void read_rope(fields& f, config& c) {
    if (const auto base = f.number("rope_theta")) c.rope_base = static_cast<float>(*base);
    c.rope_dim = c.head_dim;
    read_rope_part(f, c);
    if (c.family == "gemma3")
        c.local_rope_base =
            static_cast<float>(f.number("rope_local_base_freq").value_or(c.local_rope_base));
    for (const char* name : {"rope_parameters", "rope_scaling"}) {
        const json* scaling = f.find(name);
        if (scaling == nullptr) continue;
        fields own(*scaling, f.path(), name);
        // Newer configs have RoPE's of both kinds of layers beside each other.
        const json *all = own.find("full_attention"), *local = own.find("sliding_attention");
        if (c.family != "gemma3" || all == nullptr) {
            read_scaling({*scaling, f.path(), name}, c);
            continue;
        }
        own.refuse_others();
        read_scaling({*all, f.path(), std::string(name) + ".full_attention"}, c);
        if (local != nullptr)
            read_local_rope({*local, f.path(), std::string(name) + ".sliding_attention"}, c);
    }
    // Where layers turn otherwise than each other, longer texts are not known here.
    const bool scaled =
        c.rope != rope_rule::plain &&
        (c.family == "maple" || (c.family == "gemma3" && c.rope != rope_rule::linear));
    if (scaled)
        f.refuse("rope_scaling", "is one that is not known here beside layers of two kinds");
    if (!(c.rope_base >= 1 && c.local_rope_base >= 1))
        f.refuse("rope_theta", "is not a number from 1 on");
}

}  // namespace tbx::huggingface
