// SPDX-License-Identifier: MIT
// The last step: what epilogues are called with, what they may change, and in which order.
#include <cmath>
#include <mutex>

#include "sample.hpp"
#include "trilobit/core/thread_pool.hpp"

using namespace trilobit;
using matmul_test::active_table;
using matmul_test::sample;
using matmul_test::same_bits;

namespace {

template <class Epilogue>
void run_with(const sample& p, const Epilogue& epilogue) {
    context c{active_table()};
    REQUIRE(matmul(c, p.w, p.in(), epilogue).ok());
}

}  // namespace

TEST_CASE("an epilogue sees every output once, in blocks of consecutive rows", "[matmul]") {
    for (const layout_id layout : {layout_id::ternary_2bit, layout_id::ternary_base3}) {
        sample p(331, 1031, 35, layout);
        REQUIRE(p.run().ok());
        std::vector<int> seen(p.y.size());
        std::vector<float> y(p.y.size());
        std::mutex one;
        thread_pool pool(3);
        context c{active_table(), pool};
        const auto collect = [&](const float* values, int count, std::int64_t token,
                                 std::int64_t row) {
            const std::lock_guard lock(one);
            for (int i = 0; i < count; ++i) {
                const auto at = static_cast<std::size_t>(token * 331 + row + i);
                ++seen.at(at);
                y.at(at) = values[i];
            }
        };
        REQUIRE(matmul(c, p.w, p.in(), collect).ok());
        int wrong = 0;
        for (const int n : seen) wrong += n != 1;
        CHECK(wrong == 0);
        CHECK(same_bits(y, p.y));
    }
}

TEST_CASE("accumulate adds to what is there", "[matmul]") {
    sample p(37, 65, 3);
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
    sample p(37, 65, 3);
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

TEST_CASE("outputs of 16 bits are the nearest to the floats", "[matmul]") {
    sample p(37, 65, 3);
    REQUIRE(p.run().ok());
    std::vector<std::uint16_t> half(3 * 40, 7), brain(3 * 40, 7);
    run_with(p, chain(epilogue::write_f16{{half.data(), 3, 37, 40}},
                      epilogue::write_bf16{{brain.data(), 3, 37, 40}}));
    for (std::size_t m = 0; m < 3; ++m) {
        for (std::size_t n = 0; n < 37; ++n) {
            CHECK(half[m * 40 + n] == f32_to_f16(p.y[m * 37 + n]));
            CHECK(brain[m * 40 + n] == f32_to_bf16(p.y[m * 37 + n]));
        }
        for (std::size_t n = 37; n < 40; ++n)
            CHECK((half[m * 40 + n] == 7 && brain[m * 40 + n] == 7));
    }
    // Ties go to even, what is too large is infinite.
    const float values[] = {2049.0f, 2051.0f, 65519.0f, 65520.0f, -0x1p-25f, 257.0f, 259.0f};
    std::uint16_t f16[7], bf16[7];
    epilogue::write_f16{{f16, 1, 7}}(values, 7, 0, 0);
    epilogue::write_bf16{{bf16, 1, 7}}(values, 7, 0, 0);
    const float as_f16[] = {2048.0f, 2052.0f, 65504.0f, INFINITY, -0.0f, 257.0f, 259.0f};
    const float as_bf16[] = {2048.0f, 2048.0f, 65536.0f, 65536.0f, -0x1p-25f, 256.0f, 260.0f};
    for (int i = 0; i < 7; ++i) {
        CAPTURE(values[i]);
        CHECK(f16_to_f32(f16[i]) == as_f16[i]);
        CHECK(bf16_to_f32(bf16[i]) == as_bf16[i]);
    }
}

TEST_CASE("write leaves what lies between the rows of the output", "[matmul]") {
    sample p(17, 65, 3);
    REQUIRE(p.run().ok());
    std::vector<float> y(3 * 20, 9.0f);
    run_with(p, epilogue::write{{y.data(), 3, 17, 20}});
    for (std::size_t m = 0; m < 3; ++m) {
        for (std::size_t n = 0; n < 17; ++n) CHECK(y[m * 20 + n] == p.y[m * 17 + n]);
        for (std::size_t n = 17; n < 20; ++n) CHECK(y[m * 20 + n] == 9.0f);
    }
}
