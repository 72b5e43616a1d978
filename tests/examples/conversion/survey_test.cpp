// SPDX-License-Identifier: MIT
// Tests of surveys: over how many columns weights have one size, and of which kind they are.
#include "conversion/survey.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include <cmath>
#include <limits>

#include "made_rows.hpp"
#include "support/error.hpp"

using namespace tbx;
using conversion::survey;
using formats::kind;
using testing::made_rows;
using testing::trit;

namespace {

survey of(std::function<float(std::int64_t, std::int64_t)> value, std::int64_t width = 320) {
    static model::compute cpu(2);
    return {cpu, made_rows(70, width, std::move(value)), "x"};
}

float sign(std::int64_t i) { return i * 7 % 3 == 0 ? 1.0f : -1.0f; }

}  // namespace

TEST_CASE("survey: one size for the tensor, for rows, for groups of columns, or none") {
    const survey tensor = of([](auto r, auto c) { return 0.3f * trit(r + c); });
    CHECK(tensor.fits_tensor(kind::ternary));
    CHECK(tensor.unit(kind::ternary) == 0.3f);
    CHECK_FALSE(tensor.fits_tensor(kind::binary));

    const survey by_row =
        of([](auto r, auto c) { return (r % 2 == 0 ? 0.25f : 0.5f) * trit(r + c); });
    CHECK_FALSE(by_row.fits_tensor(kind::ternary));
    for (const int width : conversion::widths) CHECK(by_row.fits_runs(kind::ternary, width));

    const survey groups =
        of([](auto r, auto c) { return (c / 64 % 2 == 0 ? 0.3f : 0.5f) * trit(r + c); });
    CHECK_FALSE(groups.fits_runs(kind::ternary, 0));
    CHECK_FALSE(groups.fits_runs(kind::ternary, 128));
    CHECK(groups.fits_runs(kind::ternary, 64));
    CHECK(groups.fits_runs(kind::ternary, 32));
    CHECK_FALSE(groups.fits_runs(kind::ternary, 48));
    CHECK(groups.is_quantised());
    CHECK_FALSE(groups.halves(64));  // 0.3 is none

    const survey masters =
        of([](auto r, auto c) { return std::sin(static_cast<float>(r * 320 + c)); });
    for (const kind k : {kind::binary, kind::ternary, kind::quaternary, kind::quaternary_low,
                         kind::quaternary_odd}) {
        CHECK_FALSE(masters.fits_tensor(k));
        for (const int width : conversion::widths) CHECK_FALSE(masters.fits_runs(k, width));
    }
    CHECK_FALSE(masters.is_quantised());
}

TEST_CASE("survey: two signs and four levels are of their kinds") {
    const survey signs =
        of([](auto r, auto c) { return (c / 128 % 2 == 0 ? 0.25f : 1.5f) * sign(r + c); });
    CHECK(signs.fits_runs(kind::binary, 128));
    CHECK(signs.fits_runs(kind::ternary, 128));  // among which they are
    CHECK_FALSE(signs.fits_tensor(kind::binary));
    CHECK(signs.halves(128));
    const survey odd =
        of([](auto r, auto c) { return 0.125f * static_cast<float>((r + c) % 4 * 2 - 3); });
    CHECK(odd.fits_tensor(kind::quaternary_odd));
    CHECK_FALSE(odd.fits_tensor(kind::quaternary));
    const survey low =
        of([](auto r, auto c) { return 0.125f * static_cast<float>((r + c) % 4 - 2); });
    CHECK(low.fits_tensor(kind::quaternary_low));
    CHECK_FALSE(low.fits_tensor(kind::quaternary));
}

TEST_CASE("survey: zeros fit what has a zero; NaN and infinity are refused") {
    const survey zeros = of([](auto, auto) { return 0.0f; });
    CHECK(zeros.fits_tensor(kind::ternary));
    CHECK_FALSE(zeros.fits_tensor(kind::binary));
    for (const float bad :
         {std::numeric_limits<float>::infinity(), std::numeric_limits<float>::quiet_NaN()})
        CHECK_THROWS_AS(of([bad](auto r, auto c) { return r == 69 && c == 319 ? bad : 1.0f; }),
                        error);
}

TEST_CASE("survey: a last group that is narrower counts") {
    const auto value = [](auto r, auto c) { return (c < 256 ? 0.5f : 0.25f) * trit(r + c); };
    CHECK(of(value, 300).fits_runs(kind::ternary, 256));
    CHECK_FALSE(of(value, 300).fits_runs(kind::ternary, 0));
    CHECK_FALSE(of([](auto r, auto c) { return (c < 290 ? 0.5f : 0.25f) * trit(r + c); }, 300)
                    .fits_runs(kind::ternary, 32));
}
