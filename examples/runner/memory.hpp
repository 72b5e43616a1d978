// SPDX-License-Identifier: MIT
// Room examples/runner. Enters: nothing. Leaves: how much memory this process has used at most.
#pragma once

#include <cstdint>

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

}  // namespace tbx::runner
