// SPDX-License-Identifier: MIT
// Room support. Enters: what CLI11 found on a command line. Leaves: checks of numbers that it takes
// for others: 010 for 8, -1 for the largest seed, NaN for a number of any range. Only programs
// include this: the room itself does without CLI11.
#pragma once

#include <cstdint>
#include <cstdio>
#include <limits>
#include <string>
#include <type_traits>

#include <CLI/CLI.hpp>

#include "support/whole_number.hpp"

namespace tbx::support {

/// A decimal number, both ends included. To transform().
template <class Integer = std::int64_t>
[[nodiscard]] CLI::Validator whole_number(std::type_identity_t<Integer> low,
                                          std::type_identity_t<Integer> high) {
    return {[low, high](std::string& text) { return make_decimal<Integer>(text, low, high); }, ""};
}

/// One of 64 bits without a sign. To transform().
[[nodiscard]] inline CLI::Validator seed_number() {
    return whole_number<std::uint64_t>(0, std::numeric_limits<std::uint64_t>::max());
}

/// From `low` to `high`, both included. To check().
[[nodiscard]] inline CLI::Validator number_between(double low, double high) {
    return {[low, high](const std::string& text) {
                double value = 0;
                if (CLI::detail::lexical_cast(text, value) && value >= low && value <= high)
                    return std::string();
                char range[80];
                (void)std::snprintf(range, sizeof range, " is no number from %g to %g", low, high);
                return "'" + text + "'" + range;
            },
            ""};
}

}  // namespace tbx::support
