// SPDX-License-Identifier: MIT
// Room examples/model. Enters: logits. Leaves: what a model predicts as the next token, in one of
// two forms, and the one order of tokens by their logits.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

namespace tbx::model {

struct scored {
    std::int32_t id;
    float logit;

    /// Likelier first; the lower id among equals, so that no sort algorithm can matter.
    [[nodiscard]] static bool before(const scored& a, const scored& b) noexcept {
        return a.logit != b.logit ? a.logit > b.logit : a.id < b.id;
    }
};

/// What a head says of the next token. Spans live until its next use.
struct prediction {
    std::span<const float> logits;  // of the whole vocabulary; or, where this is empty,
    std::span<const scored> best;   // those of the likeliest tokens, in their order

    [[nodiscard]] bool empty() const noexcept { return logits.empty() && best.empty(); }
};

/// Keeps the `most` best of `all`, in order. None of them is NaN.
inline void keep_best(std::vector<scored>& all, std::int64_t most) {
    const auto keep = static_cast<std::ptrdiff_t>(std::min<std::int64_t>(most, std::ssize(all)));
    std::partial_sort(all.begin(), all.begin() + keep, all.end(), scored::before);
    all.resize(static_cast<std::size_t>(keep));
}

}  // namespace tbx::model
