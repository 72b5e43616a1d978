// SPDX-License-Identifier: MIT
// Room examples/runner. Enters: token ids. Leaves: the model's logits after each of them, as text
// that can be compared with another engine's.
#include <cstdio>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "runner/commands.hpp"
#include "runner/session.hpp"
#include "support/whole_number.hpp"

namespace tbx::runner {
namespace {

struct logits_options {
    model_options model;
    std::vector<model::token_id> tokens;
    bool step = false;
};

void print(std::int64_t position, std::span<const float> logits) {
    (void)std::printf("pos %lld\n", static_cast<long long>(position));
    for (std::size_t i = 0; i < logits.size(); ++i)
        (void)std::printf("%.9g%c", double{logits[i]},
                          i % 8 == 7 || i + 1 == logits.size() ? '\n' : ' ');
}

void run(const logits_options& o) {
    session s(o.model);
    if (std::ssize(o.tokens) > s.room_left())
        throw error("--tokens", std::to_string(o.tokens.size()) +
                                    " tokens do not fit the context of " +
                                    std::to_string(s.room_left()));
    std::span<const model::token_id> left(o.tokens);
    for (std::int64_t position = 0; !left.empty();) {
        const std::size_t count =
            o.step ? 1 : std::min(left.size(), static_cast<std::size_t>(s.batch_size()));
        const auto logits =
            model::forward(s.cpu, s.model, s.state, left.first(count), model::logits_of::all);
        for (std::int64_t t = 0; t < logits.rows; ++t)
            print(position++, {logits.row(t), static_cast<std::size_t>(logits.cols)});
        left = left.subspan(count);
    }
}

}  // namespace

void add_logits(CLI::App& app) {
    const auto o = std::make_shared<logits_options>();
    CLI::App* command = app.add_subcommand("logits", "Print the logits after each of some tokens");
    o->model.add_to(*command);
    // By hand: CLI11 reads an empty text as token 0 and leaves out what is missing between commas.
    command
        ->add_option_function<std::string>(
            "--tokens",
            [o](std::string text) {
                text += ',';
                for (std::size_t at = 0; at < text.size();) {
                    const std::size_t end = text.find(',', at);
                    std::string id = text.substr(at, end - at);
                    if (!support::make_decimal(id, 0, std::numeric_limits<int>::max()).empty())
                        throw CLI::ValidationError("--tokens", "'" + id + "' is no token id");
                    o->tokens.push_back(std::stoi(id));
                    at = end + 1;
                }
            },
            "Token ids, separated by commas")
        ->required()
        ->type_name("ID,ID,...");
    command->add_flag("--step", o->step, "One token at a time instead of one batch");
    command->callback([o] { run(*o); });
}

}  // namespace tbx::runner
