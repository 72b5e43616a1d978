// SPDX-License-Identifier: MIT
// The primitives of ternary_base3, on every back end: lookup128 against a table in memory, tables of
// sums and decoded digits against brute force over all 243 codes.
#include "runnable.hpp"

using namespace simd_test;
using trilobit::testing::generator;

namespace {

struct table128 {
    alignas(64) std::int8_t at[128];
    explicit table128(std::uint64_t seed) {
        generator r(seed);
        for (std::int8_t& v : at) v = static_cast<std::int8_t>(r.between(-127, 127));
        at[0] = seed % 2 == 0 ? 127 : -127;
        at[127] = -127;
    }
};

}  // namespace

TEST_CASE("lookup128 finds every index in every place, negated for negative ones", "[simd]") {
    for (const primitives* p : runnable()) {
        CAPTURE(p->name);
        int wrong = 0;
        for (std::uint64_t seed = 1; seed <= 4; ++seed) {
            const table128 table(seed);
            for (int first = 0; first < 256; ++first) {
                lanes<std::uint8_t> index;
                lanes<std::int8_t> out;
                for (int i = 0; i < p->width; ++i)
                    index[i] = static_cast<std::uint8_t>(first + 37 * i);
                p->lookup128(table.at, index.at, out.at);
                for (int i = 0; i < p->width; ++i) {
                    const int code = static_cast<std::int8_t>(index[i]);
                    if (code == -128) continue;
                    wrong += out[i] != (code < 0 ? -table.at[-code] : table.at[code]);
                }
            }
        }
        CHECK(wrong == 0);
    }
}

TEST_CASE("lookup128 of -128 is some entry of the table", "[simd]") {
    for (const primitives* p : runnable()) {
        CAPTURE(p->name);
        table128 table(5);
        for (std::int8_t& v : table.at) v = 3;
        lanes<std::uint8_t> index;
        lanes<std::int8_t> out;
        for (int i = 0; i < p->width; ++i) index[i] = 0x80;
        p->lookup128(table.at, index.at, out.at);
        int wrong = 0;
        for (int i = 0; i < p->width; ++i) wrong += out[i] != 3 && out[i] != -3;
        CHECK(wrong == 0);
    }
}

namespace {

int wrong_sums(const primitives& p, const std::int8_t* x) {
    alignas(64) std::int8_t table[128];
    std::fill_n(table, 128, std::int8_t{77});
    p.digit_sums128(x, table);
    int wrong = 0;
    for (int d0 = -1; d0 <= 1; ++d0)
        for (int d1 = -1; d1 <= 1; ++d1)
            for (int d2 = -1; d2 <= 1; ++d2)
                for (int d3 = -1; d3 <= 1; ++d3)
                    for (int d4 = -1; d4 <= 1; ++d4) {
                        const int code = d0 + 3 * d1 + 9 * d2 + 27 * d3 + 81 * d4;
                        if (code < 0) continue;
                        const int sum = d0 * x[0] + d1 * x[1] + d2 * x[2] + d3 * x[3] + d4 * x[4];
                        wrong += table[code] != sum;
                    }
    return wrong;
}

}  // namespace

TEST_CASE("digit_sums128 holds the sum of each code", "[simd]") {
    for (const primitives* p : runnable()) {
        CAPTURE(p->name);
        constexpr std::int8_t bounds[][8] = {{0, 0, 0, 0, 0},    {1, 2, 4, 8, -8},
                                             {8, 8, 8, 8, 8},    {-8, -8, -8, -8, -8},
                                             {8, -8, 8, -8, 8},  {25, 25, 25, 25, 25},
                                             {-25, 25, -25, 25}, {1, 1, 1, 1, 1, 99, 99, 99}};
        int wrong = 0;
        for (const auto& x : bounds) wrong += wrong_sums(*p, x);
        generator r(1);
        for (int round = 0; round < 500; ++round) {
            std::int8_t x[8];
            for (std::int8_t& v : x) v = static_cast<std::int8_t>(r.between(-25, 25));
            wrong += wrong_sums(*p, x);
        }
        CHECK(wrong == 0);
    }
}

TEST_CASE("ternary_digits takes every code apart, in every place", "[simd]") {
    for (const primitives* p : runnable()) {
        CAPTURE(p->name);
        int wrong = 0;
        for (int first = -121; first <= 121; ++first) {
            alignas(64) std::uint8_t codes[64], out[5 * 64];
            for (int i = 0; i < p->width; ++i)
                codes[i] = static_cast<std::uint8_t>((first + 121 + 37 * i) % 243 - 121);
            p->ternary_digits(codes, out);
            for (int i = 0; i < p->width; ++i) {
                int code = 0;
                for (int c = 4; c >= 0; --c) {
                    const int digit = out[c * p->width + i] - 1;
                    wrong += digit < -1 || digit > 1;
                    code = 3 * code + digit;
                }
                wrong += code != static_cast<std::int8_t>(codes[i]);
            }
        }
        CHECK(wrong == 0);
    }
}

TEST_CASE("store_words puts four columns of a row side by side, sixteen rows at a stride",
          "[simd]") {
    for (const primitives* p : runnable()) {
        CAPTURE(p->name);
        constexpr std::int64_t stride = 192;
        alignas(64) std::uint8_t columns[4 * 64];
        for (int i = 0; i < 4 * p->width; ++i) columns[i] = static_cast<std::uint8_t>(i);
        alignas(64) std::byte to[4 * stride];
        std::fill_n(to, sizeof to, std::byte{0xee});
        p->store_words(columns, to, stride);
        int wrong = 0;
        for (int at = 0; at < 4 * stride; ++at) {
            const int row = at / static_cast<int>(stride) * 16 + at % static_cast<int>(stride) / 4;
            const bool written = at % stride < 64 && row < p->width;
            const int want = written ? at % 4 * p->width + row : 0xee;
            wrong += std::to_integer<int>(to[at]) != want;
        }
        CHECK(wrong == 0);
    }
}

TEST_CASE("store_interleaved takes one number of each in turn", "[simd]") {
    for (const primitives* p : runnable()) {
        CAPTURE(p->name);
        alignas(64) std::int32_t v[64], to[64];
        for (int i = 0; i < p->width; ++i) v[i] = 1000000 * i - 7;
        p->store_interleaved(v, to);
        int wrong = 0;
        for (int i = 0; i < p->width; ++i) wrong += to[i] != v[i % 4 * (p->width / 4) + i / 4];
        CHECK(wrong == 0);
    }
}
