// SPDX-License-Identifier: MIT
// Room examples/model. Enters: a text's tokens. Leaves: one vector of length 1 for the whole text,
// such as searches compare.
#pragma once

#include <span>
#include <vector>

#include "model/forward.hpp"

namespace tbx::model {

/// The normed output of the last token, or the mean of all tokens' (config.pooling is what the
/// file says). The state begins anew. Throws what forward() throws, and tbx::error for no
/// tokens and for a vector that is not finite.
[[nodiscard]] std::vector<float> text_vector(compute& cpu, const transformer& m, state& s,
                                             std::span<const token_id> tokens, pooling_rule rule);

}  // namespace tbx::model
