// SPDX-License-Identifier: MIT
// Plans: the oracle's bits, whatever threads do which tokens and tasks, in which order, in memory
// of exactly the size that the plan says.
#include "trilobit/matmul/plan.hpp"

#include <catch2/catch_template_test_macros.hpp>

#include "plan_runner.hpp"
#include "trilobit/testing/check_kernels.hpp"

using namespace trilobit;
using matmul_test::active_table;
using matmul_test::run_shuffled;
using matmul_test::same_bits;

namespace plan_test {
namespace {

constexpr activation_id kinds[] = {activation_id::int8, activation_id::int4, activation_id::int2,
                                   activation_id::sign};

/// Quantised operands, padded as kernels want them, as a caller has them: strides of its own.
struct loose {
    std::vector<std::int8_t> values;
    std::vector<float> scales;
    matrix_view<const std::int8_t> of_values;
    matrix_view<const float> of_scales;

    explicit loose(const activation_view& x) {
        const std::int64_t stride = x.cols + 3, scale_stride = x.segments() + 1;
        values.assign(static_cast<std::size_t>(x.tokens * stride), std::int8_t{77});
        scales.assign(static_cast<std::size_t>(x.tokens * scale_stride), -1.0f);
        for (std::int64_t m = 0; m < x.tokens; ++m) {
            std::copy_n(x.token(m), x.cols, values.begin() + m * stride);
            std::copy_n(x.scales + m * x.segments(), x.segments(),
                        scales.begin() + m * scale_stride);
        }
        of_values = {values.data(), x.tokens, x.cols, stride};
        of_scales = {scales.data(), x.tokens, x.segments(), scale_stride};
    }
};

/// One layout's packed weights with operands whose product the oracle knows.
template <class L>
struct known {
    testing::kernel_operands o;
    packed_matrix<L> w;
    loose x;

