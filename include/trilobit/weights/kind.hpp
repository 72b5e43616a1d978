// SPDX-License-Identifier: MIT
// Room weights. Enters: nothing. Leaves: the sets of values a weight may take. A set of somebody
// else's is one more such type: kernels take their bounds and offsets from it.
#pragma once

#include "trilobit/version.hpp"

#include <concepts>
#include <cstdint>
#include <string_view>

#include "trilobit/core/begin.hpp"

namespace trilobit::inline TRILOBIT_ABI {

/// Beyond this a sum of `max_cols` products with activations of up to 128 would overflow int32.
inline constexpr int largest_weight = 63;

/// Which values a weight takes: `holds` says so for every value, `lowest` and `highest` bound them,
/// and `padding`, one of them, fills what lies past a matrix and meets activations of zero.
template <class K>
concept weight_kind = requires(std::int8_t value) {
    { K::name } -> std::convertible_to<std::string_view>;
    { K::holds(value) } -> std::same_as<bool>;
    { K::lowest } -> std::convertible_to<std::int8_t>;
    { K::highest } -> std::convertible_to<std::int8_t>;
    { K::padding } -> std::convertible_to<std::int8_t>;
} && -largest_weight <= K::lowest && K::lowest <= K::highest && K::highest <= largest_weight;

/// {-1, +1}: no zero, so padding is made to contribute nothing by the activations it meets.
struct binary {
    static constexpr std::string_view name = "binary";
    static constexpr bool holds(std::int8_t value) noexcept { return value == 1 || value == -1; }
    static constexpr std::int8_t lowest = -1, highest = 1, padding = -1;
};

/// {-1, 0, +1}
struct ternary {
    static constexpr std::string_view name = "ternary";
    static constexpr bool holds(std::int8_t value) noexcept { return value >= -1 && value <= 1; }
    static constexpr std::int8_t lowest = -1, highest = 1, padding = 0;
};

/// Codes 0..3 less a zero point of 1, 1.5 or 2, whose double is `DoubledZero`: {-1, 0, 1, 2},
/// {-3, -1, 1, 3} / 2 or {-2, -1, 0, 1}. Halves are stored doubled: who brings them halves the
/// scale, which loses nothing.
template <int DoubledZero>
    requires(DoubledZero >= 2 && DoubledZero <= 4)
struct quaternary {
    static constexpr std::string_view name = "quaternary";
    static constexpr int step = DoubledZero % 2 == 0 ? 1 : 2;
    static constexpr std::int8_t lowest = -DoubledZero * step / 2, highest = lowest + 3 * step;
    static constexpr std::int8_t padding = step == 1 ? 0 : -1;
    static constexpr bool holds(std::int8_t value) noexcept {
        // 0..3 or 0, 2, 4, 6 above the lowest; what is below wraps.
        return (static_cast<std::uint8_t>(value - lowest) & ~unsigned{3 * step}) == 0;
    }
};

}  // namespace trilobit::inline TRILOBIT_ABI

#include "trilobit/core/end.hpp"
