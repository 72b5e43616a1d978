// SPDX-License-Identifier: MIT
// Room tokenizer. Enters: any bytes as text, or token ids. Leaves: the ids that the model was
// trained with, or the bytes that ids stand for. The one header of this room that others need;
// pretokenize.hpp has the names of its rules.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tokenizer/vocabulary.hpp"

namespace tbx::tokenizer {

struct encode_options {
    std::optional<bool> add_bos;  // unset: as the file says
    std::optional<bool> add_eos;  // unset: as the file says
    bool parse_special = true;    // false: "<s>" is five characters, never a control token
};

/// Immutable once made: threads may share it.
class tokenizer {
    struct engine;
    std::unique_ptr<const engine> parts;

    explicit tokenizer(std::unique_ptr<const engine> made);

public:
    /// Throws tbx::error when the file's vocabulary is missing, inconsistent or of an unknown kind.
    /// `pre` names the rule that splits texts instead of the file.
    static tokenizer from_gguf(const gguf::reader& file, std::string_view pre = {});
    tokenizer(tokenizer&&) noexcept;
    tokenizer& operator=(tokenizer&&) noexcept;
    ~tokenizer();

    [[nodiscard]] const vocabulary& vocab() const noexcept;
    [[nodiscard]] std::vector<token_id> encode(std::string_view text,
                                               encode_options options = {}) const;
    /// The bytes of one token, maybe only a part of a character. Control and unknown tokens are
    /// empty unless `show_special`; so is an id outside the vocabulary.
    [[nodiscard]] std::string decode(token_id id, bool show_special = false) const;
    /// A whole text: as decode of each, less the space that encode put before the first word.
    [[nodiscard]] std::string decode(std::span<const token_id> ids,
                                     bool show_special = false) const;
};

/// Turns ids into text as they come: holds back the bytes of an unfinished UTF-8 character, so that
/// what it returns can be printed at once. Bytes that are no UTF-8 pass through unchanged.
class text_stream {
    const tokenizer* source;
    std::string held;
    bool strip_space;
    bool show_special;

public:
    /// `at_start`: the first token begins a text (so that its leading space is not the writer's
    /// own); false when the ids continue a prompt. The tokenizer must outlive the stream.
    explicit text_stream(const tokenizer& from, bool at_start = false, bool special = false);
    [[nodiscard]] std::string push(token_id id);
    /// What is still held, at the end.
    [[nodiscard]] std::string flush();
};

}  // namespace tbx::tokenizer
