// SPDX-License-Identifier: MIT
// Arithmetic that no flag and no mode of the processor moves, and numbers in the order of a file.
#include <cstring>
#include <limits>

#include <catch2/catch_test_macros.hpp>

#include <trilobit/core/endian.hpp>
#include <trilobit/core/floats.hpp>

#if defined(__SSE2__)
#include <xmmintrin.h>
#endif

using namespace trilobit;

TEST_CASE("finite is what has an exponent below the last", "[core]") {
    constexpr float greatest = std::numeric_limits<float>::max();
    STATIC_REQUIRE(is_finite(greatest));
    STATIC_REQUIRE(!is_finite(std::numeric_limits<double>::infinity()));
    const auto of_bits = [](std::uint32_t bits) { return std::bit_cast<float>(bits); };
    for (const std::uint32_t sign : {0u, 0x80000000u}) {
        for (const std::uint32_t bits : {0u, 1u, 0x007fffffu, 0x3f800000u, 0x7f7fffffu})
            CHECK(is_finite(of_bits(bits | sign)));
        for (const std::uint32_t bits : {0x7f800000u, 0x7f800001u, 0x7fc00000u, 0x7fffffffu})
            CHECK(!is_finite(of_bits(bits | sign)));
    }
    CHECK(is_finite(std::numeric_limits<double>::denorm_min()));
    CHECK(!is_finite(std::numeric_limits<double>::quiet_NaN()));
}

TEST_CASE("a quotient is rounded once", "[core]") {
    STATIC_REQUIRE(quotient(1.0f, 4.0f) == 0.25f);
    // Of 1 / 3 by a reciprocal's first steps the last bit differs.
    CHECK(std::bit_cast<std::uint32_t>(quotient(1.0f, 3.0f)) == 0x3eaaaaabu);
    CHECK(std::bit_cast<std::uint32_t>(quotient(1.0f, quotient(127.0f, 3.0f))) == 0x3cc18306u);
}

#if defined(__SSE2__)
TEST_CASE("the caller's rounding and flushing are put aside and come back", "[core]") {
    const unsigned before = _mm_getcsr();
    const unsigned odd = (before & ~0x6000u) | 0x8040u | 0x4000u;  // flush both ways, round up
    _mm_setcsr(odd);
    float third, least;
    {
        const standard_floats standard;
        third = quotient(1.0f, 3.0f);
        least = hidden(hidden(std::numeric_limits<float>::min()) * hidden(0.5f));
    }
    const unsigned after = _mm_getcsr();
    // Volatile: a compiler may move a product past the register's changes, or make it itself.
    volatile float outside = std::numeric_limits<float>::min();
    outside = outside * 0.5f;
    const float flushed = outside;
    _mm_setcsr(before);
    CHECK((after & 0xe040u) == (odd & 0xe040u));
    CHECK(std::bit_cast<std::uint32_t>(third) == 0x3eaaaaabu);
    CHECK(std::bit_cast<std::uint32_t>(least) == 0x00400000u);
    CHECK(flushed == 0.0f);
}
#endif

TEST_CASE("numbers of files have their least byte first", "[core]") {
    const little<std::uint32_t> four = 0x01020304u;
    const little<std::int64_t> eight = -2;
    const little<float> one = 1.0f;
    const unsigned char four_bytes[] = {4, 3, 2, 1}, one_bytes[] = {0, 0, 0x80, 0x3f};
    CHECK(std::memcmp(&four, four_bytes, 4) == 0);
    CHECK(std::memcmp(&one, one_bytes, 4) == 0);
    CHECK(reinterpret_cast<const unsigned char*>(&eight)[0] == 0xfe);
    CHECK(four == 0x01020304u);
    CHECK(eight == -2);
    CHECK(one == 1.0f);
    CHECK(detail::turned(std::uint16_t{0x0102}) == 0x0201);
    CHECK(detail::turned(std::uint64_t{0x0102030405060708}) == 0x0807060504030201);
}
