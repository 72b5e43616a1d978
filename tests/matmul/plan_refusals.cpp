// SPDX-License-Identifier: MIT
// What a plan refuses, with a sentence: before anything is computed where that is possible.
#include <limits>

#include "plan_runner.hpp"

using namespace trilobit;
using matmul_test::active_table;
using matmul_test::sample;

namespace {

void refused(const status& s, errc code) {
    CAPTURE(s.text);
    CHECK(s.code == code);
    CHECK(std::string_view(s.text).ends_with('.'));
}

struct setting {
    sample p{40, 96, 3};
    std::vector<float> y = std::vector<float>(3 * 40, -77.0f);
    matrix_view<float> to_y{y.data(), 3, 40};
    std::vector<product> products{{p.w, into(to_y)}};
    context with{active_table()};

    [[nodiscard]] result<plan> make(std::int64_t tokens = 3, int threads = 2) const {
        return plan::of(with, products, tokens, threads);
    }
};

}  // namespace

TEST_CASE("plans that cannot be made", "[matmul]") {
    setting s;
    REQUIRE(s.make().ok());
    refused(s.make(-1).error(), errc::bad_shape);
    refused(s.make(plan::max_tokens + 1).error(), errc::bad_shape);
    refused(s.make(std::numeric_limits<std::int64_t>::max()).error(), errc::bad_shape);
    refused(s.make(3, 0).error(), errc::bad_value);
    refused(s.make(3, std::numeric_limits<int>::min()).error(), errc::bad_value);
    refused(plan::of(s.with, {}, 3, 2).error(), errc::bad_shape);

    const sample other(40, 95, 3), layout(40, 96, 3, layout_id::ternary_base3),
        grouped(40, 96, 3, layout_id::ternary_2bit, scale_spec::group(32));
    for (const sample* b : {&other, &layout, &grouped}) {
        s.products = {{s.p.w, into(s.to_y)}, {b->w, into(s.to_y)}};
        refused(s.make().error(), errc::bad_shape);
    }
    s.products = {{s.p.w, into(s.to_y)}, {any_packed_matrix(), into(s.to_y)}};
    refused(s.make().error(), errc::bad_shape);
    s.products = {{s.p.w, {}}};
    refused(s.make().error(), errc::bad_value);
    for (const index_range of : {index_range{-1, 2}, {0, 4}, {2, 1}, {4, all_tokens}, {4, 4}}) {
        s.products = {{s.p.w, into(s.to_y), of.begin, of.end}};
        refused(s.make().error(), errc::bad_shape);
    }

    matrix_view<std::int32_t> sums;
    s.products = {{grouped.w, into(sums)}};
    refused(s.make().error(), errc::unsupported);
    s.products = {{s.p.w, into(sums)}};
    CHECK(s.make().ok());
    s.with.options.activation_group = 32;
    refused(s.make().error(), errc::unsupported);

    s.products = {{s.p.w, into(s.to_y)}};
    s.with.options.activation_group = 33;
    refused(s.make().error(), errc::bad_shape);
    s.with.options = {.kernel = kernel_id::popcount};
    refused(s.make().error(), errc::unsupported);
    s.with.options = {.activation = static_cast<activation_id>(99)};
    refused(s.make().error(), errc::unsupported);
}

TEST_CASE("the largest plans have a size, which nobody has to bring", "[matmul]") {
    setting s;
    for (const layout_id layout : matmul_test::every_layout) {
        const sample wide(1, max_cols, 1, layout);
        s.products = {{wide.w, into(s.to_y)}};
        const auto most = s.make(plan::max_tokens, std::numeric_limits<int>::max());
        REQUIRE(most.ok());
        CHECK(most.value().bytes() > plan::max_tokens * max_cols);
        CHECK(most.value().tasks() >= plan::max_tokens / 64);
    }
    // The product that would be so large says that it is.
    const float one[96] = {};
    const sample p(40, 96, 1);
    context c{active_table()};
    refused(matmul(c, p.w, {one, plan::max_tokens, 96, 96}, into(s.to_y)), errc::out_of_memory);
}

