// SPDX-License-Identifier: MIT
// The last step: what epilogues are called with, what they may change, and in which order.
#include <mutex>

#include "product.hpp"
#include "trilobit/core/thread_pool.hpp"

using namespace trilobit;
using matmul_test::active_table;
using matmul_test::product;
using matmul_test::same_bits;

namespace {

template <class Epilogue>
void run_with(const product& p, const Epilogue& epilogue) {
    workspace scratch;
    serial alone;
    REQUIRE(matmul(active_table(), p.w, p.in(), epilogue, scratch, alone).ok());
}

}  // namespace

TEST_CASE("an epilogue sees every output once, in blocks of consecutive rows", "[matmul]") {
    for (const layout_id layout : {layout_id::ternary_2bit, layout_id::ternary_base3}) {
        product p(331, 1031, 35, layout);
        REQUIRE(p.run().ok());
        std::vector<int> seen(p.y.size());
        std::vector<float> y(p.y.size());
        std::mutex one;
        thread_pool pool(3);
        workspace scratch;
        const auto collect = [&](const float* values, int count, std::int64_t token,
                                 std::int64_t row) {
            const std::lock_guard lock(one);
            for (int i = 0; i < count; ++i) {
                const auto at = static_cast<std::size_t>(token * 331 + row + i);
                ++seen.at(at);
                y.at(at) = values[i];
            }
        };
        REQUIRE(matmul(active_table(), p.w, p.in(), collect, scratch, pool).ok());
        int wrong = 0;
        for (const int n : seen) wrong += n != 1;
        CHECK(wrong == 0);
        CHECK(same_bits(y, p.y));
    }
}

TEST_CASE("accumulate adds to what is there", "[matmul]") {
    product p(37, 65, 3);
    REQUIRE(p.run().ok());
    std::vector<float> y(p.y.size()), want(p.y.size());
    for (std::size_t i = 0; i < y.size(); ++i) {
        y[i] = static_cast<float>(i) * 0.125f;
        want[i] = y[i] + p.y[i];
    }
    run_with(p, epilogue::accumulate{{y.data(), 3, 37}});
    CHECK(same_bits(y, want));
}

TEST_CASE("a chain runs in its order", "[matmul]") {
    product p(37, 65, 3);
    REQUIRE(p.run().ok());
    std::vector<float> bias(37), y(p.y.size()), want(p.y.size());
    for (std::size_t n = 0; n < 37; ++n) bias[n] = static_cast<float>(n) - 18.5f;
    const matrix_view<float> out(y.data(), 3, 37);

    for (std::size_t i = 0; i < y.size(); ++i) want[i] = (p.y[i] + bias[i % 37]) * 3.0f;
    run_with(p,
             chain(epilogue::add_bias{bias.data()}, epilogue::scale{3.0f}, epilogue::write{out}));
    CHECK(same_bits(y, want));

    for (std::size_t i = 0; i < y.size(); ++i) {
        volatile float scaled = p.y[i] * 3.0f;
        want[i] = scaled + bias[i % 37];
    }
    run_with(p,
             chain(epilogue::scale{3.0f}, epilogue::add_bias{bias.data()}, epilogue::write{out}));
    CHECK(same_bits(y, want));
}

TEST_CASE("write leaves what lies between the rows of the output", "[matmul]") {
    product p(17, 65, 3);
    REQUIRE(p.run().ok());
    std::vector<float> y(3 * 20, 9.0f);
    run_with(p, epilogue::write{{y.data(), 3, 17, 20}});
    for (std::size_t m = 0; m < 3; ++m) {
        for (std::size_t n = 0; n < 17; ++n) CHECK(y[m * 20 + n] == p.y[m * 17 + n]);
        for (std::size_t n = 17; n < 20; ++n) CHECK(y[m * 20 + n] == 9.0f);
    }
}
