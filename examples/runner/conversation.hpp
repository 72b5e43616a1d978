// SPDX-License-Identifier: MIT
// Room examples/runner. Enters: messages. Leaves: all that was said and is not forgotten: the
// system's message always, and the latest turns, whole.
#pragma once

#include <algorithm>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "runner/message.hpp"

namespace tbx::runner {

class conversation {
    std::vector<message> said;

    using place = std::vector<message>::iterator;
    [[nodiscard]] place next_question(place from) {
        return std::find_if(from, said.end(), [](const message& m) { return m.who == role::user; });
    }

public:
    explicit conversation(const std::string& system) {
        if (!system.empty()) said.push_back({role::system, system});
    }

    [[nodiscard]] std::span<const message> messages() const noexcept { return said; }
    void ask(std::string text) { said.push_back({role::user, std::move(text)}); }
    void answer(std::string text) { said.push_back({role::assistant, std::move(text)}); }
    /// As if the latest message had not come.
    void take_back() { said.pop_back(); }

    /// Forgets the oldest question and its answer; false when that question is the latest too.
    bool forget_oldest() {
        const place first = next_question(said.begin());
        if (first == said.end()) return false;
        const place second = next_question(first + 1);
        if (second == said.end()) return false;
        said.erase(first, second);
        return true;
    }
};

}  // namespace tbx::runner
