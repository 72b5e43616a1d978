// SPDX-License-Identifier: MIT
// Room support. Enters: a name that is none, and those that there are. Leaves: one short line.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace tbx::support {

/// "'popcorn' is none of dot, generic, popcount"; of more than eight the nearest alone:
/// "'Q5_0' is none of 24 names; near it: Q1_0, Q2_0, Q4_0".
[[nodiscard]] std::string none_of(std::string_view wrong, std::span<const std::string> names);

/// "a, b, c", for a help text.
[[nodiscard]] std::string listed(std::span<const std::string> names);

/// Letters to insert, leave out, replace or swap with their neighbour to make one of the other;
/// capitals are as good as small ones.
[[nodiscard]] std::size_t edits_between(std::string_view a, std::string_view b);

}  // namespace tbx::support
