// SPDX-License-Identifier: MIT
// Room weights. Enters: nothing. Leaves: the two sets of values a weight may take.
#pragma once

#include "trilobit/version.hpp"

#include <cstdint>
#include <string_view>

#include "trilobit/core/begin.hpp"

namespace trilobit::inline TRILOBIT_ABI {

/// {-1, +1}: no zero, so padding is made to contribute nothing by the activations it meets.
struct binary {
    static constexpr std::string_view name = "binary";
    static constexpr bool holds(std::int8_t value) noexcept { return value == 1 || value == -1; }
    static constexpr std::int8_t padding = -1;
};

/// {-1, 0, +1}
struct ternary {
    static constexpr std::string_view name = "ternary";
    static constexpr bool holds(std::int8_t value) noexcept { return value >= -1 && value <= 1; }
    static constexpr std::int8_t padding = 0;
};

}  // namespace trilobit::inline TRILOBIT_ABI

#include "trilobit/core/end.hpp"
