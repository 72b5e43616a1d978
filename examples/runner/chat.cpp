// SPDX-License-Identifier: MIT
// Room examples/runner. Enters: messages that a user types. Leaves: the model's answers. When
// the context is full, the oldest turns are forgotten.
#include <algorithm>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "runner/chat_form.hpp"
#include "runner/commands.hpp"
#include "runner/conversation.hpp"
#include "runner/generate.hpp"
#include "runner/line_input.hpp"
#include "support/interrupt.hpp"
#include "support/names.hpp"
#include "support/progress.hpp"

namespace tbx::runner {
namespace {

struct chat_options {
    model_options model;
    speculation_options speculation;
    writing_options writing{.sampling = {.temperature = 0.7f, .top_p = 0.9f}};
    form_options form;
    std::string system, think;
    std::optional<std::string> history;
    bool keep = false;  // in the usual file
    std::int64_t tokens = 512;
};

using token_list = std::vector<model::token_id>;

std::int64_t same_at_start(const token_list& a, const token_list& b) {
    return std::mismatch(a.begin(), a.end(), b.begin(), b.end()).first - a.begin();
}

class chat {
    const chat_options& options;
    session s;
    const tokenizer::tokenizer words;
    const chat_form form;
    const model::sampling how;
    model::sampler draw;
    conversation talk;
    token_list cached;  // what the model's cache holds

    [[nodiscard]] std::int64_t room() const { return s.state.cache.capacity(); }
    [[nodiscard]] token_list written() const { return form.encode(talk.messages(), true); }
    void check_beginning() const;
    bool forget_until_fits(std::int64_t wanted);
    generation go_on(token_list& text, printer& out, std::int64_t most);
    void answer_turn();

public:
    explicit chat(const chat_options& o)
        : options(o),
          s(o.model),
          words(s.open_tokenizer(o.writing.pre)),
          form(s.model.config.architecture, words, o.form),
          how(o.writing.sampling_with(words)),
          draw(s.cpu.dense, how),
          talk(o.system) {
        check_beginning();
        if (o.writing.two_stage) s.use_two_stages(how.tokens_needed());
        s.speculate(o.speculation, o.model.machine);
        (void)std::fprintf(stderr, "Conversation by %s. Ctrl-C ends an answer, Ctrl-D the chat.\n",
                           form.described().c_str());
    }

