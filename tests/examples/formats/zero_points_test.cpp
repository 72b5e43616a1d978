// SPDX-License-Identifier: MIT
// Tests of room formats: zero points and scales that lie in tensors of their own.
#include <catch2/catch_test_macros.hpp>

#include <limits>
#include <vector>

#include "helpers.hpp"

using namespace tbx;
using formats::kind;

TEST_CASE("MLX's scale and bias are a kind of values and their scale") {
    const auto level = [](float scale, float bias, int bits) {
        return formats::mlx_level_of(scale, bias, bits);
    };
    CHECK(level(1.0f, -0.5f, 1)->values == kind::binary);
    CHECK(level(1.0f, -0.5f, 1)->scale == 0.5f);
    CHECK(level(0.25f, -0.25f, 2)->values == kind::quaternary);
    CHECK(level(0.25f, -0.5f, 2)->values == kind::quaternary_low);
    CHECK(level(0.25f, -0.375f, 2)->values == kind::quaternary_odd);
    CHECK(level(0.25f, -0.375f, 2)->scale == 0.125f);
    CHECK_FALSE(level(1.0f, -0.25f, 1));
    CHECK_FALSE(level(1.0f, 0.0f, 2));
    CHECK_FALSE(level(1.0f, -1.25f, 2));
    CHECK_FALSE(level(0.0f, 1.0f, 2));
    CHECK_FALSE(level(1.0f, -1.0f, 4));
    CHECK_FALSE(level(std::numeric_limits<float>::infinity(), -1.0f, 2));
    CHECK_FALSE(level(1.0f, std::numeric_limits<float>::quiet_NaN(), 2));
}

TEST_CASE("all groups of an MLX matrix are of one kind") {
    std::vector<float> scales{0.25f, 0.0f, 0.5f}, biases{-0.375f, 0.0f, -0.75f};
    CHECK(formats::mlx_kind(scales, biases, 2) == kind::quaternary_odd);
    CHECK(scales == std::vector<float>{0.125f, 0.0f, 0.25f});
    CHECK(&formats::mlx_format(kind::quaternary_odd) == &formats::mlx_2bit_odd);
    std::vector<float> mixed{0.25f, 0.5f}, of{-0.25f, -1.0f};
    CHECK_FALSE(formats::mlx_kind(mixed, of, 2));
    std::vector<float> zeros{0.0f, 0.0f};
    CHECK(formats::mlx_kind(zeros, std::vector<float>{0.0f, 0.0f}, 2) == kind::quaternary);
    CHECK_FALSE(formats::mlx_kind(zeros, std::vector<float>{0.0f}, 2));
}

TEST_CASE("codes are what each zero point makes of them") {
    const std::vector<std::byte> codes{std::byte{0xe4}, std::byte{0x1b}, std::byte{0xe4},
                                       std::byte{0x1b}};  // 0 1 2 3 3 2 1 0, twice
    const auto first = [&](const formats::format& f) {
        testing::matrix got;
        REQUIRE(testing::read(f, {1, 16}, codes, got) == formats::fault::none);
        return std::vector<int>(got.values.begin(), got.values.begin() + 8);
    };
    CHECK(first(formats::mlx_2bit) == std::vector<int>{-1, 0, 1, 2, 2, 1, 0, -1});
    CHECK(first(formats::gsq) == std::vector<int>{-2, -1, 0, 1, 1, 0, -1, -2});
    CHECK(first(formats::matmul_nbits_odd) == std::vector<int>{-3, -1, 1, 3, 3, 1, -1, -3});
}

TEST_CASE("MatMulNBits' zero points must be one for all") {
    CHECK(formats::kind_of_zero_point(1.0f) == kind::quaternary);
    CHECK(formats::kind_of_zero_point(1.5f) == kind::quaternary_odd);
    CHECK(formats::kind_of_zero_point(2.0f) == kind::quaternary_low);
    CHECK_FALSE(formats::kind_of_zero_point(0.0f));
    CHECK_FALSE(formats::kind_of_zero_point(1.25f));
    CHECK_FALSE(formats::kind_of_zero_point(std::numeric_limits<float>::quiet_NaN()));
    // Two rows of five blocks: the rest of the second byte of each has no meaning.
    const std::vector<std::byte> ones{std::byte{0x55}, std::byte{0xfd}, std::byte{0x55},
                                      std::byte{0x01}};
    CHECK(formats::packed_zero_point(ones, 2, 5) == 1);
    CHECK_FALSE(formats::packed_zero_point(ones, 2, 6));
    CHECK_FALSE(formats::packed_zero_point(ones, 3, 5));
    CHECK_FALSE(formats::packed_zero_point({}, 0, 0));
}

TEST_CASE("Hugging Face's scale is multiplied by or divided by") {
    CHECK(formats::hf_scale(4.0f, true) == 4.0f);
    CHECK(formats::hf_scale(4.0f, false) == 0.25f);
    CHECK_FALSE(formats::hf_scale(0.0f, false));
    CHECK_FALSE(formats::hf_scale(std::numeric_limits<float>::quiet_NaN(), true));
    CHECK_FALSE(formats::hf_scale(std::numeric_limits<float>::infinity(), false));
}
