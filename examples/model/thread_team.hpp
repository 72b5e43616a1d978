// SPDX-License-Identifier: MIT
// Room examples/model. Enters: a number of threads. Leaves: who runs the loops of a model: threads
// that stay, or, where the standard library has none, whom the program brings.
#pragma once

#include <trilobit/core/config.hpp>
#include <trilobit/core/executor.hpp>
#if TRILOBIT_HAS_THREADS
#include <trilobit/core/thread_pool.hpp>
#endif

namespace tbx::model {

#if TRILOBIT_HAS_THREADS
using thread_team = trilobit::thread_pool;
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
