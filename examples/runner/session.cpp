// SPDX-License-Identifier: MIT
// Room examples/runner. Enters: a file. Leaves: a loaded model; see session.hpp.
#include "runner/session.hpp"

#include <algorithm>
#include <memory>

#include "runner/draft_model.hpp"
#include "support/interrupt.hpp"
#include "support/progress.hpp"

namespace tbx::runner {
namespace {

model::transformer load(model::compute& cpu, const gguf::reader& file,
                        const model_options& options) {
    support::progress_bar bar("loading");
    return model::load_transformer(cpu, file, options.machine.layout,
                                   [&](double done) { bar.update(done); });
}

std::int64_t positions_for(const model::config& c, const model_options& options,
                           std::int64_t wanted) {
    if (options.context > c.context)
        throw error("--context", "the model was trained for " + std::to_string(c.context) +
                                     " positions, not " + std::to_string(options.context));
    return options.context > 0 ? options.context : std::min(c.context, wanted);
}

}  // namespace

session::session(const model_options& options, std::int64_t positions)
    : file(options.path, options.read_as),
      cpu(options.machine.thread_count(), {.kernel = options.machine.kernel}, model::chosen_arch(),
          options.machine.activations),
      model(load(cpu, file, options)),
      state(model.config, positions_for(model.config, options, positions),
            std::min(options.machine.batch, positions_for(model.config, options, positions)),
            options.cache) {}

tokenizer::tokenizer session::open_tokenizer(std::string_view pre) const {
    auto made = tokenizer::tokenizer::from_gguf(file, pre);
    if (made.vocab().size() > model.config.vocab)
        file.fail("the vocabulary has " + std::to_string(made.vocab().size()) +
                  " tokens, the model only " + std::to_string(model.config.vocab));
    return made;
}

void session::use_two_stages(std::int64_t best) {
    if (best <= 0) return;
    two_stage.emplace(cpu, model.weights.head);
    if (two_stage->usable()) head = {&*two_stage, best};
}

void session::speculate(const speculation_options& how, const machine_options& machine) {
    if (!how.wanted()) return;
    std::unique_ptr<drafter> from;
    if (how.draft.empty())
        from = std::make_unique<prompt_lookup>();
    else
        from = std::make_unique<draft_model>(cpu, how.draft, machine, file, state.cache.capacity());
    ahead.emplace(std::move(from), how.together);
}

model::prediction session::prefill(std::span<const model::token_id> tokens) {
    if (ahead) ahead->forget();
    text.resize(static_cast<std::size_t>(state.cache.length));
    text.insert(text.end(), tokens.begin(), tokens.end());
    while (std::ssize(tokens) > batch_size()) {
        if (support::interrupted()) return {};
        const auto count = static_cast<std::size_t>(batch_size());
        (void)model::forward(cpu, model, state, tokens.first(count), model::logits_of::none);
        tokens = tokens.subspan(count);
    }
    if (tokens.empty() || support::interrupted()) return {};
    return model::predict(cpu, model, state, tokens, head);
}

model::prediction session::step(model::token_id token, const model::sampler& draw) {
    text.resize(static_cast<std::size_t>(state.cache.length));
    text.push_back(token);
    if (ahead) return ahead->step(cpu, model, state, head, text, draw);
    return model::predict(cpu, model, state, {&token, 1}, head);
}

std::int64_t session::room_left() const noexcept {
    return state.cache.capacity() - state.cache.length;
}

}  // namespace tbx::runner
