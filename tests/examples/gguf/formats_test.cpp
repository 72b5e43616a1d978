// SPDX-License-Identifier: MIT
// Tests of room gguf: tensor formats, bit by bit, against bytes that the formats' own tools wrote
// for ternary values from a small generator.
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <catch2/matchers/catch_matchers.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <vector>

#include "gguf/dequantize.hpp"
#include "gguf/quantize.hpp"
#include "gguf/weight_rows.hpp"
#include "test_bytes.hpp"
#include "trilobit/core/float16.hpp"

using namespace tbx;
using gguf::tensor_type;
using Catch::Matchers::ContainsSubstring;

namespace {

const std::string golden_tq1_0 = "7bc2a86f3547ec3f51580ed1c8500ef7a1caf2b82c9d1b3ecc0b663d47bf645ef"
                                 "69410448832c16862ec922f4b515032"
                                 "30d72a7f0038";
const std::string golden_tq2_0 = "8562a9a164588a48680150160668502a99065a525459a04846109148582251819"
                                 "a85105026a12a96158a0590906021a0"
                                 "2a9a21485646516191695864299959460038";
const std::string golden_q2_0 = "003859208482a904125821a94289268981020038a806529851251419a665111452"
                                "656191003806a619101a5a05950661"
                                "19008a05686a0038516a41a9269199164a88888648555658";
const std::string golden_q1_0 =
    "003808765da1720fd88245e574570d04795900389216031d063246594cb2ecae1423b353";
const std::string golden_i2_s = "52896a4a1925a22129400594902905a86690a58515650a219104462125884542a6"
                                "520405984aa89654a250060609480a"
                                "a8a648219591454946692519686665910000003f00000000000000000000000000"
                                "000000000000000000000000000000";

std::vector<std::byte> from_hex(const std::string& hex) {
    std::vector<std::byte> bytes;
    for (std::size_t i = 0; i < hex.size(); i += 2) {
        bytes.push_back(static_cast<std::byte>(std::stoi(hex.substr(i, 2), nullptr, 16)));
    }
    return bytes;
}

// The generator that the golden bytes were made with.
std::vector<std::uint32_t> draws(std::size_t count) {
    std::vector<std::uint32_t> values(count);
    std::uint32_t x = 1;
    for (std::uint32_t& value : values) value = (x = x * 1664525u + 1013904223u) >> 16;
    return values;
}

std::vector<std::int8_t> golden_trits() {
    std::vector<std::int8_t> trits;
    for (const std::uint32_t x : draws(256)) {
        trits.push_back(static_cast<std::int8_t>(static_cast<int>(x % 3) - 1));
    }
    return trits;
}

std::vector<float> halves(const std::vector<std::int8_t>& trits) {
    std::vector<float> values;
    for (const std::int8_t t : trits) values.push_back(0.5f * static_cast<float>(t));
    return values;
}

gguf::tensor tensor_of(tensor_type type, const std::vector<std::byte>& bytes, std::int64_t columns,
                       std::int64_t rows = 1) {
    gguf::tensor t;
    t.name = "t";
    t.type = type;
    t.dimensions = 2;
    t.extent = {columns, rows, 1, 1};
    t.data = bytes;
    REQUIRE(gguf::tensor_bytes(type, columns, rows) == static_cast<std::int64_t>(bytes.size()));
    return t;
}

std::vector<float> dequantized(tensor_type type, const std::vector<std::byte>& bytes,
                               std::int64_t columns, std::int64_t rows = 1) {
    const gguf::tensor t = tensor_of(type, bytes, columns, rows);
    std::vector<float> out(static_cast<std::size_t>(columns * rows));
    for (std::int64_t r = 0; r < rows; ++r) {
        gguf::dequantize_row(t, r, std::span(out).subspan(static_cast<std::size_t>(r * columns)));
    }
    return out;
}

const gguf::reader& any_reader() {
    static const std::string bytes = testing::gguf_bytes(0, 0).string();
    static const gguf::reader reader("f.gguf", testing::bytes_of(bytes));
    return reader;
}

}  // namespace

TEST_CASE("ternary tensors are written as the formats' own tools write them") {
    const auto trits = golden_trits();
    CHECK(gguf::encode_ternary(tensor_type::tq1_0, trits, 256, 0.5f) == from_hex(golden_tq1_0));
    CHECK(gguf::encode_ternary(tensor_type::tq2_0, trits, 256, 0.5f) == from_hex(golden_tq2_0));
    CHECK(gguf::encode_ternary(tensor_type::i2_s, trits, 256, 0.5f) == from_hex(golden_i2_s));
    CHECK(gguf::encode_ternary(tensor_type::i2_s, trits, 128, 0.5f) == from_hex(golden_i2_s));
    CHECK(gguf::quantize(tensor_type::tq1_0, halves(trits), 256) == from_hex(golden_tq1_0));
    CHECK(gguf::quantize(tensor_type::tq2_0, halves(trits), 256) == from_hex(golden_tq2_0));
}

