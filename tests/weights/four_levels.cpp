// SPDX-License-Identifier: MIT
// Four levels: floats go to the nearest one, and those that lie on levels already lose nothing.
#include <catch2/catch_template_test_macros.hpp>
#include <catch2/catch_test_macros.hpp>
#include <cmath>
#include <vector>

#include "trilobit/testing/random.hpp"
#include "trilobit/weights/quantize.hpp"

using namespace trilobit;

namespace {

struct four {
    std::vector<std::int8_t> values;
    std::vector<float> scales;
};

template <class Kind>
four levels_of(const std::vector<float>& w, std::int64_t rows, const scale_spec& spec) {
    const std::int64_t cols = std::ssize(w) / rows;
    four q{std::vector<std::int8_t>(w.size()),
           std::vector<float>(static_cast<std::size_t>(spec.count(rows, cols)))};
    REQUIRE(quantize_four_levels<Kind>({w.data(), rows, cols}, spec, {q.values.data(), rows, cols},
                                       q.scales.data())
                .ok());
    return q;
}

/// What a kind's values times one size are; the first is never zero, so that sizes show.
template <class Kind>
four on_levels(std::int64_t count, float size, std::uint64_t seed, std::vector<float>& w) {
    testing::generator r(seed);
    four q{{}, {size}};
    for (std::int64_t i = 0; i < count; ++i) {
        auto v =
            static_cast<std::int8_t>(i % 40 == 0 ? -1 : r.between(Kind::lowest, Kind::highest));
        while (!Kind::holds(v)) ++v;
        q.values.push_back(v);
        w.push_back(static_cast<float>(v) * size);
    }
    return q;
}

}  // namespace

TEMPLATE_TEST_CASE("a float takes the nearest of four levels", "[weights]", quaternary<2>,
                   quaternary<3>, quaternary<4>) {
    testing::generator r(1);
    std::vector<float> w(3 * 500);
    for (float& v : w) v = r.unit() * r.unit();
    for (const scale_spec& spec :
         {scale_spec::tensor(), scale_spec::row(), scale_spec::group(64)}) {
        const four q = levels_of<TestType>(w, 3, spec);
        for (std::size_t i = 0; i < w.size(); ++i) {
            const auto row = static_cast<std::int64_t>(i / 500),
                       col = static_cast<std::int64_t>(i % 500);
            const std::int64_t at = spec.per == granularity::tensor
                                        ? 0
                                        : row * spec.segments(500) + col / spec.segment_cols(500);
            const double s = q.scales[static_cast<std::size_t>(at)];
            REQUIRE(TestType::holds(q.values[i]));
            const double off = std::fabs(s * q.values[i] - w[i]);
            for (int v = TestType::lowest; v <= TestType::highest; v += TestType::step)
                REQUIRE(off <= std::fabs(s * v - w[i]));
        }
    }
}

TEMPLATE_TEST_CASE("levels lie 5/4 of the mean apart", "[weights]", quaternary<2>, quaternary<3>,
                   quaternary<4>) {
    // |w|: 1, 3, 4, 7, 5, mean 4.
    const four q = levels_of<TestType>({1, -3, 4, -7, 5}, 1, {});
    CHECK(q.scales[0] * TestType::step == 5.0f);
    const four zeros = levels_of<TestType>(std::vector<float>(9, 0.0f), 1, {});
    CHECK(zeros.scales[0] * TestType::step == 1.25e-5f);
    for (const std::int8_t v : zeros.values) CHECK(v == TestType::padding);
}

TEMPLATE_TEST_CASE("weights that lie on four levels keep values and size", "[weights]",
                   quaternary<2>, quaternary<3>, quaternary<4>) {
    for (const float size : {1.0f, 0.046f, 3e-6f, 1e-30f, 1e-41f, 0x1p-149f, 1e38f}) {
        std::vector<float> w;
        const four given = on_levels<TestType>(4 * 320, size, 2, w);
        CAPTURE(size);
        for (const scale_spec& spec :
             {scale_spec::tensor(), scale_spec::row(), scale_spec::group(64)}) {
            const four found = levels_of<TestType>(w, 4, spec);
            CHECK(found.values == given.values);
            for (const float s : found.scales) CHECK(s == size);
        }
        // One weight off its level, wherever it lies, and the mean decides.
        for (const std::size_t at : {std::size_t{1}, std::size_t{64}, w.size() - 1}) {
            std::vector<float> off = w;
            off[at] = size * 1.0625f;
            if (off[at] == size) continue;
            CHECK(levels_of<TestType>(off, 4, {}).scales[0] != size);
        }
    }
}

TEST_CASE("levels of one zero point are not those of another", "[weights]") {
    const std::vector<float> up = {-1, 0, 1, 2}, low = {1, 0, -1, -2}, odd = {-3, -1, 1, 3};
    CHECK(levels_of<quaternary<2>>(up, 1, {}).scales[0] == 1.0f);
    CHECK(levels_of<quaternary<2>>(low, 1, {}).scales[0] == 1.25f);
    CHECK(levels_of<quaternary<2>>(odd, 1, {}).scales[0] == 2.5f);
    CHECK(levels_of<quaternary<4>>(low, 1, {}).scales[0] == 1.0f);
    CHECK(levels_of<quaternary<4>>(up, 1, {}).scales[0] == 1.25f);
    CHECK(levels_of<quaternary<3>>(odd, 1, {}).scales[0] == 1.0f);
    CHECK(levels_of<quaternary<3>>(up, 1, {}).scales[0] == 0.625f);
    // Trits, and a zero point of 1.5 whose levels are not doubled yet.
    CHECK(levels_of<quaternary<2>>({0, -0.5f, 0.5f, 0}, 1, {}).scales[0] == 0.5f);
    const four halves = levels_of<quaternary<3>>({-1.5f, -0.5f, 0.5f, 1.5f}, 1, {});
    CHECK(halves.values == std::vector<std::int8_t>{-3, -1, 1, 3});
    CHECK(halves.scales[0] == 0.5f);
}

TEST_CASE("values fit a kind where one size makes them its own", "[weights]") {
    const auto fits = []<class Kind>(Kind, const std::vector<float>& w) {
        return values_of(w.data(), std::ssize(w)).fit<Kind>();
    };
    CHECK(fits(ternary{}, {}));
    CHECK(fits(ternary{}, {0.0f, -0.0f}));
    CHECK(fits(ternary{}, {0.0f, 0.5f, -0.5f}));
    CHECK_FALSE(fits(ternary{}, {0.0f, 0.5f, -0.25f}));
    CHECK_FALSE(fits(ternary{}, {NAN, NAN}));
    CHECK(fits(binary{}, {0.5f, -0.5f}));
    CHECK_FALSE(fits(binary{}, {0.0f, 0.0f}));
    CHECK(fits(quaternary<2>{}, {1.0f, 0.5f, -0.5f}));
    CHECK_FALSE(fits(quaternary<2>{}, {-1.0f, 0.5f, -0.5f}));
}
