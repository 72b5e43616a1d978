// SPDX-License-Identifier: MIT
// Room examples/runner. Enters: nothing. Leaves: how much memory this process has used at most, and
// how much it may still take.
#pragma once

#include <cstdint>
#include <fstream>
#include <string>

#if defined(_WIN32)
#include "support/windows/api.hpp"
// It needs windows.h.
#include <psapi.h>
#elif defined(__unix__) || defined(__APPLE__)
#include <sys/resource.h>
#endif

namespace tbx::runner {

/// Largest resident set so far; 0 where the system does not tell.
[[nodiscard]] inline std::int64_t peak_resident_bytes() noexcept {
#if defined(_WIN32)
    PROCESS_MEMORY_COUNTERS used{};
    if (::K32GetProcessMemoryInfo(::GetCurrentProcess(), &used, sizeof used) == 0) return 0;
    return static_cast<std::int64_t>(used.PeakWorkingSetSize);
#elif defined(__unix__) || defined(__APPLE__)
    rusage usage{};
    if (::getrusage(RUSAGE_SELF, &usage) != 0) return 0;
#if defined(__APPLE__)
    return usage.ru_maxrss;
#else
    return std::int64_t{usage.ru_maxrss} * 1024;
#endif
#else
    return 0;
#endif
}

/// What the system could give without taking it from others; 0 where it does not tell.
[[nodiscard]] inline std::int64_t available_bytes() {
    std::ifstream in("/proc/meminfo");
    for (std::string name, unit; in >> name;) {
        std::int64_t kilobytes = 0;
        in >> kilobytes;
        if (name == "MemAvailable:") return kilobytes * 1024;
        std::getline(in, unit);
    }
    return 0;
}

}  // namespace tbx::runner
