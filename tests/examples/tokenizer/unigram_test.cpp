// SPDX-License-Identifier: MIT
// Tests of room tokenizer: unigram models small enough to add up by hand, spaces, the map of
// characters, and maps that lie.
#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include <cstdint>
#include <random>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "gguf_vocabulary.hpp"
#include "tokenizer/character_map.hpp"
#include "tokenizer/tokenizer.hpp"

using namespace tbx;
using namespace std::string_literals;
using testing::unigram_vocabulary;
using testing::vocabulary_file;
using tokenizer::token_id;
using ids = std::vector<token_id>;
using Catch::Matchers::ContainsSubstring;

namespace {

constexpr tokenizer::encode_options no_ends{false, false, false};

tokenizer::tokenizer unigram_of(const vocabulary_file& file) {
    return tokenizer::tokenizer::from_gguf(file.reader());
}

void set_bytes(gguf::writer& out, const char* key, std::string_view bytes) {
    out.set_array(key,
                  std::span(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()));
}

std::string little_endian(const std::vector<std::uint32_t>& numbers) {
    std::string bytes;
    for (const std::uint32_t n : numbers)
        for (int i = 0; i < 32; i += 8) bytes += static_cast<char>(n >> i & 255u);
    return bytes;
}

// A double array that knows "A" and "AB": the root's children are at 256 ^ byte, those of "A" at
// 512 ^ byte; a value is where the byte would be 0.
std::string map_of_a() {
    std::vector<std::uint32_t> units(1024);
    const auto node = [](std::uint32_t at, std::uint32_t to, std::uint32_t label, bool whole) {
        return (at ^ to) << 10 | (whole ? 0x100u : 0u) | label;
    };
    units[0] = node(0, 256, 0, false);
    units[256 ^ 'A'] = node(256 ^ 'A', 512, 'A', true);
    units[512] = 0x80000000u | 0;
    units[512 ^ 'B'] = node(512 ^ 'B', 768, 'B', true);
    units[768] = 0x80000000u | 2;
    return little_endian({4096}) + little_endian(units) + "a\0x y\0"s;
}

}  // namespace

TEST_CASE("unigram: the way whose scores add up to the most, as far as text goes") {
    vocabulary_file file = unigram_vocabulary();
    file.add("a", -5);     // 3
    file.add("b", -5);     // 4
    file.add("ab", -6);    // 5
    file.add("abb", -13);  // 6
    file.add("ba", -7);    // 7
    file.add("c", -1);     // 8
    const auto t = unigram_of(file);
    CHECK(t.encode("ab", no_ends) == ids{5});
    CHECK(t.encode("abb", no_ends) == ids{5, 4});  // -11, and abb is -13
    CHECK(t.encode("aba", no_ends) == ids{5, 3});  // -11, and a + ba is -12
    CHECK(t.encode("bab", no_ends) == ids{4, 5});  // -11, and ba + b is -12
    CHECK(t.encode("abcba", no_ends) == ids{5, 8, 7});
    CHECK(t.encode("ab") == ids{5, 1});  // T5's end
    CHECK(t.encode("", no_ends).empty());
    CHECK(t.encode("") == ids{1});
}

TEST_CASE("unigram: what has no token is unknown once, or its bytes") {
    vocabulary_file file = unigram_vocabulary();
    file.add("a", -5);             // 3
    file.add("\u4e2d\u6587", -2);  // 4
    CHECK(unigram_of(file).encode("xyaz\u4e2da\u4e2d\u6587", no_ends) == ids{2, 3, 2, 3, 4});
    CHECK(unigram_of(file).encode("\xff\xfe", no_ends) == ids{2});
    vocabulary_file bytes = testing::spm_vocabulary();
    bytes.model = "t5";
    bytes.add("a", -5);  // 259
    CHECK(unigram_of(bytes).encode("ax\u00e9", no_ends) == ids{259, 3 + 'x', 3 + 0xc3, 3 + 0xa9});
    CHECK(unigram_of(bytes).encode("\xff", no_ends) == ids{3 + 0xef, 3 + 0xbf, 3 + 0xbd});
}

