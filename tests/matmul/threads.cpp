// SPDX-License-Identifier: MIT
// What a product asks of an executor: nothing where it is small, and no order.
#include <algorithm>
#include <catch2/generators/catch_generators.hpp>

#include "sample.hpp"
#include "trilobit/core/thread_pool.hpp"

using namespace trilobit;
using matmul_test::active_table;
using matmul_test::same_bits;
using matmul_test::sample;

namespace {

/// Says that it has three threads, counts what it is asked, and does the last first.
struct counting {
    int calls = 0, functions = 0;
    template <class F>
    void operator()(std::int64_t first, std::int64_t last, std::int64_t grain, F&& f) {
        ++calls;
        const std::int64_t step = std::max<std::int64_t>(grain, 1);
        for (std::int64_t end = last; end > first; end -= std::min(step, end - first), ++functions)
            f(std::max(end - step, first), end);
    }
    [[nodiscard]] static int concurrency() noexcept { return 3; }
};

}  // namespace

TEST_CASE("small products wake no threads, others once for tokens and once for tasks", "[matmul]") {
    struct {
        std::int64_t rows, cols, tokens;
        int calls;
    } const shapes[] = {{64, 256, 1, 0},   {64, 256, 15, 0}, {64, 256, 16, 1},   {512, 512, 1, 1},
                        {1000, 900, 2, 1}, {40, 2048, 8, 2}, {1024, 1024, 40, 2}};
    for (const auto& s : shapes) {
        sample p(s.rows, s.cols, s.tokens);
        REQUIRE(p.run().ok());
        std::vector<float> y(p.y.size());
        counting three;
        context c{active_table(), three};
        REQUIRE(matmul(c, p.w, p.in(), matrix_view<float>(y.data(), s.tokens, s.rows)).ok());
        CAPTURE(s.rows, s.cols, s.tokens);
        CHECK(three.calls == s.calls);
        CHECK(same_bits(y, p.y));
    }
}

TEST_CASE("whoever comes first does the tasks of who does not come", "[matmul]") {
    sample p(2048, 600, 1);
    REQUIRE(p.run().ok());
    std::vector<float> y(p.y.size());
    counting three;
    std::vector<std::int64_t> rows;
    const auto collect = [&](const float* values, int count, std::int64_t, std::int64_t row) {
        // The last thread's tasks first, in rising order, then those of the first.
        rows.push_back(row);
        std::copy_n(values, count, y.begin() + row);
    };
    context c{active_table(), three, {.kernel = kernel_id::generic}};
    REQUIRE(matmul(c, p.w, p.in(), collect).ok());
    CHECK(same_bits(y, p.y));
    CHECK(three.functions == 3);
    REQUIRE(!rows.empty());
    CHECK(rows.front() > 1024);
    const auto first = std::find(rows.begin(), rows.end(), 0);
    REQUIRE(first != rows.end());
    CHECK(std::is_sorted(rows.begin(), first));
    CHECK(std::is_sorted(first, rows.end()));
}

TEST_CASE("threads that start late or not at all", "[matmul]") {
    // A call from inside a pool's job is its caller's alone.
    thread_pool pool(3);
    sample p(700, 1031, 5);
    REQUIRE(p.run().ok());
    std::vector<float> y(p.y.size());
    context c{active_table(), pool};
    status s{errc::unsupported, ""};
    pool(0, 3, 1, [&](std::int64_t begin, std::int64_t) {
        if (begin == 0) s = matmul(c, p.w, p.in(), matrix_view<float>(y.data(), 5, 700));
    });
    CHECK(s.ok());
    CHECK(same_bits(y, p.y));
}

TEST_CASE("operands that threads make for themselves are made anew for each product", "[matmul]") {
    const auto scale = GENERATE(scale_spec::row(), scale_spec::group(128));
    const auto kind = GENERATE(activation_id::int8, activation_id::int4);
    const std::int64_t tokens = GENERATE(1, 2, 3, 5, 7, 8, 9);
    CAPTURE(activation_name(kind), tokens, scale.group_cols);
    thread_pool three(3);
    // One memory for all: what an earlier product made must not be taken for this one's.
    context alone{active_table()}, together{active_table(), three};
    for (const std::int64_t cols : {2000, 1997}) {
        sample p(1100, cols, tokens, layout_id::ternary_base3, scale);
        for (const float sign : {1.0f, -1.0f}) {
            for (float& v : p.x) v *= sign;
            REQUIRE(p.run({kind, 0, kernel_id::generic}).ok());
            const std::vector<float> expected = p.y;
            for (const kernel_entry& e : active_table()) {
                if (e.layout != layout_id::ternary_base3 || e.activation != kind) continue;
                if (!e.accepts(p.w.view(), {kind, tokens, cols, 0})) continue;
                CAPTURE(kernel_name(e.kernel), cols, sign);
                for (context* c : {&alone, &together, &together}) {
                    std::fill(p.y.begin(), p.y.end(), -77.0f);
                    c->options = {kind, 0, e.kernel};
                    REQUIRE(matmul(*c, p.w, p.in(), p.out()).ok());
                    CHECK(same_bits(p.y, expected));
                }
            }
        }
    }
}
