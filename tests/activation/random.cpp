// SPDX-License-Identifier: MIT
// The rules on random tokens of every spread against the plain words of them, and tokens that do
// not disturb each other.
#include <cmath>

#include "quantised.hpp"
#include "trilobit/testing/plain_quantize.hpp"
#include "trilobit/testing/random.hpp"

using namespace trilobit;
using activation_test::quantise;

TEST_CASE("random tokens agree with the plain rule, bit for bit", "[activation]") {
    testing::generator r(11);
    for (int round = 0; round < 300; ++round) {
        const auto kind = static_cast<activation_id>(round % 4);
        const int group = (round / 4) % 3 == 0 ? 0 : (round / 4) % 3 == 1 ? 32 : 256;
        std::vector<float> x(static_cast<std::size_t>(r.between(1, 700)));
        const int exponent = static_cast<int>(r.between(-40, 40));
        for (float& v : x) v = std::ldexp(round % 2 == 0 ? r.unit() : r.spread(), exponent);
        const activation_shape shape{kind, 1, static_cast<std::int64_t>(x.size()), group};
        std::vector<std::int8_t> values(static_cast<std::size_t>(shape.value_stride()));
        std::vector<float> scales(static_cast<std::size_t>(shape.segments()));
        testing::plain_quantize(shape, x.data(), values.data(), scales.data());
        const auto q = quantise(kind, x, group);
        CAPTURE(round, activation_name(kind), x.size(), group, exponent);
        REQUIRE(q.problem.ok());
        CHECK(q.values == values);
        CHECK(q.scales == scales);
    }
}

TEST_CASE("a batch is the same as its tokens one by one", "[activation]") {
    testing::generator r(12);
    constexpr std::size_t cols = 97;
    std::vector<float> x(5 * cols);
    for (float& v : x) v = r.spread();
    for (const activation_id kind :
         {activation_id::int8, activation_id::int4, activation_id::int2, activation_id::sign}) {
        const activation_shape shape{kind, 5, cols, 32};
        const auto batch = activation_test::quantise_with(dispatch::best(), shape, x);
        REQUIRE(batch.problem.ok());
        for (std::size_t m = 0; m < 5; ++m) {
            const auto at = [&](std::size_t i) {
                return x.begin() + static_cast<std::ptrdiff_t>(i);
            };
            const auto one = quantise(kind, {at(m * cols), at((m + 1) * cols)}, 32);
            const auto stride = static_cast<std::size_t>(shape.value_stride());
            CHECK(std::memcmp(one.values.data(), batch.values.data() + m * stride, stride) == 0);
            CHECK(std::memcmp(one.scales.data(), batch.scales.data() + m * 4, 4 * 4) == 0);
        }
    }
}

TEST_CASE("kinds are found by their ids", "[activation]") {
    CHECK(activation_name(activation_id::int8) == "int8");
    CHECK(activation_name(activation_id::int4) == "int4");
    CHECK(activation_name(activation_id::int2) == "int2");
    CHECK(activation_name(activation_id::sign) == "sign");
    CHECK(activation_name(static_cast<activation_id>(9)) == "unknown");
}
