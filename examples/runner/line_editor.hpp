// SPDX-License-Identifier: MIT
// Room examples/runner. Enters: keys of a terminal. Leaves: messages. Lines are edited by libedit,
// where the build found it. Ctrl-C clears a line, or, where it is empty, ends.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "runner/line_input.hpp"

namespace tbx::runner {

class line_editor {
    struct state;
    std::unique_ptr<state> parts;

    explicit line_editor(std::unique_ptr<state> made);

public:
    /// Nothing where the build has no libedit. Throws tbx::error where the history cannot be read.
    [[nodiscard]] static std::unique_ptr<line_editor> open(
        const std::string& prompt, const std::optional<std::string>& history);
    ~line_editor();

    [[nodiscard]] line_input::got next(std::string& text);
};

}  // namespace tbx::runner
