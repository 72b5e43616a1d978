// SPDX-License-Identifier: MIT
// Room tokenizer. Enters: a byte, or text in the alphabet that byte-level BPE files are written in.
// Leaves: the byte's letter, or the bytes. Printable Latin-1 stands for itself, the rest is moved
// up.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "tokenizer/utf8.hpp"

namespace tbx::tokenizer {

inline constexpr std::uint32_t first_moved_letter = 0x100;
inline constexpr std::uint32_t moved_letters = 68;

constexpr bool stands_for_itself(std::uint32_t byte) noexcept {
    return (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174;
}

inline constexpr auto letter_of_byte = [] {
    std::array<std::uint32_t, 256> letters{};
    std::uint32_t moved = first_moved_letter;
    for (std::uint32_t byte = 0; byte < 256; ++byte) {
        letters[byte] = stands_for_itself(byte) ? byte : moved++;
    }
    return letters;
}();

inline constexpr auto byte_of_moved_letter = [] {
    std::array<unsigned char, moved_letters> bytes{};
    for (std::uint32_t byte = 0; byte < 256; ++byte) {
        if (!stands_for_itself(byte)) {
            bytes[letter_of_byte[byte] - first_moved_letter] = static_cast<unsigned char>(byte);
        }
    }
    return bytes;
}();

[[nodiscard]] inline std::string to_alphabet(std::string_view bytes) {
    std::string text;
    for (const char c : bytes) append_short(text, letter_of_byte[static_cast<unsigned char>(c)]);
    return text;
}

/// What is not in the alphabet passes through as it is.
[[nodiscard]] inline std::string from_alphabet(std::string_view text) {
    std::string bytes;
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t length = character_bytes(text, at);
        const auto first = static_cast<unsigned char>(text[at]);
        std::uint32_t code_point = first;
        if (length == 2) {
            code_point = (first & 0x1fu) << 6 | (static_cast<unsigned char>(text[at + 1]) & 0x3fu);
        }
        if (length == 2 && code_point < 256 && stands_for_itself(code_point)) {
            bytes += static_cast<char>(code_point);
        } else if (length == 2 && code_point >= first_moved_letter &&
                   code_point < first_moved_letter + moved_letters) {
            bytes += static_cast<char>(byte_of_moved_letter[code_point - first_moved_letter]);
        } else {
            bytes += text.substr(at, length == 0 ? 1 : length);
        }
        at += length == 0 ? 1 : length;
    }
    return bytes;
}

}  // namespace tbx::tokenizer
