// SPDX-License-Identifier: MIT
// Room tokenizer. Enters: text in which U+2581 stands for spaces. Leaves: ids by SentencePiece's
// merge rule: of all adjacent pairs that form a token, the one with the highest score, then the
// leftmost.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "tokenizer/vocabulary.hpp"

namespace tbx::tokenizer {

class spm {
    const vocabulary* tokens;
    std::array<token_id, 256> byte_tokens;
    // Pairs of characters that stand side by side in some token. Between any others no merge is
    // possible, so a text falls apart there into stretches, mostly words, that merge on their own.
    std::unordered_set<std::uint64_t> joined;
    struct scratch;

    void merge_stretch(std::string_view text, scratch& work, std::vector<token_id>& out) const;

public:
    /// The vocabulary must outlive this. Throws tbx::error when it could not represent every text.
    spm(const vocabulary& from, const gguf::reader& file);

    /// Appends the ids. Time n log n. Bytes that no token covers become byte tokens.
    void encode(std::string_view text, std::vector<token_id>& out) const;
    /// The byte that this token stands for, or -1.
    [[nodiscard]] static int byte_of(std::string_view token_text) noexcept;
};

}  // namespace tbx::tokenizer
