// SPDX-License-Identifier: MIT
// Room conversion. Enters: rows and a function of one row that may throw. Leaves: all rows done, on
// all threads, or the first fault thrown where the caller is: exceptions may not cross threads.
#pragma once

#include <atomic>
#include <cstdint>
#include <exception>

#include "model/compute.hpp"

namespace tbx::conversion {

/// The first fault of several threads, until the caller can be told.
class first_fault {
    std::atomic_flag taken;
    std::exception_ptr held;

public:
    /// False where f throws.
    template <class F>
    bool catches(F&& f) {
        try {
            f();
            return true;
        } catch (...) {
            if (!taken.test_and_set()) held = std::current_exception();
            return false;
        }
    }
    void rethrow() const {
        if (held) std::rethrow_exception(held);
    }
};

template <class F>
void each_row(model::compute& cpu, std::int64_t begin, std::int64_t end, F&& f) {
    first_fault fault;
    cpu.pool(begin, end, 64, [&](std::int64_t first, std::int64_t last) {
        (void)fault.catches([&] {
            for (std::int64_t row = first; row < last; ++row) f(row);
        });
    });
    fault.rethrow();
}

/// Rows that are worked on together: a few megabytes of floats, whatever the tensor's size.
[[nodiscard]] inline std::int64_t rows_together(std::int64_t cols) noexcept {
    constexpr std::int64_t floats = std::int64_t{1} << 20;
    return cols < floats / 64 ? floats / cols : 64;
}

}  // namespace tbx::conversion
