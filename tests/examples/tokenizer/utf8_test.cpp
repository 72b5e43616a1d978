// SPDX-License-Identifier: MIT
// Tests of room tokenizer: where characters begin and end, and the byte alphabet.
#include <catch2/catch_test_macros.hpp>

#include <string>
#include <string_view>

#include "tokenizer/byte_alphabet.hpp"
#include "tokenizer/utf8.hpp"

using namespace tbx::tokenizer;
using namespace std::string_view_literals;

TEST_CASE("whole characters are measured, everything else is none") {
    CHECK(character_bytes("a", 0) == 1);
    CHECK(character_bytes("\0"sv, 0) == 1);
    CHECK(character_bytes("\u00e9", 0) == 2);
    CHECK(character_bytes("\u2581", 0) == 3);
    CHECK(character_bytes("\U0001f999", 0) == 4);
    CHECK(character_bytes("\xf4\x8f\xbf\xbf", 0) == 4);
    for (const auto bad :
         {"\x80"sv, "\xc0\x80"sv, "\xc1\xbf"sv, "\xc3"sv, "\xc3("sv, "\xe0\x9f\xbf"sv,
          "\xed\xa0\x80"sv, "\xe2\x96"sv, "\xf0\x8f\xbf\xbf"sv, "\xf4\x90\x80\x80"sv,
          "\xf5\x80\x80\x80"sv, "\xff"sv, "\xe2\x28\xa1"sv}) {
        CAPTURE(bad.size(), static_cast<int>(bad[0]));
        CHECK(character_bytes(bad, 0) == 0);
    }
}

TEST_CASE("only the beginning of a character is worth waiting for") {
    CHECK(unfinished_bytes("") == 0);
    CHECK(unfinished_bytes("a") == 0);
    CHECK(unfinished_bytes("a\xc3") == 1);
    CHECK(unfinished_bytes("a\xe2\x96") == 2);
    CHECK(unfinished_bytes("\xf0\x9f\xa6") == 3);
    CHECK(unfinished_bytes("\xf0\x9f\xa6\x99") == 0);
    CHECK(unfinished_bytes("\x80\x80\x80") == 0);
    CHECK(unfinished_bytes("\xff") == 0);
    CHECK(unfinished_bytes("\xed\xa0") == 0);  // a surrogate never becomes a character
    CHECK(unfinished_bytes("\xc3\xa9\xa9") == 0);
}

TEST_CASE("every byte has its letter and comes back from it") {
    std::string all;
    for (int b = 0; b < 256; ++b) all += static_cast<char>(b);
    CHECK(from_alphabet(to_alphabet(all)) == all);
    CHECK(to_alphabet(" \n!~\x7f\xa0\xa1\xad\xae\xff"sv) ==
          "\u0120\u010a!~\u0121\u0142\u00a1\u0143\u00ae\u00ff");
    CHECK(from_alphabet("\u2581\U0001f999") == "\u2581\U0001f999");
}

TEST_CASE("people see whole characters, and U+FFFD for what is none") {
    CHECK(whole_characters("a\u00e9\U0001f999") == "a\u00e9\U0001f999");
    CHECK(whole_characters("a\xc3") == "a\ufffd");
    CHECK(whole_characters("\xf0\x9f\xa6") == "\ufffd");
    CHECK(whole_characters("\xffz\xa9\xa9") == "\ufffdz\ufffd\ufffd");
    CHECK(whole_characters("\xe2("sv) == "\ufffd(");
}
