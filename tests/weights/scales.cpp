// SPDX-License-Identifier: MIT
// Which columns share a scale, and the shapes that are refused.
#include "trilobit/weights/scale.hpp"

#include <catch2/catch_test_macros.hpp>

#include "trilobit/weights/quantize.hpp"

using namespace trilobit;

TEST_CASE("scales are counted by tensor, row and group", "[weights]") {
    STATIC_CHECK(scale_spec::tensor().count(7, 100) == 1);
    STATIC_CHECK(scale_spec::row().count(7, 100) == 7);
    STATIC_CHECK(scale_spec::group(32).count(7, 100) == 28);
    STATIC_CHECK(scale_spec::group(32).segments(96) == 3);
    STATIC_CHECK(scale_spec::group(32).segments(97) == 4);
    STATIC_CHECK(scale_spec::group(256).segments(1) == 1);
    STATIC_CHECK(scale_spec::row().segments(0) == 0);
    STATIC_CHECK(scale_spec::group(32).count(5, 0) == 0);
    STATIC_CHECK(scale_spec::tensor().count(0, 0) == 1);
}

TEST_CASE("only four widths of groups are valid", "[weights]") {
    for (int width = -300; width <= 300; ++width) {
        const bool good = width == 32 || width == 64 || width == 128 || width == 256;
        CHECK(valid_group(width) == good);
        CHECK(check_scale_spec({granularity::group, width, scale_type::f32}).ok() == good);
    }
    CHECK_FALSE(check_scale_spec({granularity::tensor, 32, scale_type::f32}).ok());
    CHECK_FALSE(check_scale_spec({granularity::row, 32, scale_type::f16}).ok());
    CHECK_FALSE(check_scale_spec({static_cast<granularity>(3), 0, scale_type::f16}).ok());
    CHECK_FALSE(check_scale_spec({granularity::row, 0, static_cast<scale_type>(2)}).ok());
}

TEST_CASE("misfit shapes are refused before anything is written", "[weights]") {
    const float w[6] = {1, 2, 3, 4, 5, 6};
    std::int8_t values[6] = {9, 9, 9, 9, 9, 9};
    float scale = -1;
    CHECK(ternarize_absmean({w, 2, 3}, {}, {values, 3, 2}, &scale).code == errc::bad_shape);
    CHECK(ternarize_absmean({w, 2, 3}, {}, {values, 2, 2}, &scale).code == errc::bad_shape);
    CHECK(ternarize_absmean({nullptr, 2, 3}, {}, {values, 2, 3}, &scale).code == errc::bad_shape);
    CHECK(ternarize_absmean({w, -2, 3}, {}, {values, 2, 3}, &scale).code == errc::bad_shape);
    CHECK(ternarize_absmean({w, 2, 3, 2}, {}, {values, 2, 3}, &scale).code == errc::bad_shape);
    CHECK(ternarize_absmean({w, 2, 3}, {granularity::group, 48, {}}, {values, 2, 3}, &scale).code ==
          errc::bad_shape);
    CHECK(values[0] == 9);
    CHECK(scale == -1);
}

TEST_CASE("strides of weights and of values are their own", "[weights]") {
    const float w[8] = {1, -1, 77, 77, -1, 1, 77, 77};  // (2, 2), stride 4
    std::int8_t values[6] = {9, 9, 9, 9, 9, 9};         // (2, 2), stride 3
    float scale = -1;
    REQUIRE(ternarize_absmean({w, 2, 2, 4}, {}, {values, 2, 2, 3}, &scale).ok());
    CHECK(scale == 1.0f);
    const std::int8_t want[6] = {1, -1, 9, -1, 1, 9};
    for (int i = 0; i < 5; ++i) CHECK(values[i] == want[i]);
}

TEST_CASE("a matrix without elements is quantised to nothing", "[weights]") {
    float scale = -1;
    CHECK(ternarize_absmean({nullptr, 0, 5}, {}, {nullptr, 0, 5}, &scale).ok());
    CHECK(ternarize_absmean({nullptr, 5, 0}, scale_spec::row(), {nullptr, 5, 0}, &scale).ok());
}
