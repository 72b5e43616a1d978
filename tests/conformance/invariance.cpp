// SPDX-License-Identifier: MIT
// The exactness promise: the same bits whatever the kernel, executor, number of threads and way to
// cut a batch into calls, and those are the oracle's bits. Across archs it follows, because each is
// compared with the same oracle.
#include <catch2/catch_template_test_macros.hpp>
#include <cstring>
#include <vector>

#include "active.hpp"
#include "trilobit/core/openmp.hpp"
#include "trilobit/core/thread_pool.hpp"
#include "trilobit/testing/kernel_case.hpp"
#include "trilobit/testing/plain_quantize.hpp"

using namespace trilobit;

namespace {

/// Runs pieces of one index, last first: any order and cut must do.
struct backwards {
    template <class F>
    void operator()(std::int64_t first, std::int64_t last, std::int64_t, F&& f) const {
        for (std::int64_t i = last; i > first; --i) f(i - 1, i);
    }
    static constexpr int concurrency() noexcept { return 7; }
};

// Large enough that one token alone is handed to threads.
constexpr std::int64_t rows = 331, cols = 1031;
#if defined(TRILOBIT_TEST_SMALL)
constexpr std::int64_t tokens = 9;
#else
constexpr std::int64_t tokens = 33;
#endif
static_assert(rows * cols >= trilobit::detail::worth_a_thread);

struct grouping {
    scale_spec scale;
    int activation_group;
};

template <weight_layout L>
struct sample {
    packed_matrix<L> w;
    std::vector<float> x;         // (tokens, cols)
    std::vector<float> expected;  // (tokens, rows)
    matmul_options options;

    sample(activation_id activation, const grouping& g)
        : x(static_cast<std::size_t>(tokens * cols)) {
        testing::kernel_case c{activation, rows, cols, tokens, g.scale, g.activation_group};
        c.seed = 20;
        auto o = testing::make_operands<typename L::kind>(c);
        w = pack<L>(o.quantized(c));
        testing::generator r(21);
        for (float& v : x) v = r.spread();
        for (std::int64_t m = 0; m < tokens; ++m)
            testing::plain_quantize(o.shape, &x[static_cast<std::size_t>(m * cols)],
                                    o.values.template as<std::int8_t>() +
                                        m * o.shape.value_stride(),
                                    o.scales.template as<float>() + m * o.shape.segments());
        testing::detail::work_out(c, o);
        expected = std::move(o.expected);
        options = {activation, g.activation_group, kernel_id::automatic};
    }

    /// Calls of `batch` tokens each; all bits as expected?
    template <class Executor>
    bool same(const kernel_table& table, std::int64_t batch, Executor& run) const {
        std::vector<float> y(expected.size(), -1.0f);
        context c{table, run, options};
        for (std::int64_t m = 0; m < tokens; m += batch) {
            const std::int64_t count = std::min(batch, tokens - m);
            const status s =
                matmul(c, w.view(), {&x[static_cast<std::size_t>(m * cols)], count, cols},
                       matrix_view<float>(&y[static_cast<std::size_t>(m * rows)], count, rows));
            INFO(s.text);
            REQUIRE(s.ok());
        }
        return std::memcmp(y.data(), expected.data(), y.size() * sizeof(float)) == 0;
    }
};

}  // namespace

TEMPLATE_LIST_TEST_CASE("the same bits for every executor, thread count and batch", "[invariance]",
                        layouts) {
    const kernel_table& table = conformance::active_table();
    serial alone;
    backwards reversed;
    openmp team;
    thread_pool two(2), three(3), crowd(9);
    const grouping groupings[] = {{scale_spec::row(), 0},
                                  {scale_spec::group(64), 0},
                                  {scale_spec::group(128, scale_type::f32), 32}};
    for (const activation_id activation :
         {activation_id::int8, activation_id::int4, activation_id::int2, activation_id::sign})
        for (const grouping& g : groupings) {
            sample<TestType> p(activation, g);
            const activation_shape shape{activation, tokens, cols, g.activation_group};
            for (const kernel_entry& e : table) {
                if (e.layout != TestType::id || e.activation != activation) continue;
                if (!e.accepts(p.w.view(), shape)) continue;
                p.options.kernel = e.kernel;
                CAPTURE(table.name, TestType::name, activation_name(activation),
                        kernel_name(e.kernel), g.scale.group_cols, g.activation_group);
                CHECK(p.same(table, tokens, crowd));
                CHECK(p.same(table, 1, two));
                // The executors do not know the kind: one shows all of them.
                if (activation != activation_id::int8) continue;
                CHECK(p.same(table, tokens, alone));
                CHECK(p.same(table, 10, reversed));
                CHECK(p.same(table, tokens, team));
                CHECK(p.same(table, tokens, two));
                CHECK(p.same(table, 4, three));
            }
        }
}
