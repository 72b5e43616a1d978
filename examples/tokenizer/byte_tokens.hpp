// SPDX-License-Identifier: MIT
// Room tokenizer. Enters: the text of a token of kind byte, <0xHH>. Leaves: its byte; and of a
// vocabulary the token of every byte; unknown tokens in a row become one.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "tokenizer/vocabulary.hpp"

namespace tbx::tokenizer {

/// The byte that this token stands for, or -1.
[[nodiscard]] constexpr int byte_of(std::string_view text) noexcept {
    if (text.size() != 6 || !text.starts_with("<0x") || text[5] != '>') return -1;
    constexpr std::string_view digits = "0123456789ABCDEF";
    const std::size_t high = digits.find(text[3]), low = digits.find(text[4]);
    if (high == std::string_view::npos || low == std::string_view::npos) return -1;
    return static_cast<int>(16 * high + low);
}

/// `missing` where there is none.
[[nodiscard]] inline std::array<token_id, 256> byte_tokens_of(const vocabulary& from,
                                                              token_id missing,
                                                              const gguf::reader& file) {
    std::array<token_id, 256> result{};
    result.fill(missing);
    for (token_id id = 0; id < from.size(); ++id) {
        if (from.kind(id) != token_kind::byte) continue;
        const int byte = byte_of(from.text(id));
        if (byte < 0) file.fail("byte token " + std::to_string(id) + " is not written <0xHH>");
        result[static_cast<std::size_t>(byte)] = id;
    }
    return result;
}

/// From `begin` on, unknown characters that follow one another become one token.
inline void join_unknown(std::vector<token_id>& ids, std::size_t begin, token_id unknown) {
    const auto both = [unknown](token_id a, token_id b) { return a == unknown && b == unknown; };
    ids.erase(std::unique(ids.begin() + static_cast<std::ptrdiff_t>(begin), ids.end(), both),
              ids.end());
}

}  // namespace tbx::tokenizer
