// SPDX-License-Identifier: MIT
// Room examples/runner. Enters: lines that a user types. Leaves: the model's answers. When the
// context is full, the oldest turns are forgotten.
#include <algorithm>
#include <cstdio>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "runner/chat_style.hpp"
#include "runner/commands.hpp"
#include "runner/conversation.hpp"
#include "runner/generate.hpp"
#include "support/interrupt.hpp"
#include "support/lines.hpp"
#include "support/progress.hpp"

namespace tbx::runner {
namespace {

struct chat_options {
    model_options model;
    speculation_options speculation;
    writing_options writing{.sampling = {.temperature = 0.7f, .top_p = 0.9f}};
    std::string system, style;
    std::int64_t tokens = 512;
};

class chat {
    const chat_options& options;
    session s;
    const tokenizer::tokenizer words;
    const chosen_style chosen;
    const chat_style& style;
    model::sampler draw;
    conversation talk;
    enum class answer : std::uint8_t { none, complete, cut } last = answer::none;

    [[nodiscard]] std::int64_t room() const { return s.state.cache.capacity(); }
    [[nodiscard]] chosen_style find_style() const {
        if (!options.style.empty()) return named_style(options.style, words.vocab());
        return choose_style(s.model.config.architecture, words.vocab());
    }
    [[nodiscard]] std::vector<model::token_id> beginning() const;
    void forget_until_fits(std::int64_t wanted);
    void answer_turn();

public:
    explicit chat(const chat_options& o)
        : options(o),
          s(o.model),
          words(s.open_tokenizer(o.writing.pre)),
          chosen(find_style()),
          style(*chosen.style),
          draw(s.cpu.dense, o.writing.sampling),
          talk(beginning()) {
        if (talk.head_size() + 1 > room())
            throw error("--system", "its " + std::to_string(talk.head_size()) +
                                        " tokens do not fit the context of " +
                                        std::to_string(room()));
        if (o.writing.two_stage) s.use_two_stages(o.writing.sampling.tokens_needed());
        s.speculate(o.speculation, o.model.machine);
        for (const auto id : talk.after(0)) draw.accept(id);
        (void)std::fprintf(stderr,
                           "Conversation style '%s': %s. Ctrl-C ends an answer, Ctrl-D the chat.\n",
                           std::string(style.name).c_str(), chosen.why.c_str());
    }

    /// False where the message alone is too long for the context: it is as if it had not come.
    [[nodiscard]] bool say(const std::string& line);
};

std::vector<model::token_id> chat::beginning() const {
    message_writer head(words);
    if (words.vocab().add_bos && !options.writing.no_bos) head.token(words.vocab().bos);
    if (!options.system.empty()) {
        head.framing(style.opening(role::system));
        head.content(options.system);
        head.framing(style.end);
        head.framing(style.gap);
    }
    return head.take();
}

bool chat::say(const std::string& line) {
    std::vector<model::token_id> closing;
    message_writer turn(words);
    if (last == answer::cut) turn.framing(style.end);
    if (last != answer::none) turn.framing(style.gap);
    // Where no control token parts the two, the end of an answer is encoded with the next message.
    const bool parted = style.end.starts_with("<|");
    if (parted) closing = turn.take();
    turn.framing(style.opening(role::user));
    turn.content(line);
    turn.framing(style.end);
    turn.framing(style.gap);
    turn.framing(style.opening(role::assistant));
    const auto message = turn.take();
    // One token of an answer must fit as well.
    const std::int64_t alone = talk.head_size() + std::ssize(message) + 1;
    if (alone > room()) {
        (void)std::fprintf(stderr,
                           "trilobit: message: its %zu tokens do not fit the context of %lld\n",
                           message.size(), static_cast<long long>(room()));
        return false;
    }
    const std::size_t closed = closing.size();
    closing.insert(closing.end(), message.begin(), message.end());
    for (const auto id : closing) draw.accept(id);
    talk.begin_turn(closing, closed);
    forget_until_fits(std::clamp<std::int64_t>(room() / 4, 1, options.tokens));
    answer_turn();
    return true;
}

// Drops the oldest turns until there is room for `wanted` tokens, or only the latest turn is left.
void chat::forget_until_fits(std::int64_t wanted) {
    int forgotten = 0;
    while (talk.size() + wanted > room() && talk.forget_oldest()) ++forgotten;
    if (forgotten == 0) return;
    s.state.cache.length = std::min(s.state.cache.length, talk.head_size());
    (void)std::fprintf(stderr,
                       "the context of %lld positions is full: the oldest turns are forgotten, %d "
                       "this time\n",
                       static_cast<long long>(room()), forgotten);
}

void chat::answer_turn() {
    const support::interrupt_watch watch;
    printer out(words, false, options.writing.stops);
    generation all;
    for (std::int64_t left = options.tokens; left > 0;) {
        const auto unseen = talk.after(s.state.cache.length);
        if (options.writing.show_tokens) print_tokens(words, unseen);
        const generation g = generate(s, words, draw, out, unseen, left);
        talk.append(g.drawn);
        left -= g.made_tokens;
        all.end = g.end;
        all.prompt_tokens += g.prompt_tokens;
        all.decode_steps += g.decode_steps;
        all.prefill_seconds += g.prefill_seconds;
        all.decode_seconds += g.decode_seconds;
        if (g.end != ending::context_full) break;
        const std::int64_t before = talk.size();
        forget_until_fits(std::clamp<std::int64_t>(room() / 4, 1, left));
        if (talk.size() == before) break;
    }
    out.finish();
    print_now("\n");
    if (all.end == ending::context_full)
        (void)std::fprintf(stderr, "the context of %lld positions is full: the answer is cut\n",
                           static_cast<long long>(room()));
    if (support::is_terminal(2)) print_speed(s, all);
    last = all.end == ending::end_token ? answer::complete : answer::cut;
}

void run(const chat_options& o) {
    chat with(o);
    support::line_reader lines(std::cin, "standard input");
    bool unanswered = false;
    std::string line;
    for (;;) {
        if (support::is_terminal(0)) (void)std::fprintf(stderr, "> ");
        if (!lines.next(line)) break;
        if (!line.empty() && !with.say(line)) unanswered = true;
    }
    if (support::is_terminal(0)) print_now("\n");
    if (unanswered) throw early_exit{1};
}

}  // namespace

void add_chat(CLI::App& app) {
    const auto o = std::make_shared<chat_options>();
    CLI::App* command = app.add_subcommand("chat", "Talk with a model, line by line");
    o->model.add_to(*command);
    command->add_option("--system", o->system, "What the model is told before the first line")
        ->type_name("TEXT");
    std::string names;
    for (const chat_style& style : chat_styles())
        names += (names.empty() ? "" : ", ") + std::string(style.name);
    command->add_option("--style", o->style, "How messages are written [the model's]: " + names)
        ->type_name("NAME")
        ->check([names](const std::string& text) {
            for (const chat_style& style : chat_styles())
                if (style.name == text) return std::string();
            return "'" + text + "' is none of " + names;
        });
    command->add_option("-n,--tokens", o->tokens, "Most tokens of an answer [512]")
        ->check(CLI::Range(std::int64_t{1}, std::int64_t{1} << 40));
    o->writing.add_to(*command);
    o->speculation.add_to(*command);
    command->callback([o] { run(*o); });
}

}  // namespace tbx::runner
