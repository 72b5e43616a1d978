// SPDX-License-Identifier: MIT
// Column masks and the bit planes of activations that the popcount family multiplies by.
#include <bit>
#include <catch2/catch_template_test_macros.hpp>
#include <catch2/catch_test_macros.hpp>
#include <vector>

#include "trilobit/kernel/popcount.hpp"

using namespace trilobit;

TEST_CASE("each column of a tile has a bit of its own, where the layout has it", "[kernel]") {
    std::uint32_t all = 0;
    for (int c = 0; c < 32; ++c) {
        const std::uint32_t bit = kernel::column_bit(c);
        CHECK(std::popcount(bit) == 1);
        CHECK((all & bit) == 0);
        all |= bit;
        // The word that encode writes for row 0 when column c alone is +1.
        std::int8_t w[16 * 32];
        std::fill_n(w, 16 * 32, std::int8_t{-1});
        w[c] = 1;
        std::byte tile[64];
        layout::binary_1bit::encode(w, tile);
        std::uint32_t word;
        std::memcpy(&word, tile, 4);
        CHECK(word == bit);
    }
    CHECK(all == ~0u);
}

TEST_CASE("column_mask holds the first columns", "[kernel]") {
    CHECK(kernel::column_mask(-3) == 0);
    CHECK(kernel::column_mask(0) == 0);
    CHECK(kernel::column_mask(32) == ~0u);
    CHECK(kernel::column_mask(1000) == ~0u);
    for (int n = 1; n <= 32; ++n) {
        CHECK(std::popcount(kernel::column_mask(n)) == n);
        CHECK(kernel::column_mask(n) == (kernel::column_mask(n - 1) | kernel::column_bit(n - 1)));
    }
}

namespace {

/// Planes that prepare() makes of one token, put together again.
template <class Act>
int wrong_values(std::int64_t cols) {
    using family = kernel::popcount<arch::generic, layout::binary_1bit, Act>;
    using words = typename family::words;
    constexpr int first = words::count - words::planes;
    kernel::task t;
    t.w.tile = tile_shape::of<layout::binary_1bit>();
    t.w.rows = 1;
    t.w.cols = cols;
    static_cast<activation_shape&>(t.x) = {Act::id, 1, cols, 0};
    std::vector<std::int8_t> values(static_cast<std::size_t>(t.x.value_stride()));
    for (std::int64_t c = 0; c < cols; ++c) {
        const int span = Act::highest - Act::lowest + 1;
        values[static_cast<std::size_t>(c)] = static_cast<std::int8_t>(
            Act::id == activation_id::sign ? (c % 3 == 0 ? 1 : -1)
                                           : Act::lowest + static_cast<int>(c * 7 % span));
    }
    t.x.values = values.data();
    std::vector<std::uint32_t> planes(
        static_cast<std::size_t>(family::operand_bytes(t.w, t.x) / 4));
    t.operand = reinterpret_cast<std::byte*>(planes.data());
    family::prepare(t, 0, 1);
    int wrong = 0;
    for (std::int64_t c = 0; c < cols; ++c) {
        int value = words::signs ? -1 : 0;
        for (int b = 0; b < family::planes; ++b) {
            const auto word = planes[static_cast<std::size_t>(c / 32 * words::count + first + b)];
            if ((word & kernel::column_bit(static_cast<int>(c % 32))) != 0)
                value += words::weight(b);
        }
        wrong += value != values[static_cast<std::size_t>(c)];
    }
    return wrong;
}

}  // namespace

TEMPLATE_LIST_TEST_CASE("planes add up to the activations", "[kernel]", activations) {
    for (const std::int64_t cols : {1, 31, 32, 33, 64, 300})
        CHECK(wrong_values<TestType>(cols) == 0);
}
