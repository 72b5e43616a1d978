// SPDX-License-Identifier: MIT
// Tests of room support: NaN and infinity are found wherever they are. Compiled with -ffast-math,
// under which std::isfinite is always true.
#include "support/finite.hpp"

#include <catch2/catch_test_macros.hpp>

#include <array>
#include <cstdint>
#include <cstring>
#include <vector>

using namespace tbx;

namespace {

// Numbers as a file brings them: nothing here may become a float that the compiler knows.
template <class T, class Bits>
T stored(volatile Bits& bits) {
    const Bits copy = bits;
    T value;
    std::memcpy(&value, &copy, sizeof value);
    return value;
}

}  // namespace

TEST_CASE("every kind of NaN and infinity is told from every finite number") {
    for (volatile std::uint32_t bits : {0x7f800000u, 0xff800000u, 0x7fc00000u, 0xff800001u})
        CHECK_FALSE(support::is_finite(stored<float>(bits)));
    for (volatile std::uint32_t bits : {0u, 0x80000000u, 1u, 0x7f7fffffu, 0xff7fffffu, 0x3f800000u})
        CHECK(support::is_finite(stored<float>(bits)));
    for (volatile std::uint64_t bits : {0x7ff0000000000000u, 0xfff8000000000000u})
        CHECK_FALSE(support::is_finite(stored<double>(bits)));
    for (volatile std::uint64_t bits : {std::uint64_t{0}, std::uint64_t{0x7fefffffffffffffu}})
        CHECK(support::is_finite(stored<double>(bits)));
}

TEST_CASE("one bad number among many is found at every place") {
    for (const std::size_t count : {1u, 7u, 8u, 33u, 100u})
        for (std::size_t at = 0; at < count; ++at) {
            std::vector<float> values(count, 1.5f);
            CHECK(support::all_finite(values));
            const std::uint32_t infinity = 0xff800000u;
            std::memcpy(&values[at], &infinity, sizeof infinity);
            CHECK_FALSE(support::all_finite(values));
        }
    CHECK(support::all_finite({}));
}

TEST_CASE("numbers that lie apart, and nothing between them") {
    std::array<std::uint16_t, 12> halves{};
    halves.fill(0x7e00u);
    for (std::size_t i = 0; i < halves.size(); i += 3) halves[i] = 0x7bffu;
    CHECK(support::finite_numbers<support::f16_exponent, 6>(halves.data(), 4));
    halves[9] = 0xfc00u;
    CHECK_FALSE(support::finite_numbers<support::f16_exponent, 6>(halves.data(), 4));
    CHECK(support::finite_numbers<support::f16_exponent, 6>(halves.data(), 3));
    // The largest half is no bfloat16 infinity, and the other way round.
    CHECK(support::finite_numbers<support::bf16_exponent, 6>(halves.data(), 4));
}
