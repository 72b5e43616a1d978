// SPDX-License-Identifier: MIT
// Tests of room formats: how few scales say what a matrix's say.
#include <catch2/catch_test_macros.hpp>

#include <vector>

#include "formats/rows.hpp"
#include "helpers.hpp"

using namespace tbx;
using formats::scale_per;
using formats::shape;
using testing::matrix;

namespace {

formats::scale_summary summary_of(const formats::format& f, const shape& s, const matrix& m) {
    const auto bytes = testing::written(f, s, m);
    return formats::summarise(formats::matrix_rows(f, bytes, s), 0, s.rows);
}

}  // namespace

TEST_CASE("scales that are alike are one, rows that differ have one each") {
    const shape s{3, 512};
    matrix m{testing::golden_trits(3 * 512), {0.5f, 0.5f, 0.5f, 0.5f, 0.5f, 0.5f}};
    CHECK(summary_of(formats::tq2_0, s, m).per == scale_per::tensor);
    CHECK(summary_of(formats::tq2_0, s, m).only == 0.5f);
    m.scales[1] = m.scales[4] = m.scales[5] = 0.0f;  // zeros say nothing
    CHECK(summary_of(formats::tq2_0, s, m).per == scale_per::tensor);
    CHECK(summary_of(formats::tq2_0, s, m).only == 0.5f);
    m.scales = {0.5f, 0.5f, 0.0f, 0.25f, 0.5f, 0.5f};
    CHECK(summary_of(formats::tq2_0, s, m).per == scale_per::row);
    m.scales[0] = 0.75f;
    CHECK(summary_of(formats::tq2_0, s, m).per == scale_per::group);
    m.scales.assign(6, 0.0f);
    CHECK(summary_of(formats::tq2_0, s, m).per == scale_per::tensor);
    CHECK_FALSE(summary_of(formats::tq2_0, s, m).any);
}

TEST_CASE("binary weights have no zero, so that a scale of 0 has to stay") {
    const shape s{2, 256};
    matrix m{testing::golden_signs(512), {0.5f, 0.0f, 0.5f, 0.5f}};
    CHECK(summary_of(formats::q1_0, s, m).per == scale_per::group);
    m.scales = {0.0f, 0.0f, 0.5f, 0.5f};
    CHECK(summary_of(formats::q1_0, s, m).per == scale_per::row);
    m.scales = {0.0f, 0.5f, 0.5f, 0.5f};
    CHECK(summary_of(formats::q1_0, s, m).per == scale_per::group);
    m.scales.assign(4, 0.0f);
    CHECK(summary_of(formats::q1_0, s, m).per == scale_per::tensor);
    CHECK(summary_of(formats::q1_0, s, m).only == 0.0f);
}

TEST_CASE("groups whose scale is 0 are zeros among others") {
    const shape s{1, 512};
    const matrix m{std::vector<std::int8_t>(512, 1), {0.5f, 0.0f}};
    const auto bytes = testing::written(formats::tq1_0, s, m);
    std::vector<std::int8_t> values(512);
    float scales[2];
    REQUIRE(formats::matrix_rows(formats::tq1_0, bytes, s).read_alike(0, values.data(), scales) ==
            formats::fault::none);
    for (std::size_t i = 0; i < 512; ++i) CHECK(values[i] == (i < 256 ? 1 : 0));
}
