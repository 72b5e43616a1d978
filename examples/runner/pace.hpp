// SPDX-License-Identifier: MIT
// Room examples/runner. Enters: how long passes of some tokens took, and which guesses were right.
// Leaves: how many tokens the next pass should have. It decides about time alone, never about text.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>

namespace tbx::runner {

class pace {
public:
    static constexpr int most = 8;   // tokens of a pass
    static constexpr int kinds = 3;  // of guesses, by how much speaks for them; 0: there is none

private:
    int fixed;                                // tokens of every pass; 0: what pays
    std::array<double, most + 1> seconds{};   // of a pass of so many tokens; 0: there was none
    std::array<double, kinds + 1> chances{};  // that a guess is right, if those before it were

    // A width that was never tried costs as much as the next smaller one: so it will be tried.
    [[nodiscard]] double cost(int tokens) const noexcept {
        while (tokens > 1 && seconds[static_cast<std::size_t>(tokens)] == 0) --tokens;
        return std::max(seconds[static_cast<std::size_t>(tokens)], 1e-9);
    }

public:
    explicit pace(int always = 0) noexcept : fixed(always) { chances.fill(0.7); }

    /// Tokens of the next pass, at most `room`, with guesses of this kind.
    [[nodiscard]] int choose(int kind, std::int64_t room) noexcept {
        const int limit = static_cast<int>(std::min<std::int64_t>(room, most));
        if (kind == 0 || limit < 2) return 1;
        if (fixed > 0) return std::min(fixed, limit);
        if (seconds[1] == 0) return 1;
        double& chance = chances[static_cast<std::size_t>(kind)];
        int best = 1;
        // Each guess counts if all before it were right.
        double expected = 1, all_right = 1, rate = 1 / cost(1);
        for (int tokens = 2; tokens <= limit; ++tokens) {
            expected += all_right *= chance;
            if (expected / cost(tokens) <= rate) continue;
            rate = expected / cost(tokens);
            best = tokens;
        }
        // Who no longer guesses learns nothing: hope comes back by and by.
        if (best == 1) chance += 0.003 * (0.7 - chance);
        return best;
    }

    void took(int tokens, double time) noexcept {
        // Times of other widths grow old: they become a little better, until they are tried again.
        for (double& s : seconds) s *= 0.999;
        double& s = seconds[static_cast<std::size_t>(tokens)];
        s = s == 0 ? time : s + 0.3 * (time - s);
    }

    /// Of `guessed` tokens the first `right` were drawn, and no more.
    void learn(int kind, std::size_t right, std::size_t guessed) noexcept {
        double& chance = chances[static_cast<std::size_t>(kind)];
        for (std::size_t i = 0; i < right; ++i) chance += 0.1 * (1 - chance);
        if (right < guessed) chance -= 0.1 * chance;
    }
};

}  // namespace tbx::runner
