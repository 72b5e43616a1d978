// SPDX-License-Identifier: MIT
// Room examples/runner. Enters: what the command line says of a prompt. Leaves: its text, however
// long, from an option, a file or standard input.
#pragma once

#include <optional>
#include <string>

#include <CLI/CLI.hpp>

namespace tbx::runner {

struct prompt_options {
    std::optional<std::string> text, file;  // "-" is standard input

    void add_to(CLI::App& command);
    [[nodiscard]] bool given() const noexcept { return text.has_value() || file.has_value(); }
    /// What messages call the source of the text.
    [[nodiscard]] std::string source() const;
    /// As it is, but for a mark of UTF-8.
    [[nodiscard]] std::string read() const;
    /// What comes from a file or a pipe is taken by lines, and the end of the last one is not part
    /// of it: editors and echo(1) write it unasked. Standard input where nothing was given, unless
    /// that is a terminal.
    [[nodiscard]] std::string read_lines() const;
};

}  // namespace tbx::runner
