// SPDX-License-Identifier: MIT
// Tests of --logit-bias: tokens by number and by text, and what is no token.
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include "../tokenizer/gguf_vocabulary.hpp"
#include "program.hpp"
#include "runner/logit_bias.hpp"
#include "support/error.hpp"

using namespace tbx;
using namespace tbx::testing;
using Catch::Matchers::ContainsSubstring;

namespace {

using bias_pairs = std::vector<std::pair<int, float>>;

bias_pairs biases_of(const std::vector<std::string>& texts) {
    vocabulary_file file = bpe_vocabulary();
    file.add("<|end|>", 0, 3);
    file.add("7", 0, 4);
    const auto words = tokenizer::tokenizer::from_gguf(file.reader());
    bias_pairs found;
    for (const auto& b : runner::find_logit_biases(words, texts)) found.emplace_back(b.id, b.added);
    return found;
}

}  // namespace

TEST_CASE("a token to bias is an id, or the text of exactly one") {
    CHECK(biases_of({"12=1.5", "012=+2", "0=-inf"}) ==
          bias_pairs{{12, 1.5f}, {12, 2.0f}, {0, -std::numeric_limits<float>::infinity()}});
    CHECK(biases_of({"<|end|>=-3"}) == bias_pairs{{256, -3.0f}});
    CHECK(biases_of({"==1"}).size() == 1);  // the token "="
    CHECK_THROWS_WITH(
        biases_of({"no such word=1"}),
        ContainsSubstring("--logit-bias: 'no such word' is no token; it is made of "));
    // A number is an id; one beyond the vocabulary is a text.
    CHECK(biases_of({"7=1"}) == bias_pairs{{7, 1.0f}});
    CHECK_THROWS_WITH(biases_of({"99999=1"}), ContainsSubstring("is no token; it is made of"));
}

TEST_CASE("texts that are no bias are refused before a model is read") {
    for (const char* text : {"", "=", "=1", "12", "12=", "12=x", "12=nan", "12=inf", "12=1e9"}) {
        const outcome o = run_program({"run", "-m", "x", "--logit-bias", text});
        INFO(text << ": " << o.err);
        CHECK(o.status == 2);
        CHECK(o.complained());
        CHECK_THAT(o.err, ContainsSubstring("is not TOKEN=BIAS"));
    }
}

TEST_CASE("a bias changes what is written, with a head of two stages too") {
    const auto written = [](const std::vector<std::string>& more) {
        std::vector<std::string> all = {"run", "-m", tiny_model(), "-p", "kalo", "-n", "5"};
        all.insert(all.end(), more.begin(), more.end());
        const outcome o = run_program(all);
        INFO(o.err);
        CHECK(o.status == 0);
        return o.out;
    };
    const std::string always = written({"--logit-bias", "260=1000"});
    CHECK(always == "kaloaaaaa\n");
    CHECK(written({"--logit-bias", "260=1000", "--head", "two-stage"}) == always);
    CHECK(written({"--logit-bias", "260=1000", "--logit-bias", "260=-inf"}) != always);
}
