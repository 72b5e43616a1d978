// SPDX-License-Identifier: MIT
// Few rows and many threads: tasks are small, some threads have none, and no bit tells.
#include <array>
#include <catch2/catch_template_test_macros.hpp>
#include <map>

#include "sample.hpp"
#include "trilobit/core/thread_pool.hpp"

using namespace trilobit;
using matmul_test::active_table;
using matmul_test::same_bits;
using matmul_test::sample;

namespace {

/// Claims many threads and runs piece by piece in an order that jumps about.
struct crowd {
    int threads;
    template <class F>
    void operator()(std::int64_t first, std::int64_t last, std::int64_t grain, F&& f) const {
        const std::int64_t step = std::max<std::int64_t>(grain, 1);
        const std::int64_t count = ceil_div(last - first, step);
        std::int64_t stride = count / 2 + 1;
        while (std::gcd(stride, count) != 1) ++stride;
        for (std::int64_t i = 0; i < count; ++i) {
            const std::int64_t begin = first + i * stride % count * step;
            f(begin, std::min(begin + step, last));
        }
    }
    [[nodiscard]] int concurrency() const noexcept { return threads; }
};

std::vector<float> multiply(const sample& p, executor_ref threads, const matmul_options& options) {
    std::vector<float> y(p.y.size(), -1.0f);
    context c{active_table(), threads, options};
    const status s = matmul(c, p.w, p.in(), matrix_view<float>(y.data(), p.tokens, p.rows));
    INFO(s.text);
    REQUIRE(s.ok());
    return y;
}

struct shape {
    std::int64_t rows, cols, tokens;
};

}  // namespace

TEMPLATE_LIST_TEST_CASE("few rows give the bits of one thread to any number of them", "[matmul]",
                        layouts) {
    constexpr shape shapes[] = {{1, 20000, 1},  {17, 20000, 5}, {50, 12801, 2}, {64, 16384, 1},
                                {64, 8200, 40}, {130, 9999, 3}, {200, 19999, 1}};
    serial alone;
    const crowd eight{8}, many{64};
    thread_pool pool(5);
    for (const scale_spec& scale : {scale_spec::row(), scale_spec::group(64)})
        for (const shape& s : shapes) {
            sample p(s.rows, s.cols, s.tokens, TestType::id, scale);
            std::map<std::pair<activation_id, int>, std::vector<float>> expected;
            for (const kernel_entry& e : active_table()) {
                if (e.layout != TestType::id) continue;
                const bool floor = e.kernel == kernel_id::generic;
                if (floor &&
                    (s.rows * s.cols * s.tokens > 2'000'000 || e.activation != activation_id::int8))
                    continue;  // slow, and one body for all kinds
                for (const int group : {0, 256}) {
                    const matmul_options options{e.activation, group, e.kernel};
                    if (!e.accepts(p.w.view(), {e.activation, s.tokens, s.cols, group})) continue;
                    CAPTURE(kernel_name(e.kernel), activation_name(e.activation), s.rows, s.cols,
                            s.tokens, scale.group_cols, group);
                    // Of the first kernel that accepts: all have the same bits.
                    std::vector<float>& want = expected[{e.activation, group}];
                    if (want.empty()) want = multiply(p, alone, options);
                    CHECK(same_bits(multiply(p, eight, options), want));
                    CHECK(same_bits(multiply(p, many, options), want));
                    CHECK(same_bits(multiply(p, pool, options), want));
                }
            }
        }
}

TEST_CASE("few rows of products that share activations, and of experts", "[matmul]") {
    constexpr std::int64_t cols = 16000, tokens = 3;
    sample a(64, cols, tokens), b(33, cols, tokens);
    b.x = a.x;
    serial alone;
    const crowd many{64};
    const auto want_a = multiply(a, alone, {}), want_b = multiply(b, alone, {});
    std::vector<float> ya(want_a.size()), yb(want_b.size());
    const matrix_view<float> to_a(ya.data(), tokens, 64), to_b(yb.data(), tokens, 33);
    const product both[] = {{a.w, into(to_a)}, {b.w, into(to_b)}};
    context c{active_table(), many};
    REQUIRE(matmul_shared(c, a.in(), both).ok());
    CHECK(same_bits(ya, want_a));
    CHECK(same_bits(yb, want_b));

    const std::array<packed_view, 2> experts{a.w.view(), a.w.view()};
    const std::vector<std::int32_t> expert_of{1, 0, 1};
    REQUIRE(matmul_indexed(c, experts, expert_of, a.in(), to_a).ok());
    CHECK(same_bits(ya, want_a));
}
