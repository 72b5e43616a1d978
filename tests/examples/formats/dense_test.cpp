// SPDX-License-Identifier: MIT
// Tests of room formats: ordinary numbers, against definitions that are written out another way.
#include <catch2/catch_test_macros.hpp>

#include <cstdint>
#include <limits>
#include <vector>

#include "formats/all_dense.hpp"
#include "helpers.hpp"

using namespace tbx;
using formats::dense_format;

namespace {

/// Noise, with finite scales.
std::vector<std::byte> noise_block(const dense_format& f, std::uint32_t skip) {
    testing::draws draw;
    for (std::uint32_t i = 0; i < skip; ++i) (void)draw();
    std::vector<std::byte> block(static_cast<std::size_t>(f.bytes));
    for (std::byte& b : block) b = static_cast<std::byte>(draw() & 255u);
    for (int i = 0; i < f.count; ++i)
        formats::store_as<std::uint16_t>(block.data() + f.first + 2 * i,
                                         trilobit::f32_to_f16(0.0625f * static_cast<float>(i + 1)));
    return block;
}

std::vector<float> decoded(const dense_format& f, const std::vector<std::byte>& block) {
    std::vector<float> values(static_cast<std::size_t>(f.cols));
    f.decode(block.data(), values.data());
    return values;
}

int at(const std::vector<std::byte>& bytes, std::size_t i) {
    return std::to_integer<int>(bytes[i]);
}

/// Bits [first, first + count) of a little-endian stream.
int bits(const std::vector<std::byte>& bytes, std::size_t byte, int first, int count) {
    return (at(bytes, byte) >> first) & ((1 << count) - 1);
}

}  // namespace

TEST_CASE("Q4_0 and IQ4_NL keep low nibbles first") {
    constexpr int levels[] = {-127, -104, -83, -65, -49, -35, -22, -10,
                              1,    13,   25,  38,  53,  69,  89,  113};
    for (std::uint32_t seed = 0; seed < 8; ++seed) {
        const auto linear = noise_block(formats::q4_0, seed);
        const auto got = decoded(formats::q4_0, linear), other = decoded(formats::iq4_nl, linear);
        for (std::size_t i = 0; i < 32; ++i) {
            const int nibble = bits(linear, 2 + i % 16, i < 16 ? 0 : 4, 4);
            CHECK(got[i] == 0.0625f * static_cast<float>(nibble - 8));
            CHECK(other[i] == 0.0625f * static_cast<float>(levels[nibble]));
        }
    }
}

TEST_CASE("Q4_K and Q5_K have a scale and a minimum of 6 bits for each 32") {
    for (std::uint32_t seed = 0; seed < 8; ++seed)
        for (const dense_format* f : {&formats::q4_k, &formats::q5_k}) {
            const auto block = noise_block(*f, seed);
            const auto got = decoded(*f, block);
            const std::size_t nibbles = f == &formats::q4_k ? 16 : 48;
            for (std::size_t j = 0; j < 8; ++j) {
                const std::size_t b = 4 + j % 4;
                const int scale = j < 4 ? bits(block, b, 0, 6)
                                        : bits(block, b + 8, 0, 4) + 16 * bits(block, b, 6, 2);
                const int least = j < 4 ? bits(block, b + 4, 0, 6)
                                        : bits(block, b + 8, 4, 4) + 16 * bits(block, b + 4, 6, 2);
                for (std::size_t i = 0; i < 32; ++i) {
                    int q = bits(block, nibbles + j / 2 * 32 + i, j % 2 == 0 ? 0 : 4, 4);
                    if (f == &formats::q5_k) q += 16 * bits(block, 16 + i, static_cast<int>(j), 1);
                    // Both products and their difference are exact here.
                    CHECK(got[32 * j + i] == 0.0625f * static_cast<float>(scale * q) -
                                                 0.125f * static_cast<float>(least));
                }
            }
        }
}

TEST_CASE("Q6_K agrees with its definition, written out per quarter") {
    const auto block = noise_block(formats::q6_k, 3);
    std::vector<float> wanted(256);
    for (std::size_t n = 0; n < 2; ++n) {
        const std::size_t ql = 64 * n, qh = 128 + 32 * n, sc = 192 + 8 * n;
        for (std::size_t l = 0; l < 32; ++l) {
            const auto value = [&](std::size_t scale, int q) {
                const auto s = static_cast<std::int8_t>(at(block, sc + scale + l / 16));
                return 0.0625f * static_cast<float>(s) * static_cast<float>(q - 32);
            };
            float* y = wanted.data() + 128 * n + l;
            y[0] = value(0, bits(block, ql + l, 0, 4) + 16 * bits(block, qh + l, 0, 2));
            y[32] = value(2, bits(block, ql + l + 32, 0, 4) + 16 * bits(block, qh + l, 2, 2));
            y[64] = value(4, bits(block, ql + l, 4, 4) + 16 * bits(block, qh + l, 4, 2));
            y[96] = value(6, bits(block, ql + l + 32, 4, 4) + 16 * bits(block, qh + l, 6, 2));
        }
    }
    CHECK(decoded(formats::q6_k, block) == wanted);
}

TEST_CASE("what has a writer is read as it was written, and no number becomes infinite") {
    const float infinity = std::numeric_limits<float>::infinity();
    std::vector<float> values;
    for (int i = -16; i < 16; ++i) values.push_back(static_cast<float>(127 * i / 16));
    values[0] = -127.0f;  // so that Q8_0's scale is 1
    for (const dense_format* f : {&formats::f32, &formats::f16, &formats::bf16, &formats::q8_0}) {
        CAPTURE(f->name);
        std::vector<std::byte> block(static_cast<std::size_t>(f->bytes));
        for (std::size_t i = 0; i < 32; i += static_cast<std::size_t>(f->cols)) {
            REQUIRE(f->encode(values.data() + i, block.data()) == formats::fault::none);
            const auto got = decoded(*f, block);
            for (std::size_t k = 0; k < got.size(); ++k) CHECK(got[k] == values[i + k]);
        }
        std::vector<float> large(32, std::numeric_limits<float>::max());
        CHECK(f->encode(large.data(), block.data()) ==
              (f == &formats::f32 ? formats::fault::none : formats::fault::scale));
        large[0] = infinity;
        CHECK(f->encode(large.data(), block.data()) ==
              (f == &formats::q8_0 ? formats::fault::code : formats::fault::none));
    }
}
