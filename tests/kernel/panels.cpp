// SPDX-License-Identifier: MIT
// Layouts without dot tiles of their own are decoded into panels: column by column against decode.
#include <catch2/catch_all.hpp>
#include <vector>

#include "trilobit/kernel/dot.hpp"
#include "trilobit/testing/guarded_buffer.hpp"
#include "trilobit/testing/random.hpp"

using namespace trilobit;

TEMPLATE_LIST_TEST_CASE("a panel holds weight + 1 of the wanted columns", "[kernel]", layouts) {
    constexpr int rows = TestType::tile_rows, cols = TestType::tile_cols, tiles = 7;
    testing::generator r(1);
    testing::guarded_buffer bytes(tiles * TestType::tile_bytes);
    std::vector<std::int8_t> w(static_cast<std::size_t>(tiles * rows * cols));
    for (std::int8_t& v : w) do
            v = static_cast<std::int8_t>(r.between(-1, 1));
        while (!TestType::kind::holds(v));
    for (int t = 0; t < tiles; ++t)
        TestType::encode(w.data() + t * rows * cols, bytes.data() + t * TestType::tile_bytes);
    const auto weight = [&](int row, std::int64_t col) {
        const std::int64_t tile = col / cols;
        if (tile >= tiles) return 0;
        return int{w[static_cast<std::size_t>((tile * rows + row) * cols + col % cols)]};
    };

    // Starts inside tiles and ends past the last one: what is past it decodes as zeros.
    for (const std::int64_t first : {0, 3, 5, 16, 31, 32})
        for (const int words : {1, 2, 5, tiles * cols / 4, tiles * cols / 4 + 1}) {
            const std::int64_t stride = std::int64_t{words} * kernel::panel::tile_bytes;
            testing::guarded_buffer panels(rows / 16 * stride);
            kernel::decode_panel<arch::generic, TestType>(bytes.data(), tiles, first, words,
                                                          panels.data(), stride);
            int wrong = 0;
            for (int row = 0; row < rows; ++row)
                for (int c = 0; c < 4 * words; ++c) {
                    const auto at = row / 16 * stride + c / 4 * 64 + row % 16 * 4 + c % 4;
                    wrong += std::to_integer<int>(panels.data()[at]) != weight(row, first + c) + 1;
                }
            CAPTURE(TestType::name, first, words);
            CHECK(wrong == 0);
        }
}

namespace {

/// What the field description of a layout says of one tile and 16 or 32 activations of one row.
template <class L>
int by_fields(const std::byte* tile, const std::int8_t* x, int row) {
    using fields = kernel::dot_fields<L>;
    constexpr int bits = 8 / fields::fields;
    int total = 0;
    for (int i = 0; i < 4 * fields::fields; ++i) total += fields::sum_weight * x[i];
    for (int plane = 0; plane < fields::planes; ++plane)
        for (int f = 0; f < fields::fields; ++f)
            for (int t = 0; t < 4; ++t) {
                const int byte = std::to_integer<int>(tile[64 * plane + 4 * row + t]);
                const int code = byte >> (bits * f) & ((1 << bits) - 1);
                total += fields::plane_weight[plane] * code * x[4 * f + t];
            }
    return total;
}

template <class L>
void check_fields() {
    testing::generator r(2);
    std::vector<std::int8_t> w(static_cast<std::size_t>(L::tile_rows * L::tile_cols));
    std::vector<std::byte> tile(L::tile_bytes);
    std::vector<std::int8_t> x(L::tile_cols);
    STATIC_CHECK(kernel::dot_layout<L>);
    STATIC_CHECK(4 * kernel::dot_fields<L>::fields == L::tile_cols);
    for (int round = 0; round < 50; ++round) {
        for (std::int8_t& v : w) do
                v = static_cast<std::int8_t>(r.between(-1, 1));
            while (!L::kind::holds(v));
        for (std::int8_t& v : x) v = static_cast<std::int8_t>(r.between(-128, 127));
        L::encode(w.data(), tile.data());
        for (int row = 0; row < L::tile_rows; ++row) {
            int want = 0;
            for (int c = 0; c < L::tile_cols; ++c)
                want += w[static_cast<std::size_t>(row * L::tile_cols + c)] *
                        x[static_cast<std::size_t>(c)];
            CHECK(by_fields<L>(tile.data(), x.data(), row) == want);
        }
    }
}

}  // namespace

TEST_CASE("the fields of dot layouts add up to the product", "[kernel]") {
    check_fields<layout::ternary_2bit>();
    check_fields<layout::ternary_planes>();
    check_fields<layout::binary_1bit>();
    STATIC_CHECK_FALSE(kernel::dot_layout<layout::ternary_base3>);
}
