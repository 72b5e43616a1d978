// SPDX-License-Identifier: MIT
// Weights are decoded into panels: column by column against decode.
#include <catch2/catch_template_test_macros.hpp>
#include <catch2/catch_test_macros.hpp>
#include <vector>

#include "trilobit/kernel/dot.hpp"
#include "trilobit/testing/guarded_buffer.hpp"
#include "trilobit/testing/random.hpp"

using namespace trilobit;

namespace {

/// Random tiles of one row block, and the weights in them.
template <class L>
struct some_tiles {
    static constexpr int rows = L::tile_rows, cols = L::tile_cols;
    int tiles;
    testing::guarded_buffer bytes;
    std::vector<std::int8_t> w;

    explicit some_tiles(int count)
        : tiles(count),
          bytes(std::int64_t{count} * L::tile_bytes),
          w(static_cast<std::size_t>(count * rows * cols)) {
        testing::generator r(1);
        for (std::int8_t& v : w) do
                v = static_cast<std::int8_t>(r.between(L::kind::lowest, L::kind::highest));
            while (!L::kind::holds(v));
        for (int row = 0; row < tiles * rows; ++row)
            fit_row<typename L::kind>(w.data() + row * cols, cols);
        for (int t = 0; t < tiles; ++t)
            L::encode(w.data() + t * rows * cols, bytes.data() + t * L::tile_bytes);
    }
    /// How many of `words` words from column `first` on are not weight - lowest, as far as weights
    /// go; column `c` of the panel is one of the weights' columns `first + column(c)`.
    template <class Arch, class F>
    [[nodiscard]] int wrong(const std::byte* panels, std::int64_t first, int words,
                            F column) const {
        int count = 0;
        for (int row = 0; row < rows; ++row)
            for (int c = 0; c < 4 * words; ++c) {
                const std::int64_t col = first + column(c), tile = col / cols;
                if (tile >= tiles) continue;
                const auto at = static_cast<std::size_t>((tile * rows + row) * cols + col % cols);
                const auto byte =
                    row / 16 * kernel::panel_stride<Arch> + c / 4 * 64 + row % 16 * 4 + c % 4;
                count += std::to_integer<int>(panels[byte]) != w[at] - L::kind::lowest;
            }
        return count;
    }
    template <class Arch>
    static constexpr std::int64_t panel_bytes = rows / 16 * kernel::panel_stride<Arch>;
};

/// The column of the weights that column c of a panel is: what order() brings there.
template <class Decoder>
int column_of(int c) {
    if constexpr (kernel::reorders_columns<Decoder>) {
        constexpr int step = Decoder::step_cols;
        std::int8_t from[step], to[step];
        for (int i = 0; i < step; ++i) from[i] = static_cast<std::int8_t>(i);
        Decoder::order(from, to);
        return c / step * step + to[c % step];
    }
    return c;
}

}  // namespace

TEMPLATE_LIST_TEST_CASE("a panel holds weight - lowest of columns from any step on", "[kernel]",
                        layouts) {
    // Tiles that do not fill the last step, words that do not either.
    using decoder = kernel::panel_decoder<native_arch, TestType>;
    constexpr int step = decoder::step_cols;
    const some_tiles<TestType> some(4 * 7 + 3);
    for (const std::int64_t first : {0, step, 3 * step})
        for (const int words : {1, 2, 5, step / 4, step / 4 + 1, 7 * TestType::tile_cols / 4}) {
            constexpr auto size = some_tiles<TestType>::template panel_bytes<native_arch>;
            testing::guarded_buffer panels(size);
            kernel::decode_panel<native_arch, TestType>(some.bytes.data(), some.tiles, first, words,
                                                        0, panels.data());
            CAPTURE(TestType::name, first, words);
            CHECK(some.template wrong<native_arch>(panels.data(), first, words,
                                                   column_of<decoder>) == 0);
        }
}

TEMPLATE_LIST_TEST_CASE("a panel can start at any column", "[kernel]", layouts) {
    const some_tiles<TestType> some(7);
    for (const std::int64_t first : {0, 3, 5, 16, 31, 32})
        for (const int words : {1, 2, 5, 7 * TestType::tile_cols / 4 + 1}) {
            constexpr auto size = some_tiles<TestType>::template panel_bytes<arch::generic>;
            testing::guarded_buffer panels(size);
            kernel::decode_columns<arch::generic, TestType>(some.bytes.data(), some.tiles, first,
                                                            words, panels.data());
            CAPTURE(TestType::name, first, words);
            CHECK(some.template wrong<arch::generic>(panels.data(), first, words,
                                                     [](int c) { return c; }) == 0);
        }
}

namespace {

/// What the field description of a layout says of one tile and 16 or 32 activations of one row.
template <class L>
int by_fields(const std::byte* tile, const std::int8_t* x, int row) {
    using fields = kernel::dot_fields<L>;
    constexpr int bits = 8 / fields::fields;
    int total = 0;
    for (int i = 0; i < 4 * fields::fields && fields::planes == 1; ++i)
        total += L::kind::lowest * x[i];
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
                v = static_cast<std::int8_t>(r.between(L::kind::lowest, L::kind::highest));
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
    check_fields<layout::quaternary_2bit>();
    check_fields<layout::quaternary_2bit_low>();
    check_fields<layout::quaternary_2bit_odd>();
    STATIC_CHECK_FALSE(kernel::dot_layout<layout::ternary_base3>);
    STATIC_CHECK_FALSE(kernel::dot_layout<layout::ternary_3of4>);
}
