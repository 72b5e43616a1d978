// SPDX-License-Identifier: MIT
// Room examples/model. Enters: a transformer. Leaves: one number that is the same on every machine
// that computes the same bits, and another as soon as one bit of one logit differs.
#pragma once

#include <string>
#include <vector>

#include "model/forward.hpp"

namespace tbx::model {

/// Tokens that are run in batches as large as the state allows, then those that are run alone.
inline constexpr std::int64_t passport_together = 40, passport_alone = 8;
inline constexpr std::int64_t passport_positions = passport_together + passport_alone;

/// The prompt of a vocabulary: token i is 7919 (i + 1) mod `vocab`. 7919 is the 1000th prime.
[[nodiscard]] std::vector<token_id> passport_prompt(std::int64_t vocab);

/// SHA-256 of the logits after each token of the prompt, in hexadecimal digits: for each position,
/// in order, the logit of each token, in order, its IEEE bits with the least significant byte
/// first. `s` is fresh. Throws what forward() throws, and when there is no room for the prompt.
[[nodiscard]] std::string passport(compute& cpu, const transformer& m, state& s);

}  // namespace tbx::model
