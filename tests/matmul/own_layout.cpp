// SPDX-License-Identifier: MIT
// Layouts of somebody else's, with tiles unlike the library's: one type each, and they pack, save
// and multiply through the generic kernel and the dot product's panels.
#include <catch2/catch_template_test_macros.hpp>
#include <catch2/catch_test_macros.hpp>
#include <cstring>

#include "product.hpp"
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
    workspace scratch;
    serial alone;
    REQUIRE(matmul(kernels_for<arch::generic, TestType>::table, viewed.value(), in,
                   matrix_view<float>(again.data(), 1, 40), scratch, alone)
                .ok());
    CHECK(y == again);
    // The library's own table has no kernel for it and says so.
    CHECK(matmul(matmul_test::active_table(), viewed.value(), in,
                 matrix_view<float>(again.data(), 1, 40), scratch, alone)
              .code == errc::unsupported);
}
