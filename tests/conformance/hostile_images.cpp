// SPDX-License-Identifier: MIT
// A packed file whose header is sound and whose payload is not: kernels may compute nonsense from
// it, but the same nonsense twice, and they stay inside the image. It ends at a guard page. The
// same of lists that say where rows and columns were moved.
#include <algorithm>
#include <catch2/catch_template_test_macros.hpp>
#include <cmath>
#include <cstring>
#include <vector>

#include "active.hpp"
#include "trilobit/testing/check_kernels.hpp"

using namespace trilobit;

TEMPLATE_LIST_TEST_CASE("any payload is computed without leaving the image", "[hostile]", layouts) {
    const kernel_table& table = conformance::active_table();
    testing::generator r(31);
    for (int round = 0; round < 12; ++round) {
        testing::kernel_case c;
        c.rows = r.between(1, 70);
        c.cols = r.between(1, 700);
        c.tokens = r.between(1, 6);
        c.scale = round % 2 == 0 ? scale_spec::tensor() : scale_spec::group(32);
        c.seed = static_cast<std::uint64_t>(round);
        c.activation = static_cast<activation_id>(round % 4);
        const auto o = testing::make_operands<typename TestType::kind>(c);
        pack_options all;
        all.drop = drop_zeros::nothing;
        testing::guarded_image image(pack<TestType>(o.quantized(c), all));
        REQUIRE(image.problem.ok());
        auto* tiles = const_cast<std::byte*>(image.view.tiles);
        for (std::int64_t i = 0; i < image.view.tiles_bytes(); ++i)
            tiles[i] = round % 3 == 0 ? std::byte{0xff} : static_cast<std::byte>(r.bits());

        const std::span<const std::byte> bytes{image.bytes.data(), image.bytes.size()};
        CHECK_FALSE(view_packed(bytes).ok());
        const auto trusted = view_packed(bytes, verify::header);
        REQUIRE(trusted.ok());

        std::vector<float> x(static_cast<std::size_t>(c.tokens * c.cols));
        for (float& v : x) v = r.unit();
        for (const kernel_entry& e : table) {
            if (e.layout != TestType::id || e.activation != c.activation) continue;
            if (!e.accepts(trusted.value(), o.shape)) continue;
            CAPTURE(table.name, TestType::name, kernel_name(e.kernel), round);
            std::vector<float> y[2];
            for (auto& out : y) {
                out.assign(static_cast<std::size_t>(c.tokens * c.rows), NAN);
                workspace scratch;
                serial run;
                REQUIRE(matmul(table, trusted.value(), {x.data(), c.tokens, c.cols},
                               matrix_view<float>(out.data(), c.tokens, c.rows), scratch, run,
                               {c.activation, 0, e.kernel})
                            .ok());
            }
            CHECK(std::memcmp(y[0].data(), y[1].data(), y[0].size() * sizeof(float)) == 0);
            bool finite = true;
            for (const float v : y[0]) finite = finite && std::isfinite(v);
            CHECK(finite);
        }
    }
}

TEMPLATE_LIST_TEST_CASE("any sound list of places moves nothing out of the outputs", "[hostile]",
                        layouts) {
    const kernel_table& table = conformance::active_table();
    testing::generator r(32);
    for (int round = 0; round < 24; ++round) {
        // An image of a few rows and columns that claims to have been one of more, which it was
        // not.
        testing::kernel_case c;
        c.rows = r.between(1, 140);
        c.cols = r.between(1, 300);
        c.tokens = round % 3 == 0 ? 40 : r.between(1, 3);
        c.seed = static_cast<std::uint64_t>(round);
        const auto o = testing::make_operands<typename TestType::kind>(c);
        pack_options all;
        all.drop = drop_zeros::nothing;
        const auto packed = pack<TestType>(o.quantized(c), all);
        REQUIRE(packed.status().ok());
        packed_shape shape = packed.view();
        shape.dropped_rows = round % 4 == 0 ? 0 : r.between(1, 600);
        shape.dropped_cols = round % 4 == 1 ? 0 : r.between(1, 300);
        shape.rows += shape.dropped_rows;
        shape.cols += shape.dropped_cols;
        const detail::packed_sections at = detail::packed_sections::of(shape);
        testing::guarded_buffer image(at.size);
        std::memcpy(image.data(), packed.bytes().data(), static_cast<std::size_t>(at.row_places));
        const auto places = [&](std::int64_t section, std::int64_t count, std::int64_t stored) {
            auto* to = reinterpret_cast<std::uint32_t*>(image.data() + section);
            for (std::int64_t i = 0; i < count; ++i)
                to[i] = static_cast<std::uint32_t>(r.between(0, stored));
            std::sort(to, to + count);
        };
        places(at.row_places, shape.dropped_rows, c.rows);
        places(at.col_places, shape.dropped_cols, c.cols);
        detail::seal_packed(shape, {image.data(), image.size()});
        const auto viewed = view_packed({image.data(), image.size()});
        REQUIRE(viewed.ok());

        std::vector<float> x(static_cast<std::size_t>(c.tokens * shape.cols), 1.0f);
        testing::detail::guarded_output y(c.tokens, shape.rows);
        const auto count = [&](float* values, int n, std::int64_t token, std::int64_t row) {
            testing::detail::guarded_output::write(&y, values, token, row, n);
        };
        workspace scratch;
        serial run;
        REQUIRE(matmul(table, viewed.value(), {x.data(), c.tokens, shape.cols}, count, scratch, run)
                    .ok());
        // Every output once; the values themselves are whatever the image says.
        std::vector<float> got;
        for (std::int64_t m = 0; m < c.tokens; ++m)
            got.insert(got.end(), y.view().row(m), y.view().row(m) + shape.rows);
        CHECK(y.difference(got, true).empty());
    }
}
