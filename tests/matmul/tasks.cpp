// SPDX-License-Identifier: MIT
// How products are cut into tasks, and which of them a thread takes.
#include "trilobit/matmul/tasks.hpp"

#include "sample.hpp"

using namespace trilobit;
using matmul_test::active_table;
using matmul_test::sample;

TEST_CASE("threads take consecutive ranges that differ by one at most", "[matmul]") {
    constexpr std::int64_t huge = std::int64_t{1} << 60;
    for (const std::int64_t count :
         {std::int64_t{0}, std::int64_t{1}, std::int64_t{7}, std::int64_t{64}, huge, huge + 13})
        for (const std::int64_t n : {1, 2, 3, 7, 64, 1000}) {
            std::int64_t end = 0, wrong = 0;
            for (std::int64_t i = 0; i < n; ++i) {
                const index_range of = range_of(count, i, n);
                const std::int64_t size = of.end - of.begin;
                wrong += of.begin != end || size < count / n || size > count / n + 1;
                end = of.end;
            }
            CAPTURE(count, n);
            CHECK(wrong == 0);
            CHECK(end == count);
        }
}

namespace {

/// Tasks of the generic kernel for a matrix in row blocks of 16, or of several.
std::int64_t tasks_of(const std::vector<std::int64_t>& heights, std::int64_t tokens, int threads) {
    std::vector<sample> samples;
    for (const std::int64_t rows : heights) samples.emplace_back(rows, 32, 1);
    std::vector<product> products;
    matrix_view<float> nowhere;
    for (const auto& s : samples) products.push_back({s.w, into(nowhere)});
    const context with{active_table(), {}, {.kernel = kernel_id::generic}};
    const auto p = plan::of(with, products, tokens, threads);
    REQUIRE(p.ok());
    return p.value().tasks();
}

}  // namespace

TEST_CASE("tasks are of 64 rows, of fewer where threads have no four of them", "[matmul]") {
    CHECK(tasks_of({2560}, 1, 1) == 40);
    CHECK(tasks_of({2560}, 1, 2) == 40);
    CHECK(tasks_of({2560}, 1, 10) == 40);
    CHECK(tasks_of({2560}, 1, 11) == 80);
    CHECK(tasks_of({2560}, 1, 16) == 80);
    CHECK(tasks_of({2560}, 1, 64) == 160);  // no task is less than a row block
    CHECK(tasks_of({64}, 1, 8) == 4);
    CHECK(tasks_of({1}, 1, 8) == 1);
    CHECK(tasks_of({0}, 1, 8) == 0);
    CHECK(tasks_of({64}, 0, 8) == 0);
    CHECK(tasks_of({2560, 640, 640}, 1, 4) == 60);
    CHECK(tasks_of({64, 0, 17}, 1, 8) == 6);
}

TEST_CASE("tokens are cut where rows are too few, into ranges of 32 at least", "[matmul]") {
    CHECK(tasks_of({2560}, 512, 2) == 40);
    CHECK(tasks_of({64}, 63, 2) == 4);      // rows
    CHECK(tasks_of({64}, 64, 2) == 4 * 2);  // of which two ranges are enough for eight
    CHECK(tasks_of({64}, 512, 4) == 16);    // of 64 rows
    CHECK(tasks_of({16}, 512, 8) == 16);    // of 32 tokens
    CHECK(tasks_of({2560}, 512, 1) == 40);
}

TEST_CASE("threads that share tasks as they come run 64 rows or more at a time", "[matmul]") {
    const auto grain_of = [](std::int64_t rows, std::int64_t tokens, int threads) {
        const sample s(rows, 32, 1);
        const matrix_view<float> nowhere;
        const product one[] = {{s.w, into(nowhere)}};
        const context with{active_table(), {}, {.kernel = kernel_id::generic}};
        const auto p = plan::of(with, one, tokens, threads);
        REQUIRE(p.ok());
        return p.value().grain();
    };
    CHECK(grain_of(128, 1, 2) == 4);     // of 16 rows
    CHECK(grain_of(2560, 1, 16) == 2);   // of 32
    CHECK(grain_of(640, 1, 2) == 1);     // of 64
    CHECK(grain_of(2560, 1, 2) == 4);    // a fifth of what a thread has
    CHECK(grain_of(25600, 1, 2) == 25);  // an eighth
    CHECK(grain_of(0, 1, 2) >= 1);
    CHECK(grain_of(64, 1, 1) >= 1);
}
