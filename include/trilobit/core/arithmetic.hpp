// SPDX-License-Identifier: MIT
// Room core. Enters: sizes. Leaves: their quotients and products, checked where a file or a caller
// could make them overflow.
#pragma once

#include "trilobit/version.hpp"

#include <cstdint>
#include <limits>
#include <optional>

#include "trilobit/core/config.hpp"

#include "trilobit/core/begin.hpp"

namespace trilobit::inline TRILOBIT_ABI {

/// Both arguments non-negative, `divisor` positive.
TRILOBIT_INLINE constexpr std::int64_t ceil_div(std::int64_t dividend,
                                                std::int64_t divisor) noexcept {
    return dividend / divisor + (dividend % divisor != 0 ? 1 : 0);
}

TRILOBIT_INLINE constexpr std::int64_t round_up(std::int64_t value,
                                                std::int64_t multiple) noexcept {
    return ceil_div(value, multiple) * multiple;
}

/// a * b for non-negative factors, or nothing when the product does not fit.
constexpr std::optional<std::int64_t> checked_mul(std::int64_t a, std::int64_t b) noexcept {
    if (a < 0 || b < 0) return std::nullopt;
    if (b != 0 && a > std::numeric_limits<std::int64_t>::max() / b) return std::nullopt;
    return a * b;
}

}  // namespace trilobit::inline TRILOBIT_ABI

#include "trilobit/core/end.hpp"
