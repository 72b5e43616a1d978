// SPDX-License-Identifier: MIT
// Tests of room tokenizer: the pieces of the pre-tokenisers, written out by hand from their regular
// expressions; the words of the suites of Llama 3 and Qwen 2, whose vocabularies are not here.
#include <catch2/catch_test_macros.hpp>

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "tokenizer/pretokenize.hpp"

using namespace tbx::tokenizer;
using namespace std::string_view_literals;
using pieces = std::vector<std::string_view>;

namespace {

pieces split(std::string_view rule, std::string_view text) {
    static std::string kept;  // the pieces point into it
    kept = text;
    return pretokenizer(find_split_rule(rule).value()).split(kept);
}

pieces all_rules() {
    pieces names;
    for (std::string_view rest = split_rule_names(); !rest.empty();) {
        const std::size_t end = std::min(rest.find(", "), rest.size());
        names.push_back(rest.substr(0, end));
        rest.remove_prefix(std::min(end + 2, rest.size()));
    }
    return names;
}

std::string joined(const pieces& parts) {
    std::string text;
    for (const std::string_view part : parts) text += part;
    return text;
}

}  // namespace

TEST_CASE("words take the space before them") {
    for (const auto rule : {"llama-bpe"sv, "qwen2"sv, "gpt-2"sv, "default"sv}) {
        CAPTURE(rule);
        CHECK(split(rule, "Hello world") == pieces{"Hello", " world"});
        CHECK(split(rule, "").empty());
        CHECK(split(rule, " ") == pieces{" "});
        CHECK(split(rule, "a   b") == pieces{"a", "  ", " b"});
        CHECK(split(rule, "нещо на Български") == pieces{"нещо", " на", " Български"});
    }
}

TEST_CASE("digits: by three, one by one, or as they come") {
    CHECK(split("llama-bpe", "1234567") == pieces{"123", "456", "7"});
    CHECK(split("qwen2", "1234") == pieces{"1", "2", "3", "4"});
    CHECK(split("gpt-2", "a 1234567") == pieces{"a", " 1234567"});
    CHECK(split("default", "a 1234567") == pieces{"a", " ", "123", "456", "7"});
    CHECK(split("llama-bpe", "a 12") == pieces{"a", " ", "12"});
    CHECK(split("llama-bpe", "½²³") == pieces{"½²³"});
}

TEST_CASE("contractions: any case in Llama 3 and Qwen 2, lower case in GPT-2") {
    CHECK(split("llama-bpe", "I'll he'S") == pieces{"I", "'ll", " he", "'S"});
    CHECK(split("qwen2", "We'Ve") == pieces{"We", "'Ve"});
    CHECK(split("gpt-2", "I'll he'S") == pieces{"I", "'ll", " he", "'", "S"});
    CHECK(split("llama-bpe", "'told") == pieces{"'t", "old"});
}

TEST_CASE("one sign sticks to the word after it in Llama 3, not in GPT-2") {
    CHECK(split("llama-bpe", "(word) $x") == pieces{"(word", ")", " $", "x"});
    CHECK(split("gpt-2", "(word) $x") == pieces{"(", "word", ")", " $", "x"});
    CHECK(split("llama-bpe", "\tword") == pieces{"\tword"});
}

TEST_CASE("line ends") {
    CHECK(split("llama-bpe", "a \n\n b") == pieces{"a", " \n\n", " b"});
    CHECK(split("llama-bpe", "a!\n\nb") == pieces{"a", "!\n\n", "b"});
    CHECK(split("llama-bpe", "a\r\nb") == pieces{"a", "\r\n", "b"});
    CHECK(split("gpt-2", "a\n\nb") == pieces{"a", "\n", "\n", "b"});
    CHECK(split("gpt-2", "a \n ") == pieces{"a", " \n "});
}

TEST_CASE("the default rule cuts out punctuation first") {
    CHECK(split("default", "a, b!?c") == pieces{"a", ",", " b", "!?", "c"});
    CHECK(split("default", "x=$y+1") == pieces{"x", "=$", "y", "+", "1"});
}

