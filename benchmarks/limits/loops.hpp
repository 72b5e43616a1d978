// SPDX-License-Identifier: MIT
// Room limits. Enters: the name of a back end. Leaves: its loops, if this machine can run them.
// For this room's own sources and the rows of primitives.
#pragma once

#include <string_view>
#include <vector>

#include "limits/arch_loops.hpp"

namespace trilobit_limits {

/// Of this build, those that this machine can run, weakest first.
const std::vector<const arch_loops*>& runnable_loops();

/// The loops of a back end, of the strongest one for an empty name, or null.
const arch_loops* find_loops(std::string_view arch);

}  // namespace trilobit_limits
