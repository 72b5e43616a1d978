// SPDX-License-Identifier: MIT
// Room examples/runner. Enters: lines that a user types. Leaves: the model's answers. What
// surrounds a message is recognised from the model's template; templates are programs, and are not
// run here.
#include <cstdio>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "runner/commands.hpp"
#include "runner/generate.hpp"
#include "support/interrupt.hpp"
#include "support/progress.hpp"

namespace tbx::runner {
namespace {

/// How a conversation is written down. `{special}` texts are control tokens where the vocabulary
/// has them; the user's own words never become one.
struct style {
    const char* name;
    const char* mark;       // found in a template, it tells this style; null: never looked for
    std::string before[3];  // system, user, assistant: what comes before a message
    std::string after;      // and after it
};

enum role { system, user, assistant };

const style& style_of(const std::string& chat_template) {
    static const style all[] = {
        {"chatml",
         "<|im_start|>",
         {"<|im_start|>system\n", "<|im_start|>user\n", "<|im_start|>assistant\n"},
         "<|im_end|>\n"},
        {"llama3",
         "<|start_header_id|>",
         {"<|start_header_id|>system<|end_header_id|>\n\n",
          "<|start_header_id|>user<|end_header_id|>\n\n",
          "<|start_header_id|>assistant<|end_header_id|>\n\n"},
         "<|eot_id|>"},
        {"bitnet", "<|eot_id|>", {"System: ", "User: ", "Assistant: "}, "<|eot_id|>"},
        {"plain", nullptr, {"", "User: ", "Assistant:"}, "\n"},
    };
    for (const style& s : all)
        if (s.mark == nullptr || chat_template.find(s.mark) != std::string::npos) return s;
    return all[3];
}

/// A message as tokens: template text may hold control tokens, the content may not, and the two are
/// encoded together wherever no control token parts them, because words join across the seam.
class writer {
    const tokenizer::tokenizer& words;
    std::vector<model::token_id> ids;
    std::string pending;

    void flush() {
        if (pending.empty()) return;
        const auto more =
            words.encode(pending, {.add_bos = false, .add_eos = false, .parse_special = false});
        ids.insert(ids.end(), more.begin(), more.end());
        pending.clear();
    }

public:
    explicit writer(const tokenizer::tokenizer& from) : words(from) {}
    void content(std::string_view text) { pending += text; }
    void framing(std::string_view text) {
        while (!text.empty()) {
            const std::size_t open = text.find("<|");
            const std::size_t close = open == text.npos ? text.npos : text.find("|>", open);
            if (close == text.npos) return content(text);
            content(text.substr(0, open));
            const std::string_view control = text.substr(open, close + 2 - open);
            const model::token_id id = words.vocab().find_special(control);
            if (id == tokenizer::no_token) {
                content(control);
            } else {
                flush();
                ids.push_back(id);
            }
            text.remove_prefix(close + 2);
        }
    }
    void token(model::token_id id) {
        flush();
        ids.push_back(id);
    }
    std::vector<model::token_id> take() {
        flush();
        return std::move(ids);
    }
};

struct chat_options {
    model_options model;
    model::sampling sampling{.temperature = 0.7f, .top_p = 0.9f};
    std::string system;
    std::int64_t tokens = 512;
    bool two_stage = false;
};

bool ask(const char* prompt, std::string& line) {
    if (support::is_terminal(0)) (void)std::fprintf(stderr, "%s", prompt);
    return static_cast<bool>(std::getline(std::cin, line));
}

void chat(const chat_options& o) {
    session s(o.model);
    const tokenizer::tokenizer words = s.open_tokenizer();
    const style& how = style_of(words.vocab().chat_template);
    if (o.two_stage) s.use_two_stages(o.sampling.tokens_needed());
    model::sampler draw(s.cpu.dense, o.sampling);
    (void)std::fprintf(stderr, "Conversation style '%s'. Ctrl-C ends an answer, Ctrl-D the chat.\n",
                       how.name);

    bool first = true;
    bool answer_open = false;  // the last answer was cut: its end must still be written
    std::string line;
    while (ask("> ", line)) {
        if (line.empty()) continue;
        writer turn(words);
        if (answer_open) turn.framing(how.after);
        if (first && words.vocab().add_bos && words.vocab().bos != tokenizer::no_token)
            turn.token(words.vocab().bos);
        if (first && !o.system.empty()) {
            turn.framing(how.before[system]);
            turn.content(o.system);
            turn.framing(how.after);
        }
        turn.framing(how.before[user]);
        turn.content(line);
        turn.framing(how.after);
        turn.framing(how.before[assistant]);
        const auto ids = turn.take();
        if (std::ssize(ids) >= s.room_left()) {
            (void)std::fprintf(stderr, "the context of %lld positions is full\n",
                               static_cast<long long>(s.state.cache.capacity()));
            return;
        }
        first = false;

        generation g;
        {
            const support::interrupt_watch watch;
            tokenizer::text_stream text(words);
            g = generate(s, words, draw, text, ids, o.tokens);
        }
        print_now("\n");
        if (support::is_terminal(2)) print_speed(s, g);
        // The token that was drawn last has not been run, unless Ctrl-C came after it; an end token
        // belongs to the conversation.
        answer_open = g.end != ending::end_token;
        if (g.last >= 0 && g.end != ending::interrupted && s.room_left() > 0) (void)s.step(g.last);
    }
    if (support::is_terminal(0)) print_now("\n");
}

}  // namespace

void add_chat(CLI::App& app) {
    const auto o = std::make_shared<chat_options>();
    CLI::App* command = app.add_subcommand("chat", "Talk with a model, line by line");
    o->model.add_to(*command);
    command->add_option("--system", o->system, "What the model is told before the first line")
        ->type_name("TEXT");
    command->add_option("-n,--tokens", o->tokens, "Most tokens of an answer [512]")
        ->check(CLI::Range(std::int64_t{1}, std::int64_t{1} << 40));
    add_sampling(*command, o->sampling);
    add_head(*command, o->two_stage);
    command->callback([o] { chat(*o); });
}

}  // namespace tbx::runner
