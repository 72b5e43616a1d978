// SPDX-License-Identifier: MIT
// Room support. Enters: numbers. Leaves: short text for people.
#include "support/human.hpp"

#include <array>
#include <cmath>
#include <cstddef>
#include <cstdio>
#include <span>

namespace tbx::support {

namespace {

std::string scaled(double value, double step, std::span<const char* const> units) {
    std::size_t unit = 0;
    // 999.95 would print as 1000.0: step on at what rounds up.
    while (unit + 1 < units.size() && std::fabs(value) >= step - 0.05) {
        value /= step;
        ++unit;
    }
    std::array<char, 48> text{};
    std::snprintf(text.data(), text.size(), unit == 0 ? "%.0f%s" : "%.1f%s", value, units[unit]);
    return text.data();
}

}  // namespace

std::string human_bytes(std::uint64_t bytes) {
    constexpr std::array units{" B", " KiB", " MiB", " GiB", " TiB", " PiB", " EiB"};
    return scaled(static_cast<double>(bytes), 1024.0, units);
}

std::string human_count(double count) {
    constexpr std::array units{"", " k", " M", " G", " T", " P"};
    return scaled(count, 1000.0, units);
}

std::string human_duration(double seconds) {
    if (!(seconds >= 0) || seconds > 1e9) return "--:--";
    std::array<char, 48> text{};
    if (seconds < 9.95) {
        std::snprintf(text.data(), text.size(), "%.1f s", seconds);
        return text.data();
    }
    const auto whole = std::llround(seconds);
    if (whole < 3600) {
        std::snprintf(text.data(), text.size(), "%lld:%02lld", whole / 60, whole % 60);
    } else {
        std::snprintf(text.data(), text.size(), "%lld:%02lld:%02lld", whole / 3600, whole / 60 % 60,
                      whole % 60);
    }
    return text.data();
}

}  // namespace tbx::support
