// SPDX-License-Identifier: MIT
// Room examples/runner. Enters: a conversation as one text. Leaves: its tokens, where what frames
// messages makes control tokens and what people or models wrote never does.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "tokenizer/special_tokens.hpp"
#include "tokenizer/tokenizer.hpp"

namespace tbx::runner {

/// A mark before what only looks like a control token: U+FDD0, which Unicode gives to programs for
/// their own use and to no text. Where a text has it all the same it is left out.
class framed_text {
    const tokenizer::tokenizer& words;
    tokenizer::special_tokens control, framing;

public:
    /// `frame`: where tokens that any text may become are meant to frame messages, a template that
    /// names them. Both tokenizers and templates know such tokens by "<...>".
    framed_text(const tokenizer::tokenizer& from, std::string_view frame);

    /// A message's text, with marks.
    [[nodiscard]] std::string guarded(std::string_view text) const;
    /// Without marks what encode() of the tokenizer makes of it, special tokens and all, but for a
    /// begin token. Text on both sides of a mark is encoded together.
    [[nodiscard]] std::vector<tokenizer::token_id> encode(std::string_view text) const;
};

}  // namespace tbx::runner
