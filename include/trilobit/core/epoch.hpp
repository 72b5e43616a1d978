// SPDX-License-Identifier: MIT
// Room core. Enters: a count that one thread raises. Leaves: the others asleep until it has risen.
//
// std::atomic::wait is all of it, except with libstdc++ where there is no futex (Windows, macOS):
// there it compares and then takes the lock, so that who is notified in between sleeps for ever.
#pragma once

#include "trilobit/version.hpp"

#include <atomic>
#include <cstdint>

#if defined(__GLIBCXX__) && !defined(_GLIBCXX_HAVE_LINUX_FUTEX)
#include <condition_variable>
#include <mutex>
#define TRILOBIT_WAITS_BY_ITSELF 0
#else
#define TRILOBIT_WAITS_BY_ITSELF 1
#endif

#include "trilobit/core/begin.hpp"

namespace trilobit::inline TRILOBIT_ABI {

class epoch {
    std::atomic<std::uint32_t> count{0};
#if !TRILOBIT_WAITS_BY_ITSELF
    std::mutex gate;
    std::condition_variable risen;
#endif

public:
    [[nodiscard]] std::uint32_t now(std::memory_order order) const noexcept {
        return count.load(order);
    }

    /// Raises it and wakes all who sleep.
    void rise() noexcept {
        count.fetch_add(1, std::memory_order_release);
#if TRILOBIT_WAITS_BY_ITSELF
        count.notify_all();
#else
        // Whoever has seen the old count holds the gate until it sleeps.
        { const std::lock_guard<std::mutex> lock(gate); }
        risen.notify_all();
#endif
    }

    /// Returns when it is no longer `seen`.
    void sleep_while(std::uint32_t seen) noexcept {
#if TRILOBIT_WAITS_BY_ITSELF
        count.wait(seen, std::memory_order_acquire);
#else
        if (now(std::memory_order_acquire) != seen) return;
        std::unique_lock<std::mutex> lock(gate);
        risen.wait(lock, [&] { return now(std::memory_order_acquire) != seen; });
#endif
    }
};

}  // namespace trilobit::inline TRILOBIT_ABI

#include "trilobit/core/end.hpp"
