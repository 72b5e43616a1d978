// SPDX-License-Identifier: MIT
// Tests of room formats: codes, scales, values and shapes that a format has no meaning for.
#include <catch2/catch_test_macros.hpp>

#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include "helpers.hpp"

using namespace tbx;
using formats::fault;
using formats::format;
using formats::kind;
using formats::shape;
using testing::matrix;

namespace {

/// A shape that the format has.
shape shape_of(const format& f) {
    for (const std::int64_t rows : {4, 32, 128})
        for (const std::int64_t cols : {64, 128, 256})
            if (f.bytes({rows, cols})) return {rows, cols};
    FAIL("no shape of " << f.name);
    return {};
}

matrix ones(const format& f, const shape& s) {
    matrix m{std::vector<std::int8_t>(static_cast<std::size_t>(s.rows * s.cols), 1),
             testing::alike(f, s, 1.0f)};
    if (f.name == "STQ1_0")
        for (std::size_t i = 0; i < m.values.size(); ++i)
            if (i % 64 < 16) m.values[i] = 0;
    return m;
}

}  // namespace

TEST_CASE("every byte that no writer writes is a fault of codes or reads as values of the kind") {
    for (const format* f : formats::all_formats) {
        CAPTURE(f->name);
        const shape s = shape_of(*f);
        auto bytes = testing::written(*f, s, ones(*f, s));
        const bool two_bit_trits = f->name == "TQ2_0" || f->name.starts_with("I2_S") ||
                                   f->name.starts_with("IQ2_BN") || f->name == "HF_BITNET" ||
                                   f->name == "TL1" || f->name == "TL2";
        // Of the codes of the middle of a row in all of them.
        const std::size_t at = bytes.size() / 3;
        int refused = 0;
        for (int byte = 0; byte < 256; ++byte) {
            bytes[at] = static_cast<std::byte>(byte);
            matrix got;
            const fault found = testing::read(*f, s, bytes, got);
            refused += found == fault::code;
            if (found != fault::none) continue;
            for (const std::int8_t v : got.values) REQUIRE(formats::holds(f->values, v));
        }
        CHECK((refused > 0) == two_bit_trits);
    }
}

TEST_CASE("scales that are no numbers are read as a fault and not written") {
    const float nan = std::numeric_limits<float>::quiet_NaN(),
                infinity = std::numeric_limits<float>::infinity();
    for (const format* f : formats::all_formats) {
        if (f->scales == formats::scale_per::apart) continue;
        CAPTURE(f->name);
        const shape s = shape_of(*f);
        for (const float bad : {nan, infinity, -infinity}) {
            matrix m = ones(*f, s);
            m.scales[0] = bad;
            std::vector<std::byte> bytes;
            CHECK(testing::write(*f, s, m, bytes) == fault::scale);
            matrix got;
            CHECK(testing::read(*f, s, bytes, got) == fault::scale);
        }
    }
}

TEST_CASE("scales that halves would make something else are not written") {
    for (const format* f :
         {&formats::tq1_0, &formats::tq2_0, &formats::q1_0, &formats::q2_0, &formats::pq2_0,
          &formats::ptq1_0, &formats::stq1_0, &formats::iq1_bn}) {
        CAPTURE(f->name);
        const shape s = shape_of(*f);
        std::vector<std::byte> bytes;
        for (const float bad : {65520.0f, -1e9f, 1e-9f, 1.5e-7f}) {
            matrix m = ones(*f, s);
            m.scales.assign(m.scales.size(), bad);
            CHECK(testing::write(*f, s, m, bytes) == fault::scale);
        }
        for (const float good : {65504.0f, 1e-5f, -0.3f, 0.0f}) {
            matrix m = ones(*f, s);
            m.scales.assign(m.scales.size(), good);
            CHECK(testing::write(*f, s, m, bytes) == fault::none);
        }
    }
}

