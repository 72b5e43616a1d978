// SPDX-License-Identifier: MIT
// Room gguf. Enters: a name out of a file. Leaves: the name as a message may show it.
#pragma once

#include <string>
#include <string_view>

namespace tbx::gguf {

[[nodiscard]] inline std::string quoted(std::string_view text) {
    std::string out = "'";
    for (const char c : text.substr(0, 80)) {
        // A name from a hostile file must not reach the terminal as control characters.
        const auto byte = static_cast<unsigned char>(c);
        out += byte < 0x20 || byte == 0x7f ? '?' : c;
    }
    return out + (text.size() > 80 ? "...'" : "'");
}

}  // namespace tbx::gguf
