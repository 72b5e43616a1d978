// SPDX-License-Identifier: MIT
// Room weights. Enters: how finely a matrix is scaled. Leaves: how many scales there are and which
// columns share one.
#pragma once

#include "trilobit/version.hpp"

#include <algorithm>
#include <cstdint>

#include "trilobit/core/arithmetic.hpp"
#include "trilobit/core/config.hpp"
#include "trilobit/core/status.hpp"

#include "trilobit/core/begin.hpp"

namespace trilobit::inline TRILOBIT_ABI {

enum class granularity : std::uint8_t { tensor = 0, row = 1, group = 2 };
enum class scale_type : std::uint8_t { f32 = 0, f16 = 1 };

/// One scale for the tensor, for each row, or for each `group_cols` consecutive columns of a row
/// (the last group of a row may be narrower). `type` is how scales are stored once packed.
struct scale_spec {
    granularity per = granularity::tensor;
    int group_cols = 0;
    scale_type type = scale_type::f32;

    static constexpr scale_spec tensor(scale_type t = scale_type::f32) noexcept {
        return {granularity::tensor, 0, t};
    }
    static constexpr scale_spec row(scale_type t = scale_type::f32) noexcept {
        return {granularity::row, 0, t};
    }
    static constexpr scale_spec group(int cols, scale_type t = scale_type::f16) noexcept {
        return {granularity::group, cols, t};
    }

    /// Columns that share a scale inside one row.
    [[nodiscard]] TRILOBIT_INLINE constexpr std::int64_t segment_cols(
        std::int64_t cols) const noexcept {
        return per == granularity::group ? group_cols : std::max<std::int64_t>(cols, 1);
    }
    /// Scales met along one row.
    [[nodiscard]] TRILOBIT_INLINE constexpr std::int64_t segments(
        std::int64_t cols) const noexcept {
        return ceil_div(cols, segment_cols(cols));
    }
    /// Scales of a whole (rows, cols) matrix, in the order tensor | row | row-major (row, group).
    [[nodiscard]] TRILOBIT_INLINE constexpr std::int64_t count(std::int64_t rows,
                                                               std::int64_t cols) const noexcept {
        return per == granularity::tensor ? 1 : rows * segments(cols);
    }

    friend constexpr bool operator==(const scale_spec&, const scale_spec&) noexcept = default;
};

constexpr bool valid_group(int cols) noexcept {
    return cols == 32 || cols == 64 || cols == 128 || cols == 256;
}

constexpr status check_scale_spec(const scale_spec& spec) noexcept {
    switch (spec.per) {
        case granularity::tensor:
        case granularity::row:
            if (spec.group_cols != 0)
                return {errc::bad_shape, "A group width was given without per-group scales."};
            break;
        case granularity::group:
            if (!valid_group(spec.group_cols))
                return {errc::bad_shape, "A scale group must span 32, 64, 128 or 256 columns."};
            break;
        default:
            return {errc::bad_shape, "The scale granularity is none of tensor, row and group."};
    }
    if (spec.type != scale_type::f32 && spec.type != scale_type::f16)
        return {errc::bad_shape, "Scales are stored as f32 or f16."};
    return {};
}

}  // namespace trilobit::inline TRILOBIT_ABI

#include "trilobit/core/end.hpp"
