// SPDX-License-Identifier: MIT
// Room examples/runner. Enters: a GGUF file and options. Leaves: a model ready to be asked, with
// its tokenizer and the state of one conversation.
#pragma once

#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "gguf/reader.hpp"
#include "model/head.hpp"
#include "runner/options.hpp"
#include "runner/speculation.hpp"
#include "runner/stopwatch.hpp"
#include "tokenizer/tokenizer.hpp"

namespace tbx::runner {

class session {
public:
    gguf::reader file;
    model::compute cpu;
    model::transformer model;
    model::state state;
    std::optional<model::two_stage_head> two_stage;
    model::head_use head;
    std::optional<speculation> ahead;
    std::vector<model::token_id> text;  // the tokens of state.cache, and some that are void

    /// Loads with a progress bar. `positions`: room wanted when the user has not said.
    explicit session(const model_options& options, std::int64_t positions = usual_positions);

    /// The vocabulary of the file; only commands that meet text need one. `pre` is their --pre.
    [[nodiscard]] tokenizer::tokenizer open_tokenizer(std::string_view pre) const;

    /// From now on only the `best` likeliest tokens matter, and a head of two stages finds them.
    /// All logits are made when that is impossible: best is 0, or the head's weights are packed.
    void use_two_stages(std::int64_t best);

    /// From now on step() guesses, and one pass may make several predictions.
    void speculate(const speculation_options& how, const machine_options& machine);

    /// Runs `tokens` in batches and looks beyond the last. Stops early when the user interrupts:
    /// then the prediction is empty.
    [[nodiscard]] model::prediction prefill(std::span<const model::token_id> tokens);
    /// Runs a token that `draw` has drawn; the next one will be drawn by it as well.
    [[nodiscard]] model::prediction step(model::token_id token, const model::sampler& draw);

    [[nodiscard]] std::int64_t room_left() const noexcept;
    [[nodiscard]] std::int64_t batch_size() const noexcept { return state.batch; }
};

}  // namespace tbx::runner
