// SPDX-License-Identifier: MIT
// Room examples/runner. Enters: nothing. Leaves: time that has passed.
#pragma once

#include <chrono>

namespace tbx::runner {

/// Seconds since it was made, or since the last lap.
class stopwatch {
    using clock = std::chrono::steady_clock;
    clock::time_point started = clock::now();

public:
    [[nodiscard]] double seconds() const {
        return std::chrono::duration<double>(clock::now() - started).count();
    }
    double lap() {
        const double s = seconds();
        started = clock::now();
        return s;
    }
};

}  // namespace tbx::runner