TEST_CASE("unigram: spaces in front, and spaces too many") {
    vocabulary_file file = unigram_vocabulary();
    file.add("\u2581", -3);   // 3
    file.add("a", -5);        // 4
    file.add("\u2581a", -4);  // 5
    const auto with = [&](bool prefix, bool merge) {
        file.more = [=](gguf::writer& out) {
            out.set("tokenizer.ggml.add_space_prefix", prefix);
            out.set("tokenizer.ggml.remove_extra_whitespaces", merge);
        };
        return unigram_of(file);
    };
    CHECK(with(false, false).encode(" a  a ", no_ends) == ids{5, 3, 5, 3});
    CHECK(with(true, false).encode("a a", no_ends) == ids{5, 5});
    CHECK(with(true, true).encode("  a   a  ", no_ends) == ids{5, 5});
    CHECK(with(false, true).encode("  a   a  ", no_ends) == ids{4, 5});
    CHECK(with(true, true).encode("   ", no_ends).empty());
    CHECK(with(true, true).decode(ids{5, 5}) == "a a");
    CHECK(with(false, true).decode(ids{5, 5}) == " a a");
}

TEST_CASE("a map of characters replaces the longest beginning that it knows") {
    const auto map = tokenizer::character_map::of(map_of_a()).value();
    CHECK((map.longest("Ax").bytes == 1 && map.longest("Ax").by == "a"));
    CHECK((map.longest("ABA").bytes == 2 && map.longest("ABA").by == "x y"));
    CHECK(map.longest("B").bytes == 0);
    CHECK(map.longest("").bytes == 0);
    vocabulary_file file = unigram_vocabulary();
    for (const char* text : {"a", "x", "\u2581y", "B"}) file.add(text, -5);  // 3 to 6
    file.more = [](gguf::writer& out) {
        set_bytes(out, "tokenizer.ggml.precompiled_charsmap", map_of_a());
    };
    CHECK(unigram_of(file).encode("aAABB", no_ends) == ids{3, 3, 4, 5, 6});
}

TEST_CASE("a map that is none is refused, and one that lies reads nothing outside") {
    vocabulary_file file = unigram_vocabulary();
    file.add("a", -5);
    const std::string sound = map_of_a();
    for (const std::string& bad :
         {"abc"s, sound.substr(0, 4096), sound.substr(0, sound.size() - 1), "\xff"s + sound}) {
        file.more = [&](gguf::writer& out) {
            set_bytes(out, "tokenizer.ggml.precompiled_charsmap", bad);
        };
        CHECK_THROWS_WITH(unigram_of(file), ContainsSubstring("is no map of characters"));
    }
    std::mt19937 random(3);
    for (int round = 0; round < 2000; ++round) {
        std::string damaged = sound;
        for (int i = 0; i < 20; ++i)
            damaged[4 + random() % (damaged.size() - 5)] = static_cast<char>(random());
        const auto map = tokenizer::character_map::of(damaged);
        REQUIRE(map.has_value());
        for (const std::string text : {"ABAB", "AAAA", "\xff\xff\xff"})
            CHECK(map->longest(text).bytes <= text.size());
    }
    file.more = [](gguf::writer& out) {
        out.set("tokenizer.ggml.precompiled_charsmap", std::string("text"));
    };
    CHECK_THROWS_WITH(unigram_of(file), ContainsSubstring("is no array of bytes"));
}

TEST_CASE("unigram: a megabyte of one letter comes back") {
    vocabulary_file file = unigram_vocabulary();
    for (const char* text : {"a", "aa", "aaa", "aaaaaaaa", "\u2581", "9"}) file.add(text, -5);
    const auto t = unigram_of(file);
    for (const char c : {'a', ' ', '9'}) {
        const std::string text(1 << 20, c);
        CHECK(t.decode(t.encode(text, no_ends)) == text);
    }
}
