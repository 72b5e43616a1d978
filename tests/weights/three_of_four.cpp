// SPDX-License-Identifier: MIT
// Three of four: the least of four floats becomes 0; rows that keep the rule already lose nothing.
#include <catch2/catch_test_macros.hpp>
#include <cmath>
#include <vector>

#include "trilobit/testing/random.hpp"
#include "trilobit/weights/quantize.hpp"

using namespace trilobit;

namespace {

struct three {
    std::vector<std::int8_t> values;
    std::vector<float> scales;
};

three three_of(const std::vector<float>& w, std::int64_t rows, const scale_spec& spec = {}) {
    const std::int64_t cols = std::ssize(w) / rows;
    three q{std::vector<std::int8_t>(w.size()),
            std::vector<float>(static_cast<std::size_t>(spec.count(rows, cols)))};
    REQUIRE(keep_three_of_four({w.data(), rows, cols}, spec, {q.values.data(), rows, cols},
                               q.scales.data())
                .ok());
    return q;
}

using trits = std::vector<std::int8_t>;

}  // namespace

TEST_CASE("the least of four becomes 0, the scale is the mean of the others", "[weights]") {
    const three q = three_of({1, -3, 0.5f, 2, /**/ -8, -4, 5, 6.5f}, 1);
    CHECK(q.values == trits{1, -1, 0, 1, -1, 0, 1, 1});
    CHECK(q.scales[0] == (1 + 3 + 2 + 8 + 5 + 6.5f) / 6);
    // Of equal ones the first; what is left of a row is kept.
    CHECK(three_of({2, -1, 1, 1, /**/ 3, -5, 7}, 1).values == trits{1, 0, 1, 1, 1, -1, 1});
    CHECK(three_of({2, -1, 1, 1, /**/ 3, -5, 7}, 1).scales[0] == (2 + 1 + 1 + 3 + 5 + 7) / 6.0f);
}

TEST_CASE("each row or group has the mean of what it keeps", "[weights]") {
    testing::generator r(1);
    std::vector<float> w(5 * 150);
    for (float& v : w) v = r.unit();
    for (const scale_spec& spec :
         {scale_spec::tensor(), scale_spec::row(), scale_spec::group(32)}) {
        const three q = three_of(w, 5, spec);
        const std::int64_t segments = spec.segments(150);
        std::vector<double> sum(q.scales.size());
        std::vector<int> kept(q.scales.size());
        for (std::int64_t row = 0; row < 5; ++row) {
            CHECK(holds_row<three_of_four>(q.values.data() + row * 150, 150));
            for (std::int64_t col = 0; col < 150; ++col) {
                const auto i = static_cast<std::size_t>(row * 150 + col);
                const auto at =
                    static_cast<std::size_t>(spec.per == granularity::tensor
                                                 ? 0
                                                 : row * segments + col / spec.segment_cols(150));
                if (q.values[i] != 0) {
                    sum[at] += std::fabs(static_cast<double>(w[i]));
                    ++kept[at];
                    CHECK((w[i] < 0) == (q.values[i] < 0));
                }
            }
        }
        for (std::size_t i = 0; i < sum.size(); ++i)  // a double's sums, in another order
            CHECK(std::fabs(q.scales[i] / (sum[i] / kept[i]) - 1) < 1e-7);
    }
}

TEST_CASE("trits stay trits, whether they keep the rule or not", "[weights]") {
    const trits good = {1, 0, -1, 1, 0, 1, 1, 1, -1, 0}, bad = {1, 0, 0, -1, 1, 1, 1, 1, 0, 0};
    for (const float size : {1.0f, 0.046f, 1e-41f, 3e38f})
        for (const trits& t : {good, bad}) {
            std::vector<float> w;
            for (const std::int8_t v : t) w.push_back(static_cast<float>(v) * size);
            const three q = three_of(w, 1);
            CHECK(q.values == t);
            CHECK(q.scales[0] == size);
        }
    CHECK(holds_row<three_of_four>(good.data(), 10));
    CHECK(first_refused<three_of_four>(good.data(), 10) == 10);
    CHECK_FALSE(holds_row<three_of_four>(bad.data(), 10));
    CHECK(first_refused<three_of_four>(bad.data(), 10) == 0);
    CHECK(first_refused<three_of_four>(bad.data() + 4, 6) == 0);
    CHECK(first_refused<three_of_four>(bad.data() + 8, 2) == 0);
    const trits odd = {1, 0, -1, 1, 0, 1, 2, 1, -1, 0};
    CHECK(first_refused<three_of_four>(odd.data(), 10) == 6);
    CHECK(first_refused<ternary>(odd.data(), 10) == 6);
}

TEST_CASE("a row of zeros is three signs of four with a scale of 0", "[weights]") {
    const three q = three_of(std::vector<float>(2 * 40, 0.0f), 2, scale_spec::row());
    CHECK(q.scales == std::vector<float>{0, 0});
    CHECK(holds_row<three_of_four>(q.values.data(), 40));
}

TEST_CASE("no rule is made of numbers that are none", "[weights]") {
    for (const float bad : {std::nanf(""), -INFINITY})
        for (std::size_t at = 0; at < 9; ++at) {
            std::vector<float> w = {1, 2, 3, 4, 5, 6, 7, 8, 9};
            w[at] = bad;
            std::vector<std::int8_t> values(9);
            float scale = 0;
            CHECK(keep_three_of_four({w.data(), 1, 9}, {}, {values.data(), 1, 9}, &scale).code ==
                  errc::bad_value);
        }
}

TEST_CASE("any trits are made to keep the rule, and those that do are left alone", "[weights]") {
    for (int count = 1; count <= 4; ++count)
        for (int n = 0; n < 81; ++n) {
            trits t;
            for (int i = 0, digits = n; i < count; ++i, digits /= 3)
                t.push_back(static_cast<std::int8_t>(digits % 3 - 1));
            const trits was = t;
            const bool held = three_of_four::holds_group(t.data(), count);
            three_of_four::fit_group(t.data(), count);
            CHECK(three_of_four::holds_group(t.data(), count));
            CHECK((!held || t == was));
        }
}
