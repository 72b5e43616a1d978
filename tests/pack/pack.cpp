// SPDX-License-Identifier: MIT
// Every weight and scale lies where packed_view says, from any source, by any executor.
#include "trilobit/pack/pack.hpp"

#include <catch2/catch_template_test_macros.hpp>
#include <catch2/catch_test_macros.hpp>
#include <mutex>

#include "sample.hpp"
#include "trilobit/core/thread_pool.hpp"

using namespace trilobit;
using pack_test::differences;
using pack_test::sample;

TEMPLATE_LIST_TEST_CASE("packed weights and scales are found where they should be", "[pack]",
                        layouts) {
    for (const scale_spec& spec : pack_test::all_specs())
        for (const auto& [rows, cols] : {std::pair{1, 1}, std::pair{17, 67}, std::pair{64, 320},
                                         std::pair{65, 257}, std::pair{130, 31}}) {
            const sample s = sample::of<TestType>(rows, cols, spec);
            const auto packed = pack<TestType>(s.view());
            CAPTURE(rows, cols, spec.group_cols, static_cast<int>(spec.type));
            REQUIRE(packed.status().ok());
            CHECK(packed.view().rows == rows);
            CHECK(packed.view().cols == cols);
            CHECK(packed.view().layout == TestType::id);
            CHECK(packed.view().scale == spec);
            CHECK(differences<TestType>(packed.view(), s) == 0);
        }
}

TEMPLATE_LIST_TEST_CASE("what pads a matrix is padding, with scale 0", "[pack]", layouts) {
    const sample s = sample::of<TestType>(3, 70, scale_spec::group(32));
    const auto packed = pack<TestType>(s.view());
    REQUIRE(packed.status().ok());
    const packed_view& v = packed.view();
    // What a tile of nothing else is: of a kind that binds neighbours, not one value everywhere.
    std::int8_t padding[TestType::tile_rows * TestType::tile_cols];
    std::memset(padding, TestType::kind::padding, sizeof padding);
    std::byte tile[TestType::tile_bytes];
    TestType::encode(padding, tile);
    TestType::decode(tile, padding);
    int stray = 0;
    for (std::int64_t n = 3; n < TestType::tile_rows; ++n)
        for (std::int64_t k = 0; k < 70; ++k)
            stray += pack_test::weight_in<TestType>(v, n, k) !=
                     padding[n * TestType::tile_cols + k % 32 % TestType::tile_cols];
    CHECK(stray == 0);
    for (std::int64_t g = 0; g < 3; ++g)
        for (int r = 3; r < TestType::tile_rows; ++r) CHECK(v.scale_of(0, g, r) == 0.0f);
    for (std::int64_t t = 0; t < v.row_tiles(); ++t)
        CHECK(TestType::valid(v.tiles + t * TestType::tile_bytes));
}

TEMPLATE_LIST_TEST_CASE("float weights are quantised by the rule, then packed", "[pack]", layouts) {
    // Of the second the sums of all rows do not fit where the image will lie.
    for (const auto& [rows, cols] : {std::pair{33, 100}, std::pair{700, 3}}) {
        testing::generator r(5);
        std::vector<float> w(static_cast<std::size_t>(rows * (cols + 3)));
        for (float& x : w) x = r.unit();
        for (const scale_spec& spec : pack_test::all_specs()) {
            CAPTURE(rows, cols, spec.group_cols);
            const matrix_view<const float> weights(w.data(), rows, cols, cols + 3);
            sample s(rows, cols, spec);
            const matrix_view<std::int8_t> values(s.values.data(), rows, cols);
            using kind = typename TestType::kind;
            if constexpr (std::is_same_v<kind, ternary>)
                REQUIRE(ternarize_absmean(weights, spec, values, s.scales.data()).ok());
            else if constexpr (std::is_same_v<kind, binary>)
                REQUIRE(binarize_sign(weights, spec, values, s.scales.data()).ok());
            else if constexpr (std::is_same_v<kind, three_of_four>)
                REQUIRE(keep_three_of_four(weights, spec, values, s.scales.data()).ok());
            else
                REQUIRE(quantize_four_levels<kind>(weights, spec, values, s.scales.data()).ok());
            if (spec.type == scale_type::f16)
                for (float& x : s.scales) x = f16_to_f32(f32_to_f16(x));
            const auto packed = pack<TestType>(weights, {spec});
            REQUIRE(packed.status().ok());
            CHECK(differences<TestType>(packed.view(), s) == 0);
            const any_packed_matrix by_id = pack(TestType::id, weights, {spec});
            CHECK(pack_test::copy_of(by_id) == pack_test::copy_of(packed));
        }
    }
}

