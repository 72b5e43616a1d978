// SPDX-License-Identifier: MIT
// Tests of the runner. Enters: a model, control tokens, a template. Leaves: the same model with
// these in its vocabulary.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "../gguf/edited_model.hpp"
#include "program.hpp"

namespace tbx::testing {

using command_line = std::vector<std::string>;

/// The tiny model; the last tokens of its vocabulary become `controls`, and its layers those of any
/// architecture that has their matrices ("bitnet-b1.58", "bitnet").
inline std::string chat_model(const std::string& path, const std::vector<std::string>& controls,
                              const std::string& chat_template, std::int32_t kind = 3) {
    const gguf::reader from(tiny_model());
    std::vector<std::string> tokens;
    for (const std::string_view t : from.strings("tokenizer.ggml.tokens")) tokens.emplace_back(t);
    const auto old_kinds = from.array<std::int32_t>("tokenizer.ggml.token_type");
    std::vector<std::int32_t> kinds;
    for (std::size_t i = 0; i < tokens.size(); ++i) kinds.push_back(old_kinds[i]);
    for (std::size_t i = 0; i < controls.size(); ++i) {
        tokens[tokens.size() - 1 - i] = controls[i];
        kinds[kinds.size() - 1 - i] = kind;
    }
    return edited_model(from, path, {}, [&](const gguf::entry& e, gguf::writer& to) {
        if (e.key == "tokenizer.ggml.token_type") {
            to.set_array(e.key, kinds);
            return true;
        }
        if (e.key != "tokenizer.ggml.tokens") return false;
        to.set_array(e.key, tokens);
        if (!chat_template.empty()) to.set("tokenizer.chat_template", chat_template);
        return true;
    });
}

}  // namespace tbx::testing
