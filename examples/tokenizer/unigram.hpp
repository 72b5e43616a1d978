// SPDX-License-Identifier: MIT
// Room tokenizer. Enters: text. Leaves: ids by SentencePiece's unigram model: of all ways to put
// the normalised text together of tokens the one whose scores add up to the most.
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "tokenizer/character_map.hpp"
#include "tokenizer/piece_cache.hpp"
#include "tokenizer/stretches.hpp"
#include "tokenizer/token_trie.hpp"
#include "tokenizer/vocabulary.hpp"

namespace tbx::tokenizer {

class unigram {
    const vocabulary* tokens;
    token_trie trie;
    stretches apart;
    character_map map;
    std::array<token_id, 256> byte_tokens;
    bool has_bytes;
    double unknown_score;
    struct scratch;

    [[nodiscard]] std::string normalised(std::string_view text) const;
    void take_apart(std::string_view stretch, scratch& work, std::vector<token_id>& out) const;

public:
    /// The vocabulary must outlive this. Throws tbx::error when it could not represent every text.
    unigram(const vocabulary& from, const gguf::reader& file);

    /// Appends the ids. Time: length times the longest token. Characters without a token become
    /// byte tokens, or the unknown token once for all that follow one another.
    void encode(std::string_view text, piece_cache& cache, std::vector<token_id>& out) const;
};

}  // namespace tbx::tokenizer
