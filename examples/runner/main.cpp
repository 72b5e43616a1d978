// SPDX-License-Identifier: MIT
// Room examples/runner. Enters: the command line. Leaves: what a command prints; status 0, or 1 and
// one line on stderr, or 2 when the command line itself is wrong.
#include <cstdio>
#include <exception>
#include <new>
#include <string>
#include <string_view>

#include <trilobit/version.hpp>

#include "runner/commands.hpp"
#include "support/error.hpp"
#include "support/standard_streams.hpp"
#include "support/truncation.hpp"

namespace {

int complain(std::string_view what, int status) {
    std::string line(what);
    for (char& c : line)
        if (c == '\n' || c == '\r') c = ' ';
    (void)std::fflush(stdout);
    (void)std::fprintf(stderr, "trilobit: %s\n", line.c_str());
    return status;
}

// "--temp: Value -1 not in range", "--model is required", "A subcommand is required": the option
// first, or else the command line as a whole.
std::string usage_line(const std::string& what) {
    if (!what.starts_with("-")) return "command line: " + what;
    const std::size_t end = what.find_first_of(": ");
    if (end == what.npos || what[end] == ':') return what;
    return what.substr(0, end) + ": it" + what.substr(end);
}

int run(int argc, char** argv) {
    CLI::App app("Runs language models with 1-bit and ternary weights.", "trilobit");
    app.require_subcommand(1);
    app.set_version_flag("--version", "trilobit " + std::to_string(TRILOBIT_VERSION_MAJOR) + "." +
                                          std::to_string(TRILOBIT_VERSION_MINOR) + "." +
                                          std::to_string(TRILOBIT_VERSION_PATCH));
    app.footer("TRILOBIT_ARCH=avx2 (or sse4_2, avx512vnni, ...) forces a back end.");
    for (const auto add :
         {tbx::runner::add_run, tbx::runner::add_chat, tbx::runner::add_logits,
          tbx::runner::add_tokenize, tbx::runner::add_embed, tbx::runner::add_perplexity,
          tbx::runner::add_info, tbx::runner::add_convert, tbx::runner::add_make_dummy,
          tbx::runner::add_bench, tbx::runner::add_verify})
        add(app);
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& e) {
        if (e.get_exit_code() != 0) {
            // A command that there is not is told as one that is missing.
            const auto rest = app.remaining();
            if (app.get_subcommands().empty() && !rest.empty())
                return complain("command line: '" + rest.front() + "' is unknown; see --help", 2);
            return complain(usage_line(e.what()), 2);
        }
        (void)app.exit(e);  // --help, --version
    }
    if (std::fflush(stdout) != 0 || std::ferror(stdout) != 0)
        return complain("standard output: it could not be written", 1);
    return 0;
}

}  // namespace

int main(int argc, char** argv) {
    tbx::support::keep_standard_streams();
    const tbx::support::truncation_watch watch("trilobit");
    try {
        return run(argc, argv);
    } catch (const tbx::runner::early_exit& e) {
        (void)std::fflush(stdout);
        return e.status;
    } catch (const std::bad_alloc&) {
        return complain("memory: there is not enough for this", 1);
    } catch (const std::exception& e) {
        return complain(e.what(), 1);
    }
}
