// SPDX-License-Identifier: MIT
// Room tokenizer. Enters: text in which U+2581 stands for spaces. Leaves: SentencePiece ids, by a
// linked list of symbols and a heap of candidate merges.
#include "tokenizer/spm.hpp"

#include <algorithm>
#include <cstdint>

#include "tokenizer/utf8.hpp"

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

// The character at `at`, or the one byte there that belongs to none.
std::string_view symbol_at(std::string_view text, std::size_t at) noexcept {
    return text.substr(at, std::max<std::size_t>(character_bytes(text, at), 1));
}

// A character has at most four bytes, so two fit into one number.
std::uint64_t pair_key(std::string_view left, std::string_view right) noexcept {
    std::uint64_t key = 0;
    for (const std::string_view part : {left, right}) {
        std::uint32_t packed = 0;
        for (const char c : part) packed = packed << 8 | static_cast<unsigned char>(c);
        key = key << 32 | packed;
    }
    return key;
}

int hex_digit(char c) noexcept {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

}  // namespace

int spm::byte_of(std::string_view token_text) noexcept {
    if (token_text.size() != 6 || !token_text.starts_with("<0x") || token_text[5] != '>') return -1;
    const int high = hex_digit(token_text[3]);
    const int low = hex_digit(token_text[4]);
    return high < 0 || low < 0 ? -1 : 16 * high + low;
}

spm::spm(const vocabulary& from, const gguf::reader& file) : tokens(&from) {
    byte_tokens.fill(from.unknown);
    for (token_id id = 0; id < from.size(); ++id) {
        if (from.kind(id) != token_kind::byte) continue;
        const int byte = byte_of(from.text(id));
        if (byte < 0) file.fail("byte token " + std::to_string(id) + " is not written <0xHH>");
        byte_tokens[static_cast<std::size_t>(byte)] = id;
    }
    for (token_id id = 0; id < from.size(); ++id) {
        const std::string_view text = from.text(id);
        if (from.find(text) != id) continue;
        std::string_view before;
        for (std::size_t at = 0; at < text.size(); at += before.size()) {
            const std::string_view current = symbol_at(text, at);
            if (at != 0) joined.insert(pair_key(before, current));
            before = current;
        }
    }
    if (std::find(byte_tokens.begin(), byte_tokens.end(), no_token) != byte_tokens.end()) {
        file.fail("the vocabulary has neither a token for every byte nor an unknown token");
    }
}

// Vectors that the stretches of one text share.
struct spm::scratch {
    std::vector<symbol> symbols;
    std::vector<candidate> candidates;  // a heap, best first, once all initial pairs are in
};

void spm::encode(std::string_view text, std::vector<token_id>& out) const {
    scratch work;
    std::size_t begin = 0;
    std::string_view before;
    for (std::size_t at = 0; at < text.size();) {
        const std::string_view current = symbol_at(text, at);
        if (at > begin && !joined.contains(pair_key(before, current))) {
            merge_stretch(text.substr(begin, at - begin), work, out);
            begin = at;
        }
        before = current;
        at += current.size();
    }
    if (begin < text.size()) merge_stretch(text.substr(begin), work, out);
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