TEST_CASE("golden tensors give back their values") {
    const auto expected = halves(golden_trits());
    CHECK(dequantized(tensor_type::tq1_0, from_hex(golden_tq1_0), 256) == expected);
    CHECK(dequantized(tensor_type::tq2_0, from_hex(golden_tq2_0), 256) == expected);
    CHECK(dequantized(tensor_type::i2_s, from_hex(golden_i2_s), 256) == expected);
    CHECK(dequantized(tensor_type::i2_s, from_hex(golden_i2_s), 128, 2) == expected);
    CHECK(dequantized(tensor_type::q2_0, from_hex(golden_q2_0), 64, 4) == expected);
    std::vector<float> signs;
    for (const std::uint32_t x : draws(256)) signs.push_back(x % 2 != 0 ? 0.5f : -0.5f);
    CHECK(dequantized(tensor_type::q1_0, from_hex(golden_q1_0), 128, 2) == signs);
}

TEST_CASE("rows of few levels give values and scales") {
    const auto trits = golden_trits();
    const auto type = GENERATE(tensor_type::tq1_0, tensor_type::tq2_0, tensor_type::i2_s);
    CAPTURE(gguf::name_of(type));
    std::vector<std::int8_t> four(trits);
    for (int i = 1; i < 4; ++i) four.insert(four.end(), trits.rbegin(), trits.rend());
    const auto bytes = gguf::encode_ternary(type, four, 512, 0.75f);
    const gguf::weight_rows rows(any_reader(), tensor_of(type, bytes, 512, 2));
    REQUIRE(rows.scales_per_row() == (type == tensor_type::i2_s ? 1 : 2));
    std::vector<std::int8_t> values(512);
    std::vector<float> scales(static_cast<std::size_t>(rows.scales_per_row()));
    for (std::int64_t r = 0; r < 2; ++r) {
        rows.decode(r, values, scales);
        CHECK(std::equal(values.begin(), values.end(), four.begin() + r * 512));
        for (const float scale : scales) CHECK(scale == 0.75f);
    }
    CHECK_THROWS_AS(rows.decode(2, values, scales), error);
    CHECK_THROWS_AS(rows.decode(-1, values, scales), error);
    CHECK_THROWS_AS(rows.decode(0, std::span(values).first(511), scales), error);
}

TEST_CASE("rows of few levels know their zeros") {
    const auto type = GENERATE(tensor_type::tq1_0, tensor_type::tq2_0, tensor_type::i2_s);
    CAPTURE(gguf::name_of(type));
    std::vector<std::int8_t> trits(4 * 512, 0);
    trits[0 * 512] = 1;
    trits[2 * 512 + 511] = -1;
    auto bytes = gguf::encode_ternary(type, trits, 512, 0.75f);
    const gguf::weight_rows rows(any_reader(), tensor_of(type, bytes, 512, 4));
    for (const std::int64_t r : {0, 1, 2, 3}) CHECK(rows.is_zero(r) == (r == 1 || r == 3));
    if (type == tensor_type::i2_s) return;
    // The last group of row 2, whose scale is the last thing in it.
    const std::size_t end = bytes.size() / 4 * 3;
    bytes[end - 1] = bytes[end - 2] = std::byte{0};
    CHECK(rows.is_zero(2));
    bytes[end - 2] = std::byte{1};
    CHECK_FALSE(rows.is_zero(2));
}

