// SPDX-License-Identifier: MIT
// Room examples/runner. Enters: turns, as tokens. Leaves: all that was said and still fits: the
// beginning, which is never forgotten, and the latest turns, whole.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

namespace tbx::runner {

class conversation {
    using token_id = std::int32_t;
    std::vector<token_id> tokens;
    std::size_t beginning;
    std::vector<std::size_t> turns;  // where each begins

public:
    /// `head`: the begin token and the system's message.
    explicit conversation(std::vector<token_id> head)
        : tokens(std::move(head)), beginning(tokens.size()) {}

    [[nodiscard]] std::int64_t head_size() const { return static_cast<std::int64_t>(beginning); }
    [[nodiscard]] std::int64_t size() const { return std::ssize(tokens); }
    /// What follows the first `known` tokens.
    [[nodiscard]] std::span<const token_id> after(std::int64_t known) const {
        return std::span(tokens).subspan(static_cast<std::size_t>(known));
    }

    /// A message. Its first `closing` tokens end the answer before it, and go with that.
    void begin_turn(std::span<const token_id> ids, std::size_t closing) {
        turns.push_back(tokens.size() + closing);
        append(ids);
    }
    /// What the model answers.
    void append(std::span<const token_id> ids) {
        tokens.insert(tokens.end(), ids.begin(), ids.end());
    }

    /// Forgets the oldest turn; false when that is the latest too. Tokens after head_size() have
    /// other positions then.
    bool forget_oldest() {
        if (turns.size() < 2) return false;
        const std::size_t gone = turns[1] - beginning;
        const auto first = tokens.begin() + static_cast<std::ptrdiff_t>(beginning);
        tokens.erase(first, first + static_cast<std::ptrdiff_t>(gone));
        turns.erase(turns.begin());
        for (std::size_t& at : turns) at -= gone;
        return true;
    }
};

}  // namespace tbx::runner
