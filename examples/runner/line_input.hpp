// SPDX-License-Identifier: MIT
// Room examples/runner. Enters: what somebody types, or a pipe. Leaves: messages: lines, or, from a
// terminal, what was pasted at once.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "support/lines.hpp"

namespace tbx::runner {

class line_editor;

/// On a terminal lines can be edited and called back, where the build found a library for that.
class line_input {
    support::line_reader lines;
    std::unique_ptr<line_editor> editor;

public:
    /// `history`: a file that keeps what was typed for the next time; nothing is kept without.
    explicit line_input(const std::optional<std::string>& history);
    ~line_input();

    enum class got : std::uint8_t { message, end, interrupt };
    [[nodiscard]] got next(std::string& text);
};

/// Where programs keep such things: $XDG_STATE_HOME/trilobit/history, or the same in
/// ~/.local/state. Makes the folder. Throws tbx::error where there is no home.
[[nodiscard]] std::string usual_history_file();

}  // namespace tbx::runner