TEST_CASE("codes and scales without meaning are refused, naming tensor and row") {
    const std::vector<std::int8_t> zeros(512, 0);
    std::vector<std::int8_t> values(256);
    std::vector<float> scales(1);
    SECTION("code 3 in TQ2_0") {
        auto bytes = gguf::encode_ternary(tensor_type::tq2_0, zeros, 256, 1.0f);
        bytes[66 + 40] |= std::byte{0xc0};
        const gguf::weight_rows rows(any_reader(), tensor_of(tensor_type::tq2_0, bytes, 256, 2));
        rows.decode(0, values, scales);
        CHECK_THROWS_WITH(rows.decode(1, values, scales),
                          "f.gguf: tensor 't', row 1: holds a code that is none of -1, 0, +1");
    }
    SECTION("code 3 in I2_S") {
        auto bytes = gguf::encode_ternary(tensor_type::i2_s, zeros, 256, 1.0f);
        bytes[0] |= std::byte{0x03};
        const gguf::weight_rows rows(any_reader(), tensor_of(tensor_type::i2_s, bytes, 256, 2));
        CHECK_THROWS_WITH(rows.decode(0, values, scales), ContainsSubstring("row 0: holds a code"));
    }
    SECTION("infinite scale in TQ2_0") {
        auto bytes = gguf::encode_ternary(tensor_type::tq2_0, zeros, 256, 1.0f);
        bytes[65] = std::byte{0x7c};
        bytes[64] = std::byte{0};
        const gguf::weight_rows rows(any_reader(), tensor_of(tensor_type::tq2_0, bytes, 256, 2));
        CHECK_THROWS_WITH(rows.decode(0, values, scales), ContainsSubstring("not a finite number"));
    }
    SECTION("NaN scale in I2_S") {
        auto bytes = gguf::encode_ternary(tensor_type::i2_s, zeros, 256, 1.0f);
        bytes[bytes.size() - 29] = std::byte{0x7f};
        bytes[bytes.size() - 30] = std::byte{0xff};
        const gguf::weight_rows rows(any_reader(), tensor_of(tensor_type::i2_s, bytes, 256, 2));
        CHECK_THROWS_WITH(rows.decode(1, values, scales), ContainsSubstring("not a finite number"));
    }
    SECTION("a type that is not of few levels") {
        const std::vector<std::byte> bytes(1024);
        CHECK_THROWS_WITH(gguf::weight_rows(any_reader(), tensor_of(tensor_type::f32, bytes, 256)),
                          "f.gguf: tensor 't' is F32, whose weights are not of few levels");
    }
}

TEST_CASE("plain floats pass through their widths") {
    const std::vector<float> values{0.0f,     -0.0f,    1.0f,       -2.5f,
                                    65504.0f, 0x1p-24f, 3.1415926f, -1e-3f};
    CHECK(dequantized(tensor_type::f32, gguf::quantize(tensor_type::f32, values, 4), 4, 2) ==
          values);
    const auto half = dequantized(tensor_type::f16, gguf::quantize(tensor_type::f16, values, 8), 8);
    const auto brain =
        dequantized(tensor_type::bf16, gguf::quantize(tensor_type::bf16, values, 8), 8);
    for (std::size_t i = 0; i < values.size(); ++i) {
        CHECK(half[i] == trilobit::f16_to_f32(trilobit::f32_to_f16(values[i])));
        CHECK(brain[i] == trilobit::bf16_to_f32(trilobit::f32_to_bf16(values[i])));
    }
}

TEST_CASE("Q8_0 holds 127 steps to the largest magnitude of each 32") {
    std::vector<float> values;
    for (int i = 0; i < 64; ++i) values.push_back(static_cast<float>(i < 32 ? i - 16 : 0));
    const auto bytes = gguf::quantize(tensor_type::q8_0, values, 64);
    REQUIRE(bytes.size() == 68);
    // d = 16 / 127 in half precision, and -16 is -127 steps.
    CHECK(bytes[0] == std::byte{0x08});
    CHECK(bytes[1] == std::byte{0x30});
    CHECK(bytes[2] == std::byte{0x81});
    CHECK(bytes[2 + 16] == std::byte{0});
    CHECK(bytes[2 + 31] == std::byte{119});  // 15 * 127 / 16 = 119.06
    const auto back = dequantized(tensor_type::q8_0, bytes, 64);
    for (std::size_t i = 0; i < 64; ++i)
        CHECK(std::fabs(back[i] - values[i]) <= 16.0f / 254 + 0.01f);
    CHECK(back[63] == 0.0f);
}

TEST_CASE("Q4_0 keeps low nibbles first and subtracts 8") {
    std::vector<std::byte> bytes(18);
    bytes[1] = std::byte{0x3c};  // 1.0
    for (unsigned i = 0; i < 16; ++i) bytes[2 + i] = static_cast<std::byte>(i | (15 - i) << 4);
    const auto values = dequantized(tensor_type::q4_0, bytes, 32);
    for (int i = 0; i < 16; ++i) {
        CHECK(values[static_cast<std::size_t>(i)] == static_cast<float>(i - 8));
        CHECK(values[static_cast<std::size_t>(i + 16)] == static_cast<float>(7 - i));
    }
}