    /// False where the message alone is too long for the context: it is as if it had not come.
    [[nodiscard]] bool say(const std::string& text);
};

// One token of a message and one of an answer must fit as well.
void chat::check_beginning() const {
    conversation first(options.system);
    first.ask("");
    const auto size = std::ssize(form.encode(first.messages(), true));
    if (size + 2 > room())
        throw error(options.system.empty() ? "--context" : "--system",
                    "the " + std::to_string(size) +
                        " tokens that a conversation begins with do not fit the context of " +
                        std::to_string(room()));
}

bool chat::say(const std::string& text) {
    const support::interrupt_watch watch;
    conversation alone(options.system);
    alone.ask(text);
    const auto size = std::ssize(form.encode(alone.messages(), true));
    if (size + 1 > room()) {
        (void)std::fprintf(stderr,
                           "trilobit: message: its %lld tokens do not fit the context of %lld\n",
                           static_cast<long long>(size), static_cast<long long>(room()));
        return false;
    }
    talk.ask(text);
    (void)forget_until_fits(std::clamp<std::int64_t>(room() / 4, 1, options.tokens));
    answer_turn();
    return true;
}

// Drops the oldest turns until there is room for `wanted` tokens, or only the latest turn is left.
// False when there was nothing to drop.
bool chat::forget_until_fits(std::int64_t wanted) {
    int forgotten = 0;
    while (std::ssize(written()) + wanted > room() && talk.forget_oldest()) ++forgotten;
    if (forgotten == 0) return false;
    (void)std::fprintf(stderr,
                       "the context of %lld positions is full: the oldest turns are forgotten, %d "
                       "this time\n",
                       static_cast<long long>(room()), forgotten);
    return true;
}

// Runs what the cache does not hold of `text`, and adds what the model then writes.
generation chat::go_on(token_list& text, printer& out, std::int64_t most) {
    // The last token is run anew, for what comes after it.
    const auto known = std::min(same_at_start(cached, text), std::ssize(text) - 1);
    s.state.cache.length = known;
    draw.look_back_at(text);
    const auto unseen = std::span(text).subspan(static_cast<std::size_t>(known));
    if (options.writing.show_tokens) print_tokens(words, unseen, known);
    generation g = generate(s, words, draw, out, unseen, most);
    text.insert(text.end(), g.drawn.begin(), g.drawn.end());
    cached.assign(text.begin(), text.begin() + s.state.cache.length);
    return g;
}

void chat::answer_turn() {
    printer out(words, false, options.writing.stops);
    generation all;
    token_list drawn;
    for (std::int64_t left = options.tokens; left > 0;) {
        token_list text = written();
        text.insert(text.end(), drawn.begin(), drawn.end());
        const generation g = go_on(text, out, left);
        drawn.insert(drawn.end(), g.drawn.begin(), g.drawn.end());
        left -= g.made_tokens;
        all.end = g.end;
        all.prompt_tokens += g.prompt_tokens;
        all.decode_steps += g.decode_steps;
        all.prefill_seconds += g.prefill_seconds;
        all.decode_seconds += g.decode_seconds;
        if (g.end != ending::context_full) break;
        if (!forget_until_fits(std::ssize(drawn) + std::clamp<std::int64_t>(room() / 4, 1, left)))
            break;
    }
    out.finish();
    talk.answer(out.told());
    print_now("\n");
    if (all.end == ending::context_full)
        (void)std::fprintf(stderr, "the context of %lld positions is full: the answer is cut\n",
                           static_cast<long long>(room()));
    if (support::is_terminal(2)) print_speed(s, all);
}

void run(const chat_options& o) {
    line_input lines(o.history);
    chat with(o);
    bool unanswered = false;
    std::string text;
    line_input::got got;
    while ((got = lines.next(text)) == line_input::got::message)
        if (!text.empty() && !with.say(text)) unanswered = true;
    if (support::is_terminal(0)) print_now("\n");
    if (got == line_input::got::interrupt) throw early_exit{130};
    if (unanswered) throw early_exit{1};
}

}  // namespace

void add_chat(CLI::App& app) {
    const auto o = std::make_shared<chat_options>();
    CLI::App* command = app.add_subcommand("chat", "Talk with a model, line by line");
    o->model.add_to(*command);
    command->add_option("--system", o->system, "What the model is told before the first line")
        ->type_name("TEXT");
    command
        ->add_option("--style", o->form.style,
                     "How messages are written [the file's template, or what fits]: " +
                         support::listed(form_names()))
        ->type_name("NAME")
        ->check(one_of(form_names()));
    command
        ->add_option("--think", o->think,
                     "Tell the template whether the model may think first: on, off [it decides]")
        ->type_name("WORD")
        ->check(one_of({"on", "off"}));
    auto* history =
        command->add_flag("--history", o->keep,
                          "Keep what is typed on a terminal, in $XDG_STATE_HOME/trilobit/history");
    command->add_option("--history-file", o->history, "The same in a file of your own")
        ->type_name("FILE")
        ->excludes(history);
    command->add_option("-n,--tokens", o->tokens, "Most tokens of an answer [512]")
        ->transform(whole_number(1, std::int64_t{1} << 40));
    o->writing.add_to(*command);
    o->speculation.add_to(*command);
    command->callback([o] {
        if (!o->think.empty()) o->form.think = o->think == "on";
        o->form.no_bos = o->writing.no_bos;
        if (o->keep) o->history = usual_history_file();
        run(*o);
    });
}

}  // namespace tbx::runner
