// SPDX-License-Identifier: MIT
// Room matmul. Enters: finished sums of consecutive rows of one token. Leaves: them, changed or
// written somewhere: the last step of a multiplication, while the numbers are still in registers'
// reach.
//
// An epilogue is callable as e(float* values, int count, int64 token, int64 row); it may change the
// values in place. chain(a, b, ..) calls several in order, on one block of rows at a time. into()
// makes an epilogue, or a matrix, the sink of a product: a function and its context.
#pragma once

#include "trilobit/version.hpp"

#include <concepts>
#include <cstdint>
#include <cstring>
#include <memory>

#include "trilobit/core/float16.hpp"
#include "trilobit/core/matrix_view.hpp"
#include "trilobit/kernel/task.hpp"

#include "trilobit/core/begin.hpp"

namespace trilobit::inline TRILOBIT_ABI {

using kernel::sink;

namespace epilogue {

/// y[token, row] = value
struct write {
    matrix_view<float> y;
    void operator()(const float* values, int count, std::int64_t token,
                    std::int64_t row) const noexcept {
        std::memcpy(y.row(token) + row, values, sizeof(float) * static_cast<std::size_t>(count));
    }
};

/// y[token, row] = the nearest number of 16 bits, ties to even.
template <std::uint16_t (*Round)(float)>
struct write_rounded {
    matrix_view<std::uint16_t> y;
    void operator()(const float* values, int count, std::int64_t token,
                    std::int64_t row) const noexcept {
        for (int i = 0; i < count; ++i) y(token, row + i) = Round(values[i]);
    }
};
using write_f16 = write_rounded<f32_to_f16>;
using write_bf16 = write_rounded<f32_to_bf16>;

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
auto chain(Steps... steps) {
    return [=](float* values, int count, std::int64_t token, std::int64_t row) {
        (steps(values, count, token, row), ...);
    };
}

/// The sink that calls `e`, which outlives it.
template <class Epilogue>
    requires std::invocable<const Epilogue&, float*, int, std::int64_t, std::int64_t>
sink into(const Epilogue& e) noexcept {
    sink to;
    to.context = std::addressof(e);
    to.write = [](const void* of, const float* sums, std::int64_t token, std::int64_t row,
                  int count) {
        // The block is the kernel's own and is not read again: an epilogue may change it in place.
        (*static_cast<const Epilogue*>(of))(const_cast<float*>(sums), count, token, row);
    };
    return to;
}

/// The sink that writes to a matrix (tokens, rows), whose view outlives it: products, or of
/// integers the exact sums before any scale.
template <class T>
    requires(std::same_as<T, float> || std::same_as<T, std::int32_t>)
sink into(const matrix_view<T>& y) noexcept {
    constexpr auto write = [](const void* of, const T* sums, std::int64_t token, std::int64_t row,
                              int count) {
        std::memcpy(static_cast<const matrix_view<T>*>(of)->row(token) + row, sums,
                    sizeof(T) * static_cast<std::size_t>(count));
    };
    sink to;
    to.context = &y;
    if constexpr (std::same_as<T, float>)
        to.write = write;
    else
        to.write_sums = write;
    return to;
}

/// Not of what is gone when the sink is used.
template <class T>
sink into(const T&&) = delete;

}  // namespace trilobit::inline TRILOBIT_ABI

#include "trilobit/core/end.hpp"