TEST_CASE("digits one by one, then as GPT-2: StarCoder and its kind") {
    for (const auto rule : {"starcoder"sv, "refact"sv, "command-r"sv, "smollm"sv, "exaone"sv}) {
        CAPTURE(rule);
        CHECK(split(rule, "a 123 b") == pieces{"a", " ", "1", "2", "3", " b"});
        CHECK(split(rule, "it's v2.0") == pieces{"it", "'s", " v", "2", ".", "0"});
    }
}

TEST_CASE("Falcon: signs apart, digits by three from the left") {
    CHECK(split("falcon", "a, `b`!") == pieces{"a", ",", " ", "`", "b", "`!"});
    CHECK(split("falcon", "x 12345") == pieces{"x", " ", "123", "45"});
    CHECK(split("falcon", "$5 \u20ac5") == pieces{"$", "5", " \u20ac", "5"});
}

TEST_CASE("DeepSeek's first rules: lines, words, signs, characters and numbers one after another") {
    CHECK(split("deepseek-llm", "Hi there, 123\n\nx") ==
          pieces{"Hi", " there", ",", " ", "123", "\n", "\n", "x"});
    CHECK(split("deepseek-llm", "\u4e2d\u6587\u3002ok") == pieces{"\u4e2d\u6587", "\u3002", "ok"});
    CHECK(split("deepseek-llm", "a  b   ") == pieces{"a", " ", " b", "   "});
    CHECK(split("deepseek-coder", "a = 12;") == pieces{"a", " = ", "1", "2", ";"});
    CHECK(split("deepseek-coder", "f(x)") == pieces{"f", "(", "x", ")"});
    CHECK(split("deepseek-v3", "1234 \u3042\u4e2da") ==
          pieces{"123", "4", " ", "\u3042\u4e2d", "a"});
    CHECK(split("deepseek-v3", "(word) ok!\n") == pieces{"(word", ")", " ok", "!\n"});
}

TEST_CASE("words end before a large letter in Tekken's and GPT-4o's") {
    CHECK(split("tekken", "camelCase HTTPServer") == pieces{"camel", "Case", " HTTPServer"});
    CHECK(split("tekken", "\u00e9t\u00c9 12/\n") ==
          pieces{"\u00e9t", "\u00c9", " ", "1", "2", "/\n"});
    CHECK(split("gpt-4o", "We'LL xY's 1234") == pieces{"We'LL", " x", "Y's", " ", "123", "4"});
}

TEST_CASE("marks are parts of words in Qwen 3.5's, and not in Qwen 2's") {
    CHECK(split("qwen35", "\u0915\u094d\u0915 e\u0301a") ==
          pieces{"\u0915\u094d\u0915", " e\u0301a"});
    CHECK(split("qwen2", "e\u0301a") == pieces{"e", "\u0301a"});
}

TEST_CASE("the smaller differences between other rules") {
    CHECK(split("minicpm5", "a1234") == pieces{"a", "123", "4"});
    CHECK(split("seed-coder", "a!\nb") == pieces{"a", "!", "\n", "b"});
    CHECK(split("bailingmoe", "a'D \n\nb12") == pieces{"a", "'D", " \n\n", "b", "1", "2"});
    CHECK(split("bloom", "one two, 12") == pieces{"one", " two", ",", " 12"});
    CHECK(split("viking", "one two, 12") == pieces{"one", " two", ",", " ", "1", "2"});
}

TEST_CASE("spaces are Unicode's, without the Mongolian vowel separator") {
    CHECK(split("llama-bpe", "a\u3000\u3000b") == pieces{"a", "\u3000", "\u3000b"});
    CHECK(split("gpt-2", "a\u00a0\u00a0b") == pieces{"a", "\u00a0", "\u00a0", "b"});
    CHECK(split("gpt-2", "a\u180e b") == pieces{"a", "\u180e", " b"});
}

