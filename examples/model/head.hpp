// SPDX-License-Identifier: MIT
// Room examples/model. Enters: tokens. Leaves: what comes after the last of them, from forward()
// with all logits or from a head that finds the few likeliest tokens with less memory traffic.
#pragma once

#include <cstdint>
#include <span>

#include "model/forward.hpp"
#include "model/prediction.hpp"
#include "model/two_stage_head.hpp"

namespace tbx::model {

/// How to find what comes next.
struct head_use {
    two_stage_head* two_stage = nullptr;  // none: all logits
    std::int64_t best = 0;                // tokens that matter; 0: all, by the whole head
};

/// Runs 1..s.batch tokens. What two stages find has the bits of all logits; where they find
/// nothing, these are made. Empty for a model without a head. Throws what forward() throws.
[[nodiscard]] prediction predict(compute& cpu, const transformer& m, state& s,
                                 std::span<const token_id> tokens, head_use head);

}  // namespace tbx::model
