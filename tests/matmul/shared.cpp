// SPDX-License-Identifier: MIT
// Products that share activations, and products of chosen experts: the bits of products one by one.
#include <array>
#include <catch2/catch_template_test_macros.hpp>
#include <cstring>

#include "sample.hpp"
#include "trilobit/core/thread_pool.hpp"

using namespace trilobit;
using matmul_test::active_table;
using matmul_test::same_bits;

namespace shared_test {
namespace {

constexpr std::int64_t cols = 300;

std::vector<float> random_floats(std::int64_t count, std::uint64_t seed) {
    testing::generator r(seed);
    std::vector<float> values(static_cast<std::size_t>(count));
    for (float& v : values) v = r.spread();
    return values;
}

template <class L>
packed_matrix<L> random_matrix(std::int64_t rows, std::uint64_t seed, scale_spec scale) {
    const auto w = random_floats(rows * cols, seed);
    return pack<L>(matrix_view<const float>(w.data(), rows, cols), {scale});
}

/// matmul() by itself, on one thread.
std::vector<float> alone(const packed_view& w, matrix_view<const float> x,
                         const matmul_options& options) {
    std::vector<float> y(static_cast<std::size_t>(x.rows * w.rows));
    context c{active_table(), {}, options};
    REQUIRE(matmul(c, w, x, matrix_view<float>(y.data(), x.rows, w.rows)).ok());
    return y;
}

}  // namespace

TEMPLATE_LIST_TEST_CASE("matrices that share activations give the bits of each alone", "[matmul]",
                        layouts) {
    thread_pool pool(3);
    for (const scale_spec& scale : {scale_spec::row(), scale_spec::group(64)})
        for (const std::int64_t tokens : {1, 3, 130})
            for (const activation_id kind : {activation_id::int8, activation_id::int4}) {
                const auto q = random_matrix<TestType>(197, 1, scale);
                const auto k = random_matrix<TestType>(33, 2, scale);
                const auto none = random_matrix<TestType>(0, 3, scale);
                const auto v = random_matrix<TestType>(64, 4, scale);
                const auto input = random_floats(tokens * cols, 5);
                const matrix_view<const float> x(input.data(), tokens, cols);
                const matmul_options options{.activation = kind};
                std::vector<float> yq(static_cast<std::size_t>(tokens * 197)),
                    yk(static_cast<std::size_t>(tokens * 33)),
                    yv(static_cast<std::size_t>(tokens * 64));
                context c{active_table(), pool, options};
                const matrix_view<float> to_q(yq.data(), tokens, 197), to_k(yk.data(), tokens, 33),
                    to_v(yv.data(), tokens, 64), nowhere;
                const product products[] = {{q.view(), into(to_q)},
                                            {k.view(), into(to_k)},
                                            {none.view(), into(nowhere)},
                                            {v.view(), into(to_v)}};
                REQUIRE(matmul_shared(c, x, products).ok());
                CHECK(same_bits(yq, alone(q.view(), x, options)));
                CHECK(same_bits(yk, alone(k.view(), x, options)));
                CHECK(same_bits(yv, alone(v.view(), x, options)));
            }
}

TEST_CASE("matrices that cannot share activations are refused", "[matmul]") {
    const auto a = random_matrix<layout::ternary_2bit>(20, 1, scale_spec::row());
    const auto other_layout = random_matrix<layout::ternary_base3>(20, 1, scale_spec::row());
    const auto other_group = random_matrix<layout::ternary_2bit>(20, 1, scale_spec::group(32));
    const auto input = random_floats(cols, 5);
    const matrix_view<const float> x(input.data(), 1, cols);
    std::vector<float> y(20), z(20);
    const matrix_view<float> to_y(y.data(), 1, 20), to_z(z.data(), 1, 20);
    context c{active_table()};
    for (const packed_view& b : {other_layout.view(), other_group.view()}) {
        const product both[] = {{a.view(), into(to_y)}, {b, into(to_z)}};
        CHECK(matmul_shared(c, x, both).code == errc::bad_shape);
    }
    const matrix_view<const float> narrow(input.data(), 1, cols - 1);
    const product one[] = {{a.view(), into(to_y)}};
    CHECK(matmul_shared(c, narrow, one).code == errc::bad_shape);
    CHECK(matmul_shared(c, x, {}).code == errc::bad_shape);
}

TEMPLATE_LIST_TEST_CASE("each token is multiplied by its expert", "[matmul]", layouts) {
    constexpr std::int64_t rows = 130, tokens = 67;
    constexpr int count = 4;
    std::vector<packed_matrix<TestType>> experts;
    std::vector<packed_view> views;
    for (int e = 0; e < count; ++e)
        experts.push_back(
            random_matrix<TestType>(rows, static_cast<std::uint64_t>(e) + 1, scale_spec::row()));
    for (const auto& e : experts) views.push_back(e.view());
    const auto input = random_floats(tokens * cols, 9);
    const matrix_view<const float> x(input.data(), tokens, cols);
    std::vector<std::int32_t> expert_of;
    for (std::int64_t m = 0; m < tokens; ++m)  // one expert has no token, one has nearly all
        expert_of.push_back(m % 11 == 3 ? 0 : m % 13 == 5 ? 3 : 1);

    std::vector<float> y(static_cast<std::size_t>(tokens * rows));
    thread_pool pool(3);
    context c{active_table(), pool};
    REQUIRE(
        matmul_indexed(c, views, expert_of, x, matrix_view<float>(y.data(), tokens, rows)).ok());
    int wrong = 0;
    for (std::int64_t m = 0; m < tokens; ++m) {
        const auto& w = views[static_cast<std::size_t>(expert_of[static_cast<std::size_t>(m)])];
        const auto want = alone(w, matrix_view<const float>(x.row(m), 1, cols), {});
        wrong += std::memcmp(want.data(), y.data() + m * rows, want.size() * sizeof(float)) != 0;
    }
    CHECK(wrong == 0);
}

TEMPLATE_LIST_TEST_CASE("a token asks several experts", "[matmul]", layouts) {
    constexpr std::int64_t rows = 66, tokens = 9, pairs = 2 * tokens;
    std::vector<packed_matrix<TestType>> experts;
    std::vector<packed_view> views;
    for (std::uint64_t e = 0; e < 3; ++e)
        experts.push_back(random_matrix<TestType>(rows, e + 1, scale_spec::row()));
    for (const auto& e : experts) views.push_back(e.view());
    const auto input = random_floats(tokens * cols, 9);
    const matrix_view<const float> x(input.data(), tokens, cols);
    std::vector<std::int32_t> expert_of;
    std::vector<std::int64_t> row_of;
    for (std::int64_t i = 0; i < pairs; ++i) {
        expert_of.push_back(static_cast<std::int32_t>((i / 2 * 5 + i) % 3));
        row_of.push_back(tokens - 1 - i / 2);
    }
    std::vector<float> y(static_cast<std::size_t>(pairs * rows));
    const matrix_view<float> out(y.data(), pairs, rows);
    thread_pool pool(2);
    context c{active_table(), pool};
    REQUIRE(matmul_indexed(c, views, expert_of, x, out, row_of).ok());
    int wrong = 0;
    for (std::int64_t i = 0; i < pairs; ++i) {
        const auto at = static_cast<std::size_t>(i);
        const auto want = alone(views[static_cast<std::size_t>(expert_of[at])],
                                matrix_view<const float>(x.row(row_of[at]), 1, cols), {});
        wrong += std::memcmp(want.data(), out.row(i), want.size() * sizeof(float)) != 0;
    }
    CHECK(wrong == 0);
    row_of[3] = tokens;
    CHECK(matmul_indexed(c, views, expert_of, x, out, row_of).code == errc::bad_value);
    row_of.pop_back();
    CHECK(matmul_indexed(c, views, expert_of, x, out, row_of).code == errc::bad_shape);
}

TEST_CASE("experts that do not exist or do not match are refused", "[matmul]") {
    const auto a = random_matrix<layout::ternary_2bit>(20, 1, scale_spec::row());
    const auto b = random_matrix<layout::ternary_2bit>(36, 2, scale_spec::row());
    const auto input = random_floats(2 * cols, 5);
    const matrix_view<const float> x(input.data(), 2, cols);
    std::vector<float> y(40);
    const matrix_view<float> out(y.data(), 2, 20);
    context c{active_table()};
    const std::array<packed_view, 2> equal{a.view(), a.view()}, unequal{a.view(), b.view()};
    const auto call = [&](std::span<const packed_view> experts,
                          std::vector<std::int32_t> expert_of) {
        return matmul_indexed(c, experts, expert_of, x, out).code;
    };
    CHECK(call(equal, {0, 1}) == errc::ok);
    CHECK(call(equal, {0, 2}) == errc::bad_value);
    CHECK(call(equal, {-1, 0}) == errc::bad_value);
    CHECK(call(equal, {0}) == errc::bad_shape);
    CHECK(call(unequal, {0, 1}) == errc::bad_shape);
    CHECK(call({}, {0, 0}) == errc::bad_value);
    const std::vector<std::int32_t> expert_of{0, 1};
    const matrix_view<std::int32_t> sums;
    CHECK(matmul_indexed(c, equal, expert_of, x, into(sums)).code == errc::unsupported);
    CHECK(matmul_indexed(c, equal, expert_of, x, sink{}).code == errc::unsupported);
}

}  // namespace shared_test
