// SPDX-License-Identifier: MIT
// Room tokenizer. Enters: texts with ids. Leaves: all of those that a text begins with, in one walk
// along it.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include "tokenizer/vocabulary.hpp"

namespace tbx::tokenizer {

class token_trie {
    struct node {
        std::uint32_t first = 0;  // its children stand side by side, by their bytes
        std::uint32_t count = 0;
        token_id id = no_token;
    };
    std::vector<node> nodes;
    std::vector<unsigned char> bytes;  // that leads to the node

public:
    using item = std::pair<std::string_view, token_id>;

    /// Texts are not empty; of equal ones the last counts.
    explicit token_trie(std::vector<item> items) : nodes(1), bytes(1) {
        std::stable_sort(items.begin(), items.end(),
                         [](const item& a, const item& b) { return a.first < b.first; });
        // Nodes in the order of their depth, each with the range of texts that begin as it does.
        std::vector<std::pair<std::size_t, std::size_t>> ranges{{0, items.size()}};
        std::size_t depth = 0;
        for (std::size_t at = 0, level_end = 1; at < nodes.size(); ++at) {
            if (at == level_end) {
                ++depth;
                level_end = nodes.size();
            }
            auto [first, last] = ranges[at];
            for (; first < last && items[first].first.size() == depth; ++first)
                nodes[at].id = items[first].second;
            nodes[at].first = static_cast<std::uint32_t>(nodes.size());
            while (first < last) {
                const auto byte = static_cast<unsigned char>(items[first].first[depth]);
                std::size_t end = first;
                while (end < last && static_cast<unsigned char>(items[end].first[depth]) == byte)
                    ++end;
                nodes.emplace_back();
                bytes.push_back(byte);
                ranges.emplace_back(first, end);
                ++nodes[at].count;
                first = end;
            }
        }
    }

    /// `found(bytes, id)` for each, the shortest first.
    template <class Found>
    void walk(std::string_view text, const Found& found) const {
        const node* here = nodes.data();
        for (std::size_t length = 1; length <= text.size(); ++length) {
            const auto* first = bytes.data() + here->first;
            const auto* last = first + here->count;
            const auto byte = static_cast<unsigned char>(text[length - 1]);
            const auto* at = std::lower_bound(first, last, byte);
            if (at == last || *at != byte) return;
            here = nodes.data() + (at - bytes.data());
            if (here->id != no_token) found(length, here->id);
        }
    }
};

}  // namespace tbx::tokenizer
