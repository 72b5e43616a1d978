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

/// A kind may also bind neighbours: of each `group` columns of a row, from its first on,
///   holds_group(values, count)   can these be the first `count`, padding being the others?
///   fit_group(values, count)     makes any values of the kind such ones: for tests and benchmarks
///   group_rule                   a sentence that says what holds of them
template <class K>
concept grouped_kind = weight_kind<K> && requires(const std::int8_t* in, std::int8_t* out) {
    { K::group } -> std::convertible_to<int>;
    { K::holds_group(in, 1) } -> std::same_as<bool>;
    { K::fit_group(out, 1) } -> std::same_as<void>;
    { K::group_rule } -> std::convertible_to<const char*>;
};

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

/// {-1, 0, +1}, and exactly one 0 among each four columns. What is missing of the last four may be
/// that zero.
struct three_of_four : ternary {
    static constexpr std::string_view name = "three of four";
    static constexpr std::int8_t padding = 1;
    static constexpr int group = 4;
    static constexpr const char* group_rule = "Of four weights, from a multiple of four columns "
                                              "on, the layout has exactly one that is 0.";
    static constexpr bool holds_group(const std::int8_t* values, int count) noexcept {
        int zeros = 0;
        for (int i = 0; i < count; ++i) zeros += values[i] == 0 ? 1 : 0;
        return zeros == 1 || (zeros == 0 && count < group);
    }
    /// Where the zero comes, and which signs the others get, depends on all of them.
    static constexpr void fit_group(std::int8_t* values, int count) noexcept {
        if (holds_group(values, count)) return;
        int number = 0;
        for (int i = 0; i < count; ++i) number = 3 * number + values[i] + 1;
        for (int i = 0; i < count; ++i)
            if (values[i] == 0) values[i] = (number >> i & 1) != 0 ? -1 : 1;
        if (number % group < count) values[number % group] = 0;
    }
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
        // 0..3 or 0, 2, 4, 6 above the lowest; what is below wraps. In bytes, or a loop of it is
        // vectorised in words.
        constexpr auto others = static_cast<std::uint8_t>(~unsigned{3 * step});
        return static_cast<std::uint8_t>(static_cast<std::uint8_t>(value - lowest) & others) == 0;
    }
};

/// f(where each group of `count` columns starts, its columns)
template <grouped_kind K, class F>
constexpr void each_group(std::int64_t count, F&& f) {
    for (std::int64_t c = 0; c < count; c += K::group)
        f(c, static_cast<int>(count - c < K::group ? count - c : K::group));
}

/// Are these, from the first column of a row or of a group of one on, weights of the kind? Without
/// a branch, so that it vectorises.
template <weight_kind K>
constexpr bool holds_row(const std::int8_t* values, std::int64_t count) noexcept {
    std::uint8_t strange = 0;
    for (std::int64_t c = 0; c < count; ++c)
        strange |= static_cast<std::uint8_t>(!K::holds(values[c]));
    if constexpr (grouped_kind<K>)
        each_group<K>(count, [&](std::int64_t c, int n) {
            strange |= static_cast<std::uint8_t>(!K::holds_group(values + c, n));
        });
    return strange == 0;
}

/// The first column that is none of the kind's or begins a group that is none; `count` without one.
template <weight_kind K>
constexpr std::int64_t first_refused(const std::int8_t* values, std::int64_t count) noexcept {
    std::int64_t first = 0;
    while (first < count && K::holds(values[first])) ++first;
    if constexpr (grouped_kind<K>)
        each_group<K>(first, [&](std::int64_t c, int n) {
            const bool whole = n == K::group || first == count;
            if (c < first && whole && !K::holds_group(values + c, n)) first = c;
        });
    return first;
}

/// Makes values of the kind, from a group's first column on, weights of it.
template <weight_kind K>
constexpr void fit_row(std::int8_t* values, std::int64_t count) noexcept {
    if constexpr (grouped_kind<K>)
        each_group<K>(count, [&](std::int64_t c, int n) { K::fit_group(values + c, n); });
}

}  // namespace trilobit::inline TRILOBIT_ABI

#include "trilobit/core/end.hpp"
