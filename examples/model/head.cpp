// SPDX-License-Identifier: MIT
// Room examples/model. Enters: tokens. Leaves: a prediction; see head.hpp.
#include "model/head.hpp"

namespace tbx::model {

prediction predict(compute& cpu, const transformer& m, state& s, std::span<const token_id> tokens,
                   head_use head) {
    if (head.two_stage != nullptr && head.best > 0) {
        (void)forward(cpu, m, s, tokens, logits_of::none);
        const matrix last = s.x.first(std::ssize(tokens)).rows_from(std::ssize(tokens) - 1, 1);
        rms_norm(cpu, last, m.weights.output_norm, m.config.norm_eps, last);
        const auto best = head.two_stage->best(cpu, last.data, head.best);
        if (!best.empty()) return {.logits = {}, .best = best};
        s.cache.length -= std::ssize(tokens);  // they run again
    }
    const const_matrix logits = forward(cpu, m, s, tokens, logits_of::last);
    return {.logits = {logits.data, static_cast<std::size_t>(logits.cols)}, .best = {}};
}

}  // namespace tbx::model
