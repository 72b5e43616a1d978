// SPDX-License-Identifier: MIT
// Room huggingface. Enters: the tokenizer's files of a model folder. Leaves: the vocabulary as GGUF
// spells it: tokens, their kinds, merges or scores, special tokens, the chat template.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "gguf/writer.hpp"
#include "huggingface/config.hpp"

namespace tbx::huggingface {

/// In pieces, for a space.
inline constexpr const char* visible_space = "\u2581";

struct vocabulary {
    enum kind : std::int32_t { normal = 1, unknown, control, user_defined, unused, byte };

    std::string model;  // "gpt2": byte-level BPE; "llama", "t5": SentencePiece's BPE, unigrams
    std::string pre;    // rule that splits texts
    std::vector<std::string> tokens;
    std::vector<float> scores;  // of "llama" and "t5"
    std::vector<std::int32_t> kinds;
    std::vector<std::string> merges;                    // of "gpt2"
    std::string character_map;                          // of "t5": SentencePiece's, may be empty
    std::vector<std::int32_t> strip_left, strip_right;  // ids that take the spaces beside them
    std::int64_t bos = -1, eos = -1, unknown_id = -1, padding = -1, end_of_turn = -1;
    std::optional<bool> add_bos, add_eos, add_space_prefix, remove_extra_whitespaces;
    std::vector<std::pair<std::string, std::string>> templates;  // name, text; the usual has none

    /// Makes room for it and puts it there; throws tbx::error, with `file` as subject, where
    /// another one is, or the id is not below `most`.
    void put(std::int64_t id, const std::string& text, kind what, std::int64_t most,
             const std::string& file);
    /// What an added token does to the text beside it.
    void note_habits(std::int64_t id, const safetensors::json& added, const std::string& file);
    /// -1 when absent.
    [[nodiscard]] std::int64_t find(const std::string& text) const noexcept;
};

/// tokenizer.json, or tokenizer.model where that one is SentencePiece's too; then
/// tokenizer_config.json, generation_config.json and chat_template.jinja. Throws tbx::error.
[[nodiscard]] vocabulary read_vocabulary(const std::string& folder, const config& c);

/// Of tokenizer.json; `most` ids.
[[nodiscard]] vocabulary read_tokenizer_json(const safetensors::json& from, const std::string& path,
                                             std::int64_t most);
/// Of SentencePiece's protobuf message.
[[nodiscard]] vocabulary read_sentencepiece(std::span<const std::byte> bytes,
                                            const std::string& path, std::int64_t most);

void write_vocabulary(gguf::writer& out, const vocabulary& v);

}  // namespace tbx::huggingface
