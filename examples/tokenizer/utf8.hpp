// SPDX-License-Identifier: MIT
// Room tokenizer. Enters: bytes that may be UTF-8. Leaves: where its characters begin and end, by
// the strict rule (no surrogates, no overlong forms, nothing above U+10FFFF), which PCRE2 relies
// on.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace tbx::tokenizer {

/// How many bytes a lead byte announces; 0 if no character begins with it.
[[nodiscard]] constexpr std::size_t announced_bytes(unsigned char lead) noexcept {
    if (lead < 0x80) return 1;
    if (lead < 0xc2) return 0;  // continuation bytes, and two that would be overlong
    if (lead < 0xe0) return 2;
    if (lead < 0xf0) return 3;
    return lead < 0xf5 ? 4 : 0;
}

/// May `next` follow `lead` directly? The second byte alone decides about overlong forms and
/// surrogates.
[[nodiscard]] constexpr bool second_byte_fits(unsigned char lead, unsigned char next) noexcept {
    switch (lead) {
        case 0xe0:
            return next >= 0xa0 && next <= 0xbf;
        case 0xed:
            return next >= 0x80 && next <= 0x9f;
        case 0xf0:
            return next >= 0x90 && next <= 0xbf;
        case 0xf4:
            return next >= 0x80 && next <= 0x8f;
        default:
            return (next & 0xc0u) == 0x80u;
    }
}

/// Length of the longest beginning of a character at `at`: `complete` says whether it is all there.
struct character {
    std::size_t bytes = 0;  // 0: no character begins here
    bool complete = false;
};

[[nodiscard]] constexpr character character_at(std::string_view text, std::size_t at) noexcept {
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[at + i]); };
    const std::size_t wanted = announced_bytes(byte(0));
    std::size_t have = wanted == 0 ? 0 : 1;
    while (have < wanted && at + have < text.size()) {
        const bool fits =
            have == 1 ? second_byte_fits(byte(0), byte(1)) : (byte(have) & 0xc0u) == 0x80u;
        if (!fits) return {};
        ++have;
    }
    return {have, have == wanted && have != 0};
}

/// Bytes of the whole character at `at`, or 0.
[[nodiscard]] constexpr std::size_t character_bytes(std::string_view text,
                                                    std::size_t at) noexcept {
    const character c = character_at(text, at);
    return c.complete ? c.bytes : 0;
}

/// Bytes at the end of `text` that begin a character whose rest may still come; 0..3.
[[nodiscard]] constexpr std::size_t unfinished_bytes(std::string_view text) noexcept {
    for (std::size_t back = 1; back <= 3 && back <= text.size(); ++back) {
        const std::size_t at = text.size() - back;
        if ((static_cast<unsigned char>(text[at]) & 0xc0u) == 0x80u) continue;
        const character c = character_at(text, at);
        return c.bytes == back && !c.complete ? back : 0;
    }
    return 0;
}

/// For people: what is no character, or only its beginning, becomes U+FFFD.
[[nodiscard]] inline std::string whole_characters(std::string_view text) {
    std::string whole;
    for (std::size_t at = 0; at < text.size();) {
        const character c = character_at(text, at);
        whole += c.complete ? text.substr(at, c.bytes) : std::string_view("\ufffd");
        at += c.bytes == 0 ? 1 : c.bytes;
    }
    return whole;
}

/// Appends a code point below U+0800.
inline void append_short(std::string& out, std::uint32_t code_point) {
    if (code_point < 0x80) {
        out += static_cast<char>(code_point);
    } else {
        out += static_cast<char>(0xc0u | code_point >> 6);
        out += static_cast<char>(0x80u | (code_point & 0x3fu));
    }
}

}  // namespace tbx::tokenizer
