// SPDX-License-Identifier: MIT
// Shared by the activation tests. Enters: a token's floats. Leaves: its values and scales, made by
// every back end this machine has and required to be the same bytes.
#pragma once

#include <catch2/catch_test_macros.hpp>
#include <cstring>
#include <vector>

#include "trilobit/dispatch/dispatch.hpp"

namespace activation_test {

struct quantised {
    trilobit::status problem;
    std::vector<std::int8_t> values;  // value_stride of them
    std::vector<float> scales;
};

inline quantised quantise_with(const trilobit::kernel_table& table,
                               const trilobit::activation_shape& shape,
                               const std::vector<float>& x) {
    quantised q;
    q.values.assign(static_cast<std::size_t>(shape.value_bytes()), 99);
    q.scales.assign(static_cast<std::size_t>(shape.tokens * shape.segments()), -1.0f);
    for (std::int64_t m = 0; m < shape.tokens && q.problem.ok(); ++m)
        q.problem = table.quantize[static_cast<int>(shape.kind)](
            shape, m, x.data() + m * shape.cols, q.values.data(), q.scales.data());
    return q;
}

inline quantised quantise(trilobit::activation_id kind, const std::vector<float>& x,
                          int group = 0) {
    const trilobit::activation_shape shape{kind, 1, static_cast<std::int64_t>(x.size()), group};
    const auto all = trilobit::dispatch::available();
    const quantised first = quantise_with(*all.front(), shape, x);
    for (const trilobit::kernel_table* table : all) {
        const quantised q = quantise_with(*table, shape, x);
        CAPTURE(table->name);
        CHECK(q.problem.code == first.problem.code);
        if (!first.problem.ok()) continue;
        CHECK(q.values == first.values);
        CHECK(q.scales == first.scales);
    }
    return first;
}

/// The first n values.
inline std::vector<int> values_of(const quantised& q, std::size_t n) {
    return {q.values.begin(), q.values.begin() + static_cast<std::ptrdiff_t>(n)};
}

}  // namespace activation_test
