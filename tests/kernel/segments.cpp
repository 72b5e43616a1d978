// SPDX-License-Identifier: MIT
// Columns that are summed as one integer: every column once, under its own two scales.
#include <catch2/catch_template_test_macros.hpp>
#include <catch2/catch_test_macros.hpp>

#include "trilobit/kernel/kernel_id.hpp"
#include "trilobit/kernel/task.hpp"
#include "trilobit/layout/all.hpp"

using namespace trilobit;

namespace {

template <class L>
packed_shape shape_of(std::int64_t cols, const scale_spec& spec) {
    return {L::id, tile_shape::of<L>(), 16, cols, spec};
}

const scale_spec specs[] = {scale_spec::tensor(), scale_spec::row(), scale_spec::group(32),
                            scale_spec::group(64), scale_spec::group(256)};

}  // namespace

TEMPLATE_LIST_TEST_CASE("segments cover the columns under one scale of each side", "[kernel]",
                        layouts) {
    for (const scale_spec& spec : specs)
        for (const int group : {0, 32, 64, 128, 256})
            for (const std::int64_t cols : {0, 1, 31, 32, 33, 64, 100, 255, 256, 257, 1000}) {
                const packed_shape w = shape_of<TestType>(cols, spec);
                const activation_shape x{activation_id::int8, 1, cols, group};
                CAPTURE(TestType::name, static_cast<int>(spec.per), spec.group_cols, group, cols);
                std::int64_t next = 0;
                for (std::int64_t i = 0; i < kernel::segment::count(w, x); ++i) {
                    const kernel::segment s = kernel::segment::at(w, x, i);
                    CHECK(s.first == next);
                    CHECK(s.width > 0);
                    next = s.first + s.width;
                    const std::int64_t last = next - 1;
                    const std::int64_t wide =
                        spec.per == granularity::group ? spec.group_cols : cols;
                    CHECK(s.weight_segment == s.first / wide);
                    CHECK(s.weight_segment == last / wide);
                    CHECK(s.activation_segment == (group == 0 ? 0 : s.first / group));
                    CHECK(s.activation_segment == (group == 0 ? 0 : last / group));
                }
                CHECK(next == cols);
            }
}

TEMPLATE_LIST_TEST_CASE("segments that start on tiles say so, and where", "[kernel]", layouts) {
    for (const scale_spec& spec : specs)
        for (const int group : {0, 32, 64, 256}) {
            const packed_shape w = shape_of<TestType>(1000, spec);
            const activation_shape x{activation_id::int8, 1, 1000, group};
            bool on_tiles = true;
            std::int64_t tiles = 0;
            for (std::int64_t i = 0; i < kernel::segment::count(w, x); ++i) {
                const kernel::segment s = kernel::segment::at(w, x, i);
                const std::int64_t inside = s.first - w.segment_first_col(s.weight_segment);
                on_tiles = on_tiles && inside % TestType::tile_cols == 0;
                if (on_tiles) CHECK(s.first_tile(w) == tiles);
                tiles += s.tiles(w);
            }
            CAPTURE(TestType::name, spec.group_cols, group);
            CHECK(kernel::segments_start_on_tiles(w, x) == on_tiles);
            if (on_tiles) CHECK(tiles == w.row_tiles());
        }
}

TEST_CASE("kernels have names", "[kernel]") {
    CHECK(kernel_name(kernel_id::automatic) == "automatic");
    CHECK(kernel_name(kernel_id::generic) == "generic");
    CHECK(kernel_name(kernel_id::dot) == "dot");
    CHECK(kernel_name(kernel_id::lookup) == "lookup");
    CHECK(kernel_name(kernel_id::popcount) == "popcount");
    CHECK(kernel_name(kernel_id::vector_lookup) == "vector_lookup");
    CHECK(kernel_name(static_cast<kernel_id>(99)) == "unknown");
}
