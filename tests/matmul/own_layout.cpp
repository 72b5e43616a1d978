// SPDX-License-Identifier: MIT
// Layouts of somebody else's, with tiles unlike the library's: one type each, and they pack, save
// and multiply through the generic kernel and the dot product's panels.
#include <catch2/catch_template_test_macros.hpp>
#include <catch2/catch_test_macros.hpp>
#include <cstring>

#include "four_levels.hpp"
#include "sample.hpp"
#include "trilobit/testing/conformance.hpp"
#include "trilobit/trilobit.hpp"

using namespace trilobit;

namespace {

/// 32 rows x 3 columns, a byte's two-bit fields 0, 1 and 2 the columns of a row, in two copies of
/// 32 bytes, the second inverted: a width that divides no group and no word of activations.
struct three_columns {
    using kind = ternary;
    static constexpr layout_id id = static_cast<layout_id>(0x1003);
    static constexpr std::string_view name = "three_columns";
    static constexpr int tile_rows = 32, tile_cols = 3, tile_bytes = 64;

    static void encode(const std::int8_t* values, std::byte* tile) noexcept {
        for (int r = 0; r < tile_rows; ++r) {
            unsigned byte = 0;
            for (int c = 0; c < 3; ++c)
                byte |= static_cast<unsigned>(values[r * 3 + c] + 1) << (2 * c);
            tile[r] = static_cast<std::byte>(byte);
            tile[32 + r] = ~tile[r];
        }
    }
    static void decode(const std::byte* tile, std::int8_t* values) noexcept {
        for (int r = 0; r < tile_rows; ++r)
            for (int c = 0; c < 3; ++c)
                values[r * 3 + c] = static_cast<std::int8_t>(
                    static_cast<int>(std::to_integer<unsigned>(tile[r]) >> (2 * c) & 3u) - 1);
    }
    static bool valid(const std::byte* tile) noexcept {
        for (int r = 0; r < tile_rows; ++r) {
            const auto byte = std::to_integer<unsigned>(tile[r]);
            if (byte > 0x3f || (byte & byte >> 1 & 0x15u) != 0 || tile[32 + r] != ~tile[r])
                return false;
        }
        return true;
    }
};

/// 16 rows x 48 columns of signs, a bit each in row-major order, in 128 bytes with the rest zero.
struct wide_signs {
    using kind = binary;
    static constexpr layout_id id = static_cast<layout_id>(0x1004);
    static constexpr std::string_view name = "wide_signs";
    static constexpr int tile_rows = 16, tile_cols = 48, tile_bytes = 128;

    static void encode(const std::int8_t* values, std::byte* tile) noexcept {
        std::memset(tile, 0, tile_bytes);
        for (int i = 0; i < tile_rows * tile_cols; ++i)
            if (values[i] > 0) tile[i / 8] |= static_cast<std::byte>(1 << (i % 8));
    }
    static void decode(const std::byte* tile, std::int8_t* values) noexcept {
        for (int i = 0; i < tile_rows * tile_cols; ++i)
            values[i] = (std::to_integer<int>(tile[i / 8]) >> (i % 8) & 1) != 0 ? 1 : -1;
    }
    static bool valid(const std::byte* tile) noexcept {
        for (int i = tile_rows * tile_cols / 8; i < tile_bytes; ++i)
            if (tile[i] != std::byte{}) return false;
        return true;
    }
};

static_assert(weight_layout<three_columns> && weight_layout<wide_signs>);
using own = type_list<three_columns, wide_signs>;

using matmul_test::four_levels;
using of_four = type_list<four_levels<-2, 1>, four_levels<-1, 1>, four_levels<-3, 2>>;

/// A byte a weight, for kinds of many values.
template <int Lowest, int Highest>
struct bytes {
    struct kind {
        static constexpr std::string_view name = "many";
        static constexpr bool holds(std::int8_t v) noexcept { return v >= Lowest && v <= Highest; }
        static constexpr std::int8_t lowest = Lowest, highest = Highest, padding = Lowest;
    };
    static constexpr layout_id id = static_cast<layout_id>(0x1006);
    static constexpr std::string_view name = "bytes";
    static constexpr int tile_rows = 16, tile_cols = 4, tile_bytes = 64;
    static void encode(const std::int8_t* values, std::byte* tile) noexcept {
        for (int i = 0; i < 64; ++i) tile[i] = static_cast<std::byte>(values[i] - Lowest);
    }
    static void decode(const std::byte* tile, std::int8_t* values) noexcept {
        for (int i = 0; i < 64; ++i)
            values[i] = static_cast<std::int8_t>(
                std::min(std::to_integer<int>(tile[i]) + Lowest, +Highest));
    }
    static bool valid(const std::byte* tile) noexcept {
        return std::all_of(tile, tile + 64,
                           [](std::byte b) { return std::to_integer<int>(b) <= Highest - Lowest; });
    }
};
/// Signs in tiles of 512 columns, which are wider than a panel of decoded weights.
struct wider_than_a_panel {
    using kind = binary;
    static constexpr layout_id id = static_cast<layout_id>(0x1007);
    static constexpr std::string_view name = "wider_than_a_panel";
    static constexpr int tile_rows = 16, tile_cols = 512, tile_bytes = 1024;
    static void encode(const std::int8_t* values, std::byte* tile) noexcept {
        for (int i = 0; i < tile_bytes; ++i) {
            tile[i] = std::byte{};
            for (int b = 0; b < 8; ++b)
                tile[i] |= static_cast<std::byte>((values[8 * i + b] > 0) << b);
        }
    }
    static void decode(const std::byte* tile, std::int8_t* values) noexcept {
        for (int i = 0; i < 8 * tile_bytes; ++i)
            values[i] = (std::to_integer<int>(tile[i / 8]) >> (i % 8) & 1) != 0 ? 1 : -1;
    }
    static bool valid(const std::byte*) noexcept { return true; }
};

/// The kinds that span the most that `dot` does, and one value more.
using at_the_end = type_list<bytes<-63, 0>, bytes<0, 63>, bytes<-31, 32>>;
using past_the_end = bytes<-63, 1>;
static_assert(!weight_kind<bytes<-64, 0>::kind> && !weight_layout<bytes<0, 64>>,
              "kernels could not sum these in int32");

template <class L>
bool has_dot(const kernel_table& table) {
    return std::any_of(table.begin(), table.end(), [](const kernel_entry& e) {
        return e.layout == L::id && e.kernel == kernel_id::dot;
    });
}

/// Every kernel of `table` for a layout.
template <class L>
void check_products(const kernel_table& table, std::int64_t widest) {
    testing::kernel_check_options options;
#if defined(TRILOBIT_TEST_SMALL)
    options.cases = 6;
    widest = std::min<std::int64_t>(widest, 4096);
#else
    options.cases = 30;
#endif
    options.max_work = 1 << 18;
    options.adversarial_cols = widest;
    const testing::report found = testing::check_kernels(table, type_list<L>{}, options);
    INFO(found.text);
    CHECK(found.ok);
}

/// And its bits.
template <class L>
void check_all(const kernel_table& table, std::int64_t widest) {
    const testing::report bits = testing::check_layout<L>();
    INFO(bits.text);
    CHECK(bits.ok);
    check_products<L>(table, widest);
}

}  // namespace