    explicit known(const testing::kernel_case& c)
        : o(testing::make_operands<typename L::kind>(c)),
          w(pack<L>(o.quantized(c))),
          x(o.activations()) {
        REQUIRE(w.status().ok());
    }
};

sink into_counted(testing::detail::guarded_output& y) {
    sink to;
    to.write = &testing::detail::guarded_output::write;
    to.context = &y;
    return to;
}

}  // namespace

TEMPLATE_LIST_TEST_CASE("a plan gives the oracle's bits to any threads in any order", "[matmul]",
                        layouts) {
    std::uint64_t seed = 0;
    for (const activation_id kind : kinds) {
        testing::case_source source(40 + static_cast<std::uint64_t>(kind), 1 << 19);
        for (int round = 0; round < 24; ++round) {
            const testing::kernel_case c = source.next(kind);
            const known<TestType> k(c);
            for (const kernel_entry& e : active_table()) {
                if (e.layout != TestType::id || e.activation != kind) continue;
                if (!e.accepts(k.w.view(), k.o.shape)) continue;
                const context with{active_table(), {}, {kind, c.activation_group, e.kernel}};
                for (const int threads : {1, 3, 8}) {
                    CAPTURE(TestType::name, kernel_name(e.kernel), testing::describe(c), threads);
                    testing::detail::guarded_output y(c.tokens, c.rows), z(c.tokens, c.rows);
                    const product both[] = {{k.w, into_counted(y)}, {k.w, into_counted(z)}};
                    const auto p = plan::of(with, both, c.tokens, threads);
                    REQUIRE(p.ok());
                    CHECK(p.value().threads() == threads);
                    const status s = run_shuffled(
                        p.value(), c.tokens, ++seed,
                        [&](std::int64_t begin, std::int64_t end, void* memory) {
                            return p.value().take(k.x.of_values, k.x.of_scales, begin, end, memory);
                        });
                    INFO(s.text);
                    REQUIRE(s.ok());
                    CHECK(y.difference(k.o.expected, true) == "");
                    CHECK(z.difference(k.o.expected, true) == "");
                }
            }
        }
    }
}

TEST_CASE("floats are quantised as matmul() does, and can be taken again", "[matmul]") {
    for (const layout_id layout : matmul_test::every_layout)
        for (const activation_id kind : kinds)
            for (const int group : {0, 32, 128})
                for (const std::int64_t tokens : {1, 7, 40}) {
                    const matmul_options options{kind, group};
                    matmul_test::sample p(150, 321, tokens, layout);
                    REQUIRE(p.run(options).ok());
                    CAPTURE(layout_name(layout), activation_name(kind), group, tokens);
                    const context with{active_table(), {}, options};
                    std::vector<float> y(p.y.size()), again(p.y.size());
                    const matrix_view<float> to_y(y.data(), tokens, 150);
                    const product one[] = {{p.w, into(to_y)}};
                    const auto made = plan::of(with, one, tokens, 3);
                    REQUIRE(made.ok());
                    const plan& a = made.value();
                    const testing::guarded_buffer memory(a.bytes());
                    REQUIRE(a.quantise(p.in(), 0, tokens, memory.data()).ok());
                    const loose x(a.activations(memory.data()));
                    for (int thread = 0; thread < 3; ++thread) {
                        const auto [begin, end] = a.tasks_of(thread);
                        REQUIRE(a.run(begin, end, thread, memory.data()).ok());
                    }
                    CHECK(same_bits(y, p.y));
                    std::fill(y.begin(), y.end(), -1.0f);
                    REQUIRE(run_shuffled(a, tokens, 5, [&](auto begin, auto end, void* at) {
                                return a.take(x.of_values, x.of_scales, begin, end, at);
                            }).ok());
                    CHECK(same_bits(y, p.y));
                }
}

TEST_CASE("kernels that fill their scratch memory stay inside the plan's", "[matmul]") {
    for (const layout_id layout : matmul_test::every_layout)
        for (const scale_spec& scale : {scale_spec::row(), scale_spec::group(32)})
            for (const std::int64_t tokens : {8, 130}) {
                matmul_test::sample p(2100, 96, tokens, layout, scale);
                REQUIRE(p.run({.kernel = kernel_id::generic}).ok());
                for (const kernel_entry& e : active_table()) {
                    if (e.layout != layout || e.activation != activation_id::int8) continue;
                    CAPTURE(layout_name(layout), kernel_name(e.kernel), tokens);
                    std::vector<float> y(p.y.size());
                    const matrix_view<float> to_y(y.data(), tokens, 2100);
                    const product one[] = {{p.w, into(to_y)}};
                    const context with{active_table(), {}, {.kernel = e.kernel}};
                    const auto made = plan::of(with, one, tokens, 2);
                    REQUIRE(made.ok());
                    const plan& a = made.value();
                    const testing::guarded_buffer memory(a.bytes());
                    REQUIRE(a.quantise(p.in(), 0, tokens, memory.data()).ok());
                    REQUIRE(a.run(0, a.tasks(), 1, memory.data()).ok());
                    CHECK(same_bits(y, p.y));
                }
            }
}

TEST_CASE("the memory of one plan serves the next, whatever it holds", "[matmul]") {
    aligned_buffer memory(1 << 21);
    REQUIRE(memory.data() != nullptr);
    for (const int garbage : {0x00, 0x01, 0xff})
        for (const layout_id layout : matmul_test::every_layout)
            for (const std::int64_t tokens : {1, 2, 33}) {
                matmul_test::sample p(300, 640, tokens, layout);
                REQUIRE(p.run().ok());
                std::vector<float> y(p.y.size());
                const matrix_view<float> to_y(y.data(), tokens, 300);
                const product one[] = {{p.w, into(to_y)}};
                const context with{active_table()};
                const auto made = plan::of(with, one, tokens, 2);
                REQUIRE(made.ok());
                REQUIRE(made.value().bytes() <= static_cast<std::int64_t>(memory.size()));
                std::memset(memory.data(), garbage, memory.size());
                for (const bool again : {false, true}) {
                    // Other activations, of which nothing may stay.
                    CAPTURE(layout_name(layout), tokens, garbage, again);
                    if (again)
                        for (float& v : p.x) v = -v;
                    if (again) REQUIRE(p.run().ok());
                    REQUIRE(made.value().quantise(p.in(), 0, tokens, memory.data()).ok());
                    const std::int64_t half = made.value().tasks() / 2;
                    REQUIRE(made.value().run(half, made.value().tasks(), 1, memory.data()).ok());
                    REQUIRE(made.value().run(0, half, 0, memory.data()).ok());
                    CHECK(same_bits(y, p.y));
                    // A task may run again.
                    std::fill(y.begin(), y.end(), 0.0f);
                    REQUIRE(made.value().run(0, made.value().tasks(), 1, memory.data()).ok());
                    CHECK(same_bits(y, p.y));
                }
            }
}

TEMPLATE_LIST_TEST_CASE("exact sums are the oracle's", "[matmul]", layouts) {
    for (const activation_id kind : kinds)
        for (const scale_spec& scale : {scale_spec::row(), scale_spec::tensor()})
            for (const auto& [rows, cols, tokens] :
                 {std::tuple{70, 515, 5}, std::tuple{33, 64, 1}, std::tuple{150, 300, 40},
                  std::tuple{20, 0, 2}}) {
                testing::kernel_case c{kind, rows, cols, tokens, scale};
                const known<TestType> k(c);
                std::vector<std::int32_t> expected;
                for (std::int64_t m = 0; m < tokens; ++m)
                    for (std::int64_t n = 0; n < rows; ++n)
                        expected.push_back(static_cast<std::int32_t>(reference::integer_sum(
                            {{k.o.weights.data(), rows, cols}}, {k.x.of_values}, n, m, 0, cols)));
                for (const kernel_entry& e : active_table()) {
                    if (e.layout != TestType::id || e.activation != kind) continue;
                    CAPTURE(TestType::name, kernel_name(e.kernel), testing::describe(c));
                    const context with{active_table(), {}, {kind, 0, e.kernel}};
                    std::vector<std::int32_t> sums(expected.size(), -77);
                    std::vector<float> y(expected.size());
                    const matrix_view<std::int32_t> to_sums(sums.data(), tokens, rows);
                    const matrix_view<float> to_y(y.data(), tokens, rows);
                    const product both[] = {{k.w, into(to_sums)}, {k.w, into(to_y)}};
                    const auto p = plan::of(with, both, tokens, 3);
                    REQUIRE(p.ok());
                    const auto take = [&](auto begin, auto end, void* memory) {
                        return p.value().take(k.x.of_values, k.x.of_scales, begin, end, memory);
                    };
                    REQUIRE(run_shuffled(p.value(), tokens, 9, take).ok());
                    CHECK(sums == expected);
                    CHECK(same_bits(y, k.o.expected));
                }
            }
}

TEMPLATE_LIST_TEST_CASE("products of ranges of tokens, and of chosen rows", "[matmul]", layouts) {
    constexpr std::int64_t rows = 130, cols = 300, tokens = 50;
    testing::kernel_case c{activation_id::int8, rows, cols, tokens, scale_spec::row()};
    const known<TestType> a(c);
    c.seed = 2;
    const known<TestType> b(c);
    // Each token of the plan is a row of x: some twice, some never.
    std::vector<std::int64_t> row_of;
    testing::generator r(3);
    for (std::int64_t m = 0; m < 70; ++m) row_of.push_back(r.between(0, tokens - 1));
    // Of a: all 70 tokens, and the last. Of b: none, one, and forty.
    const std::vector<index_range> ranges{{0, 70}, {69, 70}, {5, 5}, {69, 70}, {3, 43}};
    const packed_view matrices[] = {a.w, a.w, b.w, b.w, b.w};
    // b's weights times a's activations, by a plan of them all.
    const auto whole = [&](const packed_view& w) {
        std::vector<float> y(tokens * rows);
        const matrix_view<float> to(y.data(), tokens, rows);
        const product one[] = {{w, into(to)}};
        const context with{active_table()};
        const auto p = plan::of(with, one, tokens, 1);
        REQUIRE(p.ok());
        REQUIRE(run_shuffled(p.value(), tokens, 1, [&](auto begin, auto end, void* memory) {
                    return p.value().take(a.x.of_values, a.x.of_scales, begin, end, memory);
                }).ok());
        return y;
    };
    const std::vector<float> of_a = whole(a.w), of_b = whole(b.w);
    CHECK(same_bits(of_a, a.o.expected));
    for (const kernel_entry& e : active_table()) {
        if (e.layout != TestType::id || e.activation != activation_id::int8) continue;
        const context with{active_table(), {}, {.kernel = e.kernel}};
        std::vector<std::vector<float>> y(ranges.size(), std::vector<float>(70 * rows, -1.0f));
        std::vector<matrix_view<float>> views;
        for (auto& one : y) views.emplace_back(one.data(), 70, rows);
        std::vector<product> products;
        for (std::size_t i = 0; i < ranges.size(); ++i)
            products.push_back({matrices[i], into(views[i]), ranges[i].begin, ranges[i].end});
        for (const int threads : {1, 4}) {
            const auto p = plan::of(with, products, 70, threads);
            REQUIRE(p.ok());
            const auto take = [&](auto begin, auto end, void* memory) {
                return p.value().take(a.x.of_values, a.x.of_scales, begin, end, memory, row_of);
            };
            REQUIRE(run_shuffled(p.value(), 70, 11, take).ok());
            int wrong = 0;
            for (std::size_t i = 0; i < ranges.size(); ++i)
                for (std::int64_t m = 0; m < 70; ++m)
                    for (std::int64_t n = 0; n < rows; ++n) {
                        const bool in = m >= ranges[i].begin && m < ranges[i].end;
                        const auto& of = i < 2 ? of_a : of_b;
                        const auto at = row_of[static_cast<std::size_t>(m)] * rows + n;
                        wrong += views[i](m, n) != (in ? of[static_cast<std::size_t>(at)] : -1.0f);
                    }
            CAPTURE(TestType::name, kernel_name(e.kernel), threads);
            CHECK(wrong == 0);
        }
    }
}

}  // namespace plan_test
