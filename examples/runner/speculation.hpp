// SPDX-License-Identifier: MIT
// Room examples/runner. Enters: a guess of the next tokens, and the tokens that are drawn in truth.
// Leaves: the same predictions as without a guess, to the bit, several of them from one pass over
// the weights while the guess was right.
//
// forward() gives each token the same bits whatever is beside it. So the logits behind a guessed
// token are those that a pass of its own would give, if all tokens before it were drawn; and draws
// are made one by one, from the same logits with the same random numbers, as ever.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "model/head.hpp"
#include "runner/drafter.hpp"
#include "runner/pace.hpp"

namespace tbx::runner {

class speculation {
    std::unique_ptr<drafter> from;
    pace widths;
    int kind = 0;                          // of the guess below
    std::vector<model::token_id> guessed;  // were run behind the latest token
    std::size_t right = 0;                 // so many of them have been drawn since
    model::const_matrix logits;            // behind that token, and behind each of them

    [[nodiscard]] model::prediction look_up() const noexcept;

public:
    std::int64_t passes = 0, tokens = 0;    // of all passes; tokens that were drawn
    std::int64_t guesses = 0, correct = 0;  // tokens that were guessed and run

    /// `always`: tokens of each pass, where there is a guess; 0: as many as pay.
    speculation(std::unique_ptr<drafter> source, int always)
        : from(std::move(source)), widths(always) {}

    /// What model::predict() says of the last token of `text`, all others having been run. Keeps
    /// s.cache.length: behind it lie keys and values of guesses.
    [[nodiscard]] model::prediction step(model::compute& cpu, const model::transformer& m,
                                         model::state& s, model::head_use head,
                                         std::span<const model::token_id> text,
                                         const model::sampler& draw);

    /// Somebody else uses the state: what was run ahead is void.
    void forget() noexcept;
};

}  // namespace tbx::runner
