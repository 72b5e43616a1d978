// SPDX-License-Identifier: MIT
// Room examples/model. Enters: a transformer, the state after some tokens, and the tokens that
// follow. Leaves: the state after those too, and logits: what the model thinks of every possible
// next token.
#pragma once

#include <cstdint>
#include <span>

#include "model/state.hpp"
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

/// out = x / sqrt(mean(x^2) + eps) * w, for each row; out may be x. Of s.x with the output norm,
/// after forward() without logits, it makes what a head of one's own is multiplied with.
void rms_norm(compute& cpu, const_matrix x, const norm& w, float eps, matrix out);

}  // namespace tbx::model
