// SPDX-License-Identifier: MIT
// Room activation. Enters: a shape. Leaves: quantised activations as every kernel reads them.
//
// All kinds are stored as int8, one byte a value, whatever their range: activations are small
// beside weights, and kernels that want bit planes or tables make them once per call.
#pragma once

#include "trilobit/version.hpp"

#include <cstdint>

#include "trilobit/activation/kind.hpp"
#include "trilobit/core/arithmetic.hpp"
#include "trilobit/core/config.hpp"

#include "trilobit/core/begin.hpp"

namespace trilobit::inline TRILOBIT_ABI {

/// `group` columns share a scale; 0 means all of a token's columns do.
struct activation_shape {
    activation_id kind = activation_id::int8;
    std::int64_t tokens = 0;
    std::int64_t cols = 0;
    int group = 0;

    [[nodiscard]] TRILOBIT_INLINE constexpr std::int64_t segment_cols() const noexcept {
        return group != 0 ? group : (cols > 0 ? cols : 1);
    }
    [[nodiscard]] TRILOBIT_INLINE constexpr std::int64_t segments() const noexcept {
        return ceil_div(cols, segment_cols());
    }
    /// Bytes from token to token: values up to `cols`, then at least 64 zero bytes' worth of room
    /// to the next multiple, so that a kernel may read whole tiles past the last column.
    [[nodiscard]] TRILOBIT_INLINE constexpr std::int64_t value_stride() const noexcept {
        return round_up(cols, 64) + 64;
    }
    [[nodiscard]] TRILOBIT_INLINE constexpr std::int64_t value_bytes() const noexcept {
        return tokens * value_stride();
    }
    [[nodiscard]] TRILOBIT_INLINE constexpr std::int64_t scale_bytes() const noexcept {
        return tokens * segments() * 4;
    }
};

struct activation_view : activation_shape {
    const std::int8_t* values = nullptr;  // (tokens, value_stride), zeros from column `cols` on
    const float* scales = nullptr;        // (tokens, segments); x ~ value * scale

    [[nodiscard]] TRILOBIT_INLINE const std::int8_t* token(std::int64_t m) const noexcept {
        return values + m * value_stride();
    }
    [[nodiscard]] TRILOBIT_INLINE float scale_of(std::int64_t m,
                                                 std::int64_t segment) const noexcept {
        return scales[m * segments() + segment];
    }
};

}  // namespace trilobit::inline TRILOBIT_ABI

#include "trilobit/core/end.hpp"
