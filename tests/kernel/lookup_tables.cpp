// SPDX-License-Identifier: MIT
// Tables of partial sums against brute force over all 243 codes.
#include <catch2/catch_all.hpp>

#include "trilobit/kernel/lookup.hpp"
#include "trilobit/testing/random.hpp"

using namespace trilobit;

namespace {

int wrong_entries(const std::int8_t (&x)[5]) {
    alignas(64) std::int8_t table[kernel::lookup_table_bytes];
    std::fill_n(table, kernel::lookup_table_bytes, std::int8_t{77});
    kernel::fill_lookup_table<arch::generic>(x, table);
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
    // Codes that encode never writes must not overflow the sums in bytes either.
    for (int v = 122; v < kernel::lookup_table_bytes; ++v) wrong += table[v] < -40 || table[v] > 40;
    return wrong;
}

}  // namespace

TEST_CASE("a table holds the sum of each code", "[kernel]") {
    CHECK(wrong_entries({0, 0, 0, 0, 0}) == 0);
    CHECK(wrong_entries({1, 2, 4, 8, -8}) == 0);
    CHECK(wrong_entries({8, 8, 8, 8, 8}) == 0);
    CHECK(wrong_entries({-8, -8, -8, -8, -8}) == 0);
    CHECK(wrong_entries({8, -8, 8, -8, 8}) == 0);
    testing::generator r(1);
    int wrong = 0;
    for (int round = 0; round < 2000; ++round) {
        std::int8_t x[5];
        for (std::int8_t& v : x) v = static_cast<std::int8_t>(r.between(-8, 8));
        wrong += wrong_entries(x);
    }
    CHECK(wrong == 0);
}

TEST_CASE("every int8 activation splits into halves that fit the tables", "[kernel]") {
    // One tile, one token: prepare() makes tables for values a and its neighbours.
    using tables = kernel::lookup<arch::generic, layout::ternary_base3, activation::int8>;
    STATIC_CHECK(tables::tables == 2);
    alignas(64) std::int8_t made[2 * kernel::lookup_table_bytes];
    alignas(64) std::int8_t values[128] = {};
    const float scale = 1;
    task t;
    t.w.tile = tile_shape::of<layout::ternary_base3>();
    t.w.rows = 1;
    t.w.cols = 5;
    static_cast<activation_shape&>(t.x) = {activation_id::int8, 1, 5, 0};
    t.x.values = values;
    t.x.scales = &scale;
    t.operand = reinterpret_cast<std::byte*>(made);
    int wrong = 0;
    for (int a = -128; a < 128; ++a) {
        for (int i = 0; i < 5; ++i) values[i] = static_cast<std::int8_t>(i % 2 == 0 ? a : -1 - a);
        tables::prepare(t, 0, 1);
        constexpr int power[] = {1, 3, 9, 27, 81};
        for (int i = 0; i < 5; ++i) {
            const int low = made[power[i]], high = made[kernel::lookup_table_bytes + power[i]];
            wrong += low + 16 * high != values[i];
            wrong += low < -8 || low > 8 || high < -8 || high > 8;
        }
    }
    CHECK(wrong == 0);
}
