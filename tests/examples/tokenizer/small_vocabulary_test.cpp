// SPDX-License-Identifier: MIT
// Tests of room tokenizer on vocabularies small enough to follow by hand: merge order, special
// tokens, byte fallback, streaming, and refusal of vocabularies that contradict themselves.
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <catch2/matchers/catch_matchers.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include <algorithm>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <random>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "gguf_vocabulary.hpp"
#include "tokenizer/tokenizer.hpp"

using namespace tbx;
using testing::bpe_vocabulary;
using testing::spm_vocabulary;
using testing::vocabulary_file;
using tokenizer::token_id;
using ids = std::vector<token_id>;
using Catch::Matchers::ContainsSubstring;

namespace {

constexpr tokenizer::encode_options plain{false, false, false};
constexpr tokenizer::encode_options special{false, false, true};

tokenizer::tokenizer made(const vocabulary_file& file) {
    return tokenizer::tokenizer::from_gguf(file.reader());
}

token_id byte_id(char c) { return 3 + static_cast<unsigned char>(c); }

void check_refused(const vocabulary_file& file, const std::string& reason) {
    CHECK_THROWS_WITH(made(file), ContainsSubstring(reason));
}

}  // namespace

TEST_CASE("SentencePiece merges the best score first, then the leftmost") {
    vocabulary_file file = spm_vocabulary();
    file.more = [](gguf::writer& out) { out.set("tokenizer.ggml.add_space_prefix", false); };
    file.add("a", -10);   // 259
    file.add("b", -10);   // 260
    file.add("ab", -2);   // 261
    file.add("ba", -1);   // 262
    file.add("aa", -3);   // 263
    file.add("aba", -4);  // 264
    const auto t = made(file);
    CHECK(t.encode("ab", plain) == ids{261});
    CHECK(t.encode("aba", plain) == ids{264});  // a+ba, and then aba is better than nothing
    CHECK(t.encode("abab", plain) == ids{264, 260});
    CHECK(t.encode("aaa", plain) == ids{263, 259});
    CHECK(t.encode("ac", plain) == ids{259, byte_id('c')});
    CHECK(t.encode("\u00e9", plain) == ids{byte_id('\xc3'), byte_id('\xa9')});
    CHECK(t.encode("", plain).empty());
}

TEST_CASE("SentencePiece: the space prefix is added and taken away again") {
    vocabulary_file file = spm_vocabulary();
    file.add("\u2581", -5);   // 259
    file.add("a", -6);        // 260
    file.add("\u2581a", -1);  // 261
    const auto t = made(file);
    CHECK(t.encode("a", plain) == ids{261});
    CHECK(t.encode(" a", plain) == ids{259, 261});
    CHECK(t.encode("a") == ids{1, 261});
    CHECK(t.encode("") == ids{1});
    CHECK(t.encode("a<s>a", special) == ids{261, 1, 261});
    CHECK(t.decode(ids{1, 261, 261}) == "a a");
    CHECK(t.decode(261) == " a");
    CHECK(t.decode(ids{1, 261}, true) == "<s>a");
    tokenizer::text_stream after_prompt(t);
    CHECK(after_prompt.push(261) == " a");
}

TEST_CASE("control tokens come from text only when asked for, user-defined ones always") {
    vocabulary_file file = spm_vocabulary();
    file.more = [](gguf::writer& out) { out.set("tokenizer.ggml.add_space_prefix", false); };
    file.add("<", -5);
    file.add("/s", -3);
    file.add("s>", -3);
    file.add("</s", -2);
    file.add("<tag>", 0, 4);       // 263
    file.add("<tag><tag>", 0, 4);  // 264
    const auto t = made(file);
    CHECK(t.encode("</s>", special) == ids{2});
    const ids text = t.encode("</s>", plain);
    CHECK(std::find(text.begin(), text.end(), 2) == text.end());
    CHECK(t.decode(text) == "</s>");
    CHECK(t.encode("<tag>", plain) == ids{263});
    CHECK(t.encode("<tag><tag><tag>", plain) == ids{264, 263});
    CHECK(t.decode(263) == "<tag>");
    CHECK(t.decode(2).empty());
    CHECK(t.decode(2, true) == "</s>");
    CHECK(t.decode(-1).empty());
    CHECK(t.decode(1 << 20).empty());
}

