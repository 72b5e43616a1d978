// SPDX-License-Identifier: MIT
// Room limits. Enters: the name of a back end. Leaves: its loops, if this machine can run them.
// For this room's own sources.
#pragma once

#include <string_view>

namespace trilobit_limits {

struct arch_loops;

/// The loops of a back end, of the strongest one for an empty name, or null.
const arch_loops* find_loops(std::string_view arch);

}  // namespace trilobit_limits
