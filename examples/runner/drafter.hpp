// SPDX-License-Identifier: MIT
// Room examples/runner. Enters: a text, as tokens. Leaves: a guess how it goes on. Whoever guesses,
// the model decides: see speculation.hpp.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

#include "model/forward.hpp"
#include "model/sampler.hpp"

namespace tbx::runner {

class drafter {
public:
    virtual ~drafter() = default;
    /// How much speaks for a guess behind `text`, from 1 to pace::kinds; 0: there is none.
    virtual int look(std::span<const model::token_id> text) = 0;
    /// Appends at most `count` tokens to `out`: a guess behind the text that look() has seen.
    /// `draw` is how the next tokens will be drawn.
    virtual void guess(const model::sampler& draw, std::int64_t count,
                       std::vector<model::token_id>& out) = 0;
};

/// What followed the last time when the text was as now, over as many tokens as possible.
class prompt_lookup final : public drafter {
    std::span<const model::token_id> known;
    std::size_t next = 0;  // of what followed

public:
    static constexpr std::size_t least = 2;    // tokens that have to agree
    static constexpr std::size_t enough = 16;  // more say no more

    int look(std::span<const model::token_id> text) override {
        known = text;
        std::size_t longest = 0;
        for (std::size_t at = text.size(); at-- > 1 && longest < enough;) {
            // Does the text that ends before `at` end as all of it does?
            std::size_t same = 0;
            while (same < std::min(at, enough) &&
                   text[at - 1 - same] == text[text.size() - 1 - same])
                ++same;
            if (same <= longest) continue;
            longest = same;
            next = at;
        }
        if (longest < least) return 0;
        return longest < 4 ? 1 : longest < 8 ? 2 : 3;
    }

    void guess(const model::sampler&, std::int64_t count,
               std::vector<model::token_id>& out) override {
        // A guess may go on into itself: what repeats with a short period goes on so.
        for (std::int64_t i = 0; i < count; ++i) {
            const std::size_t at = next + static_cast<std::size_t>(i);
            out.push_back(at < known.size() ? known[at] : out[out.size() - (known.size() - next)]);
        }
    }
};

}  // namespace tbx::runner
