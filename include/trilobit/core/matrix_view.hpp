// SPDX-License-Identifier: MIT
// Room core. Enters: a pointer and a shape. Leaves: a non-owning row-major matrix.
#pragma once

#include "trilobit/version.hpp"

#include <cstdint>
#include <type_traits>

#include "trilobit/core/arithmetic.hpp"
#include "trilobit/core/status.hpp"

#include "trilobit/core/begin.hpp"

namespace trilobit::inline TRILOBIT_ABI {

/// Element (i, j) is data[i * stride + j]; stride >= cols, counted in elements.
template <class T>
struct matrix_view {
    T* data = nullptr;
    std::int64_t rows = 0;
    std::int64_t cols = 0;
    std::int64_t stride = 0;

    constexpr matrix_view() noexcept = default;
    constexpr matrix_view(T* data_, std::int64_t rows_, std::int64_t cols_) noexcept
        : data(data_), rows(rows_), cols(cols_), stride(cols_) {}
    constexpr matrix_view(T* data_, std::int64_t rows_, std::int64_t cols_,
                          std::int64_t stride_) noexcept
        : data(data_), rows(rows_), cols(cols_), stride(stride_) {}

    template <class U>
        requires std::is_same_v<const U, T>
    constexpr matrix_view(const matrix_view<U>& other) noexcept
        : data(other.data), rows(other.rows), cols(other.cols), stride(other.stride) {}

    [[nodiscard]] constexpr T* row(std::int64_t i) const noexcept { return data + i * stride; }
    [[nodiscard]] constexpr T& operator()(std::int64_t i, std::int64_t j) const noexcept {
        return data[i * stride + j];
    }
    /// Rows [first, first + count) as a view of their own.
    [[nodiscard]] constexpr matrix_view rows_from(std::int64_t first,
                                                  std::int64_t count) const noexcept {
        return {row(first), count, cols, stride};
    }
    [[nodiscard]] constexpr bool empty() const noexcept { return rows == 0 || cols == 0; }
};

/// A view that can be walked: no negative extent, no stride below the width, memory behind it,
/// and an extent in elements that fits.
template <class T>
constexpr status check_view(const matrix_view<T>& view) noexcept {
    if (view.rows < 0 || view.cols < 0)
        return {errc::bad_shape, "A matrix has a negative number of rows or columns."};
    if (view.empty()) return {};
    if (view.data == nullptr) return {errc::bad_shape, "A matrix that is not empty has no data."};
    if (view.stride < view.cols)
        return {errc::bad_shape, "The stride of a matrix is smaller than its number of columns."};
    if (!checked_mul(view.rows, view.stride))
        return {errc::bad_shape, "A matrix is too large to address."};
    return {};
}

}  // namespace trilobit::inline TRILOBIT_ABI

#include "trilobit/core/end.hpp"
