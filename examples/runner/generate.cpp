// SPDX-License-Identifier: MIT
// Room examples/runner. Enters: a prompt. Leaves: its continuation; see generate.hpp.
#include "runner/generate.hpp"

#include <algorithm>
#include <cstdio>

#include "support/interrupt.hpp"

namespace tbx::runner {

void print_now(std::string_view text) {
    if (text.empty()) return;
    if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size() || std::fflush(stdout) != 0)
        throw error("standard output", "it could not be written");
}

generation generate(session& s, const tokenizer::tokenizer& from, model::sampler& draw,
                    tokenizer::text_stream& text, std::span<const model::token_id> prompt,
                    std::int64_t most) {
    generation g;
    g.prompt_tokens = std::ssize(prompt);
    stopwatch watch;
    model::outlook view = s.prefill(prompt);
    g.prefill_seconds = watch.lap();
    while (g.made_tokens < most) {
        if (view.empty() || support::interrupted()) {
            g.end = ending::interrupted;
            break;
        }
        g.last = draw.next(view);
        if (from.vocab().is_end(g.last)) {
            g.end = ending::end_token;
            break;
        }
        ++g.made_tokens;
        print_now(text.push(g.last));
        if (g.made_tokens == most) break;
        if (s.room_left() == 0) {
            g.end = ending::context_full;
            break;
        }
        view = s.step(g.last);
        ++g.decode_steps;
    }
    g.decode_seconds = watch.lap();
    print_now(text.flush());
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
    if (s.head.two_stage == nullptr) return;
    const double calls = static_cast<double>(std::max<std::int64_t>(s.two_stage->calls(), 1));
    (void)std::fprintf(stderr, "two-stage head: %.1f of %lld rows a token scored exactly\n",
                       static_cast<double>(s.two_stage->rows_rescored()) / calls,
                       static_cast<long long>(s.model.config.vocab));
}

}  // namespace tbx::runner
