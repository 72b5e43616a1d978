// SPDX-License-Identifier: MIT
// Room kernel. Enters: nothing. Leaves: the number and the name of each family of kernels: what
// tables, options and reports know of them.
#pragma once

#include "trilobit/version.hpp"

#include <cstdint>
#include <iterator>
#include <string_view>

#include "trilobit/core/begin.hpp"

namespace trilobit::inline TRILOBIT_ABI {

enum class kernel_id : std::uint8_t { automatic, generic, dot, lookup, popcount, vector_lookup };

/// By kernel_id.
inline constexpr std::string_view kernel_names[] = {"automatic", "generic",  "dot",
                                                    "lookup",    "popcount", "vector_lookup"};

constexpr std::string_view kernel_name(kernel_id id) noexcept {
    const auto at = static_cast<std::size_t>(id);
    return at < std::size(kernel_names) ? kernel_names[at] : "unknown";
}

}  // namespace trilobit::inline TRILOBIT_ABI

#include "trilobit/core/end.hpp"
