// SPDX-License-Identifier: MIT
// Room examples/runner. Enters: standard input. Leaves: messages; see line_input.hpp.
#include "runner/line_input.hpp"

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <iostream>

#include "runner/line_editor.hpp"
#include "support/progress.hpp"

namespace tbx::runner {
namespace {

// Prompts go to stderr: answers may be sent elsewhere.
bool can_be_edited() {
    const char* terminal = std::getenv("TERM");
    return support::is_terminal(0) && support::is_terminal(2) && terminal != nullptr &&
           std::string_view(terminal) != "dumb";
}

}  // namespace

line_input::line_input(const std::optional<std::string>& history)
    : lines(std::cin, "standard input") {
    if (can_be_edited()) editor = line_editor::open("> ", history);
}

line_input::~line_input() = default;

line_input::got line_input::next(std::string& text) {
    if (editor) return editor->next(text);
    if (support::is_terminal(0)) (void)std::fprintf(stderr, "> ");
    return lines.next(text) ? got::message : got::end;
}

std::string usual_history_file() {
    namespace fs = std::filesystem;
    fs::path folder;
    const char* state = std::getenv("XDG_STATE_HOME");
    const char* home = std::getenv("HOME");
    if (state != nullptr && fs::path(state).is_absolute())
        folder = state;
    else if (home != nullptr && *home != '\0')
        folder = fs::path(home) / ".local" / "state";
    else
        throw error("--history", "there is no HOME; name a file with --history-file");
    folder /= "trilobit";
    std::error_code failed;
    fs::create_directories(folder, failed);
    if (failed) throw error(folder.string(), "it cannot be made");
    return (folder / "history").string();
}

}  // namespace tbx::runner
