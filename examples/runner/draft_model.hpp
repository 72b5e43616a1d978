// SPDX-License-Identifier: MIT
// Room examples/runner. Enters: a small model of the same vocabulary. Leaves: its guesses how a
// text goes on.
#pragma once

#include <string>
#include <vector>

#include "gguf/reader.hpp"
#include "model/head.hpp"
#include "runner/drafter.hpp"
#include "runner/options.hpp"

namespace tbx::runner {

class draft_model final : public drafter {
    model::compute& cpu;
    gguf::reader file;
    model::transformer m;
    model::state s;
    std::vector<model::token_id> seen;  // the tokens of s.cache
    std::span<const model::token_id> known;

    // What it thinks comes behind all that is known.
    model::prediction catch_up();

public:
    /// Borrows `computer` of the model that it guesses for, with whom it takes turns. Throws
    /// tbx::error for a model whose vocabulary is not that of `large`.
    draft_model(model::compute& computer, const std::string& path, const machine_options& machine,
                const gguf::reader& large, std::int64_t positions);

    int look(std::span<const model::token_id> text) override;
    /// Draws from its own logits as `draw` would, with the same random numbers: two models that
    /// think alike then draw alike, also where neither is sure.
    void guess(const model::sampler& draw, std::int64_t count,
               std::vector<model::token_id>& out) override;
};

}  // namespace tbx::runner
