// SPDX-License-Identifier: MIT
// Tests of the runner. Enters: a model, control tokens, a template. Leaves: the same model with
// these in its vocabulary.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "gguf/reader.hpp"
#include "gguf/writer.hpp"
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
    gguf::writer to(path);
    for (const gguf::entry& e : from.entries()) {
        const std::string key(e.key);
        if (key == "tokenizer.ggml.tokens")
            to.set_array(key, tokens);
        else if (key == "tokenizer.ggml.token_type")
            to.set_array(key, kinds);
        else if (key == "tokenizer.ggml.scores") {
            std::vector<float> scores;
            const auto old = from.array<float>(key);
            for (std::size_t i = 0; i < old.size(); ++i) scores.push_back(old[i]);
            to.set_array(key, scores);
        } else if (e.type == gguf::value_type::string)
            to.set(key, from.get<std::string_view>(key));
        else if (e.type == gguf::value_type::boolean)
            to.set(key, from.get<bool>(key));
        else if (e.type == gguf::value_type::f32)
            to.set(key, from.get<float>(key));
        else
            to.set(key, from.get<std::uint32_t>(key));
    }
    if (!chat_template.empty()) to.set("tokenizer.chat_template", chat_template);
    for (const gguf::tensor& t : from.tensors())
        to.add_tensor(t.name, t.type,
                      std::span(t.extent.data(), static_cast<std::size_t>(t.dimensions)));
    for (const gguf::tensor& t : from.tensors()) to.append(t.data);
    to.finish();
    return path;
}

}  // namespace tbx::testing
