// SPDX-License-Identifier: MIT
// Room tokenizer. Enters: a text. Leaves: where special tokens stand in it: the leftmost one, and
// of those that begin there the longest.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "tokenizer/vocabulary.hpp"

namespace tbx::tokenizer {

class special_tokens {
    using item = std::pair<std::string_view, token_id>;
    std::vector<item> sorted;
    std::array<bool, 256> begins{};

public:
    struct found {
        std::size_t at = std::string_view::npos;
        std::size_t bytes = 0;
        token_id id = no_token;
    };

    /// `wanted(kind)`, or of the kind and the text, says which are cut out.
    template <class Wanted>
    special_tokens(const vocabulary& from, Wanted wanted) {
        for (token_id id = 0; id < from.size(); ++id) {
            const std::string_view text = from.text(id);
            if (text.empty()) continue;
            if constexpr (std::is_invocable_v<Wanted, token_kind>) {
                if (!wanted(from.kind(id))) continue;
            } else {
                if (!wanted(from.kind(id), text)) continue;
            }
            sorted.emplace_back(text, id);
            begins[static_cast<unsigned char>(text[0])] = true;
        }
        std::sort(sorted.begin(), sorted.end());
    }

    [[nodiscard]] found next(std::string_view text, std::size_t from) const {
        for (std::size_t at = from; at < text.size(); ++at) {
            if (!begins[static_cast<unsigned char>(text[at])]) continue;
            const found hit = longest_at(text, at);
            if (hit.id != no_token) return hit;
        }
        return {};
    }

private:
    // Narrows the sorted list one byte at a time; a token that ends where the range begins is one
    // byte longer than the last one found.
    [[nodiscard]] found longest_at(std::string_view text, std::size_t at) const {
        found best;
        auto first = sorted.begin();
        auto last = sorted.end();
        for (std::size_t depth = 0; at + depth < text.size(); ++depth) {
            const char c = text[at + depth];
            const auto less = [depth](const item& i, char byte) {
                return i.first.size() <= depth || static_cast<unsigned char>(i.first[depth]) <
                                                      static_cast<unsigned char>(byte);
            };
            const auto greater = [depth](char byte, const item& i) {
                return i.first.size() > depth && static_cast<unsigned char>(byte) <
                                                     static_cast<unsigned char>(i.first[depth]);
            };
            first = std::lower_bound(first, last, c, less);
            last = std::upper_bound(first, last, c, greater);
            if (first == last) break;
            if (first->first.size() == depth + 1) best = {at, depth + 1, first->second};
        }
        return best;
    }
};

}  // namespace tbx::tokenizer
