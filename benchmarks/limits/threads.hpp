// SPDX-License-Identifier: MIT
// Room limits. Enters: a number of threads and work for each. Leaves: the seconds from the moment
// when all were ready to the moment when the last was done.
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <thread>
#include <vector>

namespace trilobit_limits {

inline double now() {
    return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch())
        .count();
}

/// work(thread) runs in `threads` threads that start together.
template <class Work>
double run_together(int threads, const Work& work) {
    std::atomic<int> missing{threads};
    std::vector<double> begin(static_cast<std::size_t>(threads)), end(begin);
    const auto body = [&](int thread) {
        missing.fetch_sub(1);
        while (missing.load() > 0) std::this_thread::yield();
        begin[static_cast<std::size_t>(thread)] = now();
        work(thread);
        end[static_cast<std::size_t>(thread)] = now();
    };
    std::vector<std::thread> others;
    for (int t = 1; t < threads; ++t) others.emplace_back(body, t);
    body(0);
    for (std::thread& t : others) t.join();
    return *std::max_element(end.begin(), end.end()) -
           *std::min_element(begin.begin(), begin.end());
}

}  // namespace trilobit_limits
