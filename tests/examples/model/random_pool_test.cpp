// SPDX-License-Identifier: MIT
// Tests of examples/model/random_pool.hpp: random matrices are valid in every layout, and as large
// as they should be.
#include "model/random_pool.hpp"

#include <catch2/catch_test_macros.hpp>

#include "model/random_weights.hpp"
#include "model/shapes.hpp"
#include "same_bits.hpp"

using namespace tbx;

namespace {

/// One token's products with one matrix after the other.
std::vector<float> product(model::compute& cpu, const trilobit::packed_view& w,
                           const std::vector<float>& x) {
    std::vector<float> y(static_cast<std::size_t>(w.rows));
    model::multiply(cpu, {x.data(), 1, std::ssize(x)},
                    {{model::linear{w}, {y.data(), 1, std::ssize(y)}}});
    return y;
}

}  // namespace

TEST_CASE("random matrices are valid in every layout, also where rows and columns are no tiles") {
    model::compute cpu(2);
    trilobit::any_type(trilobit::layouts{}, [&]<class L>() {
        model::random_pool pool(cpu, 3, L::id);
        trilobit::page_arena arena;
        for (const auto& [rows, cols] : {std::pair{640, 512}, {64, 36}, {700, 36}, {20, 40}}) {
            INFO(L::name << " " << rows << " x " << cols);
            const model::linear made = pool.make(17, rows, cols, arena);
            const trilobit::packed_view& w = *made.packed();
            REQUIRE((w.rows == rows && w.cols == cols));
            bool valid = true;
            for (std::int64_t b = 0; b < w.tiles_bytes(); b += L::tile_bytes)
                valid &= L::valid(w.tiles + b);
            CHECK(valid);
            // The same product as that of the same matrix made again.
            std::vector<float> x(static_cast<std::size_t>(cols), 0.5f);
            trilobit::page_arena other;
            const model::linear again = pool.make(17, rows, cols, other);
            const auto y = product(cpu, w, x);
            CHECK(testing::same_bits(y, product(cpu, *again.packed(), x)));
            if (rows > 64)
                CHECK(!testing::same_bits(
                    y, product(cpu, *pool.make(18, rows, cols, other).packed(), x)));
        }
        return false;
    });
}

TEST_CASE("shapes of 10^11 weights take the memory that they should") {
    using trilobit::layout_id;
    const auto gigabytes = [](const char* shape, layout_id layout) {
        return static_cast<double>(
                   model::random_bytes(model::config_of_shape(shape), layout, std::nullopt)) *
               1e-9;
    };
    for (const char* shape : {"100B", "100B-A3B"}) {
        INFO(shape);
        CHECK(std::abs(gigabytes(shape, layout_id::ternary_base3) - 20.0) < 0.4);
        CHECK(std::abs(gigabytes(shape, layout_id::binary_1bit) - 12.5) < 0.3);
    }
    CHECK(std::abs(static_cast<double>(model::config_of_shape("100B").linear_weights()) - 1e11) <
          1e9);
    CHECK(std::abs(static_cast<double>(model::config_of_shape("100B-A3B").linear_weights()) - 3e9) <
          1e8);
}
