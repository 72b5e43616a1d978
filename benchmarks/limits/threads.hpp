// SPDX-License-Identifier: MIT
// Room limits. Enters: threads and work for each. Leaves: the seconds from the moment when all were
// ready to the moment when the last was done.
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <thread>
#include <vector>

#include "trilobit/core/thread_pool.hpp"

namespace trilobit_limits {

inline double now() {
    return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch())
        .count();
}

/// Calls of it from as many threads as were named begin their work together.
template <class Work>
class start_line {
    const Work& work;
    std::atomic<int> missing;
    std::vector<double> begin, end;

public:
    start_line(int threads, const Work& w)
        : work(w), missing(threads), begin(static_cast<std::size_t>(threads)), end(begin.size()) {}

    void operator()(int thread) {
        missing.fetch_sub(1);
        while (missing.load() > 0) std::this_thread::yield();
        begin[static_cast<std::size_t>(thread)] = now();
        work(thread);
        end[static_cast<std::size_t>(thread)] = now();
    }
    [[nodiscard]] double seconds() const {
        return *std::max_element(end.begin(), end.end()) -
               *std::min_element(begin.begin(), begin.end());
    }
};

/// work(thread) runs in `threads` threads that start together.
template <class Work>
double run_together(int threads, const Work& work) {
    start_line body(threads, work);
    std::vector<std::thread> others;
    for (int t = 1; t < threads; ++t) others.emplace_back([&body, t] { body(t); });
    body(0);
    for (std::thread& t : others) t.join();
    return body.seconds();
}

/// The same in the threads of an idle pool: none can take the piece of another, since it waits in
/// its own until all have come.
template <class Work>
double run_together(trilobit::thread_pool& pool, const Work& work) {
    start_line body(pool.concurrency(), work);
    pool(0, pool.concurrency(), 1, [&](std::int64_t first, std::int64_t last) {
        for (std::int64_t t = first; t < last; ++t) body(static_cast<int>(t));
    });
    return body.seconds();
}

}  // namespace trilobit_limits