TEST_CASE("byte-level BPE merges by rank, then the leftmost") {
    vocabulary_file file = bpe_vocabulary();
    file.add("ab");       // 256
    file.add("bc");       // 257
    file.add("abc");      // 258
    file.add("\u0120a");  // 259
    file.merges = {"b c", "a b", "a bc", "\u0120 a", "x y", "xy z"};
    const auto t = made(file);
    CHECK(t.encode("ab", plain) == ids{256});
    CHECK(t.encode("abc", plain) == ids{258});
    CHECK(t.encode("abab", plain) == ids{256, 256});
    CHECK(t.encode("a a", plain) == ids{'a', 259});
    CHECK(t.encode("xyz", plain) == ids{'x', 'y', 'z'});  // merged to a text that is no token
    CHECK(t.encode("\xff"
                   "a",
                   plain) == ids{255, 'a'});
    CHECK(t.decode(259) == " a");
}

TEST_CASE("ignore_merges takes a whole piece that is a token") {
    vocabulary_file file = bpe_vocabulary();
    file.add("ab");
    file.add("bcd");
    file.merges = {"a b"};
    CHECK(made(file).encode("bcd", plain) == ids{'b', 'c', 'd'});
    file.pre = "llama-bpe";
    file.more = [](gguf::writer& out) { out.set("tokenizer.ggml.bos_token_id", std::uint32_t{5}); };
    const auto t = made(file);
    CHECK(t.encode("bcd", plain) == ids{257});
    CHECK(t.encode("abcd", plain) == ids{256, 'c', 'd'});
    CHECK(t.encode("bcd") == ids{5, 257});  // this family adds the begin token by default
}

TEST_CASE("byte-level BPE takes tokens of kind byte for what they spell") {
    vocabulary_file file = bpe_vocabulary();
    file.kinds['a'] = 6;
    const auto t = made(file);
    CHECK(t.encode("ab", plain) == ids{'a', 'b'});
    CHECK(t.decode('a') == "a");
}

TEST_CASE("a stream holds back unfinished characters only") {
    const auto t = made(bpe_vocabulary());
    tokenizer::text_stream stream(t);
    CHECK(stream.push('a') == "a");
    CHECK(stream.push(0xf0).empty());
    CHECK(stream.push(0x9f).empty());
    CHECK(stream.push(0xa6).empty());
    CHECK(stream.push(0x99) == "\U0001f999");
    CHECK(stream.push(0xe2).empty());
    CHECK(stream.push('b') == "\xe2"
                              "b");
    CHECK(stream.push(0xff) == "\xff");
    CHECK(stream.push(0xc3).empty());
    CHECK(stream.flush() == "\xc3");
    CHECK(stream.flush().empty());
}

TEST_CASE("ends of generation are known from ids and from names") {
    vocabulary_file file = bpe_vocabulary();
    file.add("<|eot_id|>", 0, 3);  // 256
    file.add("<|im_end|>", 0, 1);  // 257: an ordinary token of that text is no end
    file.more = [](gguf::writer& out) {
        out.set("tokenizer.ggml.eos_token_id", std::uint32_t{7});
        out.set("tokenizer.ggml.padding_token_id", std::uint32_t{UINT32_MAX});
    };
    const auto t = made(file);
    CHECK(t.vocab().is_end(7));
    CHECK(t.vocab().is_end(256));
    CHECK_FALSE(t.vocab().is_end(257));
    CHECK_FALSE(t.vocab().is_end(tokenizer::no_token));
    CHECK(t.vocab().padding == tokenizer::no_token);
}

