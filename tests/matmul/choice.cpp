// SPDX-License-Identifier: MIT
// Which kernel is taken, and that the static way gives the same bits as the dispatched one.
#include <cstring>

#include "sample.hpp"
#include "trilobit/core/thread_pool.hpp"

using namespace trilobit;
using matmul_test::active_table;
using matmul_test::sample;

TEST_CASE("the automatic choice is the cheapest that accepts", "[matmul]") {
    const kernel_table& table = active_table();
    for (const kernel_entry& e : table)
        for (const int group : {0, 32})
            for (const std::int64_t tokens : {1, 2, 100}) {
                packed_shape w{e.layout, {}, 64, 640, scale_spec::row()};
                visit_layout(e.layout, [&]<class L>() { w.tile = tile_shape::of<L>(); });
                const activation_shape x{e.activation, tokens, 640, group};
                const kernel_entry* best = choose_kernel(table, w, x);
                const kernel_entry* named = choose_kernel(table, w, x, e.kernel);
                REQUIRE(best != nullptr);
                if (!e.accepts(w, x)) {
                    CHECK(named == nullptr);
                    continue;
                }
                CHECK(named == &e);
                CHECK(best->cost(w, tokens) <= e.cost(w, tokens));
            }
}

TEST_CASE("static and run-time dispatch give the same bits", "[matmul]") {
    constexpr std::int64_t rows = 70, cols = 300, tokens = 5;
    testing::generator r(3);
    std::vector<float> weights(rows * cols), x(tokens * cols);
    for (float& v : weights) v = r.unit();
    for (float& v : x) v = r.spread();
    thread_pool pool(2);
    const matrix_view<const float> in(x.data(), tokens, cols);
    // Each takes seconds to compile; these two have kernels of every family.
    any_type(type_list<layout::ternary_base3, layout::binary_1bit>{}, [&]<class L>() {
        const auto w =
            pack<L>(matrix_view<const float>(weights.data(), rows, cols), {scale_spec::row()});
        REQUIRE(w.status().ok());
        for (const activation_id kind :
             {activation_id::int8, activation_id::int4, activation_id::int2, activation_id::sign}) {
            std::vector<float> a(tokens * rows), b(tokens * rows), c(tokens * rows);
            const auto out = [&](std::vector<float>& y) {
                return matrix_view<float>(y.data(), tokens, rows);
            };
            const matmul_options options{.activation = kind};
            context here{active_table(), {}, options};
            REQUIRE(matmul(here, w.view(), in, out(a)).ok());
            REQUIRE(matmul(w, in, out(b), options).ok());
            REQUIRE(matmul(w, in, out(c), options, pool).ok());
            CAPTURE(L::name, activation_name(kind));
            CHECK(std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0);
            CHECK(std::memcmp(a.data(), c.data(), a.size() * sizeof(float)) == 0);
        }
        return false;
    });
}

TEST_CASE("a product close to the float one", "[matmul]") {
    // Not the kernels' exactness: that the scales are applied the right way round at all.
    constexpr std::int64_t rows = 24, cols = 512;
    testing::generator r(4);
    std::vector<float> w(rows * cols), x(cols), y(rows);
    for (std::size_t i = 0; i < w.size(); ++i) w[i] = 0.25f * static_cast<float>(r.between(-1, 1));
    for (float& v : x) v = r.unit();
    const scale_spec spec = scale_spec::row();
    // Weights that are ternary already, so absmean changes only their scale.
    std::vector<std::int8_t> values(w.size());
    for (std::size_t i = 0; i < w.size(); ++i) values[i] = static_cast<std::int8_t>(w[i] * 4.0f);
    const std::vector<float> scales(rows, 0.25f);
    const auto packed = pack<layout::ternary_2bit>(
        quantized_view{{values.data(), rows, cols}, scales.data(), spec});
    REQUIRE(matmul(packed, {x.data(), 1, cols}, matrix_view<float>(y.data(), 1, rows)).ok());
    for (std::size_t n = 0; n < rows; ++n) {
        double sum = 0;
        for (std::size_t k = 0; k < cols; ++k)
            sum += static_cast<double>(x[k]) * static_cast<double>(w[n * cols + k]);
        // Each of 512 activations is off by 1/254 at most, times 0.25.
        CHECK(std::abs(static_cast<double>(y[n]) - sum) < 512 * 0.25 / 254);
    }
}
