// SPDX-License-Identifier: MIT
// Room support. Enters: a number of the command line. Leaves: the same in plain decimal digits, or
// what is wrong with it.
#pragma once

#include <charconv>
#include <string>
#include <system_error>

namespace tbx::support {

/// `text` loses leading zeros, for which CLI11 would take it for octal. Returns what is wrong with
/// it: it is no decimal number from `low` to `high`; nothing when all is well.
template <class Integer>
[[nodiscard]] std::string make_decimal(std::string& text, Integer low, Integer high) {
    Integer value = 0;
    const char* const last = text.data() + text.size();
    const auto [end, problem] = std::from_chars(text.data(), last, value);
    if (problem != std::errc() || end != last || value < low || value > high)
        return "'" + text + "' is no whole number from " + std::to_string(low) + " to " +
               std::to_string(high);
    text = std::to_string(value);
    return {};
}

}  // namespace tbx::support
