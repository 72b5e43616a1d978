// SPDX-License-Identifier: MIT
// The memory of a context: it grows, stays, and what it held does not matter.
#include <cstring>
#include <limits>

#include "sample.hpp"

using namespace trilobit;
using matmul_test::active_table;
using matmul_test::sample;

TEST_CASE("a workspace grows and keeps its memory", "[matmul]") {
    workspace scratch;
    CHECK(scratch.reserve(0) == nullptr);
    const std::byte* first = scratch.reserve(1000);
    REQUIRE(first != nullptr);
    CHECK(reinterpret_cast<std::uintptr_t>(first) % 64 == 0);
    CHECK(scratch.reserve(10) == first);
    CHECK(scratch.reserve(1000) == first);
    CHECK(scratch.reserve(100000) != nullptr);
    CHECK(scratch.reserve(-1) == nullptr);
    CHECK(scratch.reserve(std::numeric_limits<std::int64_t>::max()) == nullptr);
}

TEST_CASE("one context serves calls of every shape, garbage in it or not", "[matmul]") {
    context c{active_table()};
    std::byte* memory = c.scratch.reserve(1 << 20);
    REQUIRE(memory != nullptr);
    for (int round = 0; round < 2; ++round)
        for (const layout_id layout : matmul_test::every_layout)
            for (const activation_id kind : {activation_id::int8, activation_id::int4,
                                             activation_id::int2, activation_id::sign})
                for (const auto& [rows, cols, tokens] :
                     {std::tuple{70, 300, 9}, std::tuple{3, 5, 1}, std::tuple{16, 129, 4}}) {
                    sample fresh(rows, cols, tokens, layout);
                    REQUIRE(fresh.run({.activation = kind}).ok());
                    std::memset(memory, round == 0 ? 0xff : 0x7f, 1 << 20);
                    std::vector<float> y(fresh.y.size());
                    c.options.activation = kind;
                    REQUIRE(
                        matmul(c, fresh.w, fresh.in(), matrix_view<float>(y.data(), tokens, rows))
                            .ok());
                    CAPTURE(layout_name(layout), activation_name(kind), rows, cols, tokens);
                    CHECK(std::memcmp(y.data(), fresh.y.data(), y.size() * sizeof(float)) == 0);
                    CHECK(c.scratch.reserve(1) == memory);  // nothing was allocated
                }
}

TEST_CASE("memory that was moved away, or onto itself, serves as new", "[matmul]") {
    for (const layout_id layout : {layout_id::ternary_2bit, layout_id::ternary_base3}) {
        sample p(20, 33, 3, layout);
        context first{active_table()};
        const auto multiplies = [&](context& c) { CHECK(matmul(c, p.w, p.in(), p.out()).ok()); };
        multiplies(first);
        context taken = std::move(first);
        multiplies(taken);
        multiplies(first);
        workspace& same = taken.scratch;
        taken.scratch = std::move(same);
        multiplies(taken);
        first.scratch = std::move(taken.scratch);
        multiplies(first);
        multiplies(taken);
    }
}
