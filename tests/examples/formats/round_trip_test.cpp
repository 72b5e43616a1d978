// SPDX-License-Identifier: MIT
// Tests of room formats: what is written is read again, whatever the values, shapes and scales; and
// matrices pass from each format to each other that has their kind without losing anything.
#include <catch2/catch_test_macros.hpp>

#include <algorithm>
#include <array>
#include <vector>

#include <trilobit/testing/random.hpp>

#include "helpers.hpp"

using namespace tbx;
using formats::format;
using formats::kind;
using formats::shape;
using testing::matrix;

namespace {

/// Shapes that a format has: the smallest and some larger ones.
std::vector<shape> shapes_of(const format& f) {
    std::vector<shape> found;
    for (const std::int64_t rows : {1, 2, 3, 4, 5, 8, 32, 64, 128, 160, 640})
        for (const std::int64_t cols : {1, 16, 17, 32, 64, 96, 128, 192, 256, 320, 512, 768, 1536})
            if (f.bytes({rows, cols})) found.push_back({rows, cols});
    if (f.name.starts_with("MATMULNBITS"))
        for (const int block : {16, 32, 128})
            for (const std::int64_t cols : {1, 7, 16, 100, 129}) found.push_back({3, cols, block});
    if (f.name == "TL1") found.push_back({1536, 1536});
    if (f.name == "TL2") found.push_back({1536, 1536});
    return found;
}

std::int8_t level(kind k, int number) {
    return static_cast<std::int8_t>(formats::lowest_of(k) + formats::step_of(k) * number);
}

/// STQ1_0 alone has values that others of its kind cannot all be: one 0 of each four.
void make_three_of_four(const shape& s, std::vector<std::int8_t>& values,
                        trilobit::testing::generator& random) {
    for (std::int64_t r = 0; r < s.rows; ++r)
        for (std::int64_t c = 0; c < s.cols; c += 64)
            for (int i = 0; i < 16; ++i) {
                std::int8_t* w = values.data() + r * s.cols + c + i;
                for (int p = 0; p < 4; ++p) w[16 * p] = random.between(0, 1) != 0 ? 1 : -1;
                w[16 * random.between(0, 3)] = 0;
            }
}

matrix made(const format& f, const shape& s, std::uint64_t seed) {
    trilobit::testing::generator random(seed);
    matrix m{std::vector<std::int8_t>(static_cast<std::size_t>(s.rows * s.cols)),
             testing::alike(f, s, 1.0f)};
    const int levels = formats::levels_of(f.values);
    // Seed 0: all the lowest; 1: all the highest; else random.
    for (auto& v : m.values)
        v = level(f.values, static_cast<int>(seed == 0   ? 0
                                             : seed == 1 ? levels - 1
                                                         : random.between(0, levels - 1)));
    if (f.name == "STQ1_0") make_three_of_four(s, m.values, random);
    if (f.scales == formats::scale_per::tensor) {
        const float scale = static_cast<float>(random.between(1, 2000)) / 4096;
        std::fill(m.scales.begin(), m.scales.end(), scale);
        return m;
    }
    // Halves, so that all formats hold them; zero, negative and extreme ones too.
    const std::array edges{0.0f, -0.5f, 65504.0f, 0x1p-14f, 0x1p-24f};
    for (std::size_t i = 0; i < m.scales.size(); ++i)
        m.scales[i] = i % 7 < edges.size() && seed > 2
                          ? edges[i % 7]
                          : static_cast<float>(random.between(1, 2000)) / 4096;
    return m;
}

}  // namespace

TEST_CASE("every format reads what it writes") {
    for (const format* f : formats::all_formats) {
        const auto shapes = shapes_of(*f);
        REQUIRE_FALSE(shapes.empty());
        for (const shape& s : shapes)
            for (std::uint64_t seed = 0; seed < 4; ++seed) {
                CAPTURE(f->name, s.rows, s.cols, s.group, seed);
                const matrix wanted = made(*f, s, seed);
                const auto bytes = testing::written(*f, s, wanted);
                matrix got;
                REQUIRE(testing::read(*f, s, bytes, got) == formats::fault::none);
                REQUIRE((got == wanted));
            }
    }
}

TEST_CASE("what is written does not depend on what was there, or on the order of rows") {
    for (const format* f : formats::all_formats)
        for (const shape& s : shapes_of(*f)) {
            CAPTURE(f->name, s.rows, s.cols, s.group);
            const matrix m = made(*f, s, 5);
            const auto wanted = testing::written(*f, s, m);
            auto backwards = wanted;
            for (std::int64_t r = s.rows; r-- > 0;)
                REQUIRE(f->write(backwards, s, r, m.values.data() + r * s.cols,
                                 m.scales.data() + r * f->scales_per_row(s.cols)) ==
                        formats::fault::none);
            REQUIRE((backwards == wanted));
        }
}

TEST_CASE("scales alone are read without a look at the codes") {
    for (const format* f : formats::all_formats)
        for (const shape& s : shapes_of(*f)) {
            const matrix m = made(*f, s, 6);
            const auto bytes = testing::written(*f, s, m);
            std::vector<float> scales(static_cast<std::size_t>(f->scales_per_row(s.cols)));
            for (std::int64_t r = 0; r < s.rows; ++r) {
                REQUIRE(f->read(bytes, s, r, nullptr, scales.data()) == formats::fault::none);
                REQUIRE(std::equal(scales.begin(), scales.end(),
                                   m.scales.begin() + r * std::ssize(scales)));
            }
        }
}

TEST_CASE("ternary matrices go round all formats of trits") {
    const shape s{1536, 1536};
    matrix at{testing::golden_trits(s.rows * s.cols), {}};
    trilobit::testing::generator random(9);
    make_three_of_four(s, at.values, random);
    const auto wanted = at.values;
    int hops = 0;
    for (int round = 0; round < 2; ++round)
        for (const format* f : formats::all_formats) {
            if (f->values != kind::ternary && f->values != kind::quaternary) continue;
            CAPTURE(f->name);
            at.scales = testing::alike(*f, s, 0.5f);
            const auto bytes = testing::written(*f, s, at);
            REQUIRE(testing::read(*f, s, bytes, at) == formats::fault::none);
            REQUIRE((at.values == wanted));
            ++hops;
        }
    CHECK(hops == 2 * 17);
}

TEST_CASE("containers that differ in the place of scales alone hold the same bytes") {
    const shape s{4, 256};
    const matrix binary{testing::golden_signs(1024), {}}, ternary{testing::golden_trits(1024), {}};
    const auto same = [&](const format& plain, const format& blocks, const matrix& m, int skip) {
        matrix scaled = m;
        scaled.scales = testing::alike(blocks, s, 0.5f);
        const auto left = testing::written(plain, s, m),
                   right = testing::written(blocks, s, scaled);
        const std::int64_t codes = blocks.group / (blocks.values == kind::binary ? 8 : 4);
        for (std::size_t i = 0; i < left.size(); ++i) {
            const auto at = static_cast<std::int64_t>(i);
            REQUIRE(
                left[i] ==
                right[static_cast<std::size_t>(at / codes * (codes + skip) + skip + at % codes)]);
        }
    };
    same(formats::mlx_1bit, formats::q1_0, binary, 2);
    same(formats::mlx_2bit, formats::q2_0, ternary, 2);
    same(formats::mlx_2bit, formats::pq2_0, ternary, 2);
    same(formats::matmul_nbits, formats::q2_0, ternary, 2);
}
