// SPDX-License-Identifier: MIT
// Room examples/model. Enters: a transformer, the state after some tokens, and the tokens that
// follow. Leaves: the state after those too, and logits: what the model thinks of every possible
// next token.
#pragma once

#include <cstdint>
#include <span>

#include "model/outlook.hpp"
#include "model/state.hpp"
#include "model/two_stage_head.hpp"
#include "model/weights.hpp"

namespace tbx::model {

using token_id = std::int32_t;

/// For which tokens of a batch logits are made. The head is often the largest matrix of all.
enum class logits_of : std::uint8_t { none, last, all };

/// Runs 1..s.batch tokens, which take the positions s.cache.length on. Returns s.logits as (1 or
/// tokens, vocab), empty for logits_of::none or a model without a head. Every number of a token has
/// the same bits however the tokens are cut into batches and whatever the number of threads.
/// Throws tbx::error for a token that is not in the vocabulary, when the context is full, and for
/// logits that are not finite.
const_matrix forward(compute& cpu, const transformer& m, state& s, std::span<const token_id> tokens,
                     logits_of wanted);

/// forward() up to the head: what the head's rows are multiplied with, (1 or tokens, dim).
const_matrix before_head(compute& cpu, const transformer& m, state& s,
                         std::span<const token_id> tokens, logits_of wanted);

/// How to look beyond the last of some tokens.
struct head_use {
    two_stage_head* two_stage = nullptr;  // none: all logits
    std::int64_t best = 0;                // tokens that matter; 0: all, by the whole head
};

/// forward() for the last token. What two stages find has the bits of all logits; where they find
/// nothing, these are made.
outlook look_ahead(compute& cpu, const transformer& m, state& s, std::span<const token_id> tokens,
                   head_use head);

}  // namespace tbx::model
