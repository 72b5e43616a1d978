// SPDX-License-Identifier: MIT
// Matrices packed without their rows and columns of zeros: the bits of the whole matrix, every
// output once, whatever multiplies.
#include <algorithm>
#include <catch2/catch_template_test_macros.hpp>
#include <cmath>

#include "product.hpp"
#include "trilobit/core/thread_pool.hpp"
#include "trilobit/matmul/indexed.hpp"

using namespace trilobit;
using matmul_test::active_table;
using matmul_test::same_bits;

namespace dropped_test {
namespace {

constexpr std::int64_t rows = 350, cols = 400;

/// How many of a hundred rows and columns are zeros alone; `seed` says which.
struct planting {
    int dead_rows = 0, dead_cols = 0;
    std::uint64_t seed = 1;
};

struct pair_of {
    any_packed_matrix whole, less;
};

template <class L>
pair_of pack_both(const planting& p, const scale_spec& spec, float scale = 0.75f) {
    testing::generator r(p.seed);
    const auto dead = [&](std::int64_t n, int percent) {
        std::vector<bool> is(static_cast<std::size_t>(n));
        for (std::size_t i = 0; i < is.size(); ++i) is[i] = r.between(0, 99) < percent;
        return is;
    };
    const std::vector<bool> row_dead = dead(rows, p.dead_rows), col_dead = dead(cols, p.dead_cols);
    const bool zeros = L::kind::holds(0);
    std::vector<std::int8_t> values(rows * cols);
    for (std::size_t i = 0; i < values.size(); ++i) {
        const auto any = zeros ? r.between(-1, 1) : 2 * r.between(0, 1) - 1;
        const bool zero = zeros && (row_dead[i / cols] || col_dead[i % cols]);
        values[i] = static_cast<std::int8_t>(zero ? 0 : any);
    }
    std::vector<float> scales(static_cast<std::size_t>(spec.count(rows, cols)));
    for (float& s : scales) s = scale * (1.5f + r.unit()) * 0.4f;
    const quantized_view view{{values.data(), rows, cols}, scales.data(), spec};
    pack_options options;
    options.drop = drop_zeros::nothing;
    pair_of both;
    both.whole = pack<L>(view, options);
    options.drop = drop_zeros::rows_and_columns;
    both.less = pack<L>(view, options);
    REQUIRE((both.whole.status().ok() && both.less.status().ok()));
    return both;
}

std::vector<float> random_floats(std::int64_t count, float scale = 1.0f) {
    testing::generator r(9);
    std::vector<float> values(static_cast<std::size_t>(count));
    for (float& v : values) v = r.spread() * scale;
    return values;
}

/// What an epilogue is given, and that it is given all of it once.
struct outputs {
    std::vector<float> y;
    std::vector<int> writes;
    explicit outputs(std::int64_t tokens)
        : y(static_cast<std::size_t>(tokens * rows)), writes(y.size()) {}
    [[nodiscard]] auto collect() {
        return [this](float* values, int count, std::int64_t token, std::int64_t row) {
            for (int i = 0; i < count; ++i) {
                const auto at = static_cast<std::size_t>(token * rows + row + i);
                y.at(at) = values[i];
                ++writes.at(at);
                values[i] = -1.0f;  // an epilogue may do that
            }
        };
    }
    [[nodiscard]] bool once() const {
        return std::all_of(writes.begin(), writes.end(), [](int n) { return n == 1; });
    }
};

template <class Executor>
outputs multiply(const packed_view& w, matrix_view<const float> x, Executor& run,
                 const matmul_options& options = {}) {
    outputs out(x.rows);
    workspace scratch;
    const status s = matmul(active_table(), w, x, out.collect(), scratch, run, options);
    INFO(s.text);
    REQUIRE(s.ok());
    return out;
}

const planting plantings[] = {{0, 0}, {30, 0}, {0, 30}, {60, 60}, {98, 98}, {100, 100}};

}  // namespace

TEMPLATE_LIST_TEST_CASE("a matrix without its zeros multiplies to the bits of the whole",
                        "[matmul]", layouts) {
    serial alone;
    thread_pool pool(3);
    const auto input = random_floats(40 * cols);
    for (const scale_spec& spec :
         {scale_spec::tensor(), scale_spec::row(scale_type::f16), scale_spec::group(64)})
        for (const planting& p : plantings) {
            const pair_of w = pack_both<TestType>(p, spec);
            if (TestType::kind::holds(0) && p.dead_rows >= 30)
                CHECK(w.less.view().dropped_rows > 0);
            if (TestType::kind::holds(0) && p.dead_cols >= 30 && p.dead_cols <= 60 &&
                spec.per != granularity::group)
                CHECK(w.less.view().dropped_cols > 0);
            for (const kernel_entry& e : active_table())
                for (const std::int64_t tokens : {1, 40}) {
                    if (e.layout != TestType::id) continue;
                    const activation_shape shape{e.activation, tokens, cols, 0};
                    if (!e.accepts(w.whole.view(), shape)) continue;
                    const matmul_options options{e.activation, 0, e.kernel};
                    const matrix_view<const float> x(input.data(), tokens, cols);
                    const outputs want = multiply(w.whole, x, alone, options);
                    const outputs one = multiply(w.less, x, alone, options);
                    const outputs many = multiply(w.less, x, pool, options);
                    CAPTURE(TestType::name, kernel_name(e.kernel), activation_name(e.activation),
                            p.dead_rows, p.dead_cols, tokens, static_cast<int>(spec.per));
                    CHECK(same_bits(one.y, want.y));
                    CHECK(same_bits(many.y, want.y));
                    CHECK((one.once() && many.once()));
                }
        }
}

TEST_CASE("activation groups need every column, not every row", "[matmul]") {
    serial alone;
    const auto input = random_floats(5 * cols);
    const matrix_view<const float> x(input.data(), 5, cols);
    const matmul_options groups{.activation_group = 64};
    const pair_of no_rows = pack_both<layout::ternary_2bit>({40, 0}, scale_spec::tensor());
    REQUIRE(no_rows.less.view().dropped_rows > 0);
    CHECK(same_bits(multiply(no_rows.less, x, alone, groups).y,
                    multiply(no_rows.whole, x, alone, groups).y));
    const pair_of no_cols = pack_both<layout::ternary_2bit>({0, 40}, scale_spec::tensor());
    REQUIRE(no_cols.less.view().dropped_cols > 0);
    outputs untouched(5);
    workspace scratch;
    const status s =
        matmul(active_table(), no_cols.less, x, untouched.collect(), scratch, alone, groups);
    CHECK(s.code == errc::unsupported);
    CHECK(std::string_view(s.text).ends_with('.'));
    CHECK(untouched.writes == std::vector<int>(5 * rows));
}

TEST_CASE("a row of zeros under infinite factors is what it would have been", "[matmul]") {
    serial alone;
    const auto input = random_floats(3 * cols, 1e33f);
    const matrix_view<const float> x(input.data(), 3, cols);
    for (const scale_spec& spec : {scale_spec::tensor(), scale_spec::row()})
        for (const float scale : {1.0f, -1.0f, 1e8f, -1e8f})
            for (const int group : {0, 32}) {
                const pair_of w = pack_both<layout::ternary_2bit>({50, 0}, spec, scale);
                const bool own = spec.per == granularity::row && std::fabs(scale) > 1.0f;
                CHECK((w.less.view().dropped_rows > 0) != own);
                const matmul_options options{.activation_group = group};
                const outputs want = multiply(w.whole, x, alone, options);
                CHECK(same_bits(multiply(w.less, x, alone, options).y, want.y));
                const bool finite = std::all_of(want.y.begin(), want.y.end(),
                                                [](float v) { return std::isfinite(v); });
                CHECK(finite == (std::fabs(scale) == 1.0f));
            }
}

TEMPLATE_LIST_TEST_CASE("matrices that lack different columns share activations", "[matmul]",
                        layouts) {
    thread_pool pool(3);
    const auto q = pack_both<TestType>({0, 40, 1}, scale_spec::row());
    const auto k = pack_both<TestType>({40, 40, 2}, scale_spec::row());
    const auto v = pack_both<TestType>({40, 0, 3}, scale_spec::row());
    const any_packed_matrix none = pack<TestType>(matrix_view<const float>(nullptr, 0, cols));
    for (const std::int64_t tokens : {1, 40}) {
        const auto input = random_floats(tokens * cols);
        const matrix_view<const float> x(input.data(), tokens, cols);
        outputs a(tokens), b(tokens), c(tokens), d(tokens), nothing(0);
        workspace scratch;
        REQUIRE(matmul_shared(
                    active_table(), x, scratch, pool, {},
                    projection{none.view(), nothing.collect()},
                    projection{q.less.view(), a.collect()}, projection{k.less.view(), b.collect()},
                    projection{k.less.view(), c.collect()}, projection{v.less.view(), d.collect()})
                    .ok());
        CHECK(same_bits(a.y, multiply(q.whole, x, pool).y));
        CHECK(same_bits(b.y, multiply(k.whole, x, pool).y));
        CHECK(same_bits(c.y, b.y));
        CHECK(same_bits(d.y, multiply(v.whole, x, pool).y));
        CHECK((a.once() && b.once() && c.once() && d.once()));
    }
}

TEMPLATE_LIST_TEST_CASE("experts that lack different rows and columns", "[matmul]", layouts) {
    constexpr std::int64_t tokens = 67;
    thread_pool pool(3);
    std::vector<pair_of> experts;
    std::vector<packed_view> whole, less;
    for (const planting& p : plantings) experts.push_back(pack_both<TestType>(p, {}));
    for (const pair_of& e : experts) whole.push_back(e.whole), less.push_back(e.less);
    std::vector<std::int32_t> expert_of;
    for (std::int32_t m = 0; m < tokens; ++m) expert_of.push_back(m * m % 5);  // never 2 or 3
    const auto input = random_floats(tokens * cols);
    const matrix_view<const float> x(input.data(), tokens, cols);
    outputs want(tokens), got(tokens);
    workspace scratch;
    REQUIRE(
        matmul_indexed(active_table(), whole, expert_of, x, want.collect(), scratch, pool).ok());
    REQUIRE(matmul_indexed(active_table(), less, expert_of, x, got.collect(), scratch, pool).ok());
    CHECK(same_bits(got.y, want.y));
    CHECK(got.once());
}

}  // namespace dropped_test
