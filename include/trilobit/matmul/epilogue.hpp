// SPDX-License-Identifier: MIT
// Room matmul. Enters: finished sums of consecutive rows of one token. Leaves: them, changed or
// written somewhere: the last step of a multiplication, while the numbers are still in registers'
// reach.
//
// An epilogue is callable as e(float* values, int count, int64 token, int64 row); it may change the
// values in place. chain(a, b, ..) calls several in order, on one block of rows at a time.
#pragma once

#include "trilobit/version.hpp"

#include <cstdint>
#include <cstring>
#include <tuple>

#include "trilobit/core/matrix_view.hpp"

#include "trilobit/core/begin.hpp"

namespace trilobit::inline TRILOBIT_ABI {

namespace epilogue {

/// y[token, row] = value
struct write {
    matrix_view<float> y;
    void operator()(const float* values, int count, std::int64_t token,
                    std::int64_t row) const noexcept {
        std::memcpy(y.row(token) + row, values, sizeof(float) * static_cast<std::size_t>(count));
    }
};

/// y[token, row] += value: a residual connection.
struct accumulate {
    matrix_view<float> y;
    void operator()(const float* values, int count, std::int64_t token,
                    std::int64_t row) const noexcept {
        float* to = y.row(token) + row;
        for (int i = 0; i < count; ++i) to[i] += values[i];
    }
};

/// value += bias[row]
struct add_bias {
    const float* bias;
    void operator()(float* values, int count, std::int64_t, std::int64_t row) const noexcept {
        for (int i = 0; i < count; ++i) values[i] += bias[row + i];
    }
};

/// value *= factor
struct scale {
    float factor;
    void operator()(float* values, int count, std::int64_t, std::int64_t) const noexcept {
        for (int i = 0; i < count; ++i) values[i] *= factor;
    }
};

}  // namespace epilogue

template <class... Steps>
struct epilogue_chain {
    std::tuple<Steps...> steps;
    void operator()(float* values, int count, std::int64_t token, std::int64_t row) const {
        std::apply([&](const auto&... step) { (step(values, count, token, row), ...); }, steps);
    }
};

template <class... Steps>
epilogue_chain<Steps...> chain(Steps... steps) {
    return {{steps...}};
}

}  // namespace trilobit::inline TRILOBIT_ABI

#include "trilobit/core/end.hpp"
