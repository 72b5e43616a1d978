// SPDX-License-Identifier: MIT
// Every layout keeps the promises of the concept, and the list knows each by its id.
#include <catch2/catch_template_test_macros.hpp>
#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>
#include <set>

#include "trilobit/layout/all.hpp"
#include "trilobit/layout/print.hpp"
#include "trilobit/testing/check_layout.hpp"

using namespace trilobit;

TEMPLATE_LIST_TEST_CASE("a layout keeps its promises", "[layout]", layouts) {
    for (const std::uint64_t seed : {1u, 2u}) {
        const testing::report found = testing::check_layout<TestType>(seed);
        INFO(found.text);
        CHECK(found.ok);
    }
}

TEMPLATE_LIST_TEST_CASE("a layout is found by its id", "[layout]", layouts) {
    CHECK(layout_name(TestType::id) == TestType::name);
    int visits = 0;
    CHECK(visit_layout(TestType::id, [&]<class L>() { visits += std::is_same_v<L, TestType>; }));
    CHECK(visits == 1);
}

TEST_CASE("ids are those that files hold, and no others are known", "[layout]") {
    STATIC_CHECK(static_cast<int>(layout::ternary_2bit::id) == 1);
    STATIC_CHECK(static_cast<int>(layout::ternary_base3::id) == 2);
    STATIC_CHECK(static_cast<int>(layout::ternary_planes::id) == 3);
    STATIC_CHECK(static_cast<int>(layout::binary_1bit::id) == 4);
    STATIC_CHECK(static_cast<int>(layout::quaternary_2bit::id) == 5);
    STATIC_CHECK(static_cast<int>(layout::quaternary_2bit_low::id) == 6);
    STATIC_CHECK(static_cast<int>(layout::quaternary_2bit_odd::id) == 7);
    STATIC_CHECK(static_cast<int>(layout::ternary_3of4::id) == 8);
    for (const unsigned id : {0u, 9u, 0x1000u, ~0u}) {
        CHECK_FALSE(visit_layout(static_cast<layout_id>(id), [&]<class L>() {}));
        CHECK(layout_name(static_cast<layout_id>(id)) == "unknown");
    }
}

TEST_CASE("bits per weight", "[layout]") {
    STATIC_CHECK(bits_per_weight<layout::ternary_2bit> == 2.0);
    STATIC_CHECK(bits_per_weight<layout::ternary_base3> == 1.6);
    STATIC_CHECK(bits_per_weight<layout::ternary_planes> == 2.0);
    STATIC_CHECK(bits_per_weight<layout::binary_1bit> == 1.0);
    STATIC_CHECK(bits_per_weight<layout::quaternary_2bit> == 2.0);
    STATIC_CHECK(bits_per_weight<layout::ternary_3of4> == 1.25);
}

TEST_CASE("describe_row names the bits that a column moves", "[layout]") {
    const std::string two = describe_row<layout::ternary_2bit>(3);
    CHECK_THAT(two, Catch::Matchers::StartsWith("column 0: 12.0 12.1\ncolumn 1: 13.0 13.1\n"));
    CHECK_THAT(two, Catch::Matchers::EndsWith("column 15: 15.6 15.7\n"));
    CHECK(describe_row<layout::quaternary_2bit_low>(3) == two);
    CHECK(describe_row<layout::quaternary_2bit_odd>(3) == two);
    const std::string one = describe_row<layout::binary_1bit>(0);
    CHECK_THAT(one, Catch::Matchers::ContainsSubstring("column 31: 3.7\n"));
    const std::string planes = describe_row<layout::ternary_planes>(15);
    CHECK_THAT(planes, Catch::Matchers::ContainsSubstring("column 4: 60.1 124.1\n"));
    // Four columns have their five bits together.
    const std::string fours = describe_row<layout::ternary_3of4>(9);
    CHECK_THAT(fours, Catch::Matchers::StartsWith("column 0: 9.0 9.1 9.2 9.3 265.7\n"));
    CHECK_THAT(fours, Catch::Matchers::EndsWith("column 31: 201.4 201.5 201.6 201.7 265.0\n"));
}
