// SPDX-License-Identifier: MIT
// Half and bfloat16, all 65536 of each, against formulas of powers of two; roundings against the
// nearest of all representable values.
#include "trilobit/core/float16.hpp"

#include <catch2/catch_test_macros.hpp>
#include <cmath>
#include <vector>

#include "trilobit/testing/random.hpp"

using namespace trilobit;

namespace {

/// sign * 2^(e - bias) * (1 + f / 2^p), subnormals without the 1: in double, which is exact.
double value_of(unsigned bits, int exponent_bits, int fraction_bits) {
    const int e = static_cast<int>(bits >> fraction_bits) & ((1 << exponent_bits) - 1);
    const int f = static_cast<int>(bits) & ((1 << fraction_bits) - 1);
    const int bias = (1 << (exponent_bits - 1)) - 1;
    const double sign = (bits & 0x8000u) != 0 ? -1.0 : 1.0;
    if (e == (1 << exponent_bits) - 1) return f == 0 ? sign * INFINITY : NAN;
    const double unit = std::ldexp(1.0, -fraction_bits);
    return e == 0 ? sign * std::ldexp(f * unit, 1 - bias)
                  : sign * std::ldexp(1.0 + f * unit, e - bias);
}

bool same(float got, double want) {
    if (std::isnan(want)) return std::isnan(got);
    return static_cast<double>(got) == want && std::signbit(got) == std::signbit(want);
}

/// The nearest of two neighbouring codes, the even one in the middle; magnitudes only, finite.
unsigned nearest(double magnitude, int exponent_bits, int fraction_bits) {
    unsigned low = 0;
    unsigned high = ((1u << exponent_bits) - 1u) << fraction_bits;  // infinity
    while (high - low > 1) {
        const unsigned middle = (low + high) / 2;
        (value_of(middle, exponent_bits, fraction_bits) <= magnitude ? low : high) = middle;
    }
    const double below = value_of(low, exponent_bits, fraction_bits);
    // Infinity stands where the next number would be.
    const int top = (1 << exponent_bits) - 2 - ((1 << (exponent_bits - 1)) - 1);
    const double above = high >> fraction_bits == (1u << exponent_bits) - 1u
                             ? std::ldexp(1.0, top + 1)
                             : value_of(high, exponent_bits, fraction_bits);
    if (magnitude - below != above - magnitude)
        return magnitude - below < above - magnitude ? low : high;
    return low % 2 == 0 ? low : high;
}

int wrong_roundings(float (*widen)(std::uint16_t), std::uint16_t (*narrow)(float), int e, int f) {
    int wrong = 0;
    const auto check = [&](float x) {
        if (!std::isfinite(x)) return;
        const unsigned want =
            nearest(std::fabs(static_cast<double>(x)), e, f) | (std::signbit(x) ? 0x8000u : 0u);
        wrong += narrow(x) != want;
    };
    for (unsigned b = 0; b < 0x8000u; ++b) {
        const float here = widen(static_cast<std::uint16_t>(b));
        const float next = widen(static_cast<std::uint16_t>(b + 1));
        if (!std::isfinite(here) || !std::isfinite(next)) continue;
        const float middle =
            static_cast<float>((static_cast<double>(here) + static_cast<double>(next)) / 2);
        for (const float x : {here, middle, std::nextafter(middle, 0.0f),
                              std::nextafter(middle, INFINITY), -middle})
            check(x);
    }
    testing::generator r(3);
    for (int i = 0; i < 100000; ++i)
        check(std::bit_cast<float>(static_cast<std::uint32_t>(r.bits())));
    return wrong;
}

}  // namespace

TEST_CASE("every half and bfloat16 has the value of its bits", "[core]") {
    int wrong_half = 0, wrong_brain = 0;
    for (unsigned b = 0; b < 0x10000u; ++b) {
        const auto bits = static_cast<std::uint16_t>(b);
        wrong_half += !same(f16_to_f32(bits), value_of(b, 5, 10));
        wrong_brain += !same(bf16_to_f32(bits), value_of(b, 8, 7));
    }
    CHECK(wrong_half == 0);
    CHECK(wrong_brain == 0);
}

TEST_CASE("every half and bfloat16 survives the way there and back", "[core]") {
    int wrong = 0;
    for (unsigned b = 0; b < 0x10000u; ++b) {
        const auto bits = static_cast<std::uint16_t>(b);
        const float half = f16_to_f32(bits), brain = bf16_to_f32(bits);
        wrong +=
            std::isnan(half) ? !std::isnan(f16_to_f32(f32_to_f16(half))) : f32_to_f16(half) != bits;
        wrong += std::isnan(brain) ? !std::isnan(bf16_to_f32(f32_to_bf16(brain)))
                                   : f32_to_bf16(brain) != bits;
    }
    CHECK(wrong == 0);
}

TEST_CASE("floats round to the nearest half or bfloat16, ties to even", "[core]") {
    CHECK(wrong_roundings(f16_to_f32, f32_to_f16, 5, 10) == 0);
    CHECK(wrong_roundings(bf16_to_f32, f32_to_bf16, 8, 7) == 0);
}

TEST_CASE("the ends of the ranges", "[core]") {
    CHECK(f32_to_f16(65504.0f) == 0x7bff);
    CHECK(f32_to_f16(65519.99f) == 0x7bff);
    CHECK(f32_to_f16(65520.0f) == 0x7c00);
    CHECK(f32_to_f16(-INFINITY) == 0xfc00);
    CHECK(f32_to_f16(0x1p-25f) == 0);  // a tie with zero
    CHECK(f32_to_f16(std::nextafter(0x1p-25f, 1.0f)) == 1);
    CHECK(f32_to_f16(-0.0f) == 0x8000);
    CHECK(std::isnan(f16_to_f32(f32_to_f16(std::bit_cast<float>(0x7f800001u)))));
    CHECK(std::isnan(bf16_to_f32(f32_to_bf16(std::bit_cast<float>(0x7f800001u)))));
    CHECK(f32_to_bf16(std::numeric_limits<float>::max()) == 0x7f80);
    STATIC_CHECK(f16_to_f32(0x3800) == 0.5f);
    STATIC_CHECK(f32_to_f16(0.5f) == 0x3800);
}
