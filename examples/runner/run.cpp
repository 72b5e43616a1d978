// SPDX-License-Identifier: MIT
// Room examples/runner. Enters: a prompt. Leaves: the prompt and what the model makes of it.
#include <cstdio>
#include <memory>

#include "runner/commands.hpp"
#include "runner/generate.hpp"
#include "support/interrupt.hpp"

namespace tbx::runner {
namespace {

struct run_options {
    model_options model;
    model::sampling sampling;
    std::string prompt;
    std::int64_t tokens = 256;
    bool two_stage = false;
    bool no_echo = false;
    bool raw = false;
};

void run(const run_options& o) {
    const support::interrupt_watch watch;
    session s(o.model);
    const tokenizer::tokenizer words = s.open_tokenizer();
    const auto prompt =
        words.encode(o.prompt, {.add_bos = {}, .add_eos = false, .parse_special = !o.raw});
    if (prompt.empty())
        throw error("--prompt",
                    "it is empty, and this model begins its texts with no special token");
    if (std::ssize(prompt) > s.room_left())
        throw error("--prompt", "its " + std::to_string(prompt.size()) +
                                    " tokens do not fit the context of " +
                                    std::to_string(s.room_left()));

    tokenizer::text_stream text(words, true);
    for (const auto id : prompt) {
        const std::string piece = text.push(id);
        if (!o.no_echo) print_now(piece);
    }
    if (o.two_stage) s.use_two_stages(o.sampling.tokens_needed());
    model::sampler draw(s.cpu.dense, o.sampling);
    const generation g = generate(s, words, draw, text, prompt, o.tokens);
    print_now("\n");
    if (g.end == ending::context_full)
        (void)std::fprintf(stderr, "the context of %lld positions is full\n",
                           static_cast<long long>(s.state.cache.length));
    print_speed(s, g);
    if (g.end == ending::interrupted) throw early_exit{130};  // as the shell reports Ctrl-C
}

}  // namespace

void add_run(CLI::App& app) {
    const auto o = std::make_shared<run_options>();
    CLI::App* command = app.add_subcommand("run", "Continue a text");
    o->model.add_to(*command);
    command->add_option("-p,--prompt", o->prompt, "Text to continue; may be empty")
        ->type_name("TEXT");
    command->add_option("-n,--tokens", o->tokens, "Most tokens to make [256]")
        ->check(CLI::Range(std::int64_t{0}, std::int64_t{1} << 40));
    add_sampling(*command, o->sampling);
    add_head(*command, o->two_stage);
    command->add_flag("--no-echo", o->no_echo, "Do not print the prompt");
    command->add_flag("--no-special", o->raw, "Control tokens in the prompt are plain text");
    command->callback([o] { run(*o); });
}

}  // namespace tbx::runner
