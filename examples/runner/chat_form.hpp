// SPDX-License-Identifier: MIT
// Room examples/runner. Enters: a vocabulary with its template, and the user's wishes. Leaves: the
// form in which a conversation is written: the file's own template, or a style of a known family.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "runner/chat_style.hpp"
#include "runner/chat_template.hpp"
#include "runner/framed_text.hpp"

namespace tbx::runner {

struct form_options {
    std::string style;          // "template", a style's name, or empty: what fits
    std::optional<bool> think;  // unset: as the template does
    bool no_bos = false;
};

class chat_form {
    const tokenizer::tokenizer& words;
    form_options how;
    std::optional<chat_template> own;
    chosen_style style;
    std::string reason;
    bool system_apart = true;  // else the system's message is put before the first of the user
    framed_text frame;

    [[nodiscard]] std::string use_template(bool asked_for);
    [[nodiscard]] std::string render(std::span<const message> messages, bool ask) const;

public:
    /// Throws tbx::error where what was asked for cannot be had. `from` must outlive this.
    chat_form(std::string_view architecture, const tokenizer::tokenizer& from, form_options wanted);

    /// "the file's own template", "'chatml', as ...", for people.
    [[nodiscard]] const std::string& described() const noexcept { return reason; }
    /// The whole conversation; with `ask`, up to where the next answer begins.
    [[nodiscard]] std::vector<tokenizer::token_id> encode(std::span<const message> messages,
                                                          bool ask) const;
};

/// "template", and all styles.
[[nodiscard]] std::vector<std::string> form_names();

}  // namespace tbx::runner
