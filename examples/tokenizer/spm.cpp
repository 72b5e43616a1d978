// SPDX-License-Identifier: MIT
// Room tokenizer. Enters: text in which U+2581 stands for spaces. Leaves: SentencePiece ids, by a
// linked list of symbols and a heap of candidate merges.
#include "tokenizer/spm.hpp"

#include <algorithm>
#include <cstdint>

#include "tokenizer/byte_tokens.hpp"

namespace tbx::tokenizer {

namespace {

constexpr std::uint32_t nothing = UINT32_MAX;

struct symbol {
    std::uint32_t begin, bytes, before, after;  // bytes == 0: merged into the one before
};

struct candidate {
    float score;
    std::uint32_t left, right, bytes;

    bool operator<(const candidate& other) const noexcept {
        if (score != other.score) return score < other.score;
        return left > other.left;
    }
};

}  // namespace

spm::spm(const vocabulary& from, const gguf::reader& file)
    : tokens(&from), byte_tokens(byte_tokens_of(from, from.unknown, file)), apart(from) {
    if (std::find(byte_tokens.begin(), byte_tokens.end(), no_token) != byte_tokens.end()) {
        file.fail("the vocabulary has neither a token for every byte nor an unknown token");
    }
}

// Vectors that the stretches of one text share.
struct spm::scratch {
    std::vector<symbol> symbols;
    std::vector<candidate> candidates;  // a heap, best first, once all initial pairs are in
};

void spm::encode(std::string_view text, piece_cache& cache, std::vector<token_id>& out) const {
    scratch work;
    const auto make = [&](std::string_view stretch, std::vector<token_id>& to) {
        merge_stretch(stretch, work, to);
    };
    const std::size_t begin = out.size();
    apart.cut(text, [&](std::string_view stretch) { cache.encode(stretch, out, make); });
    if (tokens->unknown != no_token) join_unknown(out, begin, tokens->unknown);
}

void spm::merge_stretch(std::string_view text, scratch& work, std::vector<token_id>& out) const {
    // References, not a structured binding: clang 14 cannot capture one.
    std::vector<symbol>& symbols = work.symbols;
    std::vector<candidate>& candidates = work.candidates;
    symbols.clear();
    candidates.clear();
    for (std::uint32_t at = 0; at < text.size();) {
        const auto bytes = static_cast<std::uint32_t>(symbol_at(text, at).size());
        const auto index = static_cast<std::uint32_t>(symbols.size());
        symbols.push_back({at, bytes, index == 0 ? nothing : index - 1, index + 1});
        at += bytes;
    }
    symbols.back().after = nothing;

    const auto consider = [&](std::uint32_t left, std::uint32_t right) {
        if (left == nothing || right == nothing) return false;
        const std::uint32_t bytes = symbols[left].bytes + symbols[right].bytes;
        const token_id id = tokens->find(text.substr(symbols[left].begin, bytes));
        if (id != no_token) candidates.push_back({tokens->score(id), left, right, bytes});
        return id != no_token;
    };
    const auto consider_later = [&](std::uint32_t left, std::uint32_t right) {
        if (consider(left, right)) std::push_heap(candidates.begin(), candidates.end());
    };
    for (std::uint32_t i = 0; i + 1 < symbols.size(); ++i) consider(i, i + 1);
    std::make_heap(candidates.begin(), candidates.end());

    while (!candidates.empty()) {
        std::pop_heap(candidates.begin(), candidates.end());
        const candidate best = candidates.back();
        candidates.pop_back();
        symbol& left = symbols[best.left];
        symbol& right = symbols[best.right];
        // One of the two has been merged since: this candidate is out of date.
        if (left.bytes == 0 || right.bytes == 0 || left.bytes + right.bytes != best.bytes) continue;
        left.bytes = best.bytes;
        right.bytes = 0;
        left.after = right.after;
        if (left.after != nothing) symbols[left.after].before = best.left;
        consider_later(left.before, best.left);
        consider_later(best.left, left.after);
    }

    for (std::uint32_t i = 0; i != nothing; i = symbols[i].after) {
        const std::string_view part = text.substr(symbols[i].begin, symbols[i].bytes);
        const token_id id = tokens->find(part);
        if (id != no_token) {
            out.push_back(id);
            continue;
        }
        for (const char c : part) out.push_back(byte_tokens[static_cast<unsigned char>(c)]);
    }
}

}  // namespace tbx::tokenizer
