// SPDX-License-Identifier: MIT
// Room limits. Enters: the name of a back end. Leaves: its loops, if this machine can run them.
// For this room's own sources and the rows of primitives.
#pragma once

#include <string_view>

#include "limits/arch_loops.hpp"
#include "trilobit/dispatch/per_arch.hpp"

namespace trilobit_limits {

using all_loops = trilobit::dispatch::per_arch<arch_loops, loops_of>;

/// The loops of a back end, or null where this machine or this build lacks it.
inline const arch_loops* find_loops(std::string_view arch) {
    const auto found = all_loops::find(arch);
    return found.ok() ? found.value() : nullptr;
}

}  // namespace trilobit_limits
