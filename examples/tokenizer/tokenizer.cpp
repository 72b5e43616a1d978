// SPDX-License-Identifier: MIT
// Room tokenizer. Enters: text or ids. Leaves: ids or text. Special tokens are cut out first; what
// is left between them goes to SentencePiece merging or to pre-tokenised byte-level BPE.
#include "tokenizer/tokenizer.hpp"

#include <algorithm>
#include <utility>

#include "tokenizer/bpe.hpp"
#include "tokenizer/byte_alphabet.hpp"
#include "tokenizer/byte_tokens.hpp"
#include "tokenizer/pretokenize.hpp"
#include "tokenizer/spaces.hpp"
#include "tokenizer/special_tokens.hpp"
#include "tokenizer/spm.hpp"
#include "tokenizer/unigram.hpp"
#include "tokenizer/utf8.hpp"

namespace tbx::tokenizer {

namespace {

constexpr std::string_view visible_space = "\u2581";
// The merge lists count in 32 bits, and a space takes three bytes there.
constexpr std::size_t longest_encoded = std::size_t{1} << 30;

bool is_special(token_kind kind) noexcept {
    return kind == token_kind::control || kind == token_kind::unknown;
}

bool is_among(token_id id, const std::vector<token_id>& sorted) {
    return std::binary_search(sorted.begin(), sorted.end(), id);
}

std::string show_spaces(std::string_view text, bool space_first) {
    std::string shown;
    shown.reserve(text.size() + text.size() / 2 + visible_space.size());
    if (space_first) shown += visible_space;
    for (const char c : text) {
        if (c == ' ')
            shown += visible_space;
        else
            shown += c;
    }
    return shown;
}

std::string hide_spaces(std::string_view shown) {
    std::string text;
    for (std::size_t at = 0; at < shown.size();) {
        if (shown.substr(at).starts_with(visible_space)) {
            text += ' ';
            at += visible_space.size();
        } else {
            text += shown[at++];
        }
    }
    return text;
}

}  // namespace

struct tokenizer::engine {
    vocabulary tokens;
    special_tokens user_defined;
    special_tokens all_special;
    std::optional<spm> sentencepiece;
    std::optional<unigram> likeliest;
    std::optional<pretokenizer> splitter;
    std::optional<bpe> byte_level;

    engine(const gguf::reader& file, std::string_view pre)
        : tokens(file, pre),
          user_defined(tokens, [](token_kind k) { return k == token_kind::user_defined; }),
          all_special(tokens,
                      [](token_kind k) { return is_special(k) || k == token_kind::user_defined; }) {
        if (tokens.model == vocabulary_model::sentencepiece) {
            sentencepiece.emplace(tokens, file);
            return;
        }
        if (tokens.model == vocabulary_model::unigram) {
            likeliest.emplace(tokens, file);
            return;
        }
        const auto rule = find_split_rule(tokens.pre_tokenizer);
        if (!rule) file.fail("pre-tokenizer is not known");
        splitter.emplace(*rule);
        byte_level.emplace(tokens, rule->ignore_merges, file);
    }

    void encode_plain(std::string_view text, bool after_special, piece_cache& cache,
                      std::vector<token_id>& out) const {
        if (text.empty()) return;
        if (sentencepiece) {
            const bool space_first = tokens.add_space_prefix && after_special;
            sentencepiece->encode(show_spaces(text, space_first), cache, out);
            return;
        }
        if (likeliest) {
            likeliest->encode(text, cache, out);
            return;
        }
        byte_level->encode(splitter->split(text), cache, out);
    }
};

tokenizer::tokenizer(std::unique_ptr<const engine> made) : parts(std::move(made)) {}
tokenizer::tokenizer(tokenizer&&) noexcept = default;
tokenizer& tokenizer::operator=(tokenizer&&) noexcept = default;
tokenizer::~tokenizer() = default;

tokenizer tokenizer::from_gguf(const gguf::reader& file, std::string_view pre) {
    return tokenizer(std::make_unique<const engine>(file, pre));
}

const vocabulary& tokenizer::vocab() const noexcept { return parts->tokens; }

std::vector<token_id> tokenizer::encode(std::string_view text, encode_options options) const {
    if (text.size() > longest_encoded) throw error("text", "is longer than 1 GiB");
    const vocabulary& tokens = parts->tokens;
    std::vector<token_id> out;
    if (options.add_bos.value_or(tokens.add_bos) && tokens.bos != no_token) {
        out.push_back(tokens.bos);
    }
    const special_tokens& special =
        options.parse_special ? parts->all_special : parts->user_defined;
    piece_cache cache(text.size());
    bool after_special = true;  // the beginning counts as well
    for (std::size_t at = 0; at < text.size();) {
        const auto hit = special.next(text, at);
        std::string_view plain = text.substr(at, hit.at - at);
        if (is_among(hit.id, tokens.strip_left)) plain.remove_suffix(spaces_at_end(plain));
        parts->encode_plain(plain, after_special, cache, out);
        if (hit.id == no_token) break;
        out.push_back(hit.id);
        at = hit.at + hit.bytes;
        if (is_among(hit.id, tokens.strip_right)) at += spaces_at_begin(text.substr(at));
        after_special = true;
    }
    if (options.add_eos.value_or(tokens.add_eos) && tokens.eos != no_token) {
        out.push_back(tokens.eos);
    }
    return out;
}

std::string tokenizer::decode(token_id id, bool show_special) const {
    const vocabulary& tokens = parts->tokens;
    if (!tokens.contains(id)) return {};
    const std::string_view text = tokens.text(id);
    const token_kind kind = tokens.kind(id);
    if (is_special(kind)) return show_special ? std::string(text) : std::string();
    if (kind == token_kind::user_defined) return std::string(text);
    if (tokens.model == vocabulary_model::byte_level_bpe) return from_alphabet(text);
    if (kind == token_kind::byte) return std::string(1, static_cast<char>(byte_of(text)));
    return hide_spaces(text);
}

std::string tokenizer::decode(std::span<const token_id> ids, bool show_special) const {
    text_stream stream(*this, true, show_special);
    std::string text;
    for (const token_id id : ids) text += stream.push(id);
    return text += stream.flush();
}

text_stream::text_stream(const tokenizer& from, bool at_start, bool special)
    : source(&from),
      strip_space(at_start && from.vocab().add_space_prefix),
      show_special(special) {}

std::string text_stream::push(token_id id) {
    const vocabulary& tokens = source->vocab();
    std::string piece = source->decode(id, show_special);
    if (strip_space && !piece.empty() && !is_special(tokens.kind(id))) {
        strip_space = false;
        if (piece[0] == ' ' && tokens.kind(id) != token_kind::user_defined) piece.erase(0, 1);
    }
    held += piece;
    const std::size_t ready = held.size() - unfinished_bytes(held);
    std::string out = held.substr(0, ready);
    held.erase(0, ready);
    return out;
}

std::string text_stream::flush() { return std::exchange(held, {}); }

}  // namespace tbx::tokenizer
