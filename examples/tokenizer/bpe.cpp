// SPDX-License-Identifier: MIT
// Room tokenizer. Enters: one piece of text. Leaves: byte-level BPE ids. Texts are interned when
// the merge list is read, so that merging compares numbers only.
#include "tokenizer/bpe.hpp"

#include <algorithm>
#include <string>

#include "tokenizer/byte_alphabet.hpp"

namespace tbx::tokenizer {

namespace {

constexpr std::uint32_t nothing = UINT32_MAX;

struct symbol {
    std::uint32_t id, begin, bytes, before, after;  // bytes == 0: merged into the one before
};

struct candidate {
    std::uint64_t order;  // rank << 32 | left: lower comes first
    std::uint32_t right, bytes;

    [[nodiscard]] std::uint32_t left() const noexcept { return static_cast<std::uint32_t>(order); }
    bool operator<(const candidate& other) const noexcept { return order > other.order; }
};

constexpr std::uint64_t pair_key(std::uint32_t left, std::uint32_t right) noexcept {
    return std::uint64_t{left} << 32 | right;
}

}  // namespace

bpe::bpe(const vocabulary& from, bool ignore_merges, const gguf::reader& file)
    : tokens(&from), whole_pieces(ignore_merges) {
    std::unordered_map<std::string, std::uint32_t> extra;
    const auto intern = [&](std::string_view text) {
        const token_id id = from.find(text);
        if (id != no_token) return static_cast<std::uint32_t>(id);
        const auto next =
            static_cast<std::uint32_t>(from.size()) + static_cast<std::uint32_t>(extra.size());
        return extra.try_emplace(std::string(text), next).first->second;
    };
    for (std::size_t byte = 0; byte < byte_symbols.size(); ++byte) {
        std::string letter;
        append_short(letter, letter_of_byte[byte]);
        byte_symbols[byte] = intern(letter);
    }
    merges.reserve(from.merges.size());
    std::uint32_t rank = 0;
    std::string joined;
    for (const std::string_view text : from.merges) {
        // A part is never empty, and the alphabet has no space: the first one separates.
        const auto space = text.find(' ', 1);
        if (space == std::string_view::npos || space + 1 == text.size()) {
            file.fail("merge " + std::to_string(rank) + " is not two parts with a space between");
        }
        const std::string_view left = text.substr(0, space);
        const std::string_view right = text.substr(space + 1);
        joined.assign(left).append(right);
        // Of a pair listed twice the first and better place counts.
        merges.try_emplace(pair_key(intern(left), intern(right)), merge{rank, intern(joined)});
        ++rank;
    }
}

// Vectors that the pieces of one text share.
struct bpe::scratch {
    std::vector<symbol> symbols;
    std::vector<candidate> candidates;  // a heap, best first, once all initial pairs are in
};

void bpe::encode(std::span<const std::string_view> pieces, piece_cache& cache,
                 std::vector<token_id>& out) const {
    scratch work;
    const auto make = [&](std::string_view piece, std::vector<token_id>& to) {
        merge_piece(piece, work, to);
    };
    for (const std::string_view piece : pieces) cache.encode(piece, out, make);
}

void bpe::merge_piece(std::string_view piece, scratch& work, std::vector<token_id>& out) const {
    // A token's text has at least one byte for each byte of the piece.
    if (whole_pieces && piece.size() <= tokens->longest()) {
        const token_id id = tokens->find(to_alphabet(piece));
        if (id != no_token) {
            out.push_back(id);
            return;
        }
    }
    // References, not a structured binding: clang 14 cannot capture one.
    std::vector<symbol>& symbols = work.symbols;
    std::vector<candidate>& candidates = work.candidates;
    symbols.clear();
    candidates.clear();
    for (std::uint32_t i = 0; i < piece.size(); ++i) {
        const auto byte = static_cast<unsigned char>(piece[i]);
        symbols.push_back({byte_symbols[byte], i, 1, i == 0 ? nothing : i - 1, i + 1});
    }
    if (symbols.empty()) return;
    symbols.back().after = nothing;

    const auto find_merge = [&](std::uint32_t left, std::uint32_t right) {
        return merges.find(pair_key(symbols[left].id, symbols[right].id));
    };
    const auto consider = [&](std::uint32_t left, std::uint32_t right) {
        if (left == nothing || right == nothing) return false;
        const auto found = find_merge(left, right);
        if (found == merges.end()) return false;
        candidates.push_back({std::uint64_t{found->second.rank} << 32 | left, right,
                              symbols[left].bytes + symbols[right].bytes});
        return true;
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
        symbol& left = symbols[best.left()];
        symbol& right = symbols[best.right];
        // One of the two has been merged since: this candidate is out of date.
        if (left.bytes == 0 || right.bytes == 0 || left.bytes + right.bytes != best.bytes) continue;
        left.id = find_merge(best.left(), best.right)->second.result;
        left.bytes = best.bytes;
        right.bytes = 0;
        left.after = right.after;
        if (left.after != nothing) symbols[left.after].before = best.left();
        consider_later(left.before, best.left());
        consider_later(best.left(), left.after);
    }

    const auto emit = [&](std::uint32_t id) {
        if (id < static_cast<std::uint32_t>(tokens->size()))
            out.push_back(static_cast<token_id>(id));
        else if (tokens->unknown != no_token)
            out.push_back(tokens->unknown);
    };
    for (std::uint32_t i = 0; i != nothing; i = symbols[i].after) {
        const symbol& s = symbols[i];
        if (s.id < static_cast<std::uint32_t>(tokens->size())) {
            emit(s.id);
            continue;
        }
        for (const char c : piece.substr(s.begin, s.bytes)) {
            emit(byte_symbols[static_cast<unsigned char>(c)]);
        }
    }
}

}  // namespace tbx::tokenizer
