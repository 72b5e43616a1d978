// SPDX-License-Identifier: MIT
// BitNet's first rule: +1 where W > mean(W), else -1; scale mean|W|.
#include <catch2/catch_test_macros.hpp>
#include <limits>
#include <vector>

#include "trilobit/weights/quantize.hpp"

using namespace trilobit;

TEST_CASE("the sign is taken around the mean, and the mean itself is -1", "[weights]") {
    const std::vector<float> w = {1, 2, 3, 2, 4, 0};  // mean 2, mean|w| 2
    std::vector<std::int8_t> values(6);
    float scale = -1;
    REQUIRE(binarize_sign({w.data(), 2, 3}, {}, {values.data(), 2, 3}, &scale).ok());
    CHECK(values == std::vector<std::int8_t>{-1, -1, 1, -1, 1, -1});
    CHECK(scale == 2.0f);
}

TEST_CASE("each row and each group has a mean of its own", "[weights]") {
    std::vector<float> w(2 * 40, 1.0f);  // groups of 32 and 8
    w[0] = 33.0f;                        // row 0, group 0: mean 2
    w[39] = -7.0f;                       // row 0, group 1: mean 0, mean|w| 14 / 8
    w[40] = -31.0f;                      // row 1, group 0: mean 0, mean|w| 62 / 32
    std::vector<std::int8_t> values(80);
    float scales[4] = {};
    REQUIRE(binarize_sign({w.data(), 2, 40}, scale_spec::group(32), {values.data(), 2, 40}, scales)
                .ok());
    CHECK(scales[0] == 2.0f);
    CHECK(scales[1] == 1.75f);
    CHECK(scales[2] == 62.0f / 32.0f);
    CHECK(scales[3] == 1.0f);
    CHECK(values[0] == 1);
    CHECK(values[1] == -1);
    CHECK(values[38] == 1);
    CHECK(values[39] == -1);
    CHECK(values[40] == -1);
    CHECK(values[41] == 1);
    CHECK(values[79] == 1);  // all +1: exact, though none is above the mean
}

TEST_CASE("zeros are -1 with scale 0", "[weights]") {
    const float w[4] = {0, -0.0f, 0, 0};
    std::int8_t values[4];
    float scale = -1;
    REQUIRE(binarize_sign({w, 1, 4}, {}, {values, 1, 4}, &scale).ok());
    CHECK(scale == 0.0f);
    for (const std::int8_t v : values) CHECK(v == -1);
}

TEST_CASE("sign refuses NaN and infinity", "[weights]") {
    std::int8_t values[2];
    float scale;
    for (const float bad :
         {std::numeric_limits<float>::quiet_NaN(), -std::numeric_limits<float>::infinity()}) {
        const float w[2] = {1, bad};
        CHECK(binarize_sign({w, 1, 2}, {}, {values, 1, 2}, &scale).code == errc::bad_value);
    }
}
