// SPDX-License-Identifier: MIT
// A packed file whose header is sound and whose payload is not: kernels may compute nonsense from
// it, but the same nonsense twice, and they stay inside the image. It ends at a guard page.
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
        testing::guarded_image image(pack<TestType>(o.quantized(c)));
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
                context with{table, {}, {c.activation, 0, e.kernel}};
                REQUIRE(matmul(with, trusted.value(), {x.data(), c.tokens, c.cols},
                               matrix_view<float>(out.data(), c.tokens, c.rows))
                            .ok());
            }
            CHECK(std::memcmp(y[0].data(), y[1].data(), y[0].size() * sizeof(float)) == 0);
            bool finite = true;
            for (const float v : y[0]) finite = finite && std::isfinite(v);
            CHECK(finite);
        }
    }
}
