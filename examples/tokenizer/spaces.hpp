// SPDX-License-Identifier: MIT
// Room tokenizer. Enters: UTF-8. Leaves: how many bytes of Unicode's white space are at an end.
#pragma once

#include <array>
#include <cstddef>
#include <string_view>

namespace tbx::tokenizer {

inline constexpr std::array<std::string_view, 25> spaces{
    "\t",     "\n",     "\v",     "\f",     "\r",     " ",      "\u0085", "\u00a0", "\u1680",
    "\u2000", "\u2001", "\u2002", "\u2003", "\u2004", "\u2005", "\u2006", "\u2007", "\u2008",
    "\u2009", "\u200a", "\u2028", "\u2029", "\u202f", "\u205f", "\u3000"};

[[nodiscard]] constexpr std::size_t spaces_at_begin(std::string_view text) noexcept {
    const std::size_t all = text.size();
    for (bool found = true; found;) {
        found = false;
        for (const std::string_view space : spaces) {
            if (!text.starts_with(space)) continue;
            text.remove_prefix(space.size());
            found = true;
        }
    }
    return all - text.size();
}

[[nodiscard]] constexpr std::size_t spaces_at_end(std::string_view text) noexcept {
    const std::size_t all = text.size();
    for (bool found = true; found;) {
        found = false;
        for (const std::string_view space : spaces) {
            if (!text.ends_with(space)) continue;
            text.remove_suffix(space.size());
            found = true;
        }
    }
    return all - text.size();
}

}  // namespace tbx::tokenizer