TEST_CASE("activations that do not fit a plan", "[matmul]") {
    const setting s;
    const auto made = s.make();
    const plan& p = made.value();
    const testing::guarded_buffer memory(p.bytes());
    const float* x = s.p.x.data();
    const auto quantise = [&](matrix_view<const float> of, std::int64_t begin, std::int64_t end,
                              void* at, std::span<const std::int64_t> rows = {}) {
        return p.quantise(of, begin, end, at, rows);
    };
    REQUIRE(quantise(s.p.in(), 0, 3, memory.data()).ok());
    refused(quantise({x, 3, 95}, 0, 3, memory.data()), errc::bad_shape);
    refused(quantise({x, 2, 96}, 0, 2, memory.data()), errc::bad_shape);
    refused(quantise({x, 3, 96, 95}, 0, 3, memory.data()), errc::bad_shape);
    refused(quantise({nullptr, 3, 96}, 0, 3, memory.data()), errc::bad_shape);
    for (const index_range of : {index_range{-1, 2}, {0, 4}, {2, 1}})
        refused(quantise(s.p.in(), of.begin, of.end, memory.data()), errc::bad_shape);
    refused(quantise(s.p.in(), 0, 3, nullptr), errc::bad_value);
    refused(quantise(s.p.in(), 0, 3, memory.data() + 32), errc::bad_value);
    const std::int64_t rows[] = {2, 0, 1}, wrong[] = {2, 0, 3}, negative[] = {0, -1, 0};
    CHECK(quantise(s.p.in(), 0, 3, memory.data(), rows).ok());
    refused(quantise(s.p.in(), 0, 3, memory.data(), wrong), errc::bad_value);
    refused(quantise(s.p.in(), 0, 3, memory.data(), negative), errc::bad_value);
    refused(quantise(s.p.in(), 0, 2, memory.data(), std::span(rows, 2)), errc::bad_shape);

    std::vector<float> bad = s.p.x;
    bad[1 * 96 + 95] = std::numeric_limits<float>::quiet_NaN();
    CHECK(quantise({bad.data(), 3, 96}, 0, 1, memory.data()).ok());
    refused(quantise({bad.data(), 3, 96}, 1, 2, memory.data()), errc::bad_value);
}

TEST_CASE("quantised activations that are none", "[matmul]") {
    const struct {
        activation_id kind;
        int low, high;
    } kinds[] = {{activation_id::int8, -128, 127},
                 {activation_id::int4, -8, 7},
                 {activation_id::int2, -2, 1},
                 {activation_id::sign, -1, 1}};
    for (const auto& kind : kinds) {
        setting s;
        s.with.options.activation = kind.kind;
        const auto made = s.make();
        REQUIRE(made.ok());
        const testing::guarded_buffer memory(made.value().bytes());
        std::vector<std::int8_t> values(3 * 96, std::int8_t{1});
        std::vector<float> scales(3, 0.5f);
        const auto take = [&] {
            return made.value().take({values.data(), 3, 96}, {scales.data(), 3, 1}, 0, 3,
                                     memory.data());
        };
        CAPTURE(activation_name(kind.kind));
        for (int v = -128; v < 128; ++v) {
            values[2 * 96 + 95] = static_cast<std::int8_t>(v);
            const bool fits =
                v >= kind.low && v <= kind.high && (v != 0 || kind.kind != activation_id::sign);
            CHECK(take().code == (fits ? errc::ok : errc::bad_value));
        }
        values.back() = 1;
        for (const float scale :
             {std::numeric_limits<float>::infinity(), std::numeric_limits<float>::quiet_NaN()}) {
            scales[1] = scale;
            refused(take(), errc::bad_value);
        }
        scales[1] = -0.25f;
        CHECK(take().ok());
        refused(
            made.value().take({values.data(), 3, 96}, {scales.data(), 2, 1}, 0, 3, memory.data()),
            errc::bad_shape);
        refused(
            made.value().take({values.data(), 3, 96}, {scales.data(), 3, 0}, 0, 3, memory.data()),
            errc::bad_shape);
        refused(made.value().take({values.data(), 3, 95, 96}, {scales.data(), 3, 1}, 0, 3,
                                  memory.data()),
                errc::bad_shape);
    }
}

TEST_CASE("tasks, threads and memory that a plan does not have", "[matmul]") {
    const setting s;
    const auto made = s.make();
    const plan& p = made.value();
    const testing::guarded_buffer memory(p.bytes());
    REQUIRE(p.quantise(s.p.in(), 0, 3, memory.data()).ok());
    const std::int64_t tasks = p.tasks();
    refused(p.run(-1, tasks, 0, memory.data()), errc::bad_shape);
    refused(p.run(0, tasks + 1, 0, memory.data()), errc::bad_shape);
    refused(p.run(1, 0, 0, memory.data()), errc::bad_shape);
    refused(p.run(0, tasks, -1, memory.data()), errc::bad_value);
    refused(p.run(0, tasks, 2, memory.data()), errc::bad_value);
    refused(p.run(0, tasks, 0, nullptr), errc::bad_value);
    refused(p.run(0, tasks, 0, memory.data() + 1), errc::bad_value);
    int written = 0;
    for (const float v : s.y) written += v != -77.0f;
    CHECK(written == 0);
    CHECK(p.run(tasks, tasks, 1, memory.data()).ok());
    CHECK(p.run(0, tasks, 1, memory.data()).ok());
}