TEMPLATE_LIST_TEST_CASE("an own layout keeps the promises", "[own_layout]", own) {
    const testing::report found = testing::check_layout<TestType>();
    INFO(found.text);
    CHECK(found.ok);
}

TEMPLATE_LIST_TEST_CASE("an own layout multiplies exactly", "[own_layout]", own) {
    const kernel_table& table = kernels_for<native_arch, TestType>::table;
    bool generic = false, dot = false;
    for (const kernel_entry& e : table) {
        CHECK(e.layout == TestType::id);
        generic = generic || e.kernel == kernel_id::generic;
        dot = dot || e.kernel == kernel_id::dot;
    }
    CHECK((generic && dot));
    testing::kernel_check_options options;
    options.max_work = 1 << 18;
    options.adversarial_cols = 4096;
    const testing::report found = testing::check_kernels(table, type_list<TestType>{}, options);
    INFO(found.text);
    CHECK(found.ok);
}

TEMPLATE_LIST_TEST_CASE("a layout of four values of its own multiplies exactly", "[own_layout]",
                        of_four) {
    const kernel_table& table = kernels_for<native_arch, TestType>::table;
    CHECK(has_dot<TestType>(table));
    check_all<TestType>(table, max_cols);
    const auto back_ends =
        dispatch::per_arch<kernel_table, matmul_test::four_levels_of>::available();
    for (const kernel_table* of_arch : back_ends) {
        CAPTURE(of_arch->name);
        CHECK(has_dot<TestType>(*of_arch));
        check_all<TestType>(*of_arch, max_cols);
    }
    if (back_ends.empty()) WARN("no back end but the compiler's own runs here");
}

TEMPLATE_LIST_TEST_CASE("dot sums the widest kinds it claims", "[own_layout]", at_the_end) {
    const kernel_table& table = kernels_for<native_arch, TestType>::table;
    CHECK(has_dot<TestType>(table));
    check_all<TestType>(table, max_cols);
}

TEST_CASE("dot does not claim tiles that no panel holds", "[own_layout]") {
    const kernel_table& table = kernels_for<native_arch, wider_than_a_panel>::table;
    CHECK_FALSE(has_dot<wider_than_a_panel>(table));
    check_products<wider_than_a_panel>(table, 4096);
}

TEST_CASE("dot does not claim a kind whose codes would overflow", "[own_layout]") {
    const kernel_table& table = kernels_for<native_arch, past_the_end>::table;
    CHECK_FALSE(has_dot<past_the_end>(table));
    check_all<past_the_end>(table, 4096);
}

TEMPLATE_LIST_TEST_CASE("an own layout's image is viewed, and a name unknown here", "[own_layout]",
                        own) {
    std::vector<float> w(40 * 100), x(100), y(40), again(40);
    testing::generator r(1);
    for (float& v : w) v = r.unit();
    for (float& v : x) v = r.unit();
    const auto packed = pack<TestType>(matrix_view<const float>(w.data(), 40, 100));
    REQUIRE(packed.status().ok());
    const auto viewed = view_packed(packed.bytes());
    REQUIRE(viewed.ok());
    CHECK(viewed.value().layout == TestType::id);
    CHECK(viewed.value().tile == tile_shape::of<TestType>());
    CHECK(layout_name(viewed.value().layout) == "unknown");

    const matrix_view<const float> in(x.data(), 1, 100);
    REQUIRE(matmul(packed, in, {y.data(), 1, 40}).ok());
    const matrix_view<float> out(again.data(), 1, 40);
    context generic{kernels_for<arch::generic, TestType>::table};
    REQUIRE(matmul(generic, viewed.value(), in, out).ok());
    CHECK(y == again);
    // The library's own table has no kernel for it and says so.
    context ours{matmul_test::active_table()};
    CHECK(matmul(ours, viewed.value(), in, out).code == errc::unsupported);
}
