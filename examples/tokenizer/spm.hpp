// SPDX-License-Identifier: MIT
// Room tokenizer. Enters: text in which U+2581 stands for spaces. Leaves: ids by SentencePiece's
// merge rule: of all adjacent pairs that form a token, the one with the highest score, then the
// leftmost.
#pragma once

#include <array>
#include <string_view>
#include <vector>

#include "tokenizer/piece_cache.hpp"
#include "tokenizer/stretches.hpp"
#include "tokenizer/vocabulary.hpp"

namespace tbx::tokenizer {

class spm {
    const vocabulary* tokens;
    std::array<token_id, 256> byte_tokens;
    stretches apart;
    struct scratch;

    void merge_stretch(std::string_view text, scratch& work, std::vector<token_id>& out) const;

public:
    /// The vocabulary must outlive this. Throws tbx::error when it could not represent every text.
    spm(const vocabulary& from, const gguf::reader& file);

    /// Appends the ids. Time n log n. Bytes that no token covers become byte tokens.
    void encode(std::string_view text, piece_cache& cache, std::vector<token_id>& out) const;
};

}  // namespace tbx::tokenizer