TEST_CASE("a tokenizer outlives its file and moves") {
    auto first = std::make_unique<tokenizer::tokenizer>(made(bpe_vocabulary()));
    const tokenizer::tokenizer second = std::move(*first);
    first.reset();
    CHECK(second.decode(second.encode("still here", plain)) == "still here");
}

TEST_CASE("vocabularies that contradict themselves are refused") {
    const auto with = [](vocabulary_file file, std::function<void(gguf::writer&)> more) {
        file.more = std::move(more);
        return file;
    };
    vocabulary_file few = spm_vocabulary();
    few.scores.pop_back();
    check_refused(few, "scores than tokens");
    vocabulary_file kinds = spm_vocabulary();
    kinds.kinds.push_back(1);
    check_refused(kinds, "types than tokens");
    vocabulary_file odd = spm_vocabulary();
    odd.kinds[5] = 7;
    check_refused(odd, "token 5 has unknown type 7");
    vocabulary_file nan = spm_vocabulary();
    nan.scores[9] = std::numeric_limits<float>::quiet_NaN();
    check_refused(nan, "score of token 9 is NaN");
    vocabulary_file byte = spm_vocabulary();
    byte.tokens[3] = "<0xZZ>";
    check_refused(byte, "byte token 3");
    vocabulary_file no_bytes{"llama", {"a", "b", "c"}, {0, 0, 0}, {1, 1, 1}, {}};
    no_bytes.more = [](gguf::writer& out) {
        out.set("tokenizer.ggml.unknown_token_id", std::int32_t{-1});
    };
    check_refused(no_bytes, "neither a token for every byte nor an unknown token");
    check_refused(vocabulary_file{"llama", {}, {}, {}, {}}, "without tokens");
    check_refused(vocabulary_file{"wordpiece", {"a"}, {}, {1}, {}}, "'wordpiece' is not supported");
    check_refused(
        with(spm_vocabulary(),
             [](gguf::writer& out) { out.set("tokenizer.ggml.bos_token_id", std::uint32_t{259}); }),
        "is 259, not a token");
    check_refused(with(bpe_vocabulary(),
                       [](gguf::writer& out) { out.set("tokenizer.ggml.add_bos_token", true); }),
                  "does not say which");
    vocabulary_file merge = bpe_vocabulary();
    merge.merges = {"a b", "ab"};
    check_refused(merge, "merge 1 is not two parts");
    merge.merges = {"a b", ""};
    check_refused(merge, "merge 1 is not two parts");
    merge.merges = {"a b", "a "};
    check_refused(merge, "merge 1 is not two parts");
}

TEST_CASE("damaged vocabularies give an error or a tokenizer that works") {
    vocabulary_file file = GENERATE(spm_vocabulary(), bpe_vocabulary());
    for (const char* text : {"a", "b", "ab", "abab", "ba"}) file.add(text, -1);
    file.add("<x>", 0, 4);
    file.merges = {"a b", "ab ab", "b a"};
    const std::string sound = file.bytes();
    std::mt19937 random(5);
    int refused = 0;
    for (int round = 0; round < 3000; ++round) {
        std::string damaged = sound;
        for (int flips = 1 + round % 3; flips > 0; --flips) {
            const std::size_t at = random() % damaged.size();
            damaged[at] = static_cast<char>(damaged[at] ^ (1 << (random() % 8)));
        }
        try {
            const gguf::reader reader("test", std::as_bytes(std::span(damaged)));
            const auto t = tokenizer::tokenizer::from_gguf(reader);
            for (const token_id id : t.encode("abab<x>ba \xff", special)) {
                REQUIRE(t.vocab().contains(id));
                static_cast<void>(t.decode(id));
            }
        } catch (const error&) {
            ++refused;
        }
    }
    CHECK(refused > 100);
}
