// SPDX-License-Identifier: MIT
// Room train: texts to tokens.
// Enters: bytes. Leaves: ids.
#include "train/dataset.hpp"

#include <algorithm>
#include <fstream>

#include "support/error.hpp"
#include "support/lines.hpp"

namespace tbx::train {

std::string read_text(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    if (!in) throw error(path, "cannot be opened");
    const std::string all = support::read_all(in, path);
    std::string_view rest = support::utf8_text(all, path);
    // The mark of UTF-16 is often left out; every other byte of its Latin letters is 0.
    if (const std::size_t at = rest.find('\0'); at != rest.npos)
        throw error(path, "has a byte 0 at " + std::to_string(at) +
                              ": it is UTF-16 or no text at all; only UTF-8 is read");
    std::string text;
    text.reserve(rest.size() + 1);
    while (!rest.empty()) (text += support::next_line(rest)) += '\n';
    if (text.find_first_not_of(" \t\r\n") == text.npos) throw error(path, "holds no text");
    return text;
}

std::vector<std::string_view> split_texts(std::string_view all) {
    std::vector<std::string_view> texts;
    while (!all.empty()) {
        const std::size_t end = std::min(all.find(text_separator), all.size());
        std::string_view text = all.substr(0, end);
        all.remove_prefix(std::min(end + text_separator.size(), all.size()));
        const std::size_t first = text.find_first_not_of(" \t\r\n");
        if (first == text.npos) continue;
        text.remove_prefix(first);
        text = text.substr(0, text.find_last_not_of(" \t\r\n") + 1);
        texts.push_back(text);
    }
    return texts;
}

token_stream tokenise(const std::string& path, std::string_view all,
                      const tokenizer::tokenizer& with,
                      const std::function<void(double)>& progress) {
    const auto& vocab = with.vocab();
    if (vocab.size() > 65536) throw error(path, "needs a vocabulary of at most 65536 tokens");
    const std::vector<std::string_view> texts = split_texts(all);
    token_stream out;
    out.texts = texts.size();
    tokenizer::encode_options plain;
    plain.add_bos = plain.add_eos = plain.parse_special = false;
    for (std::size_t i = 0; i < texts.size(); ++i) {
        out.bytes += texts[i].size();
        if (vocab.bos >= 0) out.ids.push_back(static_cast<std::uint16_t>(vocab.bos));
        for (const auto id : with.encode(texts[i], plain))
            out.ids.push_back(static_cast<std::uint16_t>(id));
        // Where both are one token, the BOS of the next text is the end of this one.
        if (vocab.eos >= 0 && vocab.eos != vocab.bos)
            out.ids.push_back(static_cast<std::uint16_t>(vocab.eos));
        if (progress && i % 256 == 0)
            progress(static_cast<double>(i) / static_cast<double>(texts.size()));
    }
    if (vocab.bos >= 0 && vocab.eos == vocab.bos)
        out.ids.push_back(static_cast<std::uint16_t>(vocab.bos));
    return out;
}

}  // namespace tbx::train
