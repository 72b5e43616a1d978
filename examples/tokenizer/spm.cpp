// SPDX-License-Identifier: MIT
// Room tokenizer. Enters: text in which U+2581 stands for spaces. Leaves: SentencePiece ids, by a
// linked list of symbols and a heap of candidate merges.
#include "tokenizer/spm.hpp"

#include <algorithm>
#include <cstdint>
#include <queue>

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
    if (std::find(byte_tokens.begin(), byte_tokens.end(), no_token) != byte_tokens.end()) {
        file.fail("the vocabulary has neither a token for every byte nor an unknown token");
    }
}

void spm::append_bytes(std::string_view text, std::vector<token_id>& out) const {
    for (const char c : text) out.push_back(byte_tokens[static_cast<unsigned char>(c)]);
}

void spm::encode(std::string_view text, std::vector<token_id>& out) const {
    std::vector<symbol> symbols;
    symbols.reserve(text.size());
    for (std::uint32_t at = 0; at < text.size();) {
        const auto length =
            static_cast<std::uint32_t>(std::max<std::size_t>(character_bytes(text, at), 1));
        const auto index = static_cast<std::uint32_t>(symbols.size());
        symbols.push_back({at, length, index == 0 ? nothing : index - 1, index + 1});
        at += length;
    }
    if (symbols.empty()) return;
    symbols.back().after = nothing;

    std::priority_queue<candidate> queue;
    const auto consider = [&](std::uint32_t left, std::uint32_t right) {
        if (left == nothing || right == nothing) return;
        const std::uint32_t bytes = symbols[left].bytes + symbols[right].bytes;
        const token_id id = tokens->find(text.substr(symbols[left].begin, bytes));
        if (id != no_token) queue.push({tokens->score(id), left, right, bytes});
    };
    for (std::uint32_t i = 0; i + 1 < symbols.size(); ++i) consider(i, i + 1);

    while (!queue.empty()) {
        const candidate best = queue.top();
        queue.pop();
        symbol& left = symbols[best.left];
        symbol& right = symbols[best.right];
        // One of the two has been merged since: this candidate is out of date.
        if (left.bytes == 0 || right.bytes == 0 || left.bytes + right.bytes != best.bytes) continue;
        left.bytes = best.bytes;
        right.bytes = 0;
        left.after = right.after;
        if (left.after != nothing) symbols[left.after].before = best.left;
        consider(left.before, best.left);
        consider(best.left, left.after);
    }

    for (std::uint32_t i = 0; i != nothing; i = symbols[i].after) {
        const std::string_view part = text.substr(symbols[i].begin, symbols[i].bytes);
        const token_id id = tokens->find(part);
        if (id != no_token)
            out.push_back(id);
        else
            append_bytes(part, out);
    }
}

}  // namespace tbx::tokenizer
