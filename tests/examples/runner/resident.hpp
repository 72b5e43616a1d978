// SPDX-License-Identifier: MIT
// Tests of the runner. Enters: nothing. Leaves: the memory of this process that is resident.
#pragma once

#include <cstdio>
#include <fstream>
#include <string>

namespace tbx::testing {

inline std::size_t resident_now() {
    std::ifstream status("/proc/self/status");
    std::string line;
    std::size_t kilobytes = 0;
    while (std::getline(status, line))
        if (std::sscanf(line.c_str(), "VmRSS: %zu kB", &kilobytes) == 1) break;
    return kilobytes * 1024;
}

}  // namespace tbx::testing
