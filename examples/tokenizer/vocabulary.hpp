// SPDX-License-Identifier: MIT
// Room tokenizer. Enters: the tokenizer.ggml.* metadata of a GGUF file. Leaves: tokens, scores,
// types, merges, special ids and flags, checked against one another and owned: the file may go
// away.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "gguf/reader.hpp"

namespace tbx::tokenizer {

using token_id = std::int32_t;
inline constexpr token_id no_token = -1;

enum class token_kind : std::uint8_t { normal = 1, unknown, control, user_defined, unused, byte };
enum class vocabulary_model : std::uint8_t { sentencepiece, unigram, byte_level_bpe };

class vocabulary {
    std::unique_ptr<char[]> storage;  // all texts, end to end
    std::vector<std::string_view> texts;
    std::vector<float> scores;  // all 0 where byte-level BPE has none
    std::vector<token_kind> kinds;
    std::unordered_map<std::string_view, token_id> ids;  // what plain text may become
    std::size_t longest_text = 0;
    std::vector<token_id> ends;  // sorted

public:
    /// `pre` stands in for tokenizer.ggml.pre unless it is empty. Throws tbx::error, as for every
    /// fault of the file, when byte-level BPE would have to guess which rule splits its texts.
    explicit vocabulary(const gguf::reader& file, std::string_view pre = {});

    vocabulary_model model{};
    std::string pre_tokenizer;  // name of the rule that splits texts; empty where none does
    std::vector<std::string_view> merges;  // "left right", best first
    token_id bos = no_token, eos = no_token, unknown = no_token, padding = no_token;
    token_id end_of_turn = no_token;
    bool add_bos = false, add_eos = false, add_space_prefix = false;
    bool remove_extra_whitespaces = false;  // of unigram models
    std::string character_map;              // of these too: SentencePiece's, empty when absent
    std::vector<token_id> strip_left, strip_right;  // take spaces beside them along; sorted
    std::string chat_template;                      // empty when absent

    [[nodiscard]] token_id size() const noexcept { return static_cast<token_id>(texts.size()); }
    [[nodiscard]] bool contains(token_id id) const noexcept { return id >= 0 && id < size(); }
    /// As stored: with U+2581 for spaces, or in the byte alphabet of byte-level BPE. contains(id).
    [[nodiscard]] std::string_view text(token_id id) const {
        return texts[static_cast<std::size_t>(id)];
    }
    [[nodiscard]] float score(token_id id) const { return scores[static_cast<std::size_t>(id)]; }
    [[nodiscard]] token_kind kind(token_id id) const { return kinds[static_cast<std::size_t>(id)]; }
    /// Looks among the tokens that text can become: control and unknown tokens never,
    /// SentencePiece's <0xHH> only by the byte.
    [[nodiscard]] token_id find(std::string_view text) const noexcept;
    /// Bytes of the longest text that find() can find.
    [[nodiscard]] std::size_t longest() const noexcept { return longest_text; }
    /// Any token of exactly this text, control tokens included; slow.
    [[nodiscard]] token_id find_special(std::string_view text) const noexcept;
    /// The same, but no ordinary word that happens to be spelt so.
    [[nodiscard]] token_id find_control(std::string_view text) const noexcept;
    /// Does generation stop at this token (eos, end of turn, end of message, ...)?
    [[nodiscard]] bool is_end(token_id id) const noexcept;
};

}  // namespace tbx::tokenizer
