// SPDX-License-Identifier: MIT
// Lookups on every back end. Of ternary_base3: sums that a byte's weights choose and the digits
// of a byte, against the layout's own decode; and what takes bytes apart or puts them together.
#include <vector>

#include "runnable.hpp"
#include "trilobit/layout/ternary_base3.hpp"

using namespace simd_test;
using trilobit::testing::generator;

namespace {

using trilobit::detail::base3;

/// The 243 bytes that stand for weights, starting with any of them, as many as a register holds.
lanes<std::uint8_t> codes_from(int first) {
    lanes<std::uint8_t> codes;
    for (int i = 0; i < 64; ++i)
        codes[i] = base3.byte_of[static_cast<std::size_t>(first + 37 * i) % base3.byte_of.size()];
    return codes;
}

int wrong_sums(const primitives& p, const std::int8_t* x) {
    int wrong = 0;
    for (int first = 0; first < 243; ++first) {
        lanes<std::uint8_t> codes = codes_from(first);
        lanes<std::uint8_t> out;
        const int more = first % 2 * 125;
        p.base3_sum(x, more, codes.at, out.at);
        for (int i = 0; i < p.width; ++i) {
            int sum = more;
            for (std::size_t c = 0; c < 5; ++c) sum += base3.weights[codes[i]][c] * x[c];
            wrong += out[i] != static_cast<std::uint8_t>(sum);
        }
    }
    return wrong;
}

}  // namespace

TEST_CASE("base3 sums are those of the weights, for every byte in every place", "[simd]") {
    for (const primitives* p : runnable()) {
        CAPTURE(p->name);
        constexpr std::int8_t bounds[][8] = {{0, 0, 0, 0, 0},    {1, 2, 4, 8, -8},
                                             {8, 8, 8, 8, 8},    {-8, -8, -8, -8, -8},
                                             {8, -8, 8, -8, 8},  {25, 25, 25, 25, 25},
                                             {-25, 25, -25, 25}, {1, 1, 1, 1, 1, 99, 99, 99}};
        int wrong = 0;
        for (const auto& x : bounds) wrong += wrong_sums(*p, x);
        generator r(1);
        for (int round = 0; round < 40; ++round) {
            std::int8_t x[8];
            for (std::int8_t& v : x) v = static_cast<std::int8_t>(r.between(-25, 25));
            wrong += wrong_sums(*p, x);
        }
        CHECK(wrong == 0);
    }
}

TEST_CASE("base3 digits take every byte apart, in every place", "[simd]") {
    for (const primitives* p : runnable()) {
        CAPTURE(p->name);
        int wrong = 0;
        for (int first = 0; first < 243; ++first) {
            lanes<std::uint8_t> codes = codes_from(first);
            alignas(64) std::uint8_t out[5 * 64];
            p->base3_digits(codes.at, out);
            for (int i = 0; i < p->width; ++i)
                for (int c = 0; c < 5; ++c)
                    wrong += out[c * p->width + i] - 1 !=
                             base3.weights[codes[i]][static_cast<std::size_t>(c)];
        }
        CHECK(wrong == 0);
    }
}

TEST_CASE("bytes that stand for nothing find something", "[simd]") {
    for (const primitives* p : runnable()) {
        CAPTURE(p->name);
        alignas(64) std::uint8_t codes[64], digits[5 * 64];
        lanes<std::uint8_t> out;
        const std::int8_t zeros[8] = {};
        int wrong = 0;
        for (int first = 0; first < 256; first += p->width) {
            for (int i = 0; i < p->width; ++i) codes[i] = static_cast<std::uint8_t>(first + i);
            p->base3_digits(codes, digits);
            p->base3_sum(zeros, 40, codes, out.at);
            for (int i = 0; i < p->width; ++i) wrong += out[i] != 40;
        }
        CHECK(wrong == 0);
    }
}

TEST_CASE("lookup64 finds by the lower six bits, in every place", "[simd]") {
    alignas(64) std::uint8_t table[64];
    for (int i = 0; i < 64; ++i) table[i] = static_cast<std::uint8_t>(255 - 3 * i);
    for (const primitives* p : runnable()) {
        CAPTURE(p->name);
        int wrong = 0;
        for (int first = 0; first < 256; ++first) {
            lanes<std::uint8_t> index, out;
            for (int i = 0; i < p->width; ++i) index[i] = static_cast<std::uint8_t>(first + 37 * i);
            p->lookup64(table, index.at, out.at);
            for (int i = 0; i < p->width; ++i) wrong += out[i] != table[index[i] % 64];
        }
        CHECK(wrong == 0);
    }
}

TEST_CASE("interleave4 takes one byte of each in turn", "[simd]") {
    for (const primitives* p : runnable()) {
        CAPTURE(p->name);
        alignas(64) std::uint8_t v[4 * 64];
        for (int i = 0; i < 4 * p->width; ++i) v[i] = static_cast<std::uint8_t>(i);
        p->interleave4(v);
        int wrong = 0;
        for (int i = 0; i < 4 * p->width; ++i) wrong += v[i] != i % 4 * p->width + i / 4;
        CHECK(wrong == 0);
    }
}

TEST_CASE("load_every_fourth takes blocks apart by the place of a byte", "[simd]") {
    for (const primitives* p : runnable()) {
        CAPTURE(p->name);
        alignas(64) std::byte from[4 * 80];
        alignas(64) std::uint8_t out[4 * 64];
        for (std::size_t i = 0; i < sizeof from; ++i)
            from[i] = static_cast<std::byte>(i * 167 % 256);
        for (const int stride : {0, 64, 80}) {
            p->load_every_fourth(from, stride, out);
            int wrong = 0;
            for (int t = 0; t < 4; ++t)
                for (int i = 0; i < p->width; ++i)
                    wrong += out[t * p->width + i] !=
                             std::to_integer<int>(from[i / 16 * stride + i % 16 * 4 + t]);
            CHECK(wrong == 0);
        }
    }
}

TEST_CASE("interleave4 takes one number of each in turn", "[simd]") {
    for (const primitives* p : runnable()) {
        CAPTURE(p->name);
        alignas(64) std::int32_t v[64];
        for (int i = 0; i < p->width; ++i) v[i] = 1000000 * i - 7;
        p->interleave4_i32(v);
        int wrong = 0;
        for (int i = 0; i < p->width; ++i)
            wrong += v[i] != 1000000 * (i % 4 * (p->width / 4) + i / 4) - 7;
        CHECK(wrong == 0);
    }
}
