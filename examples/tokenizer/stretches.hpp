// SPDX-License-Identifier: MIT
// Room tokenizer. Enters: a text. Leaves: stretches of it that no token joins, mostly words: each
// is merged, or taken apart, by itself.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string_view>
#include <unordered_set>

#include "tokenizer/utf8.hpp"
#include "tokenizer/vocabulary.hpp"

namespace tbx::tokenizer {

/// The character at `at`, or the one byte there that belongs to none.
[[nodiscard]] constexpr std::string_view symbol_at(std::string_view text, std::size_t at) noexcept {
    return text.substr(at, std::max<std::size_t>(character_bytes(text, at), 1));
}

class stretches {
    // Pairs of characters that stand side by side in some token.
    std::unordered_set<std::uint64_t> joined;

    // A character has at most four bytes, so two fit into one number.
    static std::uint64_t key(std::string_view left, std::string_view right) noexcept {
        std::uint64_t all = 0;
        for (const std::string_view part : {left, right}) {
            std::uint32_t packed = 0;
            for (const char c : part) packed = packed << 8 | static_cast<unsigned char>(c);
            all = all << 32 | packed;
        }
        return all;
    }

public:
    explicit stretches(const vocabulary& from) {
        for (token_id id = 0; id < from.size(); ++id) {
            const std::string_view text = from.text(id);
            if (from.find(text) != id) continue;
            std::string_view before;
            for (std::size_t at = 0; at < text.size(); at += before.size()) {
                const std::string_view current = symbol_at(text, at);
                if (at != 0) joined.insert(key(before, current));
                before = current;
            }
        }
    }

    template <class Each>
    void cut(std::string_view text, const Each& each) const {
        std::size_t begin = 0;
        std::string_view before;
        for (std::size_t at = 0; at < text.size();) {
            const std::string_view current = symbol_at(text, at);
            if (at > begin && !joined.contains(key(before, current))) {
                each(text.substr(begin, at - begin));
                begin = at;
            }
            before = current;
            at += current.size();
        }
        if (begin < text.size()) each(text.substr(begin));
    }
};

}  // namespace tbx::tokenizer
