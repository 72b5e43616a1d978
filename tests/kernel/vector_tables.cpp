// SPDX-License-Identifier: MIT
// Tables of vectors: each entry against a plain sum, and the entry that a packed byte points to
// against the weights that were packed.
#include <catch2/catch_template_test_macros.hpp>
#include <catch2/catch_test_macros.hpp>

#include "trilobit/kernel/vector_table.hpp"
#include "trilobit/testing/random.hpp"

using namespace trilobit;
using kernel::byte_index;
using kernel::table_shape;

namespace {

using indexed = type_list<layout::ternary_2bit, layout::ternary_base3, layout::binary_1bit>;

/// The weight that digit `at` of an index stands for.
template <class Layout>
int weight(int index, int at) {
    constexpr int radix = byte_index<Layout>::radix;
    for (; at > 0; --at) index /= radix;
    return radix == 3 ? index % 3 - 1 : 2 * (index % 2) - 1;
}

template <class Arch, class Layout>
int wrong_entries(const std::int16_t* x) {
    using shape = table_shape<Arch, Layout>;
    using bytes = byte_index<Layout>;
    constexpr int digits = bytes::digits;
    alignas(64) std::int16_t table[shape::size];
    kernel::build_table<Arch, Layout>(x, table);
    int wrong = 0;
    for (int e = 0; e < bytes::indices; ++e)
        for (int m = 0; m < shape::tokens; ++m) {
            int sum = 0;
            for (int i = 0; i < digits; ++i)
                sum += weight<Layout>(e, i) * x[i * shape::row_bytes * shape::tokens + m];
            wrong += table[bytes::entry(e) * shape::tokens + m] != sum;
        }
    return wrong;
}

template <class Arch, class Layout>
int wrong_offsets(testing::generator& r) {
    using shape = table_shape<Arch, Layout>;
    constexpr int cols = Layout::tile_cols;
    std::int8_t values[Layout::tile_rows * cols];
    for (std::int8_t& v : values) do
            v = static_cast<std::int8_t>(r.between(-1, 1));
        while (!Layout::kind::holds(v));
    alignas(64) std::byte tile[Layout::tile_bytes];
    Layout::encode(values, tile);
    alignas(64) std::uint16_t offsets[Layout::tile_bytes];
    kernel::entry_offsets<Arch, Layout>(tile, Layout::tile_bytes, offsets);
    int wrong = 0;
    for (int i = 0; i < Layout::tile_bytes; ++i) {
        const int row = i / shape::row_bytes, first = i % shape::row_bytes;
        int index = 0;
        while (index < byte_index<Layout>::indices &&
               byte_index<Layout>::entry(index) * 2 * shape::tokens != offsets[i])
            ++index;
        wrong += index == byte_index<Layout>::indices;
        for (int d = 0; d < byte_index<Layout>::digits; ++d)
            wrong += weight<Layout>(index, d) != values[row * cols + first + d * shape::row_bytes];
    }
    return wrong;
}

template <class F>
void for_archs(F&& f) {
    f.template operator()<arch::generic>();
    f.template operator()<native_arch>();
}

}  // namespace

TEMPLATE_LIST_TEST_CASE("every entry of a table is the sum it stands for", "[kernel]", indexed) {
    for_archs([]<class Arch>() {
        using shape = table_shape<Arch, TestType>;
        alignas(64) std::int16_t x[TestType::tile_cols * shape::tokens];
        testing::generator r(11);
        for (std::int16_t& v : x) v = static_cast<std::int16_t>(r.between(-128, 127));
        CHECK(wrong_entries<Arch, TestType>(x) == 0);
        for (const int bound : {-128, 127, 0}) {
            std::fill_n(x, TestType::tile_cols * shape::tokens, static_cast<std::int16_t>(bound));
            CHECK(wrong_entries<Arch, TestType>(x) == 0);
        }
    });
}

TEMPLATE_LIST_TEST_CASE("packed bytes point to the entry of their weights", "[kernel]", indexed) {
    for_archs([]<class Arch>() {
        testing::generator r(12);
        int wrong = 0;
        for (int round = 0; round < 50; ++round) wrong += wrong_offsets<Arch, TestType>(r);
        CHECK(wrong == 0);
    });
}

TEMPLATE_LIST_TEST_CASE("bytes that nobody packs point into the table too", "[kernel]", indexed) {
    for_archs([]<class Arch>() {
        using shape = table_shape<Arch, TestType>;
        alignas(64) std::byte bytes[256];
        for (int i = 0; i < 256; ++i) bytes[i] = static_cast<std::byte>(i);
        alignas(64) std::uint16_t offsets[256];
        kernel::entry_offsets<Arch, TestType>(bytes, 256, offsets);
        int wrong = 0;
        for (const std::uint16_t at : offsets) wrong += at >= 2 * shape::size;
        CHECK(wrong == 0);
    });
}

TEST_CASE("columns of some tokens, the last of which stands in for those that lack", "[kernel]") {
    for_archs([]<class Arch>() {
        constexpr int lanes = 16, cols = 24;
        constexpr std::int64_t stride = 40;
        std::int8_t values[lanes * stride];
        testing::generator r(13);
        for (std::int8_t& v : values) v = static_cast<std::int8_t>(r.between(-128, 127));
        for (const int tokens : {1, 7, 8, 9, 16}) {
            alignas(64) std::int16_t x[cols * lanes];
            kernel::load_columns<Arch, lanes, cols>(values, stride, tokens, x);
            int wrong = 0;
            for (int c = 0; c < cols; ++c)
                for (int m = 0; m < lanes; ++m)
                    wrong += x[c * lanes + m] != values[std::min(m, tokens - 1) * stride + c];
            CAPTURE(tokens);
            CHECK(wrong == 0);
        }
    });
}
