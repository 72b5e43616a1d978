// SPDX-License-Identifier: MIT
// Room examples/runner. Enters: a prompt. Leaves: its continuation; see generate.hpp.
#include "runner/generate.hpp"

#include <algorithm>
#include <cstdio>
#include <utility>

#include "support/interrupt.hpp"
#include "tokenizer/utf8.hpp"

namespace tbx::runner {

void print_now(std::string_view text) {
    if (text.empty()) return;
    if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size() || std::fflush(stdout) != 0)
        throw error("standard output", "it could not be written");
}

void printer::echo(model::token_id id, bool visible) {
    const std::string piece = text.push(id);
    if (visible) print_now(piece);
}

void printer::tell(const std::string& piece) {
    made += piece;
    print_now(tokenizer::whole_characters(piece));
}

bool printer::put(model::token_id id) {
    tell(stops.push(text.push(id)));
    return !stops.found();
}

void printer::finish() {
    std::string rest = stops.push(text.flush());
    rest += stops.flush();
    tell(rest);
}

generation generate(session& s, const tokenizer::tokenizer& from, model::sampler& draw,
                    printer& out, std::span<const model::token_id> prompt, std::int64_t most) {
    generation g;
    g.prompt_tokens = std::ssize(prompt);
    stopwatch watch;
    model::prediction view = s.prefill(prompt);
    g.prefill_seconds = watch.lap();
    while (g.made_tokens < most) {
        if (view.empty() || support::interrupted()) {
            g.end = ending::interrupted;
            break;
        }
        const model::token_id id = draw.next(view);
        g.drawn.push_back(id);
        draw.accept(id);
        if (from.vocab().is_end(id)) {
            g.end = ending::end_token;
            break;
        }
        ++g.made_tokens;
        if (!out.put(id)) {
            g.end = ending::stop_text;
            break;
        }
        if (g.made_tokens == most) break;
        if (s.room_left() == 0) {
            g.end = ending::context_full;
            break;
        }
        view = s.step(id, draw);
        ++g.decode_steps;
    }
    g.decode_seconds = watch.lap();
    return g;
}

void print_speed(const session& s, const generation& g) {
    const auto rate = [](std::int64_t tokens, double seconds) {
        return seconds > 0 ? static_cast<double>(tokens) / seconds : 0.0;
    };
    (void)std::fprintf(
        stderr, "prefill %lld tokens, %.1f tokens/s; decode %lld tokens, %.1f tokens/s\n",
        static_cast<long long>(g.prompt_tokens), rate(g.prompt_tokens, g.prefill_seconds),
        static_cast<long long>(g.decode_steps), rate(g.decode_steps, g.decode_seconds));
    if (s.ahead)
        (void)std::fprintf(
            stderr, "speculation: %lld of %lld guessed tokens were right, %.2f tokens a pass\n",
            static_cast<long long>(s.ahead->correct), static_cast<long long>(s.ahead->guesses),
            rate(s.ahead->tokens, static_cast<double>(s.ahead->passes)));
    if (s.head.two_stage == nullptr) return;
    const double calls = static_cast<double>(std::max<std::int64_t>(s.two_stage->calls(), 1));
    (void)std::fprintf(stderr, "two-stage head: %.1f of %lld rows a token scored exactly\n",
                       static_cast<double>(s.two_stage->rows_rescored()) / calls,
                       static_cast<long long>(s.model.config.vocab));
}

void print_tokens(const tokenizer::tokenizer& words, std::span<const model::token_id> ids,
                  std::int64_t known) {
    std::string line = "sent " + std::to_string(ids.size()) + " tokens" +
                       (known > 0 ? " after " + std::to_string(known) : "") + ":";
    for (const model::token_id& id : ids) {
        line += (&id == ids.data() ? " " : ", ") + std::to_string(id) + " '";
        for (const char c : words.decode(id, true)) {
            char code[8];
            (void)std::snprintf(code, sizeof code, "\\x%02x", static_cast<unsigned char>(c));
            const bool control = static_cast<unsigned char>(c) < 32 || c == 127;
            line += c == '\n' ? "\\n" : control ? std::string(code) : std::string(1, c);
        }
        line += "'";
    }
    (void)std::fprintf(stderr, "%s\n", line.c_str());
}

void warn_of_doubled_begin(const tokenizer::vocabulary& words,
                           std::span<const model::token_id> ids) {
    if (words.bos == tokenizer::no_token || ids.size() < 2 || ids[0] != words.bos ||
        ids[1] != words.bos)
        return;
    (void)std::fprintf(stderr,
                       "the begin token %s stands there twice: the prompt has one, and one is "
                       "added (not with --no-bos)\n",
                       std::string(words.text(words.bos)).c_str());
}

}  // namespace tbx::runner
