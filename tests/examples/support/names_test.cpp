// SPDX-License-Identifier: MIT
// Tests of support/names.hpp and support/whole_number.hpp.
#include <cstdint>
#include <limits>
#include <vector>

#include <catch2/catch_test_macros.hpp>

#include "support/names.hpp"
#include "support/whole_number.hpp"

using namespace tbx::support;

TEST_CASE("edits count letters that differ, are missing or have changed places") {
    CHECK(edits_between("", "") == 0);
    CHECK(edits_between("abc", "") == 3);
    CHECK(edits_between("", "ab") == 2);
    CHECK(edits_between("kitten", "sitting") == 3);
    CHECK(edits_between("tq20", "TQ2_0") == 1);
    CHECK(edits_between("abcd", "abdc") == 1);
    CHECK(edits_between("ca", "abc") == 3);  // no letter is edited twice
}

TEST_CASE("of few names all are told, of many the nearest") {
    const std::vector<std::string> few = {"dot", "generic"};
    CHECK(none_of("popcorn", few) == "'popcorn' is none of dot, generic");
    const std::vector<std::string> many = {"TQ1_0", "TQ2_0", "Q1_0", "Q2_0", "I2_S",
                                           "TL1",   "TL2",   "F16",  "BF16", "packed"};
    CHECK(none_of("TQ3_0", many) == "'TQ3_0' is none of 10 names; near it: TQ1_0, TQ2_0, Q1_0");
    CHECK(none_of("i2s", many) == "'i2s' is none of 10 names; near it: I2_S");
    CHECK(none_of("nothing like it", many) ==
          "'nothing like it' is none of 10 names, which --help has");
    CHECK(none_of(std::string(100000, 'x'), many).size() < 100100);
}

TEST_CASE("whole numbers are decimal, whatever they begin with") {
    const auto made = [](std::string text) {
        const std::string wrong = make_decimal<std::int64_t>(text, -5, 1000);
        return wrong.empty() ? text : wrong;
    };
    CHECK(made("010") == "10");
    CHECK(made("0") == "0");
    CHECK(made("-05") == "-5");
    CHECK(made("1000") == "1000");
    for (const char* none :
         {"", " 1", "1 ", "+1", "0x10", "1.5", "1e2", "many", "1001", "-6", "99999999999999999999"})
        CHECK(made(none) == "'" + std::string(none) + "' is no whole number from -5 to 1000");
    std::string seed = "18446744073709551615";
    CHECK(make_decimal<std::uint64_t>(seed, 0, std::numeric_limits<std::uint64_t>::max()).empty());
    CHECK(seed == "18446744073709551615");
}
