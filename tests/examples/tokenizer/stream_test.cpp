// SPDX-License-Identifier: MIT
// Tests of room tokenizer: however tokens cut a text, what a stream lets out at once is whole
// characters.
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "gguf_vocabulary.hpp"
#include "tokenizer/tokenizer.hpp"
#include "tokenizer/utf8.hpp"

using namespace tbx;
using testing::vocabulary_file;

namespace {

/// A token of each part of the text, in the spelling of the model.
std::map<std::string, tokenizer::token_id> add_parts(vocabulary_file& file, std::string_view text) {
    std::map<std::string, tokenizer::token_id> parts;
    for (std::size_t at = 0; at < text.size(); ++at)
        for (std::size_t bytes = 1; at + bytes <= text.size(); ++bytes) {
            const std::string part(text.substr(at, bytes));
            if (!parts.emplace(part, static_cast<tokenizer::token_id>(file.tokens.size())).second)
                continue;
            file.add(file.model == "gpt2" ? tokenizer::to_alphabet(part) : part);
        }
    return parts;
}

}  // namespace

TEST_CASE("whatever the split, a stream lets whole characters out") {
    const std::string text = "a\u00e9\u20acb\U0001f999\u0416";  // 13 bytes
    vocabulary_file file =
        GENERATE(testing::spm_vocabulary(), vocabulary_file{"gpt2", {}, {}, {}, {}});
    const auto parts = add_parts(file, text);
    const auto t = tokenizer::tokenizer::from_gguf(file.reader());
    for (unsigned cuts = 0; cuts < 1u << (text.size() - 1); ++cuts) {
        tokenizer::text_stream stream(t);
        std::string all;
        std::size_t begin = 0;
        bool whole = true;
        for (std::size_t end = 1; end <= text.size(); ++end) {
            if (end < text.size() && (cuts >> (end - 1) & 1u) == 0) continue;
            const std::string out = stream.push(parts.at(text.substr(begin, end - begin)));
            whole = whole && tokenizer::whole_characters(out) == out;
            // And as many as there are.
            all += out;
            whole = whole && end - all.size() == tokenizer::unfinished_bytes(text.substr(0, end));
            begin = end;
        }
        if (!whole || all != text || !stream.flush().empty()) {
            CAPTURE(cuts, all);
            FAIL("half a character was let out, or one was held back");
        }
    }
}