TEST_CASE("Q6_K agrees with its definition, written out per quarter") {
    std::vector<std::byte> bytes(210);
    const auto noise = draws(210);
    for (std::size_t i = 0; i < 208; ++i) bytes[i] = static_cast<std::byte>(noise[i] & 0xffu);
    bytes[208] = std::byte{0x00};
    bytes[209] = std::byte{0x2c};  // 0.0625
    const auto at = [&](std::size_t i) { return std::to_integer<int>(bytes[i]); };
    std::vector<float> expected(256);
    for (std::size_t n = 0; n < 2; ++n) {
        const std::size_t ql = 64 * n;
        const std::size_t qh = 128 + 32 * n;
        const std::size_t sc = 192 + 8 * n;
        for (std::size_t l = 0; l < 32; ++l) {
            const auto value = [&](std::size_t scale, int q) {
                const auto s = static_cast<std::int8_t>(at(sc + scale + l / 16));
                return 0.0625f * static_cast<float>(s) * static_cast<float>(q - 32);
            };
            float* y = expected.data() + 128 * n + l;
            y[0] = value(0, (at(ql + l) & 15) | (at(qh + l) & 3) << 4);
            y[32] = value(2, (at(ql + l + 32) & 15) | (at(qh + l) >> 2 & 3) << 4);
            y[64] = value(4, at(ql + l) >> 4 | (at(qh + l) >> 4 & 3) << 4);
            y[96] = value(6, at(ql + l + 32) >> 4 | (at(qh + l) >> 6) << 4);
        }
    }
    CHECK(dequantized(tensor_type::q6_k, bytes, 256) == expected);
}

TEST_CASE("values that a type cannot hold are refused") {
    const float nan = std::numeric_limits<float>::quiet_NaN();
    std::vector<float> values(256, 1.0f);
    CHECK_THROWS_AS(gguf::quantize(tensor_type::tq2_0, values, 128), error);
    CHECK_THROWS_AS(gguf::quantize(tensor_type::f32, values, 100), error);
    CHECK_THROWS_AS(gguf::quantize(tensor_type::f32, values, 0), error);
    CHECK_THROWS_AS(gguf::quantize(tensor_type::q5_k, values, 256), error);
    values[100] = nan;
    CHECK_THROWS_AS(gguf::quantize(tensor_type::tq2_0, values, 256), error);
    CHECK_THROWS_AS(gguf::quantize(tensor_type::q8_0, values, 256), error);
    values[100] = 1e6f;
    CHECK_THROWS_AS(gguf::quantize(tensor_type::tq2_0, values, 256), error);

    std::vector<std::int8_t> trits(256, 0);
    CHECK_THROWS_AS(gguf::encode_ternary(tensor_type::f32, trits, 256, 1.0f), error);
    CHECK_THROWS_AS(gguf::encode_ternary(tensor_type::i2_s, trits, 256, nan), error);
    CHECK_THROWS_AS(gguf::encode_ternary(tensor_type::i2_s, trits, 64, 1.0f), error);
    trits[255] = 2;
    CHECK_THROWS_AS(gguf::encode_ternary(tensor_type::i2_s, trits, 256, 1.0f), error);
}

TEST_CASE("sizes follow the formats, and impossible ones are empty") {
    // The sizes of one 6912 x 2560 matrix.
    CHECK(gguf::tensor_bytes(tensor_type::i2_s, 2560, 6912) == 4423712);
    CHECK(gguf::tensor_bytes(tensor_type::tq1_0, 2560, 6912) == 3732480);
    CHECK(gguf::tensor_bytes(tensor_type::tq2_0, 2560, 6912) == 4561920);
    CHECK(gguf::tensor_bytes(tensor_type::q1_0, 2560, 6912) == 2488320);
    CHECK(gguf::tensor_bytes(tensor_type::q2_0, 2560, 6912) == 4976640);
    CHECK_FALSE(gguf::tensor_bytes(tensor_type::tq2_0, 100, 1));
    CHECK_FALSE(gguf::tensor_bytes(tensor_type::f64, INT64_MAX, 1));
    CHECK_FALSE(gguf::tensor_bytes(tensor_type::i8, INT64_MAX / 2, 3));
    CHECK_FALSE(gguf::tensor_bytes(static_cast<tensor_type>(144), 256, 1));
}

TEST_CASE("a type that cannot be read says so") {
    const std::vector<std::byte> bytes(84);
    CHECK_FALSE(gguf::can_dequantize(tensor_type::q2_k));
    CHECK_THROWS_WITH(dequantized(tensor_type::q2_k, bytes, 256), ContainsSubstring("Q2_K"));
}
