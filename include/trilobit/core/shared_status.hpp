// SPDX-License-Identifier: MIT
// Room core. Enters: failures of several threads. Leaves: one of them, and whether there was any.
#pragma once

#include "trilobit/version.hpp"

#include <atomic>

#include "trilobit/core/status.hpp"

#include "trilobit/core/begin.hpp"

namespace trilobit::inline TRILOBIT_ABI::detail {

/// The first failure of any thread wins; the others ask ok() and stop.
class shared_status {
    std::atomic<int> claimed{0};  // of an int: RISC-V exchanges bytes in a library of its own
    std::atomic<bool> set{false};
    status problem;

public:
    [[nodiscard]] bool ok() const noexcept { return !set.load(std::memory_order_acquire); }
    void fail(const status& s) noexcept {
        if (claimed.exchange(true)) return;
        problem = s;
        set.store(true, std::memory_order_release);
    }
    [[nodiscard]] status get() const noexcept { return ok() ? status{} : problem; }
};

}  // namespace trilobit::inline TRILOBIT_ABI::detail

#include "trilobit/core/end.hpp"
