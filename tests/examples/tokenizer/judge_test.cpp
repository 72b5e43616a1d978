// SPDX-License-Identifier: MIT
// Tests of room tokenizer: random texts, id by id as llama.cpp makes them, for every name of a
// pre-tokeniser that both know. Skipped where scripts/fetch-rivals has not been.
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include <algorithm>
#include <cstdint>
#include <random>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "gguf_vocabulary.hpp"
#include "llama_tokenize.hpp"
#include "random_texts.hpp"
#include "tokenizer/tokenizer.hpp"

using namespace tbx;
using testing::vocabulary_file;

namespace {

constexpr tokenizer::encode_options text_only{false, false, false};

/// Every pair of bytes merges, in an order by chance: ids then tell where pieces begin and end.
vocabulary_file pairs(const std::string& pre) {
    vocabulary_file file = testing::bpe_vocabulary();
    file.pre = pre;
    std::vector<std::uint32_t> order(1 << 16);
    for (std::uint32_t i = 0; i < order.size(); ++i) order[i] = i;
    std::mt19937 random(7);
    for (std::size_t i = order.size() - 1; i > 0; --i)
        std::swap(order[i], order[random() % (i + 1)]);
    for (const std::uint32_t pair : order) {
        const std::string left = file.tokens[pair >> 8], right = file.tokens[pair & 255];
        file.merges.push_back(left + " " + right);
        file.add(left + right);
    }
    // No merge leads to these: rules that take a piece that is a token whole find them.
    for (const char* text : {" the", "Word", "123", "...", "\u4e2d\u6587", " \u0142\u0142"})
        file.add(tokenizer::to_alphabet(text));
    file.add(testing::border, 0, 4);
    file.more = [](gguf::writer& out) {
        out.set("general.architecture", std::string("llama"));
        out.set("tokenizer.ggml.add_bos_token", false);
    };
    return file;
}

void compare(const vocabulary_file& file, const std::vector<std::string>& texts) {
    const testing::scratch_folder at;
    const std::string path = at.path("vocabulary.gguf");
    file.write(path);
    const auto t = tokenizer::tokenizer::from_gguf(gguf::reader(path));
    const auto judged = testing::judged(path, texts, t.vocab().find(testing::border));
    for (std::size_t i = 0; i < texts.size(); ++i) {
        CAPTURE(i, texts[i]);
        CHECK(t.encode(texts[i], text_only) == judged[i]);
    }
}

// Where llama.cpp's regular expressions, which have no Unicode, only come near those of the models
// that its names stand for, ours are the models': spaces other than ASCII's are in DeepSeek's
// ranges, and letters other than ASCII's have a case or are marks.
std::vector<std::string_view> unlike(std::string_view pre) {
    if (pre == "deepseek-coder" || pre == "deepseek-llm") return {"\u2003", "\u2028"};
    if (pre == "gpt-4o" || pre == "tekken")
        return {"\u00e9", "\u00c9", "\u00df", "\u0142", "\u00b5",    "\u03b1", "\u03a9",
                "\u0436", "\u0416", "\u093f", "\u094d", "\u0e34",    "\ufe0f", "\u0301",
                "\u0308", "\u1e9e", "\u10d0", "\u01c5", "\U0001d400"};
    return {};
}

/// Tokens are what random texts are made of, and random ones of those side by side.
vocabulary_file pieces_of_texts(vocabulary_file file, bool prefix) {
    std::mt19937 random(17);
    std::set<std::string> texts{"\u2581"};
    for (const std::string_view part : testing::text_parts)
        for (const char c : part)
            if (c > ' ') texts.insert(std::string(1, c));
    for (int i = 0; i < 3000; ++i) {
        std::string text;
        for (std::size_t n = 1 + random() % 3; n > 0; --n) {
            const auto part = testing::text_parts[random() % testing::text_parts.size()];
            text += part.find_first_of(" \n\r\t\v\f") == part.npos ? std::string(part) : "\u2581";
        }
        texts.insert(text);
    }
    for (const std::string& text : texts)
        file.add(text, -1.0f - static_cast<float>(random() % 4096) / 256.0f);
    file.add(testing::border, 0, 4);
    file.more = [prefix](gguf::writer& out) {
        out.set("general.architecture", std::string("llama"));
        out.set("tokenizer.ggml.add_space_prefix", prefix);
        out.set("tokenizer.ggml.remove_extra_whitespaces", prefix);
    };
    return file;
}

}  // namespace

TEST_CASE("random texts become SentencePiece's ids as llama.cpp's") {
    const bool prefix = GENERATE(false, true);
    compare(pieces_of_texts(testing::spm_vocabulary(), prefix), testing::random_texts(23, 2000));
}

TEST_CASE("random texts become unigram ids as llama.cpp's") {
    const bool prefix = GENERATE(false, true);
    compare(pieces_of_texts(testing::unigram_vocabulary(), prefix),
            testing::random_texts(29, 2000));
}

TEST_CASE("random texts are split as llama.cpp splits them") {
    const std::string pre = GENERATE(
        "bailingmoe", "bloom", "chatglm-bpe", "command-r", "dbrx", "deepseek-coder", "deepseek-llm",
        "deepseek-v3", "default", "falcon", "falcon3", "glm4", "gpt-2", "gpt-4o", "llama-bpe",
        "minicpm5", "mpt", "olmo", "phi-2", "poro-chat", "qwen2", "qwen35", "refact", "seed-coder",
        "smaug-bpe", "smollm", "starcoder", "tekken", "viking");
    CAPTURE(pre);
    std::vector<std::string> texts = testing::random_texts(11, 2000);
    for (const std::string_view part : unlike(pre))
        std::erase_if(texts, [&](const std::string& t) { return t.find(part) != t.npos; });
    REQUIRE(texts.size() > 500);
    compare(pairs(pre), texts);
}
