// SPDX-License-Identifier: MIT
// Room examples/runner. Enters: the text to come, and how often a guess shall be right. Leaves:
// guesses that are, for benchmarks.
#pragma once

#include <algorithm>
#include <optional>

#include "runner/bench.hpp"
#include "runner/drafter.hpp"
#include "runner/pace.hpp"

namespace tbx::runner {

class simulated_drafts final : public drafter {
    model::compute& cpu;
    const guessing& how;
    std::span<const model::token_id> all;  // of the text, also what is still to come
    std::size_t known = 0;
    model::token_id vocab;
    model::random_numbers random{1};
    std::optional<model::state> s;  // of a draft, which runs what a draft that is right would

    static constexpr std::int64_t batch = 256;

    void run(std::span<const model::token_id> tokens) {
        for (; std::ssize(tokens) > batch; tokens = tokens.subspan(batch))
            (void)model::forward(cpu, *how.draft, *s, tokens.first(batch), model::logits_of::none);
        (void)model::predict(cpu, *how.draft, *s, tokens, {});
    }

public:
    /// Of `text` the first `prompt` tokens are known, to the draft too.
    simulated_drafts(model::compute& computer, const guessing& g,
                     std::span<const model::token_id> text, std::int64_t prompt,
                     std::int64_t vocabulary)
        : cpu(computer), how(g), all(text), vocab(static_cast<model::token_id>(vocabulary)) {
        if (g.draft == nullptr) return;
        s.emplace(g.draft->config, std::ssize(text), batch);
        if (prompt > 0) run(all.first(static_cast<std::size_t>(prompt)));
    }

    int look(std::span<const model::token_id> text) override {
        known = text.size();
        return 1;
    }

    void guess(const model::sampler&, std::int64_t count,
               std::vector<model::token_id>& out) override {
        if (s) s->cache.length = std::min(s->cache.length, static_cast<std::int64_t>(known) - 1);
        for (std::size_t at = known; count-- > 0 && at < all.size(); ++at) {
            if (s) {
                const auto done = static_cast<std::size_t>(s->cache.length);
                run(all.subspan(done, at - done));
            }
            const bool right = random.uniform() < static_cast<float>(how.agreement);
            out.push_back(right ? all[at] : (all[at] + 1) % vocab);
        }
    }
};

}  // namespace tbx::runner
