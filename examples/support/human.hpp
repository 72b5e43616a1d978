// SPDX-License-Identifier: MIT
// Room support. Enters: numbers. Leaves: short text for people: bytes, counts, durations.
#pragma once

#include <cstdint>
#include <string>

namespace tbx::support {

[[nodiscard]] std::string human_bytes(std::uint64_t bytes);  // "1.5 MiB", "17 B"
[[nodiscard]] std::string human_count(double count);         // "2.41 G", "1.2 k", "17"
[[nodiscard]] std::string human_duration(double seconds);    // "1:02:03", "4:05", "3.2 s"

}  // namespace tbx::support
