// SPDX-License-Identifier: MIT
// Room examples/runner. Enters: text with marks. Leaves: tokens; see framed_text.hpp.
#include "runner/framed_text.hpp"

#include <algorithm>

namespace tbx::runner {
namespace {

using tokenizer::token_id;
using tokenizer::token_kind;

constexpr std::string_view mark = "\xef\xb7\x90";

bool is_control(token_kind kind) {
    return kind == token_kind::control || kind == token_kind::unknown;
}

// Bytes of the character that begins here; 1 for a byte that begins none.
std::size_t character_at(std::string_view text, std::size_t at) {
    std::size_t end = at + 1;
    if (static_cast<unsigned char>(text[at]) >= 0xc0)
        while (end < text.size() && (static_cast<unsigned char>(text[end]) & 0xc0u) == 0x80u) ++end;
    return end - at;
}

bool begins_at(const tokenizer::special_tokens& tokens, std::string_view text, std::size_t at) {
    constexpr std::size_t longest = 256;
    return tokens.next(text.substr(at, longest), 0).at == 0;
}

}  // namespace

framed_text::framed_text(const tokenizer::tokenizer& from, std::string_view frame)
    : words(from),
      control(from.vocab(), [](token_kind kind, std::string_view) { return is_control(kind); }),
      framing(from.vocab(), [frame](token_kind kind, std::string_view text) {
          return kind == token_kind::user_defined && text.starts_with('<') && text.ends_with('>') &&
                 frame.find(text) != frame.npos;
      }) {}

std::string framed_text::guarded(std::string_view text) const {
    std::string out;
    for (std::size_t at = 0; at < text.size();) {
        if (text.substr(at).starts_with(mark)) {
            at += mark.size();
            continue;
        }
        const std::size_t next = std::min(control.next(text, at).at, framing.next(text, at).at);
        const std::size_t end = std::min({next, text.find(mark, at), text.size()});
        out += text.substr(at, end - at);
        at = end;
        if (at != next) continue;
        out += mark;
        const std::size_t bytes = character_at(text, at);
        out += text.substr(at, bytes);
        at += bytes;
    }
    return out;
}

std::vector<token_id> framed_text::encode(std::string_view text) const {
    std::vector<token_id> ids;
    std::string pending;
    const auto flush = [&] {
        if (pending.empty()) return;
        const auto more =
            words.encode(pending, {.add_bos = false, .add_eos = false, .parse_special = false});
        ids.insert(ids.end(), more.begin(), more.end());
        pending.clear();
    };
    for (std::size_t at = 0; at < text.size();) {
        const auto token = control.next(text, at);
        const std::size_t marked = text.find(mark, at);
        if (marked < token.at) {
            pending += text.substr(at, marked - at);
            at = marked + mark.size();
            if (at == text.size()) break;
            const std::size_t bytes = character_at(text, at);
            pending += text.substr(at, bytes);
            // Tokenizers cut these out of any text, so it must not come in one piece.
            if (begins_at(framing, text, at)) flush();
            at += bytes;
            continue;
        }
        pending += text.substr(at, token.at - at);
        if (token.id == tokenizer::no_token) break;
        flush();
        ids.push_back(token.id);
        at = token.at + token.bytes;
    }
    flush();
    return ids;
}

}  // namespace tbx::runner