TEMPLATE_LIST_TEST_CASE("the image is the same bytes whoever packs it", "[pack]", layouts) {
    testing::generator r(6);
    std::vector<float> w(300 * 77);
    for (float& x : w) x = r.spread();
    const matrix_view<const float> weights(w.data(), 300, 77);
    thread_pool pool(4);
    for (const scale_spec& spec :
         {scale_spec::tensor(), scale_spec::row(), scale_spec::group(32)}) {
        const auto alone = pack<TestType>(weights, {spec});
        const auto together = pack<TestType>(weights, {spec}, pool);
        REQUIRE(alone.status().ok());
        CHECK(pack_test::copy_of(alone) == pack_test::copy_of(together));
    }
}

TEMPLATE_LIST_TEST_CASE("matrices without rows or columns pack", "[pack]", layouts) {
    for (const auto& [rows, cols] : {std::pair{0, 5}, std::pair{5, 0}, std::pair{0, 0}})
        for (const scale_spec& spec : pack_test::all_specs()) {
            const matrix_view<const float> none(nullptr, rows, cols);
            const auto packed = pack<TestType>(none, {spec});
            CAPTURE(rows, cols, spec.group_cols);
            REQUIRE(packed.status().ok());
            CHECK(packed.view().tiles_bytes() == 0);
            CHECK(view_packed(packed.bytes()).ok());
        }
}

TEST_CASE("rows made on demand are asked for once each", "[pack]") {
    const sample s(150, 40, scale_spec::group(32));
    std::vector<std::atomic<int>> asked(150);
    thread_pool pool(3);
    const auto source = [&](std::int64_t row, std::int8_t* values, float* scales) {
        ++asked[static_cast<std::size_t>(row)];
        std::copy_n(s.values.data() + row * 40, 40, values);
        std::copy_n(s.scales.data() + row * 2, 2, scales);
        return status{};
    };
    const any_packed_matrix packed =
        pack_rows(layout_id::ternary_base3, 150, 40, source, {s.spec}, pool);
    REQUIRE(packed.status().ok());
    CHECK(differences<layout::ternary_base3>(packed.view(), s) == 0);
    int wrong = 0;
    for (const auto& n : asked) wrong += n.load() != 1;
    CHECK(wrong == 0);
}

TEST_CASE("progress rises to exactly 1, one call at a time", "[pack]") {
    const sample s(5000, 8, scale_spec::row());
    thread_pool pool(4);
    for (int threads = 0; threads < 2; ++threads) {
        std::vector<double> seen;
        std::mutex alone;
        bool overlapped = false;
        pack_options options;
        const auto look = [&](double fraction) {
            const std::unique_lock lock(alone, std::try_to_lock);
            overlapped = overlapped || !lock.owns_lock();
            seen.push_back(fraction);
        };
        pack_test::report_to(look, options);
        const auto packed = threads == 0 ? pack<layout::ternary_2bit>(s.view(), options)
                                         : pack<layout::ternary_2bit>(s.view(), options, pool);
        REQUIRE(packed.status().ok());
        REQUIRE(seen.size() >= 2);
        CHECK(seen.size() <= 1001);
        CHECK_FALSE(overlapped);
        CHECK(seen.front() > 0.0);
        CHECK(seen.back() == 1.0);
        for (std::size_t i = 1; i < seen.size(); ++i) CHECK(seen[i] > seen[i - 1]);
    }
}

TEST_CASE("progress of an empty matrix is finished", "[pack]") {
    double last = -1;
    pack_options options;
    const auto look = [&](double f) { last = f; };
    pack_test::report_to(look, options);
    const auto packed =
        pack<layout::ternary_2bit>(matrix_view<const float>(nullptr, 0, 9), options);
    CHECK(packed.status().ok());
    CHECK(last == 1.0);
}
