// SPDX-License-Identifier: MIT
// Room tokenizer. Enters: text. Leaves: ids; see unigram.hpp.
#include "tokenizer/unigram.hpp"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <utility>

#include "tokenizer/byte_tokens.hpp"
#include "tokenizer/utf8.hpp"

namespace tbx::tokenizer {

namespace {

constexpr std::string_view visible_space = "\u2581";
constexpr std::string_view replacement_character = "\ufffd";
// SentencePiece's: an unknown character is never better than any token.
constexpr double unknown_penalty = 10;

token_trie trie_of(const vocabulary& from) {
    std::vector<token_trie::item> items;
    for (token_id id = 0; id < from.size(); ++id)
        if (from.find(from.text(id)) == id) items.emplace_back(from.text(id), id);
    return token_trie(std::move(items));
}

double least_score(const vocabulary& from) {
    float least = std::numeric_limits<float>::max();
    for (token_id id = 0; id < from.size(); ++id)
        if (from.kind(id) == token_kind::normal) least = std::min(least, from.score(id));
    return static_cast<double>(least);
}

character_map map_of(const vocabulary& from, const gguf::reader& file) {
    if (from.character_map.empty()) return {};
    auto map = character_map::of(from.character_map);
    if (!map) file.fail("'tokenizer.ggml.precompiled_charsmap' is no map of characters");
    return *std::move(map);
}

}  // namespace

unigram::unigram(const vocabulary& from, const gguf::reader& file)
    : tokens(&from),
      trie(trie_of(from)),
      apart(from),
      map(map_of(from, file)),
      byte_tokens(byte_tokens_of(from, no_token, file)),
      has_bytes(std::find(byte_tokens.begin(), byte_tokens.end(), no_token) == byte_tokens.end()),
      unknown_score(least_score(from) - unknown_penalty) {
    if (from.unknown == no_token && !has_bytes)
        file.fail("the vocabulary has neither a token for every byte nor an unknown token");
}

std::string unigram::normalised(std::string_view text) const {
    std::string out;
    out.reserve(text.size() + text.size() / 2 + visible_space.size());
    const bool merge = tokens->remove_extra_whitespaces, prefix = tokens->add_space_prefix;
    if (prefix && !merge && !text.empty()) out += visible_space;
    bool in_word = false;
    const auto append = [&](char c) {
        if (c != ' ') {
            if (merge && !in_word && (prefix || !out.empty())) out += visible_space;
            out += c;
        } else if (!merge) {
            out += visible_space;
        }
        in_word = c != ' ';
    };
    for (std::size_t at = 0; at < text.size();) {
        const auto known = map.longest(text.substr(at));
        const std::size_t bytes = character_bytes(text, at);
        std::string_view part = known.by;
        if (known.bytes == 0) part = bytes == 0 ? replacement_character : text.substr(at, bytes);
        for (const char c : part) append(c);
        at += known.bytes != 0 ? known.bytes : std::max<std::size_t>(bytes, 1);
    }
    return out;
}

// What leads to each place best.
struct unigram::scratch {
    struct step {
        double score;
        std::size_t from;
        token_id id;
    };
    std::vector<step> best;
    std::vector<std::pair<std::size_t, step>> path;  // backwards: where it ends, and the step
};

void unigram::take_apart(std::string_view stretch, scratch& work,
                         std::vector<token_id>& out) const {
    constexpr double never = -std::numeric_limits<double>::infinity();
    work.best.assign(stretch.size() + 1, {never, 0, no_token});
    work.best[0].score = 0;
    for (std::size_t at = 0; at < stretch.size();) {
        const double so_far = work.best[at].score;
        const std::size_t character = symbol_at(stretch, at).size();
        bool known = false;
        const auto offer = [&](std::size_t bytes, token_id id, double score) {
            auto& there = work.best[at + bytes];
            if (so_far + score > there.score) there = {so_far + score, at, id};
        };
        trie.walk(stretch.substr(at), [&](std::size_t bytes, token_id id) {
            known = known || bytes == character;
            const bool given = tokens->kind(id) == token_kind::user_defined;
            offer(bytes, id, given ? 0.0 : static_cast<double>(tokens->score(id)));
        });
        if (!known) offer(character, no_token, unknown_score);
        at += character;
    }
    work.path.clear();
    for (std::size_t end = stretch.size(); end > 0; end = work.best[end].from)
        work.path.emplace_back(end, work.best[end]);
    for (auto at = work.path.rbegin(); at != work.path.rend(); ++at) {
        const auto& [end, step] = *at;
        if (step.id != no_token) {
            out.push_back(step.id);
        } else if (has_bytes) {
            for (const char c : stretch.substr(step.from, end - step.from))
                out.push_back(byte_tokens[static_cast<unsigned char>(c)]);
        } else {
            out.push_back(tokens->unknown);
        }
    }
}

void unigram::encode(std::string_view text, piece_cache& cache, std::vector<token_id>& out) const {
    scratch work;
    const auto make = [&](std::string_view stretch, std::vector<token_id>& to) {
        take_apart(stretch, work, to);
    };
    const std::string shown = normalised(text);
    const std::size_t begin = out.size();
    apart.cut(shown, [&](std::string_view stretch) { cache.encode(stretch, out, make); });
    if (!has_bytes) join_unknown(out, begin, tokens->unknown);
}

}  // namespace tbx::tokenizer
