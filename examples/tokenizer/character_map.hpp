// SPDX-License-Identifier: MIT
// Room tokenizer. Enters: SentencePiece's precompiled map of characters, and a text. Leaves: what
// the map says for the longest beginning that it knows. Any bytes are taken: what lies outside of
// the map is not in it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tbx::tokenizer {

class character_map {
    // A double array, as Darts-clone writes them: the child for a byte is at (index ^ offset of the
    // node ^ byte), and is one if its label is that byte.
    std::vector<std::uint32_t> units;
    std::string texts;  // each ends in a NUL

    static std::uint32_t offset_of(std::uint32_t unit) noexcept {
        return unit >> 10 << ((unit & 0x200u) >> 6);
    }
    static std::uint32_t label_of(std::uint32_t unit) noexcept { return unit & 0x800000ffu; }
    static bool ends(std::uint32_t unit) noexcept { return (unit & 0x100u) != 0; }

public:
    struct replacement {
        std::size_t bytes = 0;  // of the text; 0: nothing is replaced
        std::string_view by;
    };

    character_map() = default;

    /// Nothing where the bytes are none: their length, the array, and at least one text.
    static std::optional<character_map> of(std::string_view blob) {
        const auto number = [&](std::size_t at) {
            std::uint32_t value = 0;
            for (std::size_t i = 4; i-- > 0;)
                value = value << 8 | static_cast<unsigned char>(blob[at + i]);
            return value;
        };
        if (blob.size() < 4) return std::nullopt;
        const std::size_t bytes = number(0);
        if (bytes % 4 != 0 || bytes > blob.size() - 4 || !blob.ends_with('\0')) return std::nullopt;
        character_map map;
        for (std::size_t at = 4; at < 4 + bytes; at += 4) map.units.push_back(number(at));
        map.texts = blob.substr(4 + bytes);
        return map;
    }

    [[nodiscard]] replacement longest(std::string_view text) const {
        replacement best;
        if (units.empty()) return best;
        std::uint32_t at = offset_of(units[0]);
        for (std::size_t i = 0; i < text.size(); ++i) {
            const auto byte = static_cast<unsigned char>(text[i]);
            at ^= byte;
            // A NUL would be the place of a value.
            if (byte == 0 || at >= units.size() || label_of(units[at]) != byte) break;
            const bool whole = ends(units[at]);
            at ^= offset_of(units[at]);
            if (!whole || at >= units.size()) continue;
            const std::size_t where = units[at] & 0x7fffffffu;
            if (where < texts.size()) best = {i + 1, std::string_view(texts.c_str() + where)};
        }
        return best;
    }
};

}  // namespace tbx::tokenizer
