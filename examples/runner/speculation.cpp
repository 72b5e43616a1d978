// SPDX-License-Identifier: MIT
// Room examples/runner. Enters: guesses. Leaves: predictions; see speculation.hpp.
#include "runner/speculation.hpp"

#include <algorithm>

#include "runner/stopwatch.hpp"

namespace tbx::runner {

model::prediction speculation::look_up() const noexcept {
    if (logits.empty()) return {};  // a model without a head
    const float* row = logits.row(static_cast<std::int64_t>(right));
    return {.logits = {row, static_cast<std::size_t>(logits.cols)}, .best = {}};
}

void speculation::forget() noexcept {
    if (!guessed.empty()) widths.learn(kind, right, guessed.size());
    guessed.clear();
    right = 0;
}

model::prediction speculation::step(model::compute& cpu, const model::transformer& m,
                                    model::state& s, model::head_use head,
                                    std::span<const model::token_id> text,
                                    const model::sampler& draw) {
    ++tokens;
    const model::token_id drawn = text.back();
    if (right < guessed.size() && guessed[right] == drawn) {
        ++right;
        ++correct;
        ++s.cache.length;
        return look_up();
    }
    forget();
    ++passes;
    stopwatch watch;
    const std::int64_t length = s.cache.length, room = s.cache.capacity() - length;
    kind = room < 2 ? 0 : from->look(text);
    const int width = widths.choose(kind, std::min(room, s.batch));
    if (width > 1) from->guess(draw, width - 1, guessed);
    // A vocabulary may have fewer tokens than the embedding, but a draft's might have more.
    const auto unknown = [&](model::token_id id) { return id >= m.weights.embedding.rows(); };
    guessed.erase(std::find_if(guessed.begin(), guessed.end(), unknown), guessed.end());
    if (!guessed.empty()) {
        guesses += std::ssize(guessed);
        std::vector<model::token_id> run = {drawn};
        run.insert(run.end(), guessed.begin(), guessed.end());
        try {
            logits = model::forward(cpu, m, s, run, model::logits_of::all);
            s.cache.length = length + 1;
            widths.took(static_cast<int>(run.size()), watch.seconds());
            return look_up();
        } catch (const error&) {
            // Logits that are not finite, perhaps behind a token that will never be drawn.
            s.cache.length = length;
            guessed.clear();
        }
    }
    const model::prediction view = model::predict(cpu, m, s, {&drawn, 1}, head);
    widths.took(1, watch.seconds());
    return view;
}

}  // namespace tbx::runner
