// SPDX-License-Identifier: MIT
// A workspace kept from call to call: it grows, stays, and what it held does not matter.
#include "trilobit/matmul/workspace.hpp"

#include <cstring>

#include "product.hpp"

using namespace trilobit;
using matmul_test::active_table;
using matmul_test::product;

TEST_CASE("a workspace grows and keeps its memory", "[matmul]") {
    workspace scratch;
    CHECK(scratch.reserve(0) == nullptr);
    const std::byte* first = scratch.reserve(1000);
    REQUIRE(first != nullptr);
    CHECK(reinterpret_cast<std::uintptr_t>(first) % 64 == 0);
    CHECK(scratch.reserve(10) == first);
    CHECK(scratch.reserve(1000) == first);
    CHECK(scratch.reserve(100000) != nullptr);
}

TEST_CASE("one workspace serves calls of every shape, garbage in it or not", "[matmul]") {
    workspace scratch;
    serial alone;
    std::byte* memory = scratch.reserve(1 << 20);
    REQUIRE(memory != nullptr);
    for (int round = 0; round < 2; ++round)
        for (const layout_id layout : {layout_id::ternary_2bit, layout_id::ternary_base3,
                                       layout_id::ternary_planes, layout_id::binary_1bit})
            for (const activation_id kind : {activation_id::int8, activation_id::int4,
                                             activation_id::int2, activation_id::sign})
                for (const auto& [rows, cols, tokens] :
                     {std::tuple{70, 300, 9}, std::tuple{3, 5, 1}, std::tuple{16, 129, 4}}) {
                    product fresh(rows, cols, tokens, layout);
                    REQUIRE(fresh.run({.activation = kind}).ok());
                    std::memset(memory, round == 0 ? 0xff : 0x7f, 1 << 20);
                    std::vector<float> y(fresh.y.size());
                    REQUIRE(matmul(active_table(), fresh.w, fresh.in(),
                                   matrix_view<float>(y.data(), tokens, rows), scratch, alone,
                                   {.activation = kind})
                                .ok());
                    CAPTURE(layout_name(layout), activation_name(kind), rows, cols, tokens);
                    CHECK(std::memcmp(y.data(), fresh.y.data(), y.size() * sizeof(float)) == 0);
                    CHECK(scratch.reserve(1) == memory);  // nothing was allocated
                }
}

TEST_CASE("the parts of a workspace do not overlap", "[matmul]") {
    for (const kernel_entry& e : active_table()) {
        const packed_shape w{e.layout, {16, 16, 64}, 100, 1000, scale_spec::group(32)};
        const activation_shape x{e.activation, 7, 1000, 0};
        const detail::workspace_layout at = detail::workspace_layout::of(e, w, x);
        CHECK(at.values == 0);
        CHECK(at.scales >= at.values + x.value_bytes());
        CHECK(at.operand >= at.scales + x.scale_bytes());
        CHECK(at.size >= at.operand + e.operand_bytes(w, x));
        CHECK((at.scales % 64 == 0 && at.operand % 64 == 0));
    }
}

TEST_CASE("a workspace that was moved away, or onto itself, serves as a new one", "[matmul]") {
    for (const layout_id layout : {layout_id::ternary_2bit, layout_id::ternary_base3}) {
        product p(20, 33, 3, layout);
        serial alone;
        workspace scratch;
        const auto multiplies = [&](workspace& with) {
            CHECK(matmul(active_table(), p.w, p.in(), p.out(), with, alone).ok());
        };
        multiplies(scratch);
        workspace taken = std::move(scratch);
        multiplies(taken);
        multiplies(scratch);
        workspace& same = taken;
        taken = std::move(same);
        multiplies(taken);
        scratch = std::move(taken);
        multiplies(scratch);
        multiplies(taken);
    }
}
