// SPDX-License-Identifier: MIT
// Room support. Enters: names. Leaves: what is near; see names.hpp.
#include "support/names.hpp"

#include <algorithm>
#include <cctype>
#include <utility>
#include <vector>

namespace tbx::support {
namespace {

constexpr std::size_t few = 8, most_shown = 3;

char small(char c) { return static_cast<char>(std::tolower(static_cast<unsigned char>(c))); }

}  // namespace

std::size_t edits_between(std::string_view a, std::string_view b) {
    // Rows of the table of prefixes: the last but one, the last, and the one that is made.
    std::vector<std::size_t> before(b.size() + 1), above(b.size() + 1), row(b.size() + 1);
    for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
    for (std::size_t i = 1; i <= a.size(); ++i) {
        std::swap(before, above);
        std::swap(above, row);
        row[0] = i;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const char x = small(a[i - 1]), y = small(b[j - 1]);
            row[j] = std::min({above[j] + 1, row[j - 1] + 1, above[j - 1] + (x == y ? 0u : 1u)});
            if (i > 1 && j > 1 && x == small(b[j - 2]) && y == small(a[i - 2]))
                row[j] = std::min(row[j], before[j - 2] + 1);
        }
    }
    return row[b.size()];
}

std::string listed(std::span<const std::string> names) {
    std::string list;
    for (const std::string& name : names) list += (list.empty() ? "" : ", ") + name;
    return list;
}

std::string none_of(std::string_view wrong, std::span<const std::string> names) {
    const std::string what = "'" + std::string(wrong) + "' is none of ";
    if (names.size() <= few) return what + listed(names);
    std::vector<std::pair<std::size_t, std::string>> near;
    for (const std::string& name : names) {
        const std::string_view start = wrong.substr(0, 2 * name.size());
        const std::size_t edits = edits_between(start, name);
        // As many edits as letters make any name of any other.
        if (2 * edits <= std::max(start.size(), name.size())) near.emplace_back(edits, name);
    }
    std::stable_sort(near.begin(), near.end(),
                     [](const auto& a, const auto& b) { return a.first < b.first; });
    if (near.size() > most_shown) near.resize(most_shown);
    std::vector<std::string> shown;
    for (auto& [edits, name] : near) shown.push_back(std::move(name));
    return what + std::to_string(names.size()) + " names" +
           (shown.empty() ? ", which --help has" : "; near it: " + listed(shown));
}

}  // namespace tbx::support
