// SPDX-License-Identifier: MIT
// The four rules on values chosen by hand: ties, signed zeros, ends of the ranges, refusals.
#include <cmath>
#include <limits>

#include "quantised.hpp"

using namespace trilobit;
using activation_test::quantise;
using activation_test::values_of;
using ints = std::vector<int>;

TEST_CASE("int8: ties go to even", "[activation]") {
    // max|x| = 127 makes the factor exactly 1.
    const auto q =
        quantise(activation_id::int8, {127, 0.5f, 1.5f, 2.5f, 3.5f, -0.5f, -1.5f, 126.5f, -126.5f});
    REQUIRE(q.problem.ok());
    CHECK(values_of(q, 9) == ints{127, 0, 2, 2, 4, 0, -2, 126, -126});
    CHECK(q.scales[0] == 1.0f);
}

TEST_CASE("int8: neighbours of a tie fall to their own sides", "[activation]") {
    std::vector<float> x = {127};
    ints want = {127};
    for (int i = 0; i < 127; ++i) {
        const float tie = static_cast<float>(i) + 0.5f;
        const int even = i % 2 == 0 ? i : i + 1;
        for (const auto& [value, rounded] :
             {std::pair{std::nextafter(tie, 0.0f), i}, std::pair{tie, even},
              std::pair{std::nextafter(tie, 128.0f), i + 1}}) {
            if (value > 127) continue;
            x.push_back(value);
            want.push_back(rounded);
            x.push_back(-value);
            want.push_back(-rounded);
        }
    }
    const auto q = quantise(activation_id::int8, x);
    CHECK(values_of(q, x.size()) == want);
}

TEST_CASE("int8: the largest is found at both ends, and -128 is never reached", "[activation]") {
    for (const float top : {3.0f, -3.0f})
        for (const bool last : {false, true}) {
            std::vector<float> x(131, 1.0f);
            x[last ? 130 : 0] = top;
            const auto q = quantise(activation_id::int8, x);
            CHECK(q.values[last ? 130 : 0] == (top > 0 ? 127 : -127));
            CHECK(q.values[65] == 42);  // 127 / 3 = 42.33
            CHECK(q.scales[0] == 1.0f / (127.0f / 3.0f));
        }
}

TEST_CASE("int8: zeros, negative zeros and denormals", "[activation]") {
    const auto q = quantise(activation_id::int8, {0.0f, -0.0f, 1e-45f, -1e-45f, 1e-39f});
    REQUIRE(q.problem.ok());
    CHECK(values_of(q, 5) == ints{0, 0, 0, 0, 0});
    CHECK(q.scales[0] == 1.0f / (127.0f / 1e-5f));
    const auto small = quantise(activation_id::int8, {5e-6f, -1e-5f});
    CHECK(values_of(small, 2) == ints{64, -127});  // 63.5 up to even by a hair: floored at 1e-5
}

TEST_CASE("int8: the largest float is 127, not infinity", "[activation]") {
    const float big = std::numeric_limits<float>::max();
    const auto q = quantise(activation_id::int8, {big, -big, big / 2, 1.0f});
    REQUIRE(q.problem.ok());
    CHECK(q.values[0] == 127);
    CHECK(q.values[1] == -127);
    CHECK(q.values[3] == 0);
}

TEST_CASE("int4: sqrt(7) over the mean, clamped to -8..7", "[activation]") {
    // mean|x| = 1: products are 2.6457 x.
    const auto q = quantise(activation_id::int4, {1, -1, 0.1f, -1.9f, 0.5f, 1.5f, 1, 1});
    REQUIRE(q.problem.ok());
    CHECK(values_of(q, 8) == ints{3, -3, 0, -5, 1, 4, 3, 3});
    std::vector<float> outliers(100, 0.01f);
    outliers[3] = 50;
    outliers[4] = -50;
    const auto clamped = quantise(activation_id::int4, outliers);
    CHECK(clamped.values[3] == 7);
    CHECK(clamped.values[4] == -8);
    CHECK(clamped.values[5] == 0);
    CHECK(clamped.scales[0] == 1.0f / (2.6457513f / (1.0098f + 1e-5f)));
}

TEST_CASE("int2: 1 over the mean, clamped to -2..1", "[activation]") {
    const auto q = quantise(activation_id::int2, {1, -1, 3, -3, 0.25f, -0.25f, 0, 0.5f});
    // mean|x| = 9 / 8: products 0.89, -0.89, 2.7, -2.7, 0.22, -0.22, 0, 0.44
    CHECK(values_of(q, 8) == ints{1, -1, 1, -2, 0, 0, 0, 0});
    CHECK(q.scales[0] == 1.0f / (1.0f / (1.125f + 1e-5f)));
}

TEST_CASE("sign: zero and negative zero are +1, the smallest negative is -1", "[activation]") {
    // Beside values large enough that the product with the factor underflows.
    const auto q = quantise(activation_id::sign, {0.0f, -0.0f, 1e-45f, -1e-45f, 1e30f, -1e30f});
    REQUIRE(q.problem.ok());
    CHECK(values_of(q, 6) == ints{1, 1, 1, -1, 1, -1});
    const auto zeros = quantise(activation_id::sign, {0, 0, 0});
    CHECK(values_of(zeros, 3) == ints{1, 1, 1});
    CHECK(zeros.scales[0] == 1.0f / (1.0f / 1e-5f));
}

TEST_CASE("NaN and infinity are refused wherever they are", "[activation]") {
    for (const activation_id kind :
         {activation_id::int8, activation_id::int4, activation_id::int2, activation_id::sign})
        for (const float bad :
             {std::numeric_limits<float>::quiet_NaN(), -std::numeric_limits<float>::signaling_NaN(),
              std::numeric_limits<float>::infinity(), -std::numeric_limits<float>::infinity()})
            for (const std::size_t at : {std::size_t{0}, std::size_t{64}, std::size_t{149}}) {
                std::vector<float> x(150, 1.0f);
                x[at] = bad;
                CHECK(quantise(kind, x).problem.code == errc::bad_value);
                CHECK(quantise(kind, x, 32).problem.code == errc::bad_value);
            }
}

TEST_CASE("each group has a scale of its own, the last may be narrow", "[activation]") {
    std::vector<float> x(70, 1.0f);
    x[0] = 2.0f;
    x[69] = 4.0f;
    const auto q = quantise(activation_id::int8, x, 32);
    REQUIRE(q.scales.size() == 3);
    CHECK(q.values[1] == 64);  // 63.5, a tie
    CHECK(q.values[32] == 127);
    CHECK(q.values[68] == 32);  // 31.75
    CHECK(q.scales[1] == 1.0f / 127.0f);
}

TEST_CASE("values are followed by zeros to the end of the stride", "[activation]") {
    for (const std::size_t cols : {0u, 1u, 63u, 64u, 65u, 130u})
        for (const activation_id kind : {activation_id::int8, activation_id::sign}) {
            const auto q = quantise(kind, std::vector<float>(cols, 1.0f));
            CHECK(q.values.size() >= cols + 64);
            CHECK(q.values.size() % 64 == 0);
            int stray = 0;
            for (std::size_t i = cols; i < q.values.size(); ++i) stray += q.values[i] != 0;
            CHECK(stray == 0);
        }
}
