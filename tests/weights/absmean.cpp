// SPDX-License-Identifier: MIT
// BitNet b1.58's rule bit for bit: s = 1 / max(mean|W|, 1e-5), t = clamp(round_half_even(W s)).
#include <catch2/catch_test_macros.hpp>
#include <cmath>
#include <limits>
#include <vector>

#include "trilobit/testing/random.hpp"
#include "trilobit/weights/quantize.hpp"

using namespace trilobit;

namespace {

struct quantised {
    status problem;
    std::vector<std::int8_t> values;
    std::vector<float> scales;
};

quantised absmean_of(const std::vector<float>& w, std::int64_t rows, std::int64_t cols,
                     scale_spec spec = {}) {
    quantised q;
    q.values.resize(w.size(), 99);
    q.scales.resize(static_cast<std::size_t>(spec.count(rows, cols)), -1.0f);
    q.problem = ternarize_absmean({w.data(), rows, cols}, spec, {q.values.data(), rows, cols},
                                  q.scales.data());
    return q;
}

/// The rule in its own words, with the standard library's half-even rounding.
std::int8_t by_the_rule(float w, float scale) {
    volatile float s = 1.0f / scale;
    volatile float p = w * s;
    return static_cast<std::int8_t>(std::fmax(-1.0f, std::fmin(1.0f, std::nearbyint(p))));
}

}  // namespace

TEST_CASE("half-even: 0.5 rounds to 0, 1.5 to 2 and is clamped", "[weights]") {
    // mean|W| is exactly 1, so the products are the weights.
    const std::vector<float> w = {0.5f, -0.5f, 1.5f, -1.5f, 2.0f, 0.0f};
    const quantised q = absmean_of(w, 1, 6);
    REQUIRE(q.problem.ok());
    CHECK(q.scales == std::vector<float>{1.0f});
    CHECK(q.values == std::vector<std::int8_t>{0, 0, 1, -1, 1, 0});
}

TEST_CASE("the neighbours of a tie fall to their own sides", "[weights]") {
    const float above = std::nextafter(0.5f, 1.0f), below = std::nextafter(0.5f, 0.0f);
    // The two deviations cancel, so the mean stays 1.
    const std::vector<float> w = {above, -above, below, -below, 2.0f, 2.0f};
    const quantised q = absmean_of(w, 1, 6);
    REQUIRE(q.problem.ok());
    CHECK(q.scales[0] == 1.0f);
    CHECK(q.values == std::vector<std::int8_t>{1, -1, 0, 0, 1, 1});
}

TEST_CASE("the mean is floored at 1e-5", "[weights]") {
    CHECK(absmean_of({0, 0, -0.0f, 0}, 2, 2).scales[0] == 1e-5f);
    CHECK(absmean_of({0, 0, -0.0f, 0}, 2, 2).values == std::vector<std::int8_t>(4, 0));
    const quantised tiny = absmean_of({6e-6f, -6e-6f, 4e-6f, 1e-40f}, 1, 4);
    CHECK(tiny.scales[0] == 1e-5f);
    CHECK(tiny.values == std::vector<std::int8_t>{1, -1, 0, 0});
}

TEST_CASE("random weights agree with the rule for every granularity", "[weights]") {
    testing::generator r(7);
    constexpr std::int64_t rows = 9, cols = 150;
    std::vector<float> w(rows * cols);
    for (float& v : w) v = r.unit() * 0.05f;
    const scale_spec specs[] = {scale_spec::tensor(),   scale_spec::row(),
                                scale_spec::group(32),  scale_spec::group(64),
                                scale_spec::group(128), scale_spec::group(256)};
    for (const scale_spec& spec : specs) {
        const quantised q = absmean_of(w, rows, cols, spec);
        REQUIRE(q.problem.ok());
        const std::int64_t width = spec.segment_cols(cols), segments = spec.segments(cols);
        int wrong = 0;
        for (std::int64_t n = 0; n < rows; ++n)
            for (std::int64_t k = 0; k < cols; ++k) {
                // The mean over everything that shares this weight's scale, in long double.
                long double sum = 0, count = 0;
                for (std::int64_t i = 0; i < rows; ++i)
                    for (std::int64_t j = 0; j < cols; ++j) {
                        const bool shared =
                            spec.per == granularity::tensor || (i == n && j / width == k / width);
                        if (!shared) continue;
                        sum += std::fabs(
                            static_cast<long double>(w[static_cast<std::size_t>(i * cols + j)]));
                        count += 1;
                    }
                const auto mean = static_cast<float>(sum / count);
                const auto at = static_cast<std::size_t>(n * cols + k);
                const auto scale_at = static_cast<std::size_t>(
                    spec.per == granularity::tensor ? 0 : n * segments + k / width);
                wrong += q.scales[scale_at] != mean;
                wrong += q.values[at] != by_the_rule(w[at], mean);
            }
        CAPTURE(spec.group_cols, static_cast<int>(spec.per));
        CHECK(wrong == 0);
    }
}

TEST_CASE("a weight that is no number is refused, wherever it is", "[weights]") {
    for (const float bad :
         {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity(),
          -std::numeric_limits<float>::infinity()})
        for (const std::size_t at : {std::size_t{0}, std::size_t{33}, std::size_t{99}})
            for (const scale_spec& spec :
                 {scale_spec::tensor(), scale_spec::row(), scale_spec::group(32)}) {
                std::vector<float> w(100, 0.25f);
                w[at] = bad;
                CHECK(absmean_of(w, 2, 50, spec).problem.code == errc::bad_value);
            }
}

TEST_CASE("the largest floats do not overflow the mean", "[weights]") {
    const float big = std::numeric_limits<float>::max();
    const quantised q = absmean_of({big, -big, big, big}, 2, 2);
    REQUIRE(q.problem.ok());
    CHECK(q.scales[0] == big);
    CHECK(q.values == std::vector<std::int8_t>{1, -1, 1, 1});
}
