// SPDX-License-Identifier: MIT
// Room tokenizer. Enters: pieces of one text. Leaves: their ids, made once for each short piece:
// texts repeat their words. It belongs to one call, so that threads share nothing.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <string_view>
#include <vector>

#include "tokenizer/vocabulary.hpp"

namespace tbx::tokenizer {

class piece_cache {
    // A line of cache each; a piece drives out another one of the same place.
    struct slot {
        std::uint8_t bytes, count;
        std::array<char, 30> text;
        std::array<token_id, 8> ids;
    };
    static_assert(sizeof(slot) == 64);
    std::vector<slot> slots;

public:
    /// Grows with the text up to a megabyte: words of a vocabulary's size.
    explicit piece_cache(std::size_t text_bytes)
        : slots(std::bit_ceil(std::clamp(text_bytes / 4, std::size_t{16}, std::size_t{1} << 14))) {}

    /// Appends the ids that `make(piece, out)` would append, which depend on the piece alone.
    template <class Make>
    void encode(std::string_view piece, std::vector<token_id>& out, const Make& make) {
        if (piece.empty() || piece.size() > std::tuple_size_v<decltype(slot::text)>) {
            make(piece, out);
            return;
        }
        slot& at = slots[std::hash<std::string_view>{}(piece) & (slots.size() - 1)];
        if (std::string_view(at.text.data(), at.bytes) == piece) {
            out.insert(out.end(), at.ids.begin(), at.ids.begin() + at.count);
            return;
        }
        const std::size_t before = out.size();
        make(piece, out);
        const std::size_t made = out.size() - before;
        if (made > at.ids.size()) return;
        at.bytes = static_cast<std::uint8_t>(piece.size());
        at.count = static_cast<std::uint8_t>(made);
        std::memcpy(at.text.data(), piece.data(), piece.size());
        std::copy_n(out.begin() + static_cast<std::ptrdiff_t>(before), made, at.ids.begin());
    }
};

}  // namespace tbx::tokenizer
