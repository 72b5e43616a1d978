// SPDX-License-Identifier: MIT
// Tables of partial sums against brute force over all bytes, on every back end's own instructions
// in tests/simd; here the way from activations to them.
#include <catch2/catch_test_macros.hpp>

#include "pretend.hpp"

using namespace trilobit;

TEST_CASE("every int8 activation splits into halves that fit the tables", "[kernel]") {
    // One tile, one token: prepare() makes tables for values a and its neighbours.
    using tables = kernel::lookup<pretend::wasm, layout::ternary_base3, activation::int8>;
    using shape = tables::shape;
    STATIC_CHECK(tables::table_bytes == 2 * shape::base3::table_bytes);
    using base3 = shape::base3;
    alignas(64) std::uint8_t made[2 * base3::table_bytes];
    alignas(64) std::int8_t values[128] = {};
    const float scale = 1;
    kernel::task t;
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
        // Rows 0..4 have a weight of one in column 0..4 and zeros beside it.
        std::int8_t weights[64 * 5] = {};
        for (int i = 0; i < 5; ++i) weights[6 * i] = 1;
        alignas(64) std::byte tile[64];
        layout::ternary_base3::encode(weights, tile);
        const base3::indices at(simd::load<pretend::wasm>(tile));
        alignas(64) std::uint8_t lows[64], highs[64];
        base3::sum(made, at).store_aligned(lows);
        base3::sum(made + base3::table_bytes, at).store_aligned(highs);
        for (int i = 0; i < 5; ++i) {
            const int low = lows[i] - kernel::base3_bounds::largest,
                      high = highs[i] - kernel::base3_bounds::largest;
            wrong += low + 16 * high != values[i];
            wrong += low < -8 || low > 8 || high < -8 || high > 8;
        }
    }
    CHECK(wrong == 0);
}
