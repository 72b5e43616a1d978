// SPDX-License-Identifier: MIT
// Tests of room tokenizer: which rule splits the texts of a vocabulary, who says so, and that
// nobody guesses.
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <catch2/matchers/catch_matchers.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include <string>
#include <string_view>
#include <vector>

#include "gguf_vocabulary.hpp"
#include "tokenizer/tokenizer.hpp"

using namespace tbx;
using testing::bpe_vocabulary;
using testing::spm_vocabulary;
using testing::vocabulary_file;
using Catch::Matchers::ContainsSubstring;
using ids = std::vector<tokenizer::token_id>;

namespace {

constexpr tokenizer::encode_options plain{false, false, false};

tokenizer::tokenizer made(const vocabulary_file& file, std::string_view pre = {}) {
    return tokenizer::tokenizer::from_gguf(file.reader(), pre);
}

// "12" is one token, which only a rule that keeps digits together can reach.
vocabulary_file with_number(std::string pre) {
    vocabulary_file file = bpe_vocabulary();
    file.add("12");
    file.merges = {"1 2"};
    file.pre = std::move(pre);
    return file;
}

}  // namespace

TEST_CASE("a pre-tokenizer without a rule is refused by its name, with the way out") {
    const std::string name = GENERATE("martian", "kimi-k2", "superbpe", "afmoe", "Qwen2");
    CHECK_THROWS_WITH(made(with_number(name)), ContainsSubstring("'" + name + "'") &&
                                                   ContainsSubstring("--pre NAME") &&
                                                   ContainsSubstring("gpt-2"));
    CHECK(made(with_number(name), "gpt-2").encode("12", plain) == ids{256});
    CHECK(made(with_number(name), "qwen2").encode("12", plain) == ids{'1', '2'});
}

TEST_CASE("byte-level BPE that names no pre-tokenizer is refused, not guessed") {
    CHECK_THROWS_WITH(made(with_number("")), ContainsSubstring("does not name its pre-tokenizer") &&
                                                 ContainsSubstring("--pre NAME"));
    CHECK(made(with_number(""), "default").vocab().pre_tokenizer == "default");
}

TEST_CASE("the name that is given stands in for the file's") {
    CHECK(made(with_number("qwen2")).encode("12", plain) == ids{'1', '2'});
    CHECK(made(with_number("qwen2"), "llama-bpe").encode("12", plain) == ids{256});
    CHECK_THROWS_WITH(made(with_number("qwen2"), "martian"), ContainsSubstring("'martian'"));
}

TEST_CASE("SentencePiece is not split, so its files may name anything and users nothing") {
    vocabulary_file file = spm_vocabulary();
    file.pre = "martian";
    CHECK(made(file).vocab().pre_tokenizer.empty());
    CHECK_THROWS_WITH(made(file, "gpt-2"), ContainsSubstring("leave --pre out"));
}

TEST_CASE("only Llama 3's vocabulary may leave its rule out, as Microsoft's files do") {
    vocabulary_file file = bpe_vocabulary();
    file.pre.clear();
    while (file.tokens.size() < 128256) file.add("t" + std::to_string(file.tokens.size()));
    CHECK_THROWS_WITH(made(file), ContainsSubstring("does not name its pre-tokenizer"));
    file.tokens[128000] = "<|begin_of_text|>";
    file.tokens[128009] = "<|eot_id|>";
    CHECK(made(file).vocab().pre_tokenizer == "llama-bpe");
    file.pre = "default";
    CHECK(made(file).vocab().pre_tokenizer == "default");
}
