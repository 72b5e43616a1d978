// SPDX-License-Identifier: MIT
// Quotients and products of sizes, at the ends of int64.
#include "trilobit/core/arithmetic.hpp"

#include <catch2/catch_test_macros.hpp>

using namespace trilobit;

namespace {
constexpr std::int64_t largest = std::numeric_limits<std::int64_t>::max();
}

TEST_CASE("ceil_div and round_up", "[core]") {
    STATIC_CHECK(ceil_div(0, 16) == 0);
    STATIC_CHECK(ceil_div(1, 16) == 1);
    STATIC_CHECK(ceil_div(16, 16) == 1);
    STATIC_CHECK(ceil_div(17, 16) == 2);
    STATIC_CHECK(round_up(17, 16) == 32);
    STATIC_CHECK(round_up(32, 16) == 32);
    // (a + b - 1) / b would overflow here.
    CHECK(ceil_div(largest, 2) == largest / 2 + 1);
    CHECK(ceil_div(largest, largest) == 1);
    CHECK(ceil_div(largest, 1) == largest);
}

TEST_CASE("checked_mul refuses what does not fit", "[core]") {
    CHECK(checked_mul(3, 5) == 15);
    CHECK(checked_mul(0, largest) == 0);
    CHECK(checked_mul(largest, 0) == 0);
    CHECK(checked_mul(largest, 1) == largest);
    CHECK_FALSE(checked_mul(largest, 2));
    CHECK_FALSE(checked_mul(std::int64_t{1} << 32, std::int64_t{1} << 31));
    CHECK(checked_mul(std::int64_t{1} << 31, std::int64_t{1} << 31) == std::int64_t{1} << 62);
    CHECK_FALSE(checked_mul(-1, 5));
    CHECK_FALSE(checked_mul(5, -1));
}