TEST_CASE("values that are none of the format's are not written") {
    for (const format* f : formats::all_formats) {
        CAPTURE(f->name);
        const shape s = shape_of(*f);
        for (int value = -128; value < 128; ++value) {
            if (formats::holds(f->values, value)) continue;
            matrix m = ones(*f, s);
            m.values[static_cast<std::size_t>(s.cols + 5)] = static_cast<std::int8_t>(value);
            std::vector<std::byte> bytes;
            REQUIRE(testing::write(*f, s, m, bytes) == fault::code);
        }
    }
    // Four weights of STQ1_0 with no zero, or two.
    matrix m = ones(formats::stq1_0, {1, 256});
    std::vector<std::byte> bytes;
    m.values[0] = 1;
    CHECK(testing::write(formats::stq1_0, {1, 256}, m, bytes) == fault::code);
    m.values[0] = m.values[16] = 0;
    CHECK(testing::write(formats::stq1_0, {1, 256}, m, bytes) == fault::code);
}

TEST_CASE("shapes that a format has not, and sizes that overflow, are empty") {
    constexpr auto most = std::numeric_limits<std::int64_t>::max();
    for (const format* f : formats::all_formats) {
        CAPTURE(f->name);
        for (const std::int64_t rows : {std::int64_t{-1}, most, most / 2, std::int64_t{1} << 62})
            for (const std::int64_t cols : {std::int64_t{-256}, std::int64_t{256} * 96, most,
                                            most / 256 * 256, std::int64_t{1} << 62}) {
                const auto bytes = f->bytes({rows, cols});
                CHECK((!bytes || *bytes > 0));
                if (rows < 0 || cols < 0) CHECK_FALSE(bytes);
                if (cols >= 256 && rows >= most / 2) CHECK_FALSE(bytes);
            }
    }
    CHECK_FALSE(formats::tq2_0.bytes({1, 128}));
    CHECK_FALSE(formats::i2_s.bytes({2, 64}));
    CHECK_FALSE(formats::i2_s_1x4.bytes({6, 64}));
    CHECK_FALSE(formats::iq2_bn_r4.bytes({6, 64}));
    CHECK_FALSE(formats::q2_0.bytes({1, 32}));
    CHECK_FALSE(formats::mlx_2bit.bytes({1, 8}));
    CHECK_FALSE(formats::tl2.bytes({32, 192}));   // its size formula needs 256 columns
    CHECK_FALSE(formats::tl2.bytes({32, 8648}));  // 8 columns are left for pairs
    // Tiles that divide nothing, or that are none of the formats'.
    for (const formats::lut_tile tile :
         {formats::lut_tile{48, 96, 32}, {64, 96, 48}, {-32, 96, 32}, {32, -96, 32}, {32, 0, 32}}) {
        CHECK_FALSE(formats::tl1.bytes({128, 256, 0, tile}));
        CHECK_FALSE(formats::tl2.bytes({128, 256, 0, tile}));
    }
}

TEST_CASE("sizes of one 6912 x 2560 matrix") {
    const shape s{6912, 2560};
    CHECK(formats::i2_s.bytes(s) == 4423712);
    CHECK(formats::i2_s_arm.bytes(s) == 4423712);
    CHECK(formats::i2_s_1x4.bytes(s) == 4423712);
    CHECK(formats::hf_bitnet.bytes(s) == 4423680);
    CHECK(formats::tq1_0.bytes(s) == 3732480);
    CHECK(formats::tq2_0.bytes(s) == 4561920);
    CHECK(formats::q1_0.bytes(s) == 2488320);
    CHECK(formats::q2_0.bytes(s) == 4976640);
    CHECK(formats::pq2_0.bytes(s) == 4700160);
    CHECK(formats::ptq1_0.bytes(s) == 3870720);
    CHECK(formats::iq1_bn.bytes(s) == 3608064);
    CHECK(formats::iq2_bn.bytes(s) == 4451328);
    CHECK(formats::tl2.bytes({8640, 3200, 0, {160, 96, 32}}) == 5852192);
}
