// SPDX-License-Identifier: MIT
// Room examples/runner. Enters: what a model file tells of its conversations. Leaves: how those of
// a known family are written down, for files without a template that can be run.
#pragma once

#include <array>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "runner/message.hpp"
#include "tokenizer/vocabulary.hpp"

namespace tbx::runner {

struct chat_style {
    std::string_view name;
    std::string_view mark;                          // in a template, it tells this style
    std::array<std::string_view, 3> before, after;  // of a message of each role
    std::string_view control;           // tokens that a vocabulary must have, separated by spaces
    std::string_view no_thoughts = {};  // begins an answer that is not thought about
    bool has_system = true;             // else that is put before the first message

    [[nodiscard]] std::string render(std::span<const message> messages, bool ask,
                                     std::optional<bool> think) const;
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
/// architectures and templates; else ChatML or Llama 3's if its tokens are there; else plain text.
[[nodiscard]] chosen_style choose_style(std::string_view architecture,
                                        const tokenizer::vocabulary& words);

/// By name. Throws tbx::error where the vocabulary lacks one of its tokens.
[[nodiscard]] chosen_style named_style(std::string_view name, const tokenizer::vocabulary& words);

/// The template of Microsoft's first BitNet files, with which that model was not trained.
[[nodiscard]] bool is_untrained_template(std::string_view text) noexcept;

}  // namespace tbx::runner
