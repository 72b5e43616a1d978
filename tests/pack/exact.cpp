// SPDX-License-Identifier: MIT
// Floats that are quantised already pack to the bytes of the values and scales they were made of.
#include <catch2/catch_template_test_macros.hpp>
#include <cmath>

#include "sample.hpp"
#include "trilobit/core/thread_pool.hpp"

using namespace trilobit;
using pack_test::sample;

TEMPLATE_LIST_TEST_CASE("floats that are quantised already lose nothing", "[pack]", layouts) {
    thread_pool pool(3);
    for (const scale_spec& spec : pack_test::all_specs()) {
        // Wide enough that every unit has a weight that is not zero, and with it a scale.
        sample s = sample::of<TestType>(130, 320, spec);
        for (float& scale : s.scales) scale = std::fabs(scale) + 0x1p-6f;
        std::vector<float> w;
        for (std::int64_t n = 0; n < s.rows; ++n)
            for (std::int64_t k = 0; k < s.cols; ++k)
                w.push_back(static_cast<float>(s.values[static_cast<std::size_t>(n * s.cols + k)]) *
                            s.scale_of(n, k));
        const matrix_view<const float> weights(w.data(), s.rows, s.cols);
        CAPTURE(spec.group_cols, static_cast<int>(spec.per), static_cast<int>(spec.type));
        const auto expected = pack_test::copy_of(pack<TestType>(s.view()));
        CHECK((pack_test::copy_of(pack<TestType>(weights, {spec})) == expected));
        CHECK((pack_test::copy_of(pack<TestType>(weights, {spec}, pool)) == expected));
    }
}
