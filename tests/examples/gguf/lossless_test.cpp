// SPDX-License-Identifier: MIT
// Tests of room gguf: floats that are ternary already become the tensor they came from, byte for
// byte, or are refused where the type has too few scales. Weights of training are rounded as ever.
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <catch2/matchers/catch_matchers.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include <cstring>
#include <limits>
#include <span>
#include <vector>

#include "gguf/dequantize.hpp"
#include "gguf/quantize.hpp"
#include "trilobit/core/float16.hpp"
#include "trilobit/testing/random.hpp"
#include "trilobit/weights/quantize.hpp"

using namespace tbx;
using gguf::tensor_type;
using Catch::Matchers::ContainsSubstring;

namespace {

constexpr std::int64_t lossless_rows = 3, lossless_cols = 512;

std::vector<std::int8_t> sparse_trits(std::uint64_t seed) {
    trilobit::testing::generator r(seed);
    std::vector<std::int8_t> trits;
    for (int i = 0; i < lossless_rows * lossless_cols; ++i)
        trits.push_back(
            static_cast<std::int8_t>(r.between(0, 3) == 0 ? 2 * r.between(0, 1) - 1 : 0));
    return trits;
}

/// trits * size(row, column).
template <class Size>
std::vector<float> floats_with(const std::vector<std::int8_t>& trits, Size size) {
    std::vector<float> values;
    for (std::int64_t row = 0; row < lossless_rows; ++row)
        for (std::int64_t col = 0; col < lossless_cols; ++col)
            values.push_back(
                static_cast<float>(trits[static_cast<std::size_t>(row * lossless_cols + col)]) *
                size(row, col));
    return values;
}

std::vector<float> values_of(tensor_type type, const std::vector<std::byte>& bytes) {
    gguf::tensor t;
    t.type = type;
    t.dimensions = 2;
    t.extent = {lossless_cols, lossless_rows, 1, 1};
    t.data = bytes;
    std::vector<float> values(lossless_rows * lossless_cols);
    for (std::int64_t r = 0; r < lossless_rows; ++r)
        gguf::dequantize_row(
            t, r, std::span(values).subspan(static_cast<std::size_t>(r * lossless_cols)));
    return values;
}

float half(float value) { return trilobit::f16_to_f32(trilobit::f32_to_f16(value)); }

}  // namespace

TEST_CASE("what a ternary tensor holds makes the same tensor again") {
    const auto type = GENERATE(tensor_type::tq1_0, tensor_type::tq2_0, tensor_type::i2_s);
    const auto trits = sparse_trits(1);
    for (const float scale : {0.0460f, 1.0f, 2.1e-4f, 300.0f}) {
        const auto bytes = gguf::encode_ternary(type, trits, lossless_cols, scale);
        const auto values = values_of(type, bytes);
        CAPTURE(gguf::name_of(type), scale);
        CHECK((gguf::ternarise(type, values, lossless_cols) == bytes));
    }
}

TEST_CASE("a scale for each 256 columns is kept where the type has it") {
    const auto trits = sparse_trits(2);
    // As TQ files have it, by row and by parts of rows.
    const auto by_block = floats_with(
        trits, [](auto row, auto col) { return half(0.01f * float(1 + row * 2 + col / 256)); });
    const auto by_row = floats_with(trits, [](auto row, auto) { return half(0.3f + float(row)); });
    for (const auto& values : {by_block, by_row}) {
        for (const auto type : {tensor_type::tq1_0, tensor_type::tq2_0}) {
            const auto bytes = gguf::ternarise(type, values, lossless_cols);
            CHECK((values_of(type, bytes) == values));
            CHECK((gguf::ternarise(type, values_of(type, bytes), lossless_cols) == bytes));
        }
        CHECK_THROWS_WITH(gguf::ternarise(tensor_type::i2_s, values, lossless_cols),
                          "I2_S: the weights are quantised already, with several scales where this "
                          "type holds one: for the tensor");
    }
}

TEST_CASE("more scales than any ternary type holds are refused") {
    const auto trits = sparse_trits(3);
    const auto groups = floats_with(
        trits, [](auto row, auto col) { return half(0.01f * float(1 + row * 20 + col / 32)); });
    // Halves of a matrix that was trained on two machines, whose border no group respects.
    const auto shards = floats_with(trits, [](auto, auto col) { return col < 200 ? 0.5f : 0.75f; });
    auto levels = floats_with(trits, [](auto, auto) { return 1.0f; });
    levels[5] = 3.0f;
    for (const auto& values : {groups, shards, levels})
        for (const auto type : {tensor_type::tq1_0, tensor_type::tq2_0, tensor_type::i2_s})
            CHECK_THROWS_WITH(gguf::ternarise(type, values, lossless_cols),
                              ContainsSubstring("quantised already, with several scales"));
}

TEST_CASE("weights of training are made ternary by BitNet's rule") {
    const auto type = GENERATE(tensor_type::tq1_0, tensor_type::tq2_0, tensor_type::i2_s);
    trilobit::testing::generator r(4);
    std::vector<float> values(lossless_rows * lossless_cols);
    for (float& v : values) v = half(r.unit() * 0.05f);  // as files of master weights have them
    std::vector<std::int8_t> trits(values.size());
    float scale = 0;
    REQUIRE(trilobit::ternarize_absmean({values.data(), lossless_rows, lossless_cols}, {},
                                        {trits.data(), lossless_rows, lossless_cols}, &scale)
                .ok());
    CHECK((gguf::ternarise(type, values, lossless_cols) ==
           gguf::encode_ternary(type, trits, lossless_cols, scale)));
    values[7] = std::numeric_limits<float>::infinity();
    CHECK_THROWS_WITH(gguf::ternarise(type, values, lossless_cols), ContainsSubstring("infinite"));
}

TEST_CASE("values and scales that half precision would make something else are refused") {
    std::vector<float> values(256, 1.0f);
    values[3] = 65520.0f;
    CHECK_THROWS_WITH(gguf::quantize(tensor_type::f16, values, 256),
                      ContainsSubstring("too large"));
    values[3] = std::numeric_limits<float>::max();
    CHECK_THROWS_WITH(gguf::quantize(tensor_type::bf16, values, 256),
                      ContainsSubstring("too large"));
    values[3] = 65519.0f;
    CHECK_NOTHROW(gguf::quantize(tensor_type::f16, values, 256));
    const std::vector<std::int8_t> trits(256, 1);
    for (const auto type : {tensor_type::tq1_0, tensor_type::tq2_0}) {
        CHECK_THROWS_WITH(gguf::encode_ternary(type, trits, 256, 1e-9f),
                          ContainsSubstring("too small"));
        CHECK_THROWS_WITH(gguf::encode_ternary(type, trits, 256, 1.5e-7f),
                          ContainsSubstring("too small"));
        CHECK_NOTHROW(gguf::encode_ternary(type, trits, 256, 1e-5f));  // absmean's least
    }
    CHECK_NOTHROW(gguf::encode_ternary(tensor_type::i2_s, trits, 256, 1e-9f));
}
