// SPDX-License-Identifier: MIT
// Powers and directions are near those of the C library, and have these very bits.
#include "model/elementary.hpp"

#include <catch2/catch_test_macros.hpp>
#include <cmath>

#include "model/sampler.hpp"

using namespace tbx::model;

TEST_CASE("powers are within one of the last place") {
    for (const float base : {1.0f, 1.5f, 100.0f, 10000.0f, 500000.0f, 1000042.0f, 3e38f})
        for (const int width : {2, 6, 64, 96, 100, 128, 256})
            for (int i = 0; i < width; ++i) {
                const double exponent = static_cast<double>(width / 2 - i) * 2.0 / width;
                const double wanted = std::pow(double{base}, exponent);
                CHECK(std::fabs(power(base, exponent) - wanted) <= wanted * 0x1p-52);
            }
    CHECK(power(10000.0f, -0.5) == 0.01);
    CHECK(power(10000.0f, -0.25) == 0.1);
    CHECK(power(500000.0f, -1.0 / 64) == 0x1.a115829457fbep-1);
    CHECK(power(500000.0f, -63.0 / 64) == 0x1.4985fec80a8cbp-19);
}

TEST_CASE("cosines and sines are those of the angle, up to the largest") {
    random_numbers random(1);
    for (int i = 0; i < 200000; ++i) {
        const double part = static_cast<double>(random.bits() >> 11) * 0x1p-53;
        const double most = i % 3 == 0 ? most_angle : i % 3 == 1 ? 4096.0 : 1.0;
        const double angle = (i % 2 == 0 ? part : -part) * most;
        const direction d = direction_of(angle);
        REQUIRE(std::fabs(d.cosine - std::cos(angle)) <= 0x1p-52);
        REQUIRE(std::fabs(d.sine - std::sin(angle)) <= 0x1p-52);
    }
    CHECK(direction_of(0).cosine == 1);
    CHECK(direction_of(0).sine == 0);
    const direction of_one = direction_of(1), far = direction_of(123456789.0);
    CHECK(of_one.cosine == 0x1.14a280fb5068cp-1);
    CHECK(of_one.sine == 0x1.aed548f090ceep-1);
    CHECK(far.cosine == 0x1.1f4077c91589ep-3);
    CHECK(far.sine == 0x1.faf0521c8dc5cp-1);
}