TEST_CASE("emoji with joiners stay together as signs") {
    CHECK(split("llama-bpe", "\U0001f636\u200d\U0001f32b\ufe0f (x") ==
          pieces{"\U0001f636\u200d\U0001f32b\ufe0f", " (", "x"});
    CHECK(split("gpt-2", " \U0001f999.cpp") == pieces{" \U0001f999.", "cpp"});
}

TEST_CASE("NULs and invalid bytes are pieces and nothing is lost") {
    CHECK(split("llama-bpe", "ab\xff\xfe cd"sv) == pieces{"ab", "\xff\xfe", " cd"});
    CHECK(split("gpt-2", "\xc3"sv) == pieces{"\xc3"});
    CHECK(split("llama-bpe", "a\0b"sv) == pieces{"a", "\0b"sv});
    CHECK(split("gpt-2", "\xed\xa0\x80x"sv) == pieces{"\xed\xa0\x80", "x"});
    std::string all;
    for (int i = 0; i < 4096; ++i) all += static_cast<char>((i * 167 + i / 256) & 0xff);
    for (const std::string_view rule : all_rules()) {
        CHECK(joined(split(rule, all)) == all);
    }
}

TEST_CASE("a megabyte of anything is split in one go") {
    constexpr std::size_t many = 1 << 20;
    for (const std::string_view rule : all_rules()) {
        CAPTURE(rule);
        for (const char c : {'a', 'A', ' ', '\n', '!', '7', '\'', '\xff', '\0'}) {
            const std::string text(many, c);
            CHECK(joined(split(rule, text)).size() == many);
            CHECK(joined(split(rule, text + "x")).size() == many + 1);
        }
    }
    CHECK(split("llama-bpe", std::string(many, ' ') + "x") ==
          pieces{std::string(many - 1, ' '), " x"});
}

TEST_CASE("names choose rules, by pattern and by habit, and others have none") {
    for (const auto name : {"llama-bpe"sv, "llama3"sv, "llama-v3"sv, "falcon3"sv, "falcon_e"sv,
                            "pixtral"sv, "midm-2.0"sv, "lfm2"sv}) {
        CAPTURE(name);
        CHECK(find_split_rule(name).value().name == "llama-bpe");
        CHECK(find_split_rule(name).value().ignore_merges);
        CHECK(find_split_rule(name).value().add_bos);
    }
    for (const auto name : {"glm4"sv, "chatglm-bpe"sv, "dbrx"sv, "smaug-bpe"sv}) {
        CAPTURE(name);
        CHECK(split(name, "We'Ve 1234") == split("llama-bpe", "We'Ve 1234"));
        CHECK(find_split_rule(name).value().ignore_merges == (name == "glm4"));
        CHECK_FALSE(find_split_rule(name).value().add_bos);
    }
    for (const auto name : {"qwen2"sv, "megrez"sv, "stablelm2"sv, "hunyuan"sv, "grok-2"sv}) {
        CAPTURE(name);
        CHECK(find_split_rule(name).value().name == "qwen2");
        CHECK_FALSE(find_split_rule(name).value().ignore_merges);
    }
    for (const auto name : {"gpt-2"sv, "trillion"sv, "exaone4"sv, "gigachat"sv, "mellum"sv}) {
        CAPTURE(name);
        CHECK(find_split_rule(name).value().name == "gpt-2");
    }
    CHECK(find_split_rule("default").value().name == "default");
    for (const auto name :
         {""sv, "no-such-rule"sv, "kimi-k2"sv, "superbpe"sv, "afmoe"sv, "tiny_aya"sv, "gemma4"sv,
          "jais-2"sv, "roberta-bpe"sv, "Qwen2"sv, "qwen2 "sv}) {
        CAPTURE(name);
        CHECK_FALSE(find_split_rule(name).has_value());
    }
}

TEST_CASE("the names that are offered are names of rules") {
    CHECK(all_rules().size() == 19);
    for (const std::string_view name : all_rules()) {
        CAPTURE(name);
        const auto rule = find_split_rule(name);
        REQUIRE(rule.has_value());
        CHECK(rule->name == name);
    }
}
