// SPDX-License-Identifier: MIT
// Room examples/runner. Enters: a prompt, from wherever. Leaves: the prompt and what the model
// makes of it.
#include <cstdio>
#include <memory>

#include "runner/commands.hpp"
#include "runner/generate.hpp"
#include "runner/prompt.hpp"
#include "support/interrupt.hpp"

namespace tbx::runner {
namespace {

struct run_options {
    model_options model;
    writing_options writing;
    speculation_options speculation;
    prompt_options prompt;
    std::int64_t tokens = 256;
    bool no_echo = false;
    bool raw = false;
};

void run(const run_options& o) {
    const std::string text = o.prompt.read_lines();
    const support::interrupt_watch watch;
    session s(o.model);
    const tokenizer::tokenizer words = s.open_tokenizer(o.writing.pre);
    tokenizer::encode_options how{.add_bos = {}, .add_eos = false, .parse_special = !o.raw};
    if (o.writing.no_bos) how.add_bos = false;
    const auto prompt = words.encode(text, how);
    if (prompt.empty()) throw error(o.prompt.source(), "it is empty, and no begin token is added");
    if (std::ssize(prompt) > s.room_left())
        throw error(o.prompt.source(), "its " + std::to_string(prompt.size()) +
                                           " tokens do not fit the context of " +
                                           std::to_string(s.room_left()));
    if (!o.writing.no_bos) warn_of_doubled_begin(words.vocab(), prompt);
    if (o.writing.show_tokens) print_tokens(words, prompt);

    const model::sampling settings = o.writing.sampling_with(words);
    if (o.writing.two_stage) s.use_two_stages(settings.tokens_needed());
    s.speculate(o.speculation, o.model.machine);
    model::sampler draw(s.cpu.dense, settings);
    printer out(words, true, o.writing.stops);
    for (const auto id : prompt) {
        draw.accept(id);
        out.echo(id, !o.no_echo);
    }
    const generation g = generate(s, words, draw, out, prompt, o.tokens);
    out.finish();
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
    o->prompt.add_to(*command);
    command->get_option("--prompt")
        ->description("Text to continue; - is standard input, read without it as well");
    command->add_option("-n,--tokens", o->tokens, "Most tokens to make [256]")
        ->transform(whole_number(0, std::int64_t{1} << 40));
    o->writing.add_to(*command);
    o->speculation.add_to(*command);
    command->add_flag("--no-echo", o->no_echo, "Do not print the prompt");
    command->add_flag("--no-special", o->raw, "Control tokens in the prompt are plain text");
    command->callback([o] { run(*o); });
}

}  // namespace tbx::runner
