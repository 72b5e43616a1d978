// SPDX-License-Identifier: MIT
// Room examples/runner. Enters: text in pieces. Leaves: the same text, up to where one of some
// texts begins, however pieces part it. What may begin one is held back until it is known.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tbx::runner {

class stop_text {
    std::vector<std::string> stops;  // none of them empty
    std::string held;
    bool found_one = false;

    // Bytes at the end of `held` that one of the texts begins with.
    [[nodiscard]] std::size_t unfinished() const {
        std::size_t most = 0;
        for (const std::string& stop : stops)
            for (std::size_t n = std::min(stop.size() - 1, held.size()); n > most; --n)
                if (std::string_view(held).ends_with(std::string_view(stop).substr(0, n))) most = n;
        return most;
    }

public:
    explicit stop_text(std::vector<std::string> texts) : stops(std::move(texts)) {}

    /// What may be printed. Nothing more, once a text was found.
    [[nodiscard]] std::string push(std::string_view piece) {
        if (found_one) return {};
        held += piece;
        std::size_t first = std::string::npos;
        for (const std::string& stop : stops) first = std::min(first, held.find(stop));
        found_one = first != std::string::npos;
        const std::size_t ready = found_one ? first : held.size() - unfinished();
        std::string out = held.substr(0, ready);
        held.erase(0, found_one ? held.size() : ready);
        return out;
    }
    /// What is still held, at the end.
    [[nodiscard]] std::string flush() { return std::exchange(held, {}); }
    [[nodiscard]] bool found() const noexcept { return found_one; }
};

}  // namespace tbx::runner
