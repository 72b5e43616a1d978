// SPDX-License-Identifier: MIT
// Floats that are quantised already keep every bit: their one magnitude is the scale.
#include <catch2/catch_test_macros.hpp>
#include <cmath>
#include <vector>

#include "trilobit/testing/random.hpp"
#include "trilobit/weights/quantize.hpp"

using namespace trilobit;

namespace {

constexpr std::int64_t row_count = 7, col_count = 150;
const scale_spec exact_specs[] = {scale_spec::tensor(), scale_spec::row(), scale_spec::group(32),
                                  scale_spec::group(128)};

struct unit_values {
    std::vector<std::int8_t> values = std::vector<std::int8_t>(row_count * col_count);
    std::vector<float> scales;

    explicit unit_values(const scale_spec& spec)
        : scales(static_cast<std::size_t>(spec.count(row_count, col_count))) {}
    [[nodiscard]] float weight(const scale_spec& spec, std::int64_t row, std::int64_t col) const {
        const std::int64_t at =
            spec.per == granularity::tensor
                ? 0
                : row * spec.segments(col_count) + col / spec.segment_cols(col_count);
        return static_cast<float>(values[static_cast<std::size_t>(row * col_count + col)]) *
               scales[static_cast<std::size_t>(at)];
    }
    [[nodiscard]] std::vector<float> weights(const scale_spec& spec) const {
        std::vector<float> all;
        for (std::int64_t n = 0; n < row_count; ++n)
            for (std::int64_t k = 0; k < col_count; ++k) all.push_back(weight(spec, n, k));
        return all;
    }
};

template <class Quantise>
unit_values of(const std::vector<float>& w, const scale_spec& spec, Quantise quantise) {
    unit_values q(spec);
    REQUIRE(quantise({w.data(), row_count, col_count}, spec,
                     {q.values.data(), row_count, col_count}, q.scales.data())
                .ok());
    return q;
}

/// Few of the weights of a unit are not zero, so that their mean is far from their size.
unit_values random_trits(const scale_spec& spec, std::uint64_t seed) {
    testing::generator r(seed);
    unit_values q(spec);
    for (std::int8_t& t : q.values)
        t = static_cast<std::int8_t>(r.between(0, 3) == 0 ? 2 * r.between(0, 1) - 1 : 0);
    for (float& s : q.scales) s = std::fabs(r.unit()) * 0.1f + 0x1p-30f;
    return q;
}

}  // namespace

TEST_CASE("weights that are ternary already keep their size", "[weights]") {
    for (const scale_spec& spec : exact_specs)
        for (const float size : {1.0f, 0.0460f, 3e-6f, 1e-30f, 1e-41f, 3e38f}) {
            unit_values given = random_trits(spec, 3);
            if (spec.per == granularity::tensor) given.scales[0] = size;
            const std::vector<float> w = given.weights(spec);
            const unit_values found = of(w, spec, ternarize_absmean);
            CAPTURE(spec.group_cols, static_cast<int>(spec.per), size);
            CHECK((found.values == given.values));
            CHECK((found.weights(spec) == w));
        }
}

TEST_CASE("one weight of another size, and the mean decides again", "[weights]") {
    for (const std::size_t at :
         {std::size_t{0}, std::size_t{63}, std::size_t{64}, std::size_t{149}, std::size_t{1049}}) {
        std::vector<float> w(row_count * col_count, 0.5f);
        w[1] = 0;
        w[at] = std::nextafter(0.5f, 1.0f);
        double sum = 0;
        for (const float x : w) sum += static_cast<double>(std::fabs(x));
        const unit_values found = of(w, {}, ternarize_absmean);
        CHECK(found.scales[0] == static_cast<float>(sum / (row_count * col_count)));
        CHECK(found.scales[0] < 0.5f);
    }
}

TEST_CASE("rows of different sizes are exact by row and rounded by tensor", "[weights]") {
    const unit_values given = random_trits(scale_spec::row(), 4);
    const std::vector<float> w = given.weights(scale_spec::row());
    CHECK((of(w, scale_spec::row(), ternarize_absmean).weights(scale_spec::row()) == w));
    double sum = 0;
    for (const float x : w) sum += static_cast<double>(std::fabs(x));
    const unit_values found = of(w, {}, ternarize_absmean);
    CHECK(found.scales[0] == static_cast<float>(sum / (row_count * col_count)));
}

TEST_CASE("weights that are plus and minus one size keep signs and size", "[weights]") {
    testing::generator r(5);
    for (const scale_spec& spec : exact_specs) {
        unit_values given(spec);
        // Mostly +1: the mean is close to the size, in some groups it is the size.
        for (std::int8_t& v : given.values)
            v = static_cast<std::int8_t>(r.between(0, 30) == 0 ? -1 : 1);
        for (float& s : given.scales) s = std::fabs(r.unit()) + 0.01f;
        const std::vector<float> w = given.weights(spec);
        const unit_values found = of(w, spec, binarize_sign);
        CAPTURE(spec.group_cols, static_cast<int>(spec.per));
        CHECK((found.values == given.values));
        CHECK((found.weights(spec) == w));
    }
}

TEST_CASE("zeros are no sign, so with them the mean decides", "[weights]") {
    std::vector<float> w(row_count * col_count, 0.5f);
    for (const std::size_t at : {std::size_t{0}, std::size_t{600}, w.size() - 1}) {
        std::vector<float> with = w;
        with[at] = 0;
        const unit_values found = of(with, {}, binarize_sign);
        CHECK(found.values[at] == -1);
        CHECK(found.values[1] == 1);
        CHECK(found.scales[0] ==
              static_cast<float>(0.5 * (row_count * col_count - 1) / (row_count * col_count)));
    }
}
