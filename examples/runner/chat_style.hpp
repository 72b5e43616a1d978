// SPDX-License-Identifier: MIT
// Room examples/runner. Enters: what a model file tells of its conversations. Leaves: how they are
// written down, and messages as tokens. Templates are programs, and are not run here.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tokenizer/tokenizer.hpp"

namespace tbx::runner {

enum class role : std::uint8_t { system, user, assistant };

/// "<|...|>" are control tokens, and the vocabulary has all of them.
struct chat_style {
    std::string_view name;
    std::string_view mark;                   // in a template, it tells this style
    std::array<std::string_view, 3> before;  // what comes before a message of each role
    std::string_view end;                    // and after it, which the model writes itself
    std::string_view gap;                    // and after that, which it does not

    [[nodiscard]] std::string_view opening(role who) const {
        return before[static_cast<std::size_t>(who)];
    }
};

[[nodiscard]] std::span<const chat_style> chat_styles() noexcept;

/// The first control token of a style that a vocabulary lacks; empty when it has all.
[[nodiscard]] std::string_view missing_token(const chat_style& style,
                                             const tokenizer::vocabulary& words);

struct chosen_style {
    const chat_style* style = nullptr;
    std::string why;
};

/// Of the styles whose tokens are all there: the one that the template names; else BitNet's for its
/// architectures and templates; else the one whose tokens are there; else plain text.
[[nodiscard]] chosen_style choose_style(std::string_view architecture,
                                        const tokenizer::vocabulary& words);

/// By name. Throws tbx::error where the vocabulary lacks one of its tokens.
[[nodiscard]] chosen_style named_style(std::string_view name, const tokenizer::vocabulary& words);

/// Messages as tokens: framing may hold control tokens, content may not, and the two are encoded
/// together wherever no control token parts them, because words join across the seam.
class message_writer {
    const tokenizer::tokenizer& words;
    std::vector<tokenizer::token_id> ids;
    std::string pending;

    void flush();

public:
    explicit message_writer(const tokenizer::tokenizer& from) : words(from) {}
    void content(std::string_view text);
    void framing(std::string_view text);
    void token(tokenizer::token_id id);
    [[nodiscard]] std::vector<tokenizer::token_id> take();
};

}  // namespace tbx::runner
