// SPDX-License-Identifier: MIT
// Room examples/runner. Enters: how many tokens a text has. Leaves: the windows through which a
// model sees it, and which of their tokens count.
#pragma once

#include <algorithm>
#include <cstddef>
#include <vector>

namespace tbx::runner {

/// Tokens [begin, end); those from `scored` on count, each predicted by all before it in there.
struct text_window {
    std::size_t begin, end, scored;
    bool operator==(const text_window&) const = default;
};

/// Windows of at most `length` tokens, each `stride` behind the one before: every token counts
/// once, from the second window on with at least length - stride before it. The very first one
/// counts where a begin token stands before each window. 1 <= stride <= length.
[[nodiscard]] inline std::vector<text_window> strided_windows(std::size_t tokens,
                                                              std::size_t length,
                                                              std::size_t stride,
                                                              bool after_begin) {
    std::vector<text_window> all;
    std::size_t scored = after_begin ? 0 : 1;
    for (std::size_t begin = 0; scored < tokens; begin += stride) {
        const std::size_t end = std::min(begin + length, tokens);
        // Without a begin token nothing predicts the first of a window.
        all.push_back({begin, end, std::max(scored, after_begin ? begin : begin + 1)});
        scored = end;
    }
    return all;
}

/// As llama-perplexity sees it: one window behind the other, a rest is left out, and what counts
/// are the tokens behind the first of the second half.
[[nodiscard]] inline std::vector<text_window> second_halves(std::size_t tokens,
                                                            std::size_t length) {
    std::vector<text_window> all;
    for (std::size_t begin = 0; begin + length <= tokens; begin += length)
        all.push_back({begin, begin + length, begin + length / 2 + 1});
    return all;
}

}  // namespace tbx::runner
