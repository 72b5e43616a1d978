// SPDX-License-Identifier: MIT
// Room examples/runner. Enters: a chat template, a program in Jinja that came with a model. Leaves:
// conversations written down by it. It is run by minja, where the build found that.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>

#include "runner/message.hpp"

namespace tbx::runner {

class chat_template {
    struct program;
    std::unique_ptr<const program> parsed;

public:
    /// Was the runner built with minja?
    static const bool can_be_run;

    /// `bos` and `eos` are the texts of these tokens, as templates name them. Throws tbx::error
    /// where the source is no Jinja, or more nested than any that is meant to be run.
    chat_template(const std::string& source, std::string bos, std::string eos);
    chat_template(chat_template&&) noexcept;
    ~chat_template();

    /// All messages, and, with `ask`, what the next answer begins with. `think` is what models that
    /// may think first are told; unset, the template decides. Throws tbx::error with what the
    /// template complains of.
    [[nodiscard]] std::string render(std::span<const message> messages, bool ask,
                                     std::optional<bool> think) const;
};

}  // namespace tbx::runner
