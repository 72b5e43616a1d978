// SPDX-License-Identifier: MIT
// What a back end's table must hold: the floor under every layout, each kernel once, nothing null.
#include <catch2/catch_template_test_macros.hpp>
#include <set>
#include <tuple>

#include "active.hpp"

using namespace trilobit;

TEST_CASE("the table is complete and without doubles", "[tables]") {
    const kernel_table& table = conformance::active_table();
    std::set<std::tuple<layout_id, activation_id, kernel_id>> seen;
    for (const kernel_entry& e : table) {
        CAPTURE(table.name, layout_name(e.layout), activation_name(e.activation),
                kernel_name(e.kernel));
        CHECK(seen.emplace(e.layout, e.activation, e.kernel).second);
        CHECK(e.kernel != kernel_id::automatic);
        REQUIRE((e.accepts && e.cost && e.operand_bytes && e.prepare && e.run));
        packed_shape w{e.layout, {}, 512, 4096, scale_spec::row()};
        visit_layout(e.layout, [&]<class L>() { w.tile = tile_shape::of<L>(); });
        CHECK(e.cost(w, 1) > 0);
        CHECK(e.cost(w, 512) > 0);
        CHECK(e.unit.rows >= w.tile.rows);
        CHECK(e.unit.tokens >= 1);
    }
    for (const quantize_function f : table.quantize) CHECK(f != nullptr);
}

TEMPLATE_LIST_TEST_CASE("every layout and activation has a kernel for every grouping", "[tables]",
                        layouts) {
    const kernel_table& table = conformance::active_table();
    const scale_spec scales[] = {scale_spec::tensor(),   scale_spec::row(),
                                 scale_spec::group(32),  scale_spec::group(64),
                                 scale_spec::group(128), scale_spec::group(256)};
    for (const activation_id activation :
         {activation_id::int8, activation_id::int4, activation_id::int2, activation_id::sign})
        for (const scale_spec& scale : scales)
            for (const int group : {0, 32, 64, 128, 256})
                for (const std::int64_t batch : {1, 4, 512}) {
                    const packed_shape w{TestType::id, tile_shape::of<TestType>(), 512, 4096,
                                         scale};
                    const activation_shape x{activation, batch, 4096, group};
                    CAPTURE(table.name, TestType::name, activation_name(activation),
                            scale.group_cols, group, batch);
                    const kernel_entry* best = choose_kernel(table, w, x);
                    REQUIRE(best != nullptr);
                    CHECK(best->layout == TestType::id);
                    CHECK(best->activation == activation);
                    CHECK(best->accepts(w, x));
                    const kernel_entry* floor = choose_kernel(table, w, x, kernel_id::generic);
                    REQUIRE(floor != nullptr);
                    CHECK(best->cost(w, batch) <= floor->cost(w, batch));
                }
}
