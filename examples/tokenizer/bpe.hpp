// SPDX-License-Identifier: MIT
// Room tokenizer. Enters: pieces of pre-tokenised text, any bytes. Leaves: ids by byte-level BPE:
// in each, merge the neighbours that stand first in the merge list, then the leftmost, until none
// is left.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "tokenizer/piece_cache.hpp"
#include "tokenizer/vocabulary.hpp"

namespace tbx::tokenizer {

class bpe {
    struct merge {
        std::uint32_t rank, result;
    };

    const vocabulary* tokens;
    bool whole_pieces;
    // Symbols are token ids; above them, texts that occur in merges but are no tokens.
    std::array<std::uint32_t, 256> byte_symbols{};
    std::unordered_map<std::uint64_t, merge> merges;  // (left << 32 | right)
    struct scratch;

    void merge_piece(std::string_view piece, scratch& work, std::vector<token_id>& out) const;

public:
    /// `ignore_merges`: a piece that is a token is taken whole. The vocabulary must outlive this.
    bpe(const vocabulary& from, bool ignore_merges, const gguf::reader& file);

    /// Appends the ids. Time n log n of the longest piece. A byte without a token becomes the
    /// unknown token, or nothing where the vocabulary has none.
    void encode(std::span<const std::string_view> pieces, piece_cache& cache,
                std::vector<token_id>& out) const;
};

}  // namespace tbx::tokenizer
