// SPDX-License-Identifier: MIT
// Room examples/runner. Enters: a text. Leaves: a small model's guess; see draft_model.hpp.
#include "runner/draft_model.hpp"

#include <algorithm>

#include "support/progress.hpp"

namespace tbx::runner {
namespace {

model::transformer load(model::compute& cpu, const gguf::reader& file, const gguf::reader& large,
                        trilobit::layout_id layout) {
    const char* key = "tokenizer.ggml.tokens";
    if (!file.has(key) || !large.has(key) || file.strings(key) != large.strings(key))
        file.fail("its vocabulary is not that of " + large.name() + ", so it cannot be its draft");
    support::progress_bar bar("loading the draft");
    return model::load_transformer(cpu, file, layout, [&](double done) { bar.update(done); });
}

}  // namespace

draft_model::draft_model(model::compute& computer, const std::string& path,
                         const machine_options& machine, const gguf::reader& large,
                         std::int64_t positions)
    : cpu(computer),
      file(path),
      m(load(cpu, file, large, machine.layout)),
      s(m.config, std::min(positions, m.config.context),
        std::min({machine.batch, positions, m.config.context})) {
    if (m.weights.head.rows() == 0) file.fail("it has no head, so it predicts nothing");
}

int draft_model::look(std::span<const model::token_id> text) {
    known = text;
    // A text beyond its own context it cannot follow.
    return std::ssize(text) <= s.cache.capacity() ? 1 : 0;
}

model::prediction draft_model::catch_up() {
    // Guesses that were wrong are forgotten, and the last token runs again if it is all there is.
    const auto differ = std::mismatch(seen.begin(), seen.end(), known.begin(), known.end() - 1);
    seen.assign(known.begin(), known.end());
    auto left = known.subspan(static_cast<std::size_t>(differ.second - known.begin()));
    s.cache.length = std::ssize(known) - std::ssize(left);
    for (; std::ssize(left) > s.batch; left = left.subspan(static_cast<std::size_t>(s.batch)))
        (void)model::forward(cpu, m, s, left.first(static_cast<std::size_t>(s.batch)),
                             model::logits_of::none);
    return model::predict(cpu, m, s, left, {});
}

void draft_model::guess(const model::sampler& draw, std::int64_t count,
                        std::vector<model::token_id>& out) {
    model::sampler like = draw;
    model::prediction view = catch_up();
    for (;;) {
        const model::token_id id = like.next(view);
        like.accept(id);
        out.push_back(id);
        if (--count == 0 || s.cache.length == s.cache.capacity()) return;
        view = model::predict(cpu, m, s, {&id, 1}, {});
        seen.push_back(id);
    }
}

}  // namespace tbx::runner
