// SPDX-License-Identifier: MIT
// Tests of room support: the same lines, whoever's editor wrote them and however they are read.
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <catch2/matchers/catch_matchers.hpp>

#include <fstream>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "support/lines.hpp"

using namespace tbx::support;
using namespace std::string_view_literals;
using lines = std::vector<std::string>;

namespace {

lines of_stream(std::string_view text) {
    std::istringstream in{std::string(text)};
    line_reader reader(in, "input");
    lines all;
    for (std::string line; reader.next(line);) all.push_back(line);
    return all;
}

lines of_text(std::string_view text) {
    lines all;
    for (std::string_view rest = utf8_text(text, "input"); !rest.empty();)
        all.emplace_back(next_line(rest));
    return all;
}

}  // namespace

TEST_CASE("all of a stream is read, and a folder is refused by its name") {
    std::istringstream some(std::string(40000, 'a') + "\n");
    CHECK(read_all(some, "some").size() == 40001);
    std::istringstream none;
    CHECK(read_all(none, "none").empty());
    std::ifstream folder("/", std::ios::binary);
    CHECK_THROWS_WITH(read_all(folder, "/"), "/: it cannot be read");
}

TEST_CASE("lines end in LF or CRLF, and the mark of UTF-8 is no text") {
    for (const auto read : {of_stream, of_text}) {
        CHECK(read("").empty());
        CHECK(read("a") == lines{"a"});
        CHECK(read("a\nb\n") == lines{"a", "b"});
        CHECK(read("a\r\n\r\nb\r\n") == lines{"a", "", "b"});
        CHECK(read("a\r\nb\r") == lines{"a", "b"});
        CHECK(read("\xef\xbb\xbf"
                   "a\n\xef\xbb\xbf"
                   "b\n") == lines{"a", "\xef\xbb\xbf"
                                        "b"});
        CHECK(read("a\r\r\nb\rc\n") == lines{"a\r", "b\rc"});  // one return belongs to the end
        CHECK(read("a\0b\n"sv) == lines{std::string("a\0b"sv)});
    }
    CHECK(of_stream("\xef\xbb\xbf\r\na") == lines{"", "a"});
    CHECK(utf8_text("\xef\xbb\xbf", "input").empty());
}

TEST_CASE("UTF-16 and UTF-32 are refused by name") {
    const auto text = GENERATE("\xff\xfe"
                               "a\0\n\0"sv,
                               "\xfe\xff\0a\0\n"sv, "\xff\xfe\0\0a\0\0\0"sv,
                               "\0\0\xfe\xff\0\0\0a"sv, "\xff\xfe"sv);
    for (const auto read : {of_stream, of_text}) {
        try {
            (void)read(text);
            FAIL("it was read");
        } catch (const tbx::error& e) {
            CHECK(std::string_view(e.what()).starts_with("input: it is UTF-16 or UTF-32"));
        }
    }
}
