// SPDX-License-Identifier: MIT
// Room examples/runner. Enters: a model. Leaves: its passport and the machine that computed it;
// status 1 where another passport was expected.
#include <algorithm>
#include <cctype>
#include <cstdio>
#include <memory>
#include <string>

#include "model/passport.hpp"
#include "runner/commands.hpp"
#include "runner/session.hpp"
#include "support/machine.hpp"

namespace tbx::runner {
namespace {

struct verify_options {
    model_options model;
    std::string expected;
};

void run(const verify_options& o) {
    session s(o.model, model::passport_positions);
    const std::string found = model::passport(s.cpu, s.model, s.state);
    const int threads = s.cpu.pool.concurrency();
    (void)std::printf("passport %s\nmachine  %s, back end %s, %d thread%s\n", found.c_str(),
                      std::string(support::architecture).c_str(),
                      std::string(s.cpu.context.kernels.name).c_str(), threads,
                      threads == 1 ? "" : "s");
    if (!o.expected.empty() && found != o.expected)
        throw error(s.file.name(), "its passport here is not " + o.expected +
                                       ": another model, or a machine that computes otherwise");
}

std::string check_hash(std::string& text) {
    for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    const bool digits = text.find_first_not_of("0123456789abcdef") == text.npos;
    return digits && text.size() == 64 ? std::string()
                                       : "'" + text + "' is no SHA-256: 64 hexadecimal digits";
}

}  // namespace

void add_verify(CLI::App& app) {
    const auto o = std::make_shared<verify_options>();
    CLI::App* command = app.add_subcommand(
        "verify", "Print a number that is the same on every machine that computes the same bits");
    o->model.add_to(*command);
    command->add_option("--expect", o->expected, "Fail when the passport is not this one")
        ->type_name("HASH")
        ->transform(CLI::Validator(check_hash, ""));
    command->callback([o] { run(*o); });
}

}  // namespace tbx::runner
