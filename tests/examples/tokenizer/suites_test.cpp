// SPDX-License-Identifier: MIT
// Tests of room tokenizer: llama.cpp's suites, id by id, and any bytes out and back, quickly, with
// real vocabularies. Skipped where those are absent.
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>

#include <filesystem>
#include <fstream>
#include <random>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "tokenizer/pretokenize.hpp"
#include "tokenizer/tokenizer.hpp"

using namespace tbx;
using tokenizer::token_id;

namespace {

constexpr tokenizer::encode_options no_extras{false, false, false};

std::string external(const std::string& name) {
    const std::string path = std::string(TRILOBIT_EXTERNAL_DATA) + "/vocab/ggml-vocab-" + name;
    if (!std::filesystem::exists(path)) SKIP("not here: " + path);
    return path;
}

struct suite {
    std::vector<std::string> texts;
    std::vector<std::vector<token_id>> ids;
};

suite read_suite(const std::string& name) {
    suite result;
    std::ifstream in(external(name + ".gguf.inp"), std::ios::binary);
    std::stringstream whole;
    whole << in.rdbuf();
    const std::string all = whole.str();
    const std::string separator = "\n__ggml_vocab_test__\n";
    std::size_t at = 0;
    for (std::size_t end = 0; (end = all.find(separator, at)) != std::string::npos;
         at = end + separator.size()) {
        result.texts.push_back(all.substr(at, end - at));
    }
    if (at < all.size()) result.texts.push_back(all.substr(at));
    std::ifstream out(external(name + ".gguf.out"));
    for (std::string line; std::getline(out, line);) {
        std::istringstream numbers(line);
        auto& list = result.ids.emplace_back();
        for (token_id id = 0; numbers >> id;) list.push_back(id);
    }
    return result;
}

// Id by id, and every text comes back.
void pass_suite(const std::string& name) {
    const auto t = tokenizer::tokenizer::from_gguf(gguf::reader(external(name + ".gguf")));
    const suite all = read_suite(name);
    REQUIRE(all.texts.size() >= 40);
    REQUIRE(all.ids.size() == all.texts.size());
    for (std::size_t i = 0; i < all.texts.size(); ++i) {
        CAPTURE(i, all.texts[i]);
        CHECK(t.encode(all.texts[i], no_extras) == all.ids[i]);
        CHECK(t.decode(all.ids[i]) == all.texts[i]);
    }
}

}  // namespace

TEST_CASE("suite of llama-spm") { pass_suite("llama-spm"); }
TEST_CASE("suite of gpt-2") { pass_suite("gpt-2"); }
TEST_CASE("suite of llama-bpe") { pass_suite("llama-bpe"); }
TEST_CASE("suite of qwen2") { pass_suite("qwen2"); }
TEST_CASE("suite of starcoder") { pass_suite("starcoder"); }
TEST_CASE("suite of refact") { pass_suite("refact"); }
TEST_CASE("suite of falcon") { pass_suite("falcon"); }
TEST_CASE("suite of mpt") { pass_suite("mpt"); }
TEST_CASE("suite of phi-2") { pass_suite("phi-2"); }
TEST_CASE("suite of phi-3") { pass_suite("phi-3"); }
TEST_CASE("suite of command-r") { pass_suite("command-r"); }
TEST_CASE("suite of deepseek-llm") { pass_suite("deepseek-llm"); }
TEST_CASE("suite of deepseek-coder") { pass_suite("deepseek-coder"); }
TEST_CASE("suite of deepseek-r1-qwen") { pass_suite("deepseek-r1-qwen"); }

TEST_CASE("in the suites without a vocabulary no text has more pieces than ids") {
    const std::string name = GENERATE("llama-bpe", "qwen2");
    CAPTURE(name);
    const suite all = read_suite(name);
    const tokenizer::pretokenizer split(tokenizer::find_split_rule(name).value());
    REQUIRE(all.texts.size() == 46);
    for (std::size_t i = 0; i < all.texts.size(); ++i) {
        CAPTURE(i, all.texts[i]);
        CHECK(split.split(all.texts[i]).size() <= all.ids[i].size());
    }
}

TEST_CASE("any bytes come back as they went in") {
    const std::string name = GENERATE("llama-spm", "gpt-2");
    const auto t = tokenizer::tokenizer::from_gguf(gguf::reader(external(name + ".gguf")));
    std::mt19937 random(3);
    for (int round = 0; round < 300; ++round) {
        std::string text(random() % 200, '\0');
        for (char& c : text) {
            // Half of it ASCII, so that tokens longer than a byte occur.
            c = random() % 2 == 0 ? static_cast<char>(random() & 0xff) : " aeinst\n."[random() % 9];
        }
        CAPTURE(round);
        REQUIRE(t.decode(t.encode(text, no_extras)) == text);
    }
}

TEST_CASE("a megabyte of one character comes back") {
    const std::string name = GENERATE("llama-spm", "gpt-2");
    const auto t = tokenizer::tokenizer::from_gguf(gguf::reader(external(name + ".gguf")));
    const char c = GENERATE('a', ' ', '\n', '\0', '\xff', '<');
    const std::string text(1 << 20, c);
    CAPTURE(name, static_cast<int>(c));
    CHECK(t.decode(t.encode(text)) == text);
}
