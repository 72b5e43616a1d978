// SPDX-License-Identifier: MIT
// Room llama2c. Enters: the tokens of a SentencePiece vocabulary, from wherever they come.
// Leaves: the tokenizer.ggml.* entries of a GGUF file. Shared by the converter and the trainer.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "gguf/reader.hpp"
#include "gguf/writer.hpp"

namespace tbx::llama2c {

struct spm_vocabulary {
    enum kind : std::int32_t { normal = 1, unknown = 2, control = 3, byte = 6 };

    std::vector<std::string> tokens;  // U+2581 for a space, <0xHH> for a byte
    std::vector<float> scores;
    std::vector<std::int32_t> kinds;
    std::int32_t unknown_id = 0, bos = 1, eos = 2;
    bool add_space_prefix = true;

    [[nodiscard]] int size() const { return static_cast<int>(tokens.size()); }
};

inline void write_vocabulary(gguf::writer& out, const spm_vocabulary& v) {
    out.set("tokenizer.ggml.model", "llama");
    out.set("tokenizer.ggml.pre", "default");
    out.set_array("tokenizer.ggml.tokens", std::span<const std::string>(v.tokens));
    out.set_array("tokenizer.ggml.scores", std::span<const float>(v.scores));
    out.set_array("tokenizer.ggml.token_type", std::span<const std::int32_t>(v.kinds));
    out.set("tokenizer.ggml.unknown_token_id", static_cast<std::uint32_t>(v.unknown_id));
    out.set("tokenizer.ggml.bos_token_id", static_cast<std::uint32_t>(v.bos));
    out.set("tokenizer.ggml.eos_token_id", static_cast<std::uint32_t>(v.eos));
    out.set("tokenizer.ggml.add_bos_token", true);
    out.set("tokenizer.ggml.add_eos_token", false);
    out.set("tokenizer.ggml.add_space_prefix", v.add_space_prefix);
}

// Back from a file, to be written into another one.
inline spm_vocabulary read_vocabulary(const gguf::reader& file) {
    if (file.get_or<std::string_view>("tokenizer.ggml.model", "") != "llama")
        file.fail("has no SentencePiece vocabulary (tokenizer.ggml.model = llama)");
    spm_vocabulary v;
    for (const std::string_view t : file.strings("tokenizer.ggml.tokens")) v.tokens.emplace_back(t);
    const auto scores = file.array<float>("tokenizer.ggml.scores");
    const auto kinds = file.array<std::int32_t>("tokenizer.ggml.token_type");
    if (scores.size() != v.tokens.size() || kinds.size() != v.tokens.size())
        file.fail("has another number of scores or types than tokens");
    for (std::size_t i = 0; i < v.tokens.size(); ++i) {
        v.scores.push_back(scores[i]);
        v.kinds.push_back(kinds[i]);
    }
    v.unknown_id = file.get_or<std::int32_t>("tokenizer.ggml.unknown_token_id", 0);
    v.bos = file.get_or<std::int32_t>("tokenizer.ggml.bos_token_id", 1);
    v.eos = file.get_or<std::int32_t>("tokenizer.ggml.eos_token_id", 2);
    v.add_space_prefix = file.get_or<bool>("tokenizer.ggml.add_space_prefix", true);
    for (const std::int32_t id : {v.unknown_id, v.bos, v.eos})
        if (id < 0 || id >= v.size()) file.fail("has a special token outside its vocabulary");
    return v;
}

}  // namespace tbx::llama2c
