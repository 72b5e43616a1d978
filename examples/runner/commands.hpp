// SPDX-License-Identifier: MIT
// Room examples/runner. Enters: the command line. Leaves: one subcommand each; it runs when its
// line has been read without fault. Errors leave as tbx::error, in one line.
#pragma once

#include <CLI/CLI.hpp>

namespace tbx::runner {

void add_run(CLI::App& app);
void add_chat(CLI::App& app);
void add_logits(CLI::App& app);
void add_tokenize(CLI::App& app);
void add_embed(CLI::App& app);
void add_perplexity(CLI::App& app);
void add_info(CLI::App& app);
void add_convert(CLI::App& app);
void add_make_dummy(CLI::App& app);
void add_bench(CLI::App& app);
void add_verify(CLI::App& app);

/// Thrown by a command that has ended early but cleanly: main() exits with this status and is
/// silent.
struct early_exit {
    int status;
};

}  // namespace tbx::runner
