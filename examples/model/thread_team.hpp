// SPDX-License-Identifier: MIT
// Room examples/model. Enters: a number of threads. Leaves: who runs the loops of a model: threads
// that stay, or, where the standard library has none, whom the program brings.
#pragma once

#include <trilobit/core/config.hpp>
#include <trilobit/core/executor.hpp>
#if TRILOBIT_HAS_THREADS
#include <string>
#include <system_error>

#include <trilobit/core/thread_pool.hpp>

#include "support/error.hpp"
#endif

namespace tbx::model {

#if TRILOBIT_HAS_THREADS
struct thread_team : trilobit::thread_pool {
    /// Throws tbx::error where the system does not give so many.
    explicit thread_team(int threads) try : thread_pool(threads) {
    } catch (const std::system_error&) {
        throw error("--threads",
                    "the system does not give " + std::to_string(threads) + " threads");
    }
};
#else
/// Of the library's executor concept, and as thread_pool is used.
struct thread_team {
    static inline trilobit::executor_ref brought;  // without one: the calling thread

    explicit thread_team(int) {}
    template <class F>
    void operator()(std::int64_t first, std::int64_t last, std::int64_t grain, F&& f) const {
        brought(first, last, grain, f);
    }
    [[nodiscard]] int concurrency() const { return brought.concurrency(); }
};
#endif

}  // namespace tbx::model
